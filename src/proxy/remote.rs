//! The HTTP side: one POST per message (T-01), and what is known of the server.
//!
//! A message is sent again in four cases only, because only then it is known that the server has not
//! acted: the connection could not be made (`send`), the answer was 401 or a 403 that asks for more scope
//! (`exchange`), or 429 (`busy`), or the session was gone (P6).

mod busy;
mod exchange;
mod own;
pub(super) mod refusal;
mod send;
mod status;
mod wake;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use super::budget::Budget;
use super::era::Era;
use super::latch::Latch;
use super::legacy::session::{Session, Sessions};
use super::modern::Modern;
use super::modern::heal::InVain;
use super::modern::tools::Tools;
use super::pending::Ticket;
use super::sse::{Line, Sse};
use super::{Bearer, Upstream};
use crate::error::Result;
use crate::http::mcp::Answer;
use busy::Busy;
use refusal::Refusal;
pub(super) use send::VERSION;
use wake::Connections;

/// The server, as this pipe knows it.
pub(super) struct Remote<B> {
    pub(super) upstream: Upstream,
    pub(super) bearer: B,
    pub(super) sessions: Sessions,
    pub(super) era: Era,
    /// What its tools want in headers, where there is no session.
    pub(super) tools: Tools,
    pub(super) in_vain: InVain,
    /// One at a time opens a lost session again.
    pub(super) renewing: Semaphore,
    /// Told of each success, for those who have given up.
    pub(super) reached: Notify,
    pub(super) sse: Sse,
    busy: Busy,
    /// How many requests were sent, and how many messages of the host there were.
    spent: [AtomicUsize; 2],
    connections: Connections,
    /// The memory for large messages, of all streams together.
    pub(super) budget: Budget,
}

/// A message on its way to the server.
pub(super) struct Outgoing {
    pub(super) bytes: Bytes,
    /// Opened when the last byte has left.
    pub(super) sent: Arc<Latch>,
    /// This opens a session, so it is sent without one.
    pub(super) hello: bool,
    /// Set for a message that knows of no session.
    pub(super) modern: Option<Box<Modern>>,
    /// The request of the host that it is.
    pub(super) ticket: Option<Arc<Ticket>>,
    /// The message's share of the memory for messages; kept as long as it may have to be sent again.
    pub(super) _share: Option<OwnedSemaphorePermit>,
}

/// The server's answer, before its body.
pub(super) enum Reply {
    /// 2xx.
    Accepted(Answer),
    /// Anything else.
    Refused(Refusal),
}

/// One HTTP request, as long as it may have to be sent again.
pub(super) struct Draft<'a> {
    pub(super) method: Method,
    pub(super) body: Option<&'a Outgoing>,
    pub(super) session: &'a Session,
    pub(super) last_id: Option<&'a HeaderValue>,
    /// Set where the message goes to the endpoint of HTTP+SSE.
    pub(super) line: Option<&'a Line>,
}

impl<'a> Draft<'a> {
    /// A message in a session.
    pub(super) fn post(message: &'a Outgoing, session: &'a Session) -> Self {
        Draft { method: Method::POST, body: Some(message), session, last_id: None, line: None }
    }
}

impl<B: Bearer> Remote<B> {
    /// `patience`: how long the host's user lets a request wait.
    pub(super) fn new(upstream: Upstream, bearer: B, patience: Duration) -> Self {
        Remote {
            era: Era::new(upstream.notes.clone()),
            sse: Sse::new(upstream.transport),
            upstream,
            bearer,
            sessions: Sessions::new(),
            tools: Tools::default(),
            in_vain: InVain::default(),
            renewing: Semaphore::new(1),
            reached: Notify::new(),
            busy: Busy::new(patience),
            spent: [AtomicUsize::new(0), AtomicUsize::new(0)],
            connections: Connections::default(),
            budget: Budget::default(),
        }
    }

    pub(super) fn host(&self) -> &str {
        self.upstream.url.host_str().unwrap_or("the server")
    }

    /// Posts one message.
    pub(super) async fn post(&self, message: &Outgoing) -> Result<Reply> {
        self.post_in_session(message).await.map(|(reply, _)| reply)
    }

    /// Posts one message, and says in which session it went.
    pub(super) async fn post_in_session(&self, message: &Outgoing) -> Result<(Reply, Arc<Session>)> {
        if self.sse.is_on() && message.modern.is_none() {
            return self.post_over_sse(message).await.map(|reply| (reply, Arc::default()));
        }
        let alone = message.hello || message.modern.is_some();
        let mut session = if alone { Arc::default() } else { self.sessions.current() };
        let mut renewed = false;
        loop {
            match self.exchange(&Draft::post(message, &session)).await? {
                Reply::Refused(refusal) if refusal.is_session_gone() && !renewed => {
                    renewed = true;
                    session = self.renew(&session).await?;
                }
                reply => return Ok((reply, session)),
            }
        }
    }

    /// Opens an event stream, from after `last_id` if there is one.
    pub(super) async fn get(&self, session: &Session, last_id: Option<&HeaderValue>) -> Result<Reply> {
        self.exchange(&Draft { method: Method::GET, body: None, session, last_id, line: None }).await
    }

    /// Tells the server that the session is over (T-25). It may not care: any answer will do.
    pub(super) async fn delete(&self) {
        let session = self.sessions.current();
        if session.id.is_none() {
            return;
        }
        let draft =
            Draft { method: Method::DELETE, body: None, session: &session, last_id: None, line: None };
        if let Ok(access) = self.bearer.bearer().await {
            let _ = self.send(&draft, access.as_ref()).await;
        }
    }

    /// Says what the session has cost: each request is one of the user's, whoever wanted it.
    pub(super) fn account(&self) {
        let [sent, host] = [0, 1].map(|which: usize| self.spent[which].load(Ordering::Relaxed));
        let own = sent.saturating_sub(host);
        tracing::debug!("{sent} HTTP requests for {host} messages of the client; {own} were our own");
    }
}

impl Outgoing {
    /// A message of the proxy's own.
    pub(super) fn own(text: impl Into<Bytes>) -> Self {
        Outgoing {
            bytes: text.into(),
            sent: Latch::new(),
            hello: false,
            modern: None,
            ticket: None,
            _share: None,
        }
    }
}
