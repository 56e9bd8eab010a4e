//! The HTTP side of MCP 2025-03-26, 2025-06-18 and 2025-11-25: one POST per message, and what goes with
//! each request: the token, the session id, the protocol version.
//!
//! A message is sent again in three cases only, because only then it is known that the server has not
//! acted: the connection could not be made, the answer was 401 or a 403 that asks for more scope
//! (`exchange`), or the session was gone (P6).

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName};
use http::{HeaderValue, Method};
use http_body_util::Full;
use reqwest::{Body, Client, Request, Response};
use secrecy::ExposeSecret;
use tokio::sync::{Notify, OnceCell, OwnedSemaphorePermit, Semaphore};

use super::latch::{Latch, Opener};
use super::modern::Modern;
use super::refusal::Refusal;
use super::session::{SESSION_ID, Session, Sessions};
use super::{Access, Bearer, Upstream};
use crate::error::{Error, Name, Result};

pub(super) const VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
const DPOP: HeaderName = HeaderName::from_static("dpop");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const BOTH: HeaderValue = HeaderValue::from_static("application/json, text/event-stream");
const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream");
const RECONNECT: Duration = Duration::from_millis(200);

/// The server, as this pipe knows it.
pub(super) struct Remote<B> {
    pub(super) upstream: Upstream,
    pub(super) bearer: B,
    pub(super) sessions: Sessions,
    /// One at a time opens a lost session again.
    pub(super) renewing: Semaphore,
    /// Told of each success, for those who have given up.
    pub(super) reached: Notify,
    client: OnceCell<Client>,
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
    /// The message's share of the memory for messages; kept as long as it may have to be sent again.
    pub(super) _share: Option<OwnedSemaphorePermit>,
}

/// The server's answer, before its body.
pub(super) enum Reply {
    /// 2xx.
    Accepted(Response),
    /// Anything else.
    Refused(Refusal),
}

/// One HTTP request, as long as it may have to be sent again.
pub(super) struct Draft<'a> {
    pub(super) method: Method,
    pub(super) body: Option<&'a Outgoing>,
    pub(super) session: &'a Session,
    pub(super) last_id: Option<&'a HeaderValue>,
}

impl<B: Bearer> Remote<B> {
    pub(super) fn new(upstream: Upstream, bearer: B) -> Self {
        Remote {
            upstream,
            bearer,
            sessions: Sessions::new(),
            renewing: Semaphore::new(1),
            reached: Notify::new(),
            client: OnceCell::new(),
        }
    }

    pub(super) fn host(&self) -> &str {
        self.upstream.url.host_str().unwrap_or("the server")
    }

    /// Posts one message.
    pub(super) async fn post(&self, message: &Outgoing) -> Result<Reply> {
        let alone = message.hello || message.modern.is_some();
        let mut session = if alone { Arc::default() } else { self.sessions.current() };
        let mut renewed = false;
        loop {
            let draft = Draft { method: Method::POST, body: Some(message), session: &session, last_id: None };
            match self.exchange(&draft).await? {
                Reply::Refused(refusal) if refusal.is_session_gone() && !renewed => {
                    renewed = true;
                    session = self.renew(&session).await?;
                }
                reply => return Ok(reply),
            }
        }
    }

    /// Opens an event stream, from after `last_id` if there is one.
    pub(super) async fn get(&self, session: &Session, last_id: Option<&HeaderValue>) -> Result<Reply> {
        self.exchange(&Draft { method: Method::GET, body: None, session, last_id }).await
    }

    /// Tells the server that the session is over (T-25). It may not care: any answer will do.
    pub(super) async fn delete(&self) {
        let session = self.sessions.current();
        if session.id.is_none() {
            return;
        }
        let draft = Draft { method: Method::DELETE, body: None, session: &session, last_id: None };
        if let Ok(access) = self.bearer.bearer().await {
            let _ = self.send(&draft, access.as_ref()).await;
        }
    }

    /// Sends a request once; twice if no connection could be made.
    pub(super) async fn send(&self, draft: &Draft<'_>, access: Option<&Access>) -> Result<Response> {
        let client = self.client.get_or_try_init(async || crate::http::mcp(&self.upstream.url)).await?;
        let mut sent = client.execute(self.request(draft, access)?).await;
        if sent.as_ref().is_err_and(reqwest::Error::is_connect) {
            tokio::time::sleep(RECONNECT).await;
            sent = client.execute(self.request(draft, access)?).await;
        }
        sent.map_err(|error| {
            if error.is_connect() {
                return crate::http::transport(&error, self.host());
            }
            let what = format!("lost the connection to {} before it answered", self.host());
            Error::new(Name::StreamLost, what)
        })
    }

    fn request(&self, draft: &Draft<'_>, access: Option<&Access>) -> Result<Request> {
        let mut request = Request::new(draft.method.clone(), self.upstream.url.clone());
        let headers = request.headers_mut();
        headers.reserve(8);
        headers.extend(self.upstream.headers.iter().cloned());
        headers.insert(ACCEPT, if draft.method == Method::GET { EVENTS } else { BOTH });
        if let Some(access) = access {
            headers.insert(AUTHORIZATION, authorization(access)?);
            if let Some(proof) = &access.proof {
                // A proof is good for one request: each attempt has its own (RFC 9449 section 11.1).
                headers.insert(DPOP, proof.header(&draft.method, &self.upstream.url, &access.token)?);
            }
        }
        if let Some(id) = &draft.session.id {
            headers.insert(SESSION_ID, id.clone());
        }
        if let Some(version) = &draft.session.version {
            headers.insert(VERSION, version.clone());
        }
        if let Some(id) = draft.last_id {
            headers.insert(LAST_EVENT_ID, id.clone());
        }
        if let Some(message) = draft.body {
            headers.insert(CONTENT_TYPE, JSON);
            if let Some(modern) = &message.modern {
                modern.insert(headers);
            }
            let tracked = Tracked { bytes: message.bytes.clone(), _sent: Opener(Arc::clone(&message.sent)) };
            *request.body_mut() = Some(Body::wrap(Full::new(Bytes::from_owner(tracked))));
        }
        Ok(request)
    }
}

/// The header that carries the token (A-60; RFC 9449 section 7.1). The only place in this room where it is
/// seen.
fn authorization(access: &Access) -> Result<HeaderValue> {
    let scheme = if access.proof.is_some() { "DPoP" } else { "Bearer" };
    let value = HeaderValue::from_str(&format!("{scheme} {}", access.token.expose_secret()));
    let mut value = value.map_err(|_| {
        Error::new(Name::LoginRequired, "the stored access token contains characters that no token can have")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// A message whose last copy is dropped by the HTTP library when it has been written.
struct Tracked {
    bytes: Bytes,
    _sent: Opener,
}

impl AsRef<[u8]> for Tracked {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Outgoing {
    /// A message of the proxy's own.
    pub(super) fn own(text: impl Into<Bytes>) -> Self {
        Outgoing { bytes: text.into(), sent: Latch::new(), hello: false, modern: None, _share: None }
    }
}
