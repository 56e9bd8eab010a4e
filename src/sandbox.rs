//! A Chipp look-alike on loopback: authorization server, consent page and MCP server in one, for
//! tests and the demo. Feature `sandbox`; never part of the released binary.
//!
//! It does what Chipp's documentation says, strictly, and can be told to misbehave ([`Options`],
//! [`Fault`]). It is also the oracle: [`Sandbox::log`] and [`Sandbox::counts`] say what reached the
//! server, so that a test never has to believe the client (security.md 6.1). It runs inside the
//! test's process on a thread and runtime of its own, so synchronous tests can use it as well.
//! It holds throw-away secrets of an imaginary account: it binds loopback only and keeps
//! everything in memory.

mod areas;
mod authorize;
mod client;
mod consent;
mod device;
mod discovery;
mod family;
mod fault;
mod gate;
mod log;
mod mcp;
mod options;
mod page;
mod params;
mod rate;
mod register;
mod reply;
mod revoke;
mod rpc;
mod scope;
mod secret;
mod server;
mod session;
mod state;
mod token;
mod tools;

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;
use url::Url;

pub use client::{Client, ClientAuth, Redirects};
pub use fault::Fault;
pub use log::{Counts, Entry, Kind};
pub use options::{Answers, Consent, Grace, Options, RateLimit, TokenStyle};

use state::Shared;

/// How long a drop waits for the thread. It ends at once; this is for a machine that stands still.
const STOP: Duration = Duration::from_secs(5);

/// A running sandbox. Dropping it stops it and closes its connections.
pub struct Sandbox {
    shared: Arc<Shared>,
    base: Url,
    stop: Option<oneshot::Sender<()>>,
    ended: mpsc::Receiver<()>,
    thread: Option<JoinHandle<()>>,
}

impl Sandbox {
    /// Binds `127.0.0.1` and serves.
    ///
    /// # Errors
    /// If the port is taken, or the system gives no socket or thread.
    pub fn start(options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port.unwrap_or(0)))?;
        listener.set_nonblocking(true)?;
        let origin = format!("http://127.0.0.1:{}", listener.local_addr()?.port());
        let base = Url::parse(&origin).map_err(io::Error::other)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let shared = Arc::new(Shared::new(origin, options));
        let (stop, stopped) = oneshot::channel();
        let (end, ended) = mpsc::channel();
        let inside = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("sandbox".to_owned()).spawn(move || {
            runtime.block_on(async {
                if let Ok(listener) = tokio::net::TcpListener::from_std(listener) {
                    server::serve(inside, listener, stopped).await;
                }
            });
            // With the runtime go all connections, in whatever state they are.
            drop(runtime);
            let _ = end.send(());
        })?;
        Ok(Sandbox { shared, base, stop: Some(stop), ended, thread: Some(thread) })
    }

    /// `http://127.0.0.1:PORT/`. The issuer is the same without the slash.
    pub fn base(&self) -> Url {
        self.base.clone()
    }

    /// The MCP endpoint that offers every tool: `/mcp/messages`.
    pub fn mcp_url(&self) -> Url {
        self.at(areas::Area::Messages.path())
    }

    /// A path of this server as URL.
    pub fn at(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(path);
        url
    }

    /// Every request so far, in the order in which they were answered.
    pub fn log(&self) -> Vec<Entry> {
        self.shared.state().log.entries()
    }

    /// Sums over every request so far.
    pub fn counts(&self) -> Counts {
        self.shared.state().log.counts.clone()
    }

    /// Changes the behaviour of the requests to come. Tokens keep the lifetime they were issued with.
    /// The sandbox stands still meanwhile: `change` must not call it.
    pub fn set(&self, change: impl FnOnce(&mut Options)) {
        change(&mut self.shared.state().options);
    }

    /// Ends every sign-in, as the button in Chipp's settings does.
    pub fn revoke_all(&self) {
        let mut state = self.shared.state();
        let ended = state.ledger.revoke_all();
        state.log.counts.families_revoked += ended;
    }

    /// Forgets every registered client, as a server with a short memory does.
    pub fn forget_clients(&self) {
        self.shared.state().registered.clear();
    }

    /// Forgets every MCP session and ends their streams, as a restarted server does (T-23).
    pub fn forget_sessions(&self) {
        self.shared.state().sessions.clear();
    }

    /// Arms a fault for the next request of its kind; see [`Fault`].
    pub fn fail_next(&self, fault: Fault) {
        self.shared.state().faults.arm(fault);
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        drop(self.stop.take());
        let ended = self.ended.recv_timeout(STOP);
        // A thread that panicked has closed the channel too.
        if !matches!(ended, Err(mpsc::RecvTimeoutError::Timeout))
            && let Some(thread) = self.thread.take()
        {
            let _ = thread.join();
        }
    }
}
