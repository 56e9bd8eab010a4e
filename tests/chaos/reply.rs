//! What the server replies: bytes, pauses and accidents, one after the other.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::server::Seen;

/// What an MCP server of 2025-11-25 answers to `initialize`.
pub const HELLO: &str = r#"{"protocolVersion":"2025-11-25","capabilities":{"tools":{},"logging":{},"resources":{"subscribe":true}},"serverInfo":{"name":"scripted","version":"1"}}"#;
pub const SESSION: &str = "session-one";

/// The head of an event stream.
pub const EVENTS: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n";

/// One step of a reply.
pub enum Step {
    Bytes(Bytes),
    Wait(Duration),
    /// The same again and again, as fast as it is taken, up to so many bytes.
    Flood(Bytes, usize),
    /// Until something has happened.
    Until(Pin<Box<dyn Future<Output = ()> + Send>>),
    /// Until the client hangs up.
    Hold,
    /// Ends the connection: the last byte, then an orderly end.
    Close,
    /// Ends it as a crash does.
    Reset,
}

/// All steps.
#[derive(Default)]
pub struct Reply(pub Vec<Step>);

/// How a reply ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The connection is good for another request.
    Kept,
    Closed,
    HungUp,
}

impl Reply {
    /// Anything, byte for byte.
    pub fn raw(bytes: impl Into<Bytes>) -> Self {
        Reply::default().bytes(bytes)
    }

    /// A status without a body. `headers`: whole lines.
    pub fn status(status: u16, headers: &str) -> Self {
        Reply::body(status, headers, "")
    }

    pub fn body(status: u16, headers: &str, body: &str) -> Self {
        let length = body.len();
        Reply::raw(format!("HTTP/1.1 {status} Text\r\n{headers}content-length: {length}\r\n\r\n{body}"))
    }

    pub fn json(body: impl AsRef<str>) -> Self {
        Reply::body(200, "content-type: application/json\r\n", body.as_ref())
    }

    /// The result of a request.
    pub fn result(seen: &Seen, result: &str) -> Self {
        Reply::json(rpc(seen.id(), result))
    }

    /// The head of an event stream.
    pub fn events() -> Self {
        Reply::raw(format!("{EVENTS}\r\n"))
    }

    #[must_use]
    pub fn step(mut self, step: Step) -> Self {
        self.0.push(step);
        self
    }

    #[must_use]
    pub fn bytes(self, bytes: impl Into<Bytes>) -> Self {
        self.step(Step::Bytes(bytes.into()))
    }

    /// A part of an event stream, in a chunk of its own.
    #[must_use]
    pub fn chunk(self, data: impl AsRef<str>) -> Self {
        self.bytes(chunk(data.as_ref()))
    }

    /// One event with a JSON message.
    #[must_use]
    pub fn event(self, message: impl AsRef<str>) -> Self {
        self.chunk(format!("data: {}\n\n", message.as_ref()))
    }

    /// The orderly end of an event stream.
    #[must_use]
    pub fn end(self) -> Self {
        self.bytes("0\r\n\r\n")
    }

    #[must_use]
    pub fn wait(self, time: Duration) -> Self {
        self.step(Step::Wait(time))
    }

    /// What a plain server without surprises does.
    pub fn usual(seen: &Seen) -> Self {
        match (seen.verb.as_str(), seen.method()) {
            ("POST", "initialize") => {
                let headers = format!("content-type: application/json\r\nmcp-session-id: {SESSION}\r\n");
                Reply::body(200, &headers, &rpc(seen.id(), HELLO))
            }
            ("POST", _) if seen.id().is_null() || seen.message["method"].is_null() => Reply::status(202, ""),
            ("POST", _) => Reply::result(seen, r#"{"ok":true}"#),
            ("GET", _) => Reply::status(405, ""),
            _ => Reply::status(200, ""),
        }
    }

    /// Carries the steps out. A connection that waits is watched, so that a client that hangs up is noticed.
    pub async fn write(self, socket: &mut TcpStream, written: &AtomicUsize) -> Outcome {
        for step in self.0 {
            let wait: Pin<Box<dyn Future<Output = ()> + Send>> = match step {
                Step::Bytes(bytes) => {
                    if socket.write_all(&bytes).await.is_err() {
                        return Outcome::HungUp;
                    }
                    written.fetch_add(bytes.len(), Ordering::SeqCst);
                    continue;
                }
                Step::Flood(bytes, most) => {
                    let before = written.load(Ordering::SeqCst);
                    while written.load(Ordering::SeqCst) - before < most {
                        if socket.write_all(&bytes).await.is_err() {
                            return Outcome::HungUp;
                        }
                        written.fetch_add(bytes.len(), Ordering::SeqCst);
                    }
                    continue;
                }
                Step::Close => return Outcome::Closed,
                Step::Reset => {
                    let _ = socket.set_zero_linger();
                    return Outcome::Closed;
                }
                Step::Wait(time) => Box::pin(sleep(time)),
                Step::Until(event) => event,
                Step::Hold => Box::pin(std::future::pending()),
            };
            let mut byte = [0];
            tokio::select! {
                () = wait => {}
                read = socket.read(&mut byte) => {
                    // A client that sends its next request before it has the answer to this one is broken.
                    assert_eq!(read.unwrap_or_default(), 0, "the client sends what nobody has asked for");
                    return Outcome::HungUp;
                }
            }
        }
        Outcome::Kept
    }
}

/// One chunk of a body. None for nothing, since an empty chunk would be the end.
pub fn chunk(data: &str) -> String {
    if data.is_empty() {
        return String::new();
    }
    format!("{:x}\r\n{data}\r\n", data.len())
}

/// A JSON-RPC result.
pub fn rpc(id: &Value, result: &str) -> String {
    format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{result}}}")
}
