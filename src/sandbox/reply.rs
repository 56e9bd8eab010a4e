//! Answers: the few shapes that all endpoints share.

use std::convert::Infallible;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use serde_json::{Value, json};

/// The body of an answer: a whole one or a stream.
pub(super) type Body = UnsyncBoxBody<Bytes, Infallible>;

/// The connection is to be closed without an answer.
#[derive(Debug)]
pub(super) struct Hangup;

impl std::fmt::Display for Hangup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("hung up on purpose")
    }
}

impl std::error::Error for Hangup {}

/// An answer, or none.
pub(super) type Answer = Result<Response<Body>, Hangup>;

/// A step of serving a request: a value, or the answer that ends it. Boxed, because it is large.
pub(super) type Step<T> = Result<T, Box<Response<Body>>>;

/// Any body of any type.
pub(super) fn raw(status: u16, content_type: &str, body: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Full::new(body.into()).boxed_unsync());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    set(&mut response, CONTENT_TYPE, content_type);
    response
}

/// An answer that a test made.
pub(super) fn whole(answer: Response<String>) -> Response<Body> {
    answer.map(|body| Full::new(Bytes::from(body)).boxed_unsync())
}

/// A status without a body.
pub(super) fn empty(status: u16) -> Response<Body> {
    let mut response = raw(status, "text/plain", Bytes::new());
    response.headers_mut().remove(CONTENT_TYPE);
    response
}

/// JSON that no cache keeps.
pub(super) fn json(status: u16, body: &Value) -> Response<Body> {
    let mut response = raw(status, "application/json", body.to_string());
    set(&mut response, CACHE_CONTROL, "no-store");
    response
}

/// An OAuth error (RFC 6749 section 5.2).
pub(super) fn oauth_error(status: u16, error: &str, description: &str) -> Response<Body> {
    json(status, &json!({"error": error, "error_description": description}))
}

/// An error of the MCP server that is not a JSON-RPC answer to a request.
pub(super) fn http_error(status: u16, code: &str, message: &str) -> Response<Body> {
    json(status, &json!({"error": {"code": code, "message": message}}))
}

/// [`http_error`] as the end of a step.
pub(super) fn refuse<T>(status: u16, code: &str, message: &str) -> Step<T> {
    Err(Box::new(http_error(status, code, message)))
}

/// A redirect that no cache keeps.
pub(super) fn redirect(status: u16, to: &str) -> Response<Body> {
    let mut response = empty(status);
    set(&mut response, LOCATION, to);
    set(&mut response, CACHE_CONTROL, "no-store");
    set(&mut response, http::header::REFERRER_POLICY, "no-referrer");
    response
}

/// Sets a header; a value that is none is left out, and a test will miss it.
pub(super) fn set(response: &mut Response<Body>, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}
