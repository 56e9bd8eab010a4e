//! Messages of MCP 2026-07-28: their headers, and the errors of the revision (T-50 to T-53, T-63 to T-65).

use serde_json::{Value, json};

use super::host::{Host, error_of};
use super::ladder::Ladder;
use super::server::{Answer, Seen, Server};

const VERSION: &str = "2026-07-28";

/// Parameters that carry the version.
pub fn modern(mut params: Value) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": VERSION,
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    params
}

/// Judges as a server without sessions does: the headers say what the body says, or it is -32020.
fn strict(seen: &Seen) -> Option<Answer> {
    let body = seen.json();
    let version = &body["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"];
    let named = match seen.method().as_str() {
        "tools/call" | "prompts/get" => Some(&body["params"]["name"]),
        "resources/read" => Some(&body["params"]["uri"]),
        _ => None,
    };
    let matching = seen.verb == "POST"
        && version == seen.header("mcp-protocol-version")?
        && seen.header("mcp-method")? == seen.method()
        && seen.header("mcp-name") == named.and_then(Value::as_str)
        && seen.header("mcp-session-id").is_none();
    let error = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32020,"message":"header mismatch"}}"#;
    (!matching).then(|| Answer { status: 400, ..Answer::json(error) })
}

#[tokio::test]
async fn a_modern_request_needs_no_initialize_and_carries_its_headers() {
    let server = Server::start(|seen| Some(strict(seen).unwrap_or_else(|| Answer::result(seen, "1")))).await;
    let mut host = Host::start(&server);
    for (method, params) in [
        ("tools/list", json!({})),
        ("tools/call", json!({"name": "tool"})),
        ("prompts/get", json!({"name": "a prompt"})),
        ("resources/read", json!({"uri": "file:///x", "name": "y"})),
    ] {
        host.call(method, method, modern(params)).await;
        let message = host.next().await;
        assert_eq!((&message["id"], &message["result"]), (&json!(method), &json!(1)), "{message}");
    }
    host.finish().await;
    assert_eq!(server.seen().len(), 4, "nothing but the requests themselves: no GET, no DELETE");
    assert!(server.seen().iter().all(|seen| seen.header("authorization") == Some("Bearer token-0")));
}

#[tokio::test]
async fn a_name_that_no_header_may_carry_is_encoded() {
    let server = Server::start(|_| None).await;
    let mut host = Host::start(&server);
    host.call(1, "tools/call", modern(json!({"name": "größe"}))).await;
    host.next().await;
    assert_eq!(server.seen()[0].header("mcp-name"), Some("=?base64?Z3LDtsOfZQ==?="));
}

/// T-51, D-3, T-52: notifications carry the headers too, also those that do not say their version; and the requests
/// about a task its id.
#[tokio::test]
async fn notifications_and_tasks_have_their_headers() {
    let server = Server::start(|_| None).await;
    let mut host = Host::start(&server);
    host.note("notifications/other", json!({})).await;
    server.wait_for("notifications/other", 1).await;
    for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
        host.call(method, method, modern(json!({"taskId": "t\u{e9}", "name": "n"}))).await;
        host.next().await;
        assert_eq!(server.of(method)[0].header("mcp-name"), Some("=?base64?dMOp?="), "{method}");
    }
    host.note("notifications/other", json!({"name": "n"})).await;
    host.note("notifications/other", modern(json!({}))).await;
    server.wait_for("notifications/other", 3).await;
    let seen = server.of("notifications/other");
    assert_eq!(seen[0].header("mcp-method"), None, "nothing was known of the host yet");
    for seen in &seen[1..] {
        assert_eq!(seen.header("mcp-method"), Some("notifications/other"));
        assert_eq!(seen.header("mcp-protocol-version"), Some(VERSION));
        assert_eq!(seen.header("mcp-name"), None);
    }
}

/// 1.5 row 9: each message is judged by itself, and neither waits for the other.
#[tokio::test]
async fn both_kinds_may_come_on_one_pipe() {
    let server = Server::start(|seen| {
        (seen.method() == "initialize")
            .then(|| Answer::result(seen, super::server::HELLO).header("mcp-session-id", "s").after(700))
    })
    .await;
    let mut host = Host::start(&server);
    host.call(0, "initialize", json!({"protocolVersion": "2025-11-25"})).await;
    host.call("legacy", "tools/list", json!({})).await;
    host.call("modern", "tools/list", modern(json!({}))).await;
    assert_eq!(host.next().await["id"], "modern");
    assert_eq!(host.next().await["id"], 0);
    assert_eq!(host.next().await["id"], "legacy");
    host.call("later", "tools/list", modern(json!({}))).await;
    host.next().await;
    let seen = server.of("tools/list");
    let of = |id: &str| seen.iter().find(|seen| seen.id() == id).unwrap();
    assert_eq!(of("legacy").header("mcp-session-id"), Some("s"));
    assert_eq!(of("legacy").header("mcp-method"), None);
    for id in ["modern", "later"] {
        assert_eq!(of(id).header("mcp-session-id"), None);
        assert_eq!(of(id).header("mcp-protocol-version"), Some(VERSION));
    }
}

/// T-63: 404 is no lost session, where there is none, and no sign of an older transport.
#[tokio::test]
async fn not_found_is_the_answer() {
    let server = Server::start(|seen| {
        let error = format!("{{\"id\":{},\"error\":{{\"code\":-32601,\"message\":\"?\"}}}}", seen.id());
        let body = if seen.method() == "tools/list" { "{}" } else { &error };
        (seen.header("mcp-method").is_some()).then(|| Answer { status: 404, ..Answer::json(body) })
    })
    .await;
    let mut host = Host::ready(&server).await;
    server.wait_for("GET", 1).await;
    host.call(1, "tools/list", modern(json!({}))).await;
    // Nor of a newer server: the host is told what it speaks (checklist 1.5 row 7).
    let answer = host.next().await;
    assert_eq!(
        (&answer["error"]["code"], &answer["error"]["data"]["supported"][0]),
        (&json!(-32022), &json!("2025-11-25"))
    );
    host.call(2, "tools/unknown", modern(json!({}))).await;
    assert_eq!(host.next().await["error"]["code"], -32601);
    assert_eq!((server.count("initialize"), server.count("GET")), (1, 1));
}

/// T-08, T-64, T-65: the errors of the revision come through, also where they name no request; the proxy makes up
/// none of them.
#[tokio::test]
async fn errors_of_the_revision_come_through() {
    let error = |code| format!(r#"{{"code":{code},"message":"no","data":{{"supported":["2026-07-28"]}}}}"#);
    let server = Server::start(move |seen| {
        let params = &seen.json()["params"];
        let id = if params["named"] == true { seen.id().to_string() } else { "null".to_owned() };
        let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{}}}"#, error(params["code"].as_i64()?));
        let body = if params["named"].is_null() { body.replace(r#""id":null,"#, "") } else { body };
        let status = u16::try_from(params["status"].as_u64()?).unwrap();
        Some(Answer { status, ..Answer::json(body) })
    })
    .await;
    let mut host = Host::start(&server);
    let mut ask = async |status: u16, code: i64, named: Value| {
        let params = modern(json!({"status": status, "code": code, "named": named}));
        host.call("x", "prompts/list", params).await;
        host.next().await
    };
    for (status, code) in [(400, -32020), (400, -32021), (400, -32022), (404, -32601), (400, -32602)] {
        for named in [json!(true), json!(false), Value::Null] {
            let answer = ask(status, code, named).await;
            assert_eq!((&answer["id"], answer["error"]["code"].as_i64()), (&json!("x"), Some(code)));
            assert_eq!(answer["error"]["data"]["supported"][0], VERSION);
        }
    }
    for (status, code) in [(500, -32020), (400, -32000), (403, -32602)] {
        let (_, code) = error_of(&ask(status, code, json!(false)).await);
        assert!((-31_099..=-31_000).contains(&code), "{code}");
    }
}

/// A challenge is met in the same way, and the headers go with each attempt.
#[tokio::test]
async fn a_modern_request_is_authorized_as_any_other() {
    let server = Server::start(|seen| match seen.header("authorization") {
        None => Some(Answer::status(401).header("www-authenticate", "Bearer scope=\"a\"")),
        Some("Bearer token-1") if seen.method() == "tools/call" => {
            let value = "Bearer error=\"insufficient_scope\", scope=\"b\"";
            Some(Answer::status(403).header("www-authenticate", value))
        }
        _ => strict(seen),
    })
    .await;
    let (mut host, ladder) = Ladder { signed_out: true, ..Ladder::default() }.host(&server);
    host.call(1, "tools/list", modern(json!({}))).await;
    assert_eq!(host.next().await["result"]["ok"], true);
    host.call(2, "tools/call", modern(json!({"name": "tool"}))).await;
    assert_eq!(host.next().await["result"]["ok"], true);
    assert_eq!((ladder.refusals().len(), ladder.lacks().len()), (1, 1));
}
