//! One HTTP request: its headers, and the token in them.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName};
use http::{HeaderValue, Method};
use http_body_util::Full;
use reqwest::{Body, Request, Response};
use secrecy::ExposeSecret;

use super::{Draft, Remote};
use crate::error::{Error, Name, Result};
use crate::proxy::latch::Opener;
use crate::proxy::legacy::session::SESSION_ID;
use crate::proxy::{Access, Bearer};

pub(in crate::proxy) const VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
const DPOP: HeaderName = HeaderName::from_static("dpop");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const BOTH: HeaderValue = HeaderValue::from_static("application/json, text/event-stream");
const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream");
const RECONNECT: Duration = Duration::from_millis(200);

impl<B: Bearer> Remote<B> {
    /// Sends a request once; twice if no connection could be made.
    pub(in crate::proxy) async fn send(
        &self,
        draft: &Draft<'_>,
        access: Option<&Access>,
    ) -> Result<Response> {
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
