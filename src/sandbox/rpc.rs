//! The JSON-RPC half of the MCP server. Ids go back byte for byte as they came (T-09).

use http::Response;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::areas::Area;
use super::mcp::VERSIONS;
use super::options::Answers;
use super::reply::{self, Body, Step};
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
    pub(super) fn opens(&self) -> bool {
        self.method.as_deref() == Some("initialize")
    }

    /// The tool of a `tools/call`, whether it exists or not.
    pub(super) fn tool(&self) -> Option<&str> {
        if self.method.as_deref() == Some("tools/call") { self.params["name"].as_str() } else { None }
    }
}

/// The messages of one POST.
pub(super) struct Messages<'a> {
    pub(super) all: Vec<Message<'a>>,
    /// An array, which only 2025-03-26 has (T-40).
    pub(super) batch: bool,
}

/// What a POST comes to.
#[derive(Default)]
pub(super) struct Outcome {
    /// The answers to its requests, and on a stream the notifications before them.
    pub(super) answers: Vec<String>,
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

/// Reads the body of a POST.
pub(super) fn read(body: &[u8]) -> Step<Messages<'_>> {
    let batch = body.trim_ascii_start().first() == Some(&b'[');
    let parsed = if batch {
        serde_json::from_slice(body)
    } else {
        serde_json::from_slice(body).map(|message| vec![message])
    };
    match parsed {
        Ok(all) if !all.is_empty() && all.iter().all(|message: &Message<'_>| message.jsonrpc == "2.0") => {
            Ok(Messages { all, batch })
        }
        Ok(_) => Err(Box::new(unreadable(true))),
        Err(error) => Err(Box::new(unreadable(error.is_data()))),
    }
}

/// Answers every request among the messages; notifications and the client's own answers get none.
pub(super) fn answer_all(state: &mut State, area: Area, messages: &Messages<'_>) -> Outcome {
    let mut outcome = Outcome::default();
    for message in &messages.all {
        if let (Some(id), Some(method)) = (message.id, message.method.as_deref()) {
            let end = answer(state, area, (method, &message.params), &mut outcome);
            // Serializing values that were built here cannot fail; an empty answer would fail every test.
            let reply = Reply { jsonrpc: "2.0", id, end };
            outcome.answers.push(serde_json::to_string(&reply).unwrap_or_default());
        }
    }
    outcome
}

/// The answer to what is no JSON-RPC message: not JSON at all, or JSON of another shape.
pub(super) fn unreadable(is_json: bool) -> Response<Body> {
    let (code, message) = if is_json { (-32600, "Invalid Request") } else { (-32700, "Parse error") };
    reply::json(400, &json!({"jsonrpc": "2.0", "id": null, "error": {"code": code, "message": message}}))
}

fn answer(state: &mut State, area: Area, (method, params): (&str, &Value), outcome: &mut Outcome) -> End {
    match method {
        "initialize" => initialize(state, params, outcome),
        "ping" => End::Result(json!({})),
        "tools/list" => End::Result(json!({"tools": tools::list(&state.apps, area)})),
        "tools/call" => call(state, area, params, outcome),
        _ => End::Error { code: -32601, message: "Method not found".to_owned() },
    }
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
        let steps = [(1, "Reading conversations"), (2, "Adding up")];
        outcome.answers.extend(steps.map(|(step, text)| progress(token, step, text).to_string()));
    }
    outcome.tools_changed |= tool == "create_app" && called.is_ok();
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
