//! HTTP+SSE, the transport of 2024-11-05: one stream for everything that the server says, and an address,
//! named by its first event, for everything that it is told (T-83).
//!
//! It is deprecated and may go (T-84), so it comes last: only if the POSTed `initialize` is refused with 400,
//! 404 or 405 and nothing says that the server is of a newer era; or where the user asks for it. 2024-11-05 as
//! a *revision* is something else: servers speak it over Streamable HTTP too, and then by its rules (T-85).
//!
//! `endpoint` resolves the address, `line` knows who waits for what, `keep` is the task that opens the
//! stream, reads it and opens it again, and `converse` carries a request out.
//!
//! The end of the stream is the end of the session: there is nothing to resume. Requests that wait are
//! answered with `stream-lost`, since the server may have acted. The session is opened again with the host's
//! own parameters, as a forgotten one is (T-24), and at once and not only for the next request: what the
//! server says unasked comes by no other way. The host notices nothing, unless the server has become another.

mod converse;
mod endpoint;
mod keep;
mod line;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{Notify, watch};

use super::Transport;
use super::events::Stop;
use crate::error::{Error, Name, Result};
pub(super) use line::Line;

/// The transport of one pipe.
pub(super) struct Sse {
    /// Whether messages go this way.
    on: AtomicBool,
    /// The next stream begins a session of the host's, and does not go on with the last.
    fresh: AtomicBool,
    wanted: Notify,
    state: watch::Sender<State>,
}

#[derive(Clone, Default)]
enum State {
    #[default]
    Closed,
    Opening,
    Open(Arc<Line>),
    Failed(Error),
}

impl Sse {
    pub(super) fn new(transport: Transport) -> Self {
        Sse {
            on: AtomicBool::new(transport == Transport::Sse),
            fresh: AtomicBool::new(true),
            wanted: Notify::new(),
            state: watch::Sender::default(),
        }
    }

    /// Whether messages go this way.
    pub(super) fn is_on(&self) -> bool {
        self.on.load(Ordering::Relaxed)
    }

    fn turn(&self, on: bool) {
        self.on.store(on, Ordering::Relaxed);
    }

    /// The stream, opened if need be. `fresh`: the host begins a session with it.
    ///
    /// # Errors
    /// Why it cannot be opened.
    async fn line(&self, fresh: bool) -> Result<Arc<Line>> {
        let mut states = self.state.subscribe();
        let mut asked = false;
        loop {
            let state = states.borrow_and_update().clone();
            match state {
                State::Open(line) if !line.is_closed() => {
                    if !fresh || line.take_fresh() {
                        return Ok(line);
                    }
                    self.fresh.store(true, Ordering::Relaxed);
                    line.close(Stop::Ended);
                }
                State::Failed(error) if asked => return Err(error),
                State::Opening => asked = true,
                _ => {}
            }
            if !asked {
                asked = true;
                self.wanted.notify_one();
            }
            if states.changed().await.is_err() {
                return Err(Error::new(Name::StreamLost, "the stream of the server was closed"));
            }
        }
    }
}
