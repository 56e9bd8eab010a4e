//! One HTTP request: its headers, and the token in them.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName};
use http::{HeaderMap, HeaderValue, Method};
use secrecy::ExposeSecret;
use url::Url;

use super::{Draft, Remote};
use crate::error::{Error, Name, Result};
use crate::http::mcp::{Answer, Client, Failure};
use crate::proxy::latch::{Latch, Opener};
use crate::proxy::legacy::session::SESSION_ID;
use crate::proxy::{Access, Bearer};

pub(in crate::proxy) const VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
const DPOP: HeaderName = HeaderName::from_static("dpop");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const BOTH: HeaderValue = HeaderValue::from_static("application/json, text/event-stream");
const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream");
/// From which size on a message may not have arrived when it has left, in bytes, and how long each MiB of it
/// may take.
const ON_THE_WAY: (u32, Duration) = (256 << 10, Duration::from_millis(60));

impl<B: Bearer> Remote<B> {
    /// The client for the server, made when it is first needed, and anew when this computer has slept.
    ///
    /// # Errors
    /// `unsafe-url`.
    pub(in crate::proxy) fn client(&self) -> Result<Client> {
        self.connections.now(|| Client::new(&self.upstream.url, self.upstream.allow_http))
    }

    /// Sends a request once; again only if no connection could be made.
    pub(in crate::proxy) async fn send(&self, draft: &Draft<'_>, access: Option<&Access>) -> Result<Answer> {
        self.spent[0].fetch_add(1, Ordering::Relaxed);
        let client = draft.line.map_or_else(|| self.client(), |line| Ok(line.client.clone()))?;
        if draft.body.is_some_and(|message| message.hello) {
            // The stream for the server's own messages will keep the connection that is opened for this.
            client.spare();
        }
        let mut sent = client.send(draft.method.clone(), self.headers(draft, access)?, draft.bytes()).await;
        for pause in self.connections.pauses() {
            let Err(Failure::NotSent(_)) = sent else { break };
            tokio::time::sleep(pause).await;
            sent = client.send(draft.method.clone(), self.headers(draft, access)?, draft.bytes()).await;
        }
        sent.map_err(|failure| match failure {
            Failure::NotSent(error) => error,
            Failure::Lost => {
                let what = format!("lost the connection to {} before it answered", self.host());
                Error::new(Name::StreamLost, what)
            }
        })
    }

    /// Where a request goes.
    pub(super) fn place<'a>(&'a self, draft: &Draft<'a>) -> &'a Url {
        draft.line.map_or(&self.upstream.url, |line| &line.endpoint)
    }

    fn headers(&self, draft: &Draft<'_>, access: Option<&Access>) -> Result<HeaderMap> {
        let mut headers = HeaderMap::with_capacity(self.upstream.headers.len() + 10);
        headers.extend(self.upstream.headers.iter().cloned());
        // T-02, T-27
        headers.insert(ACCEPT, if draft.method == Method::GET { EVENTS } else { BOTH });
        if let Some(access) = access {
            // On every request: POST, GET and DELETE (T-07).
            headers.insert(AUTHORIZATION, authorization(access)?);
            if let Some(proof) = &access.proof {
                // A proof is good for one request: each attempt has its own (RFC 9449 section 11.1).
                headers.insert(DPOP, proof.header(&draft.method, self.place(draft), &access.token)?);
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
                modern.insert(&mut headers);
            }
        }
        Ok(headers)
    }
}

impl Draft<'_> {
    /// The body, whose last byte opens the door behind the message.
    fn bytes(&self) -> Bytes {
        let Some(message) = self.body else { return Bytes::new() };
        Bytes::from_owner(Tracked { bytes: message.bytes.clone(), sent: Arc::clone(&message.sent) })
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
    sent: Arc<Latch>,
}

impl AsRef<[u8]> for Tracked {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Tracked {
    /// What has been written may still stand in the buffers on the way, several megabytes of it, and a
    /// cancellation on another connection would overtake it there (T-37). So the door behind a large
    /// message opens later, by the time that a slow reader needs. A late cancellation does no harm.
    fn drop(&mut self) {
        let sent = Opener(Arc::clone(&self.sent));
        let size = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        if size > ON_THE_WAY.0
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let pause = ON_THE_WAY.1 * (size >> 20).clamp(1, 32);
            runtime.spawn(async move {
                tokio::time::sleep(pause).await;
                drop(sent);
            });
        }
    }
}
