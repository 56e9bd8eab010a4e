//! The JSON-RPC half of the MCP server. Ids go back byte for byte as they came (T-09).

use http::Response;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::areas::Area;
use super::mcp::VERSIONS;
use super::options::Answers;
use super::reply::{self, Body};
use super::state::State;
use super::tools::{self, Failed};

/// One message from the client.
#[derive(Deserialize)]
pub(super) struct Message<'a> {
    #[serde(default)]
    pub(super) jsonrpc: String,
    /// Absent in a notification; `null` counts as absent.
    #[serde(borrow, default)]
    pub(super) id: Option<&'a RawValue>,
    /// Absent in an answer to one of the server's requests.
    pub(super) method: Option<String>,
    #[serde(default)]
    params: Value,
}

impl Message<'_> {
    /// The tool of a `tools/call`, whether it exists or not.
    pub(super) fn tool(&self) -> Option<&str> {
        if self.method.as_deref() == Some("tools/call") { self.params["name"].as_str() } else { None }
    }
}

/// What a request comes to.
pub(super) struct Outcome {
    /// Notifications that belong before the answer, on a stream.
    pub(super) before: Vec<String>,
    /// The answer.
    pub(super) answer: String,
    /// The version of the session to open, after `initialize`.
    pub(super) version: Option<&'static str>,
    pub(super) tools_changed: bool,
}

#[derive(Serialize)]
struct Reply<'a> {
    jsonrpc: &'static str,
    id: &'a RawValue,
    #[serde(flatten)]
    end: End,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum End {
    Result(Value),
    Error { code: i32, message: String },
}

/// Answers one request.
pub(super) fn answer(state: &mut State, area: Area, message: &Message<'_>, id: &RawValue) -> Outcome {
    let mut outcome =
        Outcome { before: Vec::new(), answer: String::new(), version: None, tools_changed: false };
    let params = &message.params;
    let end = match message.method.as_deref() {
        Some("initialize") => initialize(state, params, &mut outcome),
        Some("ping") => End::Result(json!({})),
        Some("tools/list") => End::Result(json!({"tools": tools::list(&state.apps, area)})),
        Some("tools/call") => call(state, area, params, &mut outcome),
        _ => End::Error { code: -32601, message: "Method not found".to_owned() },
    };
    // Serializing values that were built here cannot fail; an empty answer would fail every test.
    outcome.answer = serde_json::to_string(&Reply { jsonrpc: "2.0", id, end }).unwrap_or_default();
    outcome
}

/// The answer to what is no JSON-RPC message: not JSON at all, or JSON of another shape. Batches
/// are refused too. 2025-03-26 wanted servers to read them (T-40), later versions have none; the
/// sandbox sides with the later ones, since no client needs to send one.
pub(super) fn unreadable(is_json: bool) -> Response<Body> {
    let (code, message) = if is_json { (-32600, "Invalid Request") } else { (-32700, "Parse error") };
    reply::json(400, &json!({"jsonrpc": "2.0", "id": null, "error": {"code": code, "message": message}}))
}

fn initialize(state: &State, params: &Value, outcome: &mut Outcome) -> End {
    let Some(asked) = params["protocolVersion"].as_str() else {
        return End::Error { code: -32602, message: "protocolVersion is required".to_owned() };
    };
    let version = VERSIONS.into_iter().find(|version| *version == asked).unwrap_or(VERSIONS[0]);
    outcome.version = Some(version);
    End::Result(json!({
        "protocolVersion": version,
        "capabilities": {"tools": {"listChanged": state.options.sessions}},
        "serverInfo": {
            "name": "chipp-sandbox",
            "title": "Chipp MCP Server (sandbox)",
            "version": env!("CARGO_PKG_VERSION"),
        },
        "instructions": "Manage the apps of a Chipp account. This is a sandbox: the data is made up.",
    }))
}

fn call(state: &mut State, area: Area, params: &Value, outcome: &mut Outcome) -> End {
    let asked = params["name"].as_str().unwrap_or_default();
    let Some(tool) = tools::known(asked).filter(|tool| area.offers(tool)) else {
        return End::Error { code: -32602, message: format!("Unknown tool: {asked}") };
    };
    let called = tools::call(&mut state.apps, tool, &params["arguments"]);
    if !matches!(called, Err(Failed::Arguments(_))) {
        *state.log.counts.tool_calls.entry(tool).or_default() += 1;
    }
    let token = &params["_meta"]["progressToken"];
    if tool == "get_app_analytics" && state.options.answers == Answers::Sse && !token.is_null() {
        outcome.before = [(1, "Reading conversations"), (2, "Adding up")]
            .map(|(step, text)| progress(token, step, text).to_string())
            .into();
    }
    outcome.tools_changed = tool == "create_app" && called.is_ok();
    match called {
        Ok(value) => End::Result(json!({
            "content": [{"type": "text", "text": value.to_string()}],
            "structuredContent": value,
            "isError": false,
        })),
        Err(Failed::Arguments(what)) => End::Error { code: -32602, message: what.to_owned() },
        Err(Failed::Tool(what)) => {
            End::Result(json!({"content": [{"type": "text", "text": what}], "isError": true}))
        }
    }
}

fn progress(token: &Value, step: u32, text: &str) -> Value {
    json!({
        "jsonrpc": "2.0",
        "method": "notifications/progress",
        "params": {"progressToken": token, "progress": step, "total": 2, "message": text},
    })
}
