//! The messages that the proxy writes itself, and the form of those it passes on.

use serde_json::{Value, json};

/// JSON-RPC: the line is not JSON.
pub(super) const PARSE_ERROR: i32 = -32700;
/// JSON-RPC: the line is JSON, but no message.
pub(super) const INVALID_REQUEST: i32 = -32600;
/// JSON-RPC: the parameters make no sense.
pub(super) const INVALID_PARAMS: i32 = -32602;
/// JSON-RPC: something else failed here.
pub(super) const INTERNAL_ERROR: i32 = -32603;
/// JSON-RPC: there is no such method here.
pub(super) const METHOD_NOT_FOUND: i32 = -32601;

/// Turns a message into one line (S-02, T-16). In a JSON text a raw CR or LF can only stand between
/// tokens, so a blank in its place changes nothing.
pub(super) fn line(message: Vec<u8>) -> Vec<u8> {
    let mut line = blanked(message);
    line.push(b'\n');
    line
}

/// A message, or a part of one, without line breaks.
pub(super) fn blanked(mut message: Vec<u8>) -> Vec<u8> {
    let mut from = 0;
    while let Some(found) = memchr::memchr2(b'\n', b'\r', &message[from..]) {
        from += found;
        message[from] = b' ';
    }
    message
}

/// An error answer as one line. `id` is JSON text and goes out as it came in.
pub(super) fn error(id: Option<&str>, error: &Value) -> Vec<u8> {
    format!("{{\"jsonrpc\":\"2.0\",\"id\":{},\"error\":{error}}}\n", id.unwrap_or("null")).into_bytes()
}

/// One of JSON-RPC's own errors as one line.
pub(super) fn refusal(id: Option<&str>, code: i32, text: &str) -> Vec<u8> {
    error(id, &json!({"code": code, "message": text, "data": {"source": "chipp-auth"}}))
}

/// The answer to a ping as one line.
pub(super) fn pong(id: &str) -> Vec<u8> {
    format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{{}}}}\n").into_bytes()
}

/// A request of the proxy's own. `params` is JSON text.
pub(super) fn request(id: &str, method: &str, params: &str) -> String {
    format!("{{\"jsonrpc\":\"2.0\",\"id\":\"{id}\",\"method\":\"{method}\",\"params\":{params}}}")
}

/// A notification of the proxy's own. `params` is JSON text.
pub(super) fn note(method: &str, params: &str) -> String {
    format!("{{\"jsonrpc\":\"2.0\",\"method\":\"{method}\",\"params\":{params}}}")
}

/// Tells the server that nobody waits any more. `id` is JSON text.
pub(super) fn cancelled(id: &str, reason: &str) -> String {
    format!(
        "{{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{{\"requestId\":{id},\"reason\":\"{reason}\"}}}}"
    )
}

/// Tells the server that the session is open.
pub(super) const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
