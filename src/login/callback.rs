//! Waits for the answer, and holds the browser until its outcome is known.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::gate::{Gate, Stage};
use super::page::Page;
use super::{Expected, Listener, clock, serve};
use crate::error::{Error, Name, Result};

/// How long the browser may take to fetch the last page.
const FAREWELL: Duration = Duration::from_millis(2500);

/// The accepted answer. The browser is still waiting: tell it the outcome with
/// [`Callback::finish`]. Dropped, it closes the listener and every connection.
pub struct Callback {
    code: SecretString,
    server: Server,
}

/// The serving task, ended with the value.
struct Server {
    gate: Arc<Gate>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Listener {
    /// Waits until the browser comes back with the expected `state`, for at most `limit`, time asleep
    /// included. Whatever else arrives is refused and changes nothing.
    ///
    /// The listener goes on serving while the [`Callback`] lives. If this future is dropped
    /// (Ctrl-C), everything is closed.
    ///
    /// # Errors
    /// `login-timeout`; `issuer-mismatch`; `login-denied`, `client-rejected`, `server-error` or
    /// `server-busy` after an error answer. The browser has its page by then.
    pub async fn wait(self, expected: Expected, limit: Duration) -> Result<Callback> {
        let (gate, outcome) = Gate::new(self.site(), expected, self.ignored());
        let gate = Arc::new(gate);
        let task = tokio::spawn(serve::run(self.sockets, gate.clone()));
        let server = Server { gate, task };
        let outcome = tokio::select! {
            biased;
            outcome = outcome => outcome,
            () = clock::passed(limit) => return Err(too_late(&server.gate, &self.ignored, limit)),
        };
        match outcome {
            Ok(Ok(code)) => Ok(Callback { code, server }),
            Ok(Err((error, page))) => {
                server.farewell(page).await;
                Err(error)
            }
            Err(_) => Err(Error::new(Name::Internal, "the callback listener ended by itself")),
        }
    }
}

impl Callback {
    /// The authorization code.
    pub fn code(&self) -> &SecretString {
        &self.code
    }

    /// Sends the waiting browser to the outcome and closes everything. Returns when the browser has
    /// the page or is gone, and after 2.5 s in any case.
    pub async fn finish(self, page: Page) {
        self.server.farewell(page).await;
    }
}

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callback").finish_non_exhaustive()
    }
}

impl Server {
    async fn farewell(mut self, page: Page) {
        self.gate.settle(page);
        let mut stage = self.gate.stage.subscribe();
        let there = stage.wait_for(|stage| matches!(stage, Stage::Shown | Stage::Gone));
        let _ = timeout(FAREWELL, there).await.map(|_| ());
        self.task.abort();
        // The abort takes effect when the task is next looked at: only then is the port free.
        let _ = (&mut self.task).await;
    }
}

fn too_late(gate: &Gate, ignored: &super::Ignored, limit: Duration) -> Error {
    let time = match (limit.as_secs() / 60, limit.as_secs() % 60) {
        (1, 0) => "1 minute".to_owned(),
        (0, 1) => "1 second".to_owned(),
        (minutes, 0) if minutes > 0 => format!("{minutes} minutes"),
        _ => format!("{} seconds", limit.as_secs()),
    };
    let mut what = format!("nobody finished the sign-in within {time}");
    if gate.came_back_empty() {
        what.push_str("; the server came back without a code");
    } else if ignored.count() > 0 {
        what.push_str("; callbacks came that were not ours, and were ignored");
    }
    Error::new(Name::LoginTimeout, what)
}
