//! One stream of a server, the address that belongs to it, and who waits for what on it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use tokio::time::Instant;
use url::Url;

use crate::http::mcp::Client;
use crate::proxy::envelope::id_key;
use crate::proxy::events::Stop;
use crate::proxy::latch::Latch;
use crate::proxy::legacy::session::Hello;

/// A stream with its endpoint.
pub(in crate::proxy) struct Line {
    /// Where messages are POSTed.
    pub(in crate::proxy) endpoint: Url,
    /// Goes there.
    pub(in crate::proxy) client: Client,
    waiting: Mutex<Waiting>,
    heard: Mutex<Instant>,
    gone: Arc<Latch>,
    fresh: AtomicBool,
}

#[derive(Default)]
struct Waiting {
    /// Why nothing comes any more.
    stop: Option<Stop>,
    calls: HashMap<String, Vec<Waiter>>,
}

/// A request whose answer will come on the stream.
pub(super) struct Waiter {
    /// Set for `initialize`.
    pub(super) hello: Option<Hello>,
    done: oneshot::Sender<Result<(), Stop>>,
}

impl Waiter {
    /// The answer has gone to the host.
    pub(super) fn done(self) {
        let _ = self.done.send(Ok(()));
    }
}

/// The other side of a [`Waiter`]. Nobody waits any more when it is dropped.
pub(super) struct Expected {
    line: Arc<Line>,
    key: String,
    done: Option<oneshot::Receiver<Result<(), Stop>>>,
}

impl Line {
    pub(super) fn new(endpoint: Url, client: Client) -> Arc<Self> {
        Arc::new(Line {
            endpoint,
            client,
            waiting: Mutex::default(),
            heard: Mutex::new(Instant::now()),
            gone: Latch::new(),
            fresh: AtomicBool::new(true),
        })
    }

    /// Whether no session was opened on it yet. From now on one is.
    pub(super) fn take_fresh(&self) -> bool {
        self.fresh.swap(false, Ordering::Relaxed)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the answer to the request `id`. To be called before the request is sent: the answer may
    /// overtake the answer to the POST.
    pub(super) fn expect(self: &Arc<Self>, id: &str, hello: Option<Hello>) -> Expected {
        let (done, receiver) = oneshot::channel();
        let key = id_key(id).into_owned();
        let mut waiting = self.waiting();
        match waiting.stop {
            Some(stop) => drop(done.send(Err(stop))),
            None => waiting.calls.entry(key.clone()).or_default().push(Waiter { hello, done }),
        }
        Expected { line: Arc::clone(self), key, done: Some(receiver) }
    }

    /// Who waits for the answer with this id.
    pub(super) fn take(&self, id: &str) -> Option<Waiter> {
        let mut waiting = self.waiting();
        let key = id_key(id);
        let waiters = waiting.calls.get_mut(&*key)?;
        let first = (!waiters.is_empty()).then(|| waiters.remove(0));
        if waiters.is_empty() {
            waiting.calls.remove(&*key);
        }
        first
    }

    /// Nothing comes any more: nobody shall wait for it.
    pub(super) fn close(&self, stop: Stop) {
        let mut waiting = self.waiting();
        waiting.stop.get_or_insert(stop);
        for waiter in waiting.calls.drain().flat_map(|(_, waiters)| waiters) {
            let _ = waiter.done.send(Err(stop));
        }
        drop(waiting);
        self.gone.open();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.gone.is_open()
    }

    pub(super) async fn closed(&self) {
        self.gone.wait().await;
    }

    /// Something came, if only a comment (T-10).
    pub(super) fn touch(&self) {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// When something came last.
    pub(super) fn heard(&self) -> Instant {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Expected {
    /// Returns when the answer has gone to the host, or cannot come. May be dropped and called again.
    pub(super) async fn wait(&mut self) -> Result<(), Stop> {
        let Some(done) = &mut self.done else { return Ok(()) };
        let outcome = done.await.unwrap_or(Err(Stop::Ended));
        self.done = None;
        outcome
    }
}

impl Drop for Expected {
    fn drop(&mut self) {
        if self.done.take().is_some() {
            let mut waiting = self.line.waiting();
            if let Some(waiters) = waiting.calls.get_mut(&self.key) {
                waiters.retain(|waiter| !waiter.done.is_closed());
            }
            waiting.calls.retain(|_, waiters| !waiters.is_empty());
        }
    }
}
