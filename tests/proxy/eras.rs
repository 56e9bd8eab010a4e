//! Which era a host and a server have in common: the nine rows of the matrix (checklist 1.5), and what is
//! remembered of a server (T-80 to T-82).

use std::sync::{Arc, Mutex};

use chipp_auth::proxy::Notes;
use serde_json::{Value, json};

use super::server::{Answer, HELLO, Seen};

mod newer;
mod probes;
mod sessions;

/// A note in memory.
#[derive(Debug, Default)]
pub struct Pad(pub Mutex<Option<Vec<u8>>>, pub Mutex<usize>);

impl Notes for Pad {
    fn read(&self) -> Option<Vec<u8>> {
        *self.1.lock().unwrap() += 1;
        self.0.lock().unwrap().clone()
    }
    fn write(&self, note: Option<&[u8]>) {
        *self.0.lock().unwrap() = note.map(<[u8]>::to_vec);
    }
}

impl Pad {
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    pub fn text(&self) -> Option<String> {
        self.0.lock().unwrap().as_ref().map(|note| String::from_utf8(note.clone()).unwrap())
    }

    /// The revision that the note names; empty for a server of sessions.
    pub fn speaks(&self) -> Option<String> {
        let note: Value = serde_json::from_str(&self.text()?).unwrap();
        Some(note["speaks"].as_str().unwrap_or_default().to_owned())
    }
}

pub const VERSION: &str = "2026-07-28";

/// Parameters of a request of the newer era.
pub fn modern(mut params: Value) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": VERSION,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "host", "version": "1"},
    });
    params
}

pub fn is_modern(seen: &Seen) -> bool {
    seen.json()["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"].is_string()
}

pub fn failure(seen: &Seen, status: u16, code: i32, data: &Value) -> Answer {
    let error = json!({"jsonrpc": "2.0", "id": seen.id(), "error": {"code": code, "message": "said the server", "data": data}});
    Answer { status, ..Answer::json(error.to_string()) }
}

/// What a server of the newer era says of itself.
pub fn discovered() -> Value {
    json!({
        "resultType": "complete", "ttlMs": 0, "cacheScope": "public",
        "supportedVersions": [VERSION],
        "capabilities": {"tools": {"listChanged": true}, "logging": {}, "resources": {"subscribe": true}},
        "instructions": "be kind",
        "_meta": {"io.modelcontextprotocol/serverInfo": {"name": "modern", "version": "3"}},
    })
}

/// A server without sessions. What lacks the headers or the members of the newer era is refused.
pub fn modern_only(seen: &Seen) -> Option<Answer> {
    if seen.verb != "POST" {
        return Some(Answer::status(405));
    }
    if !is_modern(seen) {
        return Some(failure(seen, 400, -32022, &json!({"supported": [VERSION], "requested": ""})));
    }
    let meta = &seen.json()["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"];
    if seen.header("mcp-protocol-version") != meta.as_str()
        || seen.header("mcp-method") != Some(&seen.method())
    {
        return Some(failure(seen, 400, -32020, &Value::Null));
    }
    if meta != VERSION {
        return Some(failure(seen, 400, -32022, &json!({"supported": [VERSION], "requested": meta})));
    }
    match seen.method().as_str() {
        "server/discover" => Some(Answer::result(seen, &discovered().to_string())),
        "initialize" | "ping" => Some(failure(seen, 404, -32601, &Value::Null)),
        _ => Some(Answer::result(seen, &json!({"resultType": "complete", "era": "modern"}).to_string())),
    }
}

/// A server of both eras.
pub fn dual(seen: &Seen) -> Option<Answer> {
    if is_modern(seen) { modern_only(seen) } else { None }
}

/// One that knows sessions only, and says so as the official SDKs do.
pub fn legacy_only(seen: &Seen) -> Option<Answer> {
    if seen.verb == "POST" && seen.method() != "initialize" && seen.header("mcp-session-id").is_none() {
        let error = r#"{"jsonrpc":"2.0","error":{"code":-32000,"message":"Bad Request: Server not initialized"},"id":null}"#;
        return Some(Answer { status: 400, ..Answer::json(error) });
    }
    None
}

/// The version in a session's greeting.
pub fn greeting() -> Value {
    serde_json::from_str(HELLO).unwrap()
}
