//! Requests of MCP 2026-07-28, which know of no session: as much as authorization needs (T-50 to T-53, T-61).

use serde_json::{Value, json};

use super::host::{Host, error_of};
use super::ladder::Ladder;
use super::server::{Answer, Part, Seen, Server, rpc};

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
    assert_eq!(error_of(&host.next().await).0, "bad-response");
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

/// T-59, T-61, row 130: a broken stream is not taken up, and giving up means closing it.
#[tokio::test]
async fn a_broken_stream_is_lost_and_a_silent_one_is_closed() {
    let server = Server::start(|seen| match seen.json()["params"]["name"].as_str()? {
        "broken" => Some(Answer::events().data("id: e\nretry: 10\ndata:\n\n").wait(50).part(Part::Break)),
        _ => Some(Answer::events().wait(60_000)),
    })
    .await;
    let mut host = Host::patient_for(&server, 300, 60_000);
    for (name, error) in [("broken", "stream-lost"), ("silent", "timeout")] {
        host.call(name, "tools/call", modern(json!({"name": name}))).await;
        assert_eq!(error_of(&host.next().await).0, error);
    }
    host.silence().await;
    assert_eq!(server.seen().len(), 2, "no GET, and no cancellation");
}

/// T-59, S-07: the host's cancellation closes that stream and is no POST; nothing more comes for the id. T-60: the
/// other exchanges go on.
#[tokio::test]
async fn a_cancelled_request_is_closed_and_not_told() {
    let server = Server::start(|seen| {
        let answer = rpc(&seen.id(), "1");
        let progress = r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1}}"#;
        (seen.method() == "tools/call")
            .then(|| Answer::events().event(progress).wait(400).event(progress).event(answer))
    })
    .await;
    let mut host = Host::start(&server);
    for id in ["cancelled", "other"] {
        host.call(id, "tools/call", modern(json!({"name": id}))).await;
    }
    for _ in 0..2 {
        assert_eq!(host.next().await["method"], "notifications/progress");
    }
    for id in ["cancelled", "never asked", "cancelled"] {
        host.note("notifications/cancelled", json!({"requestId": id})).await;
    }
    assert_eq!(host.next().await["method"], "notifications/progress");
    assert_eq!(host.next().await["id"], "other");
    host.note("notifications/cancelled", modern(json!({"requestId": "other"}))).await;
    host.silence().await;
    server.wait_for_closed(1).await;
    assert_eq!(server.seen().len(), 2, "no POST but the calls");
    // The id is free again.
    host.call("cancelled", "tools/list", modern(json!({}))).await;
    assert_eq!(host.next().await["id"], "cancelled");
}

/// T-59: also before the server has said anything, and while the host is slow to read.
#[tokio::test]
async fn a_request_may_be_cancelled_before_its_answer_begins() {
    let server = Server::start(|seen| {
        (seen.method() == "tools/call").then(|| Answer::result(seen, "1").after(60_000))
    })
    .await;
    let mut host = Host::start(&server);
    host.call(1, "tools/call", modern(json!({"name": "slow"}))).await;
    server.wait_for("tools/call", 1).await;
    host.note("notifications/cancelled", json!({"requestId": 1})).await;
    server.wait_for_closed(1).await;
    host.silence().await;
    let (rest, end) = host.finish().await;
    assert!(rest.is_empty(), "{rest:?}");
    assert_eq!(end, chipp_auth::proxy::End::Eof);
}

/// T-33, T-59: where there is a session, its requests are cancelled as before.
#[tokio::test]
async fn a_request_of_a_session_is_cancelled_by_a_message() {
    let server =
        Server::start(|seen| (seen.method() == "tools/call").then(|| Answer::events().wait(60_000))).await;
    let mut host = Host::ready(&server).await;
    host.tool("legacy").await;
    host.call("modern", "tools/call", modern(json!({"name": "tool"}))).await;
    server.wait_for("tools/call", 2).await;
    for id in ["modern", "legacy"] {
        host.note("notifications/cancelled", json!({"requestId": id})).await;
    }
    server.wait_for("notifications/cancelled", 1).await;
    host.silence().await;
    let told = server.of("notifications/cancelled");
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].json()["params"]["requestId"], "legacy");
}

/// T-58, S-06, T-60, T-72, P8: of a stream its own answer comes through, and the notifications before it.
#[tokio::test]
async fn a_stream_brings_its_own_answer_and_notifications() {
    let server = Server::start(|seen| {
        let note = |n: u8| {
            format!(r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progress":{n}}}}}"#)
        };
        let events = Answer::events()
            .event(note(1))
            .event(r#"{"jsonrpc":"2.0","id":7,"method":"roots/list"}"#)
            .event(rpc(&json!("quiet"), "\"stolen\""))
            .event("[]")
            .event(format!("[{}]", note(9)))
            .event(note(2))
            .event(rpc(&seen.id(), "1"))
            .event(note(3));
        let quiet = || Answer::result(seen, "1").after(1500);
        (seen.method() == "tools/call").then(|| if seen.id() == "quiet" { quiet() } else { events })
    })
    .await;
    let mut host = Host::start(&server);
    host.call("quiet", "tools/call", modern(json!({"name": "tool"}))).await;
    host.call("loud", "tools/call", modern(json!({"name": "tool"}))).await;
    for n in [1, 2] {
        assert_eq!(host.next().await["params"]["progress"], n);
    }
    assert_eq!(host.next().await["id"], "loud");
    assert_eq!(host.next().await, json!({"jsonrpc": "2.0", "id": "quiet", "result": 1}));
    // And what answers such a request goes nowhere.
    host.raw(format!("{}\n", rpc(&json!(7), "{}"))).await;
    host.silence().await;
    assert_eq!(server.seen().len(), 2);
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

/// Until the newer revision is spoken as a whole, a probe for it gets the answer that leads to an older one.
#[tokio::test]
async fn a_probe_is_answered_here_whatever_it_carries() {
    let server = Server::start(|_| None).await;
    let mut host = Host::start(&server);
    host.call("probe", "server/discover", modern(json!({}))).await;
    assert_eq!(host.next().await["error"]["code"], -32601);
    assert!(server.seen().is_empty());
}
