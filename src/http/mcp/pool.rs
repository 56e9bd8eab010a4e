//! The open connections to one server.
//!
//! Over HTTP/1.1 each request has a connection for itself, the one that was used last if there is a free
//! one. Where none is, a new one is opened, and the request takes whichever is ready first, the new one or
//! one that another request gives back. Over HTTP/2 all share one.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use hyper::client::conn::{TrySendError, http1, http2};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::answer::Answer;
use super::connect::Connector;
use crate::error::Result;

/// How long a free connection is kept.
const IDLE: Duration = Duration::from_secs(30);

type Body = Full<Bytes>;

/// A way to send requests to the server.
pub(super) enum Link {
    /// HTTP/1.1: one request at a time.
    Single(http1::SendRequest<Body>),
    /// HTTP/2.
    Shared(http2::SendRequest<Body>),
}

/// The connections to one server.
pub(super) struct Pool {
    connector: Connector,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Free connections; the one used last stands last.
    free: Vec<(http1::SendRequest<Body>, Instant)>,
    shared: Option<http2::SendRequest<Body>>,
    /// Requests that wait for a connection. For each of them one is being opened, or all wait for the one
    /// that they will share.
    waiting: VecDeque<oneshot::Sender<Result<(Link, bool)>>>,
    /// Whether the server speaks HTTP/2; unknown before the first connection.
    shares: Option<bool>,
    opening: usize,
    /// Set when one more connection than there are requests is wanted.
    spare: bool,
    tidying: bool,
}

/// A connection in use. It is free again when this is dropped.
pub(super) struct Lease {
    link: Option<http1::SendRequest<Body>>,
    pool: Arc<Pool>,
}

impl Pool {
    pub(super) fn new(connector: Connector) -> Arc<Self> {
        Arc::new(Pool { connector, state: Mutex::default() })
    }

    pub(super) fn host(&self) -> &str {
        self.connector.host()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection, and whether it was there before.
    ///
    /// # Errors
    /// Those of the connector.
    pub(super) async fn take(self: &Arc<Self>) -> Result<(Link, bool)> {
        let wait = {
            let mut state = self.state();
            if let Some(link) = state.ready() {
                return Ok((link, true));
            }
            let (to, wait) = oneshot::channel();
            state.waiting.retain(|waiting| !waiting.is_closed());
            state.waiting.push_back(to);
            if state.shares != Some(true) || state.opening == 0 {
                self.open(&mut state);
            }
            wait
        };
        // The sender is never dropped unused: each opening ends with a connection or a failure.
        wait.await.unwrap_or_else(|_| Err(self.connector.gone()))
    }

    /// Opens a connection that no request waits for yet, once it is known that the server cannot share one.
    pub(super) fn spare(self: &Arc<Self>) {
        let mut state = self.state();
        match state.shares {
            Some(false) if state.free.len() < 2 => self.open(&mut state),
            None => state.spare = true,
            _ => {}
        }
    }

    /// Opens a connection on a task of its own: the request may be gone, or served by another connection,
    /// before it is there, and the next one finds it then.
    fn open(self: &Arc<Self>, state: &mut State) {
        state.opening += 1;
        let pool = Arc::clone(self);
        tokio::spawn(async move {
            let opened = pool.connector.connect().await;
            let mut state = pool.state();
            state.opening -= 1;
            match opened {
                Ok(link) => {
                    state.shares = Some(link.is_shared());
                    if !link.is_shared() && std::mem::take(&mut state.spare) {
                        pool.open(&mut state);
                    }
                    pool.put(&mut state, link, false);
                }
                Err(error) if state.shares == Some(true) => {
                    state.waiting.drain(..).for_each(|waiting| drop(waiting.send(Err(error.clone()))));
                }
                // One opening for each who waits; those that were opened in reserve may fail unnoticed.
                Err(error) if state.opening < state.waiting.len() => {
                    if let Some(waiting) = state.waiting.pop_front() {
                        let _ = waiting.send(Err(error));
                    }
                }
                Err(_) => {}
            }
        });
    }

    /// Gives a connection to whoever waits for one, or keeps it.
    fn put(self: &Arc<Self>, state: &mut State, link: Link, reused: bool) {
        let mut link = link;
        match &link {
            Link::Single(link) if link.is_closed() => return,
            Link::Shared(link) => state.shared = Some(link.clone()),
            Link::Single(_) => {}
        }
        while let Some(waiting) = state.waiting.pop_front() {
            let again = match &link {
                Link::Shared(link) => Some(Link::Shared(link.clone())),
                Link::Single(_) => None,
            };
            match (waiting.send(Ok((link, reused))), again) {
                // Whoever waited has gone.
                (Err(Ok((unused, _))), _) => link = unused,
                (_, Some(again)) => link = again,
                _ => return,
            }
        }
        if let Link::Single(link) = link {
            state.free.push((link, Instant::now()));
            if !std::mem::replace(&mut state.tidying, true) {
                tokio::spawn(tidy(Arc::downgrade(self)));
            }
        }
    }
}

impl State {
    fn ready(&mut self) -> Option<Link> {
        if let Some(link) = &self.shared {
            if !link.is_closed() {
                return Some(Link::Shared(link.clone()));
            }
            self.shared = None;
        }
        while let Some((link, since)) = self.free.pop() {
            if link.is_ready() && since.elapsed() < IDLE {
                return Some(Link::Single(link));
            }
        }
        None
    }
}

/// Closes connections that nobody has used for a while.
async fn tidy(pool: Weak<Pool>) {
    loop {
        tokio::time::sleep(IDLE).await;
        let Some(pool) = pool.upgrade() else { return };
        let mut state = pool.state();
        state.free.retain(|(link, since)| !link.is_closed() && since.elapsed() < IDLE);
        if state.free.is_empty() {
            state.tidying = false;
            return;
        }
    }
}

impl Link {
    pub(super) fn is_shared(&self) -> bool {
        matches!(self, Link::Shared(_))
    }

    /// Sends a request, which comes back if nothing of it has been written.
    pub(super) async fn send(
        self,
        request: Request<Body>,
        pool: &Arc<Pool>,
    ) -> Result<Answer, TrySendError<Request<Body>>> {
        match self {
            Link::Single(mut link) => {
                let response = link.try_send_request(request).await?;
                let lease = Lease { link: Some(link), pool: Arc::clone(pool) };
                Ok(Answer::new(response, Some(lease)))
            }
            Link::Shared(mut link) => Ok(Answer::new(link.try_send_request(request).await?, None)),
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(mut link) = self.link.take() else { return };
        if link.is_ready() {
            return self.pool.put(&mut self.pool.state(), Link::Single(link), true);
        }
        if link.is_closed() {
            return;
        }
        // The connection has not seen the end of the body yet. If there is more than it cares to read, it
        // closes.
        let pool = Arc::clone(&self.pool);
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            if link.ready().await.is_ok() {
                pool.put(&mut pool.state(), Link::Single(link), true);
            }
        });
    }
}
