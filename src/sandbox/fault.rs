//! Faults that a test arms with [`Sandbox::fail_next`](super::Sandbox::fail_next). Each strikes one
//! request and is gone; several wait in line: one line for each endpoint.
//!
//! *Commit* is the moment at which the token endpoint spends a code or rotates a refresh token.
//! Whether a fault strikes before or after it is the whole difference between a retry that is
//! safe and one that ends the sign-in (security.md 5.1).

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Map, Value};
use url::Url;

/// What goes wrong with one request.
pub enum Fault {
    /// Token endpoint, before the commit: this answer. See [`Fault::token`].
    TokenAnswer(Box<Response<String>>),
    /// Token endpoint, before the commit: the connection closes without an answer.
    TokenDropBeforeCommit,
    /// Token endpoint, after the commit: the connection closes without an answer. The rotation
    /// happened, its result is lost.
    TokenDropAfterCommit,
    /// Token endpoint: waits between the commit and the answer, in addition to `token_delay`.
    TokenDelay(Duration),
    /// Token endpoint, before the commit: 307 to another URL.
    TokenRedirect(Url),
    /// Token endpoint, after the commit: the text of the success answer is replaced.
    TokenRewrite(Box<dyn FnOnce(String) -> Vec<u8> + Send>),
    /// Authorization endpoint: this answer, whoever asks. See [`Fault::authorize`].
    AuthorizeAnswer(Box<Response<String>>),
    /// Revocation endpoint: this answer, and nothing was revoked. See [`Fault::revoke`].
    RevokeAnswer(Box<Response<String>>),
    /// MCP POST: this answer, and nothing was done. See [`Fault::mcp`].
    McpAnswer(Box<Response<String>>),
    /// MCP POST: the connection closes without an answer, and nothing was done.
    McpDrop,
    /// MCP POST: 401 `invalid_token`, however good the token is.
    McpUnauthorized,
}

impl Fault {
    /// The token endpoint answers with this and does nothing. For other headers, such as
    /// `Retry-After`, build [`Fault::TokenAnswer`].
    pub fn token(status: u16, content_type: &'static str, body: impl Into<String>) -> Self {
        Fault::TokenAnswer(Box::new(answer(status, content_type, body.into())))
    }

    /// The authorization endpoint answers with this. For a redirect build [`Fault::AuthorizeAnswer`].
    pub fn authorize(status: u16, content_type: &'static str, body: impl Into<String>) -> Self {
        Fault::AuthorizeAnswer(Box::new(answer(status, content_type, body.into())))
    }

    /// The revocation endpoint answers with this status and does nothing.
    pub fn revoke(status: u16) -> Self {
        Fault::RevokeAnswer(Box::new(answer(status, "application/json", "{}".to_owned())))
    }

    /// The token endpoint answers 200 with a page, as a captive portal does.
    pub fn token_html() -> Self {
        let page = "<!doctype html><title>Welcome</title><h1>Sign in to the hotel network</h1>";
        Fault::token(200, "text/html", page)
    }

    /// The MCP endpoint answers with this JSON and does nothing.
    pub fn mcp(status: u16, body: impl Into<String>) -> Self {
        Fault::McpAnswer(Box::new(answer(status, "application/json", body.into())))
    }

    /// Changes members of the success answer: another `expires_in`, a missing `token_type`, …
    pub fn edit(change: impl FnOnce(&mut Map<String, Value>) + Send + 'static) -> Self {
        Fault::TokenRewrite(Box::new(move |text| {
            let mut members: Map<String, Value> = serde_json::from_str(&text).unwrap_or_default();
            change(&mut members);
            Value::Object(members).to_string().into_bytes()
        }))
    }

    /// Replaces the text of the success answer, for what no JSON value can express: duplicate
    /// members, truncated or trailing text, bytes that are not UTF-8.
    pub fn rewrite(change: impl FnOnce(String) -> Vec<u8> + Send + 'static) -> Self {
        Fault::TokenRewrite(Box::new(change))
    }
}

/// A status that is none becomes 500.
fn answer(status: u16, content_type: &'static str, body: String) -> Response<String> {
    let mut answer = Response::new(body);
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Fault::TokenAnswer(_) => "TokenAnswer",
            Fault::TokenDropBeforeCommit => "TokenDropBeforeCommit",
            Fault::TokenDropAfterCommit => "TokenDropAfterCommit",
            Fault::TokenDelay(_) => "TokenDelay",
            Fault::TokenRedirect(_) => "TokenRedirect",
            Fault::TokenRewrite(_) => "TokenRewrite",
            Fault::AuthorizeAnswer(_) => "AuthorizeAnswer",
            Fault::RevokeAnswer(_) => "RevokeAnswer",
            Fault::McpAnswer(_) => "McpAnswer",
            Fault::McpDrop => "McpDrop",
            Fault::McpUnauthorized => "McpUnauthorized",
        })
    }
}

/// The armed faults, in order.
#[derive(Debug, Default)]
pub(super) struct Faults {
    token: VecDeque<Fault>,
    mcp: VecDeque<Fault>,
    authorize: VecDeque<Response<String>>,
    revoke: VecDeque<Response<String>>,
}

impl Faults {
    pub(super) fn arm(&mut self, fault: Fault) {
        match fault {
            Fault::AuthorizeAnswer(answer) => self.authorize.push_back(*answer),
            Fault::RevokeAnswer(answer) => self.revoke.push_back(*answer),
            Fault::McpAnswer(_) | Fault::McpDrop | Fault::McpUnauthorized => self.mcp.push_back(fault),
            _ => self.token.push_back(fault),
        }
    }

    /// The fault of the next revocation.
    pub(super) fn next_revoke(&mut self) -> Option<Response<String>> {
        self.revoke.pop_front()
    }

    /// The fault of the next authorization request.
    pub(super) fn next_authorize(&mut self) -> Option<Response<String>> {
        self.authorize.pop_front()
    }

    /// The fault of the next token request.
    pub(super) fn next_token(&mut self) -> Option<Fault> {
        self.token.pop_front()
    }

    /// The fault of the next MCP request.
    pub(super) fn next_mcp(&mut self) -> Option<Fault> {
        self.mcp.pop_front()
    }
}
