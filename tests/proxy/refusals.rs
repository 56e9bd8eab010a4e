//! Each request gets exactly one answer, whatever the server does (row 132, T-04, T-08), and no tool
//! runs twice (P6).

use serde_json::json;
use tokio::net::TcpListener;

use super::host::{Host, Tokens, error_of};
use super::server::{Answer, Part, Server, rpc};
use chipp_auth::proxy::Limits;

/// What the server does, and the name and code the host gets.
type Row = (&'static str, fn() -> Answer, &'static str, i64);

const ROWS: &[Row] = &[
    ("202 to a request", || Answer::status(202), "bad-response", -31002),
    ("204 to a request", || Answer::status(204), "bad-response", -31002),
    ("200 without a body", || Answer::status(200), "bad-response", -31002),
    ("200, JSON, without a body", || Answer::json(""), "bad-response", -31002),
    (
        "an HTML page",
        || Answer::status(200).header("content-type", "text/html").data("<html>"),
        "bad-response",
        -31002,
    ),
    (
        "plain text",
        || Answer::status(200).header("content-type", "text/plain").data("{}"),
        "bad-response",
        -31002,
    ),
    ("JSON that is no message", || Answer::json("{\"ok\":true}"), "bad-response", -31002),
    ("half a JSON", || Answer::json("{\"jsonrpc\":"), "bad-response", -31002),
    ("an answer for somebody else", || Answer::json(rpc(&json!("x"), "{}")), "bad-response", -31002),
    ("an empty stream", Answer::events, "stream-lost", -31005),
    ("a connection that breaks in the head", || Answer::status(200).part(Part::Break), "stream-lost", -31005),
    ("a body that breaks", || Answer::json("{").wait(50).part(Part::Break), "stream-lost", -31005),
    ("a stream that breaks", || Answer::events().event("").part(Part::Break), "stream-lost", -31005),
    ("400 without a body", || Answer::status(400), "bad-response", -31002),
    ("403", || Answer::status(403), "bad-response", -31002),
    ("404 without a session", || Answer::status(404), "bad-response", -31002),
    ("406", || Answer::status(406), "bad-response", -31002),
    ("408", || Answer::status(408), "timeout", -31007),
    ("413", || Answer::status(413), "too-large", -31006),
    ("429", || Answer::status(429), "server-busy", -31002),
    ("500", || Answer::status(500).data("oops"), "server-error", -31002),
    (
        "503 with a page",
        || Answer::status(503).header("content-type", "text/html").data("<p>"),
        "server-error",
        -31002,
    ),
    ("511", || Answer::status(511), "captive-portal", -31002),
];

#[tokio::test]
async fn each_failure_is_one_named_answer_and_the_tool_is_not_called_again() {
    for (what, answer, name, code) in ROWS {
        let server = Server::start(move |seen| match seen.method().as_str() {
            "tools/call" => Some(answer()),
            "initialize" => Some(Answer::result(seen, super::server::HELLO)),
            _ => None,
        })
        .await;
        let mut host = Host::ready(&server).await;
        host.tool(what.to_owned()).await;
        let message = host.next().await;
        assert_eq!(message["id"], *what);
        assert_eq!(error_of(&message), ((*name).to_owned(), *code), "{what}: {message}");
        host.call("next", "tools/list", json!({})).await;
        assert_eq!(host.next().await["id"], "next", "{what}");
        assert_eq!(server.count("tools/call"), 1, "{what}");
        assert_eq!(host.finish().await.0.len(), 0, "{what}: a second answer");
    }
}

/// T-08: a JSON-RPC error behind an HTTP error is the answer, if it is for this request.
#[tokio::test]
async fn an_error_body_with_our_id_is_passed_on_unchanged() {
    for status in [400, 404, 429, 500] {
        let server = Server::start(move |seen| {
            let body = format!(
                "{{\"jsonrpc\":\"2.0\", \"id\":{},\"error\":{{\"code\":-32601,\"message\":\"no\"}}}}",
                seen.id()
            );
            (seen.method() == "tools/call").then(|| Answer { status, ..Answer::json(body) })
        })
        .await;
        let mut host = Host::ready(&server).await;
        host.tool("t").await;
        assert_eq!(
            host.line().await,
            r#"{"jsonrpc":"2.0", "id":"t","error":{"code":-32601,"message":"no"}}"#
        );
        assert_eq!(server.count("initialize"), 1, "a method that is not found is no lost session");
    }
}

/// T-08: without an id, the server's words become part of our answer, cleaned.
#[tokio::test]
async fn an_error_body_without_an_id_gives_its_words() {
    let server = Server::start(|seen| {
        let body = "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32000,\"message\":\"Bad \\u001b[31mRequest\\r\\n: x\"}}";
        (seen.method() == "tools/call").then(|| Answer { status: 400, ..Answer::json(body) })
    })
    .await;
    let mut host = Host::ready(&server).await;
    host.tool(1).await;
    let message = host.next().await;
    let text = message["error"]["message"].as_str().unwrap();
    assert!(text.contains("HTTP 400: Bad [31mRequest : x"), "{text}");
}

/// T-04: what goes wrong with a notification or an answer of the host is nobody's answer.
#[tokio::test]
async fn a_failed_notification_writes_nothing() {
    let server = Server::start(|seen| {
        let body = "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32000,\"message\":\"no\"}}";
        match seen.method().as_str() {
            "notifications/one" => Some(Answer { status: 400, ..Answer::json(body) }),
            "notifications/two" => Some(Answer::json(body)),
            "notifications/three" => Some(Answer::status(200)),
            "notifications/four" => Some(Answer::status(204)),
            "POST" => Some(Answer { status: 500, ..Answer::json(body) }),
            _ => None,
        }
    })
    .await;
    let mut host = Host::ready(&server).await;
    for name in ["one", "two", "three", "four"] {
        host.note(&format!("notifications/{name}"), json!({})).await;
    }
    host.raw("{\"jsonrpc\":\"2.0\",\"id\":9,\"result\":{}}\n").await;
    server.wait_for("notifications/four", 1).await;
    server.wait_for("POST", 1).await;
    host.silence().await;
}

/// Row 132: how long to wait is part of the sentence, from each of the places where servers put it.
#[tokio::test]
async fn a_busy_server_says_how_long_to_wait() {
    let soon = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() + 50;
    let server = Server::start(move |seen| match seen.json()["params"]["name"].as_str()? {
        "retry-after" => Some(Answer::status(429).header("retry-after", "40")),
        "header" => Some(Answer::status(429).header("x-ratelimit-reset", soon.to_string())),
        "body" => Some(Answer { status: 429, ..Answer::json(format!("{{\"error\":{{\"reset\":{soon}}}}}")) }),
        _ => None,
    })
    .await;
    for name in ["retry-after", "header", "body"] {
        // Each in a pipe of its own: after the first, nothing more would be asked.
        let mut host = Host::ready(&server).await;
        host.call(name, "tools/call", json!({"name": name})).await;
        let message = host.next().await;
        assert_eq!(error_of(&message).0, "server-busy");
        let text = message["error"]["message"].as_str().unwrap();
        let seconds = text.split("wait ").nth(1).unwrap().split(' ').next().unwrap().parse::<u64>().unwrap();
        assert!((20..=50).contains(&seconds), "{text}");
    }
    assert_eq!(server.count("tools/call"), 3);
}

/// A-46: one refresh, one more try.
#[tokio::test]
async fn a_401_is_tried_once_more_with_another_token() {
    let server = Server::start(|seen| {
        (seen.header("authorization") == Some("Bearer token-0"))
            .then(|| Answer::status(401).header("www-authenticate", "Bearer error=\"invalid_token\""))
    })
    .await;
    let mut host = Host::ready(&server).await;
    host.tool(1).await;
    assert_eq!(host.next().await["result"]["ok"], true);
    assert_eq!(host.tokens.renewed.load(std::sync::atomic::Ordering::SeqCst), 1);
    assert_eq!(host.tokens.challenges.lock().unwrap()[0], "Bearer error=\"invalid_token\"");
}

#[tokio::test]
async fn without_a_sign_in_the_error_of_the_session_is_the_answer() {
    let server = Server::start(|_| Some(Answer::status(401))).await;
    let mut host =
        Host::with(server.url.clone(), Limits::default(), Tokens { signed_out: true, ..Tokens::default() });
    host.call(1, "initialize", json!({})).await;
    assert_eq!(error_of(&host.next().await).0, "login-required");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn fifty_calls_that_meet_a_401_together_all_succeed() {
    let server = Server::start(|seen| {
        (seen.method() == "tools/call" && seen.header("authorization") == Some("Bearer token-0"))
            .then(|| Answer::status(401).after(200))
    })
    .await;
    let mut host = Host::ready(&server).await;
    for id in 0..50 {
        host.tool(id).await;
    }
    for _ in 0..50 {
        assert_eq!(host.next().await["result"]["ok"], true);
    }
    assert_eq!(host.tokens.renewed.load(std::sync::atomic::Ordering::SeqCst), 1);
    assert_eq!(server.count("tools/call"), 100);
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_is_a_network_failure() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut host =
        Host::with(format!("http://{nobody}/mcp").parse().unwrap(), Limits::default(), Tokens::default());
    host.call(1, "initialize", json!({})).await;
    assert_eq!(error_of(&host.next().await), ("network-down".to_owned(), -31002));
}

/// 1.5 row 6: a host that probes for the newest revision is told at once that this is an older one.
#[tokio::test]
async fn a_probe_for_the_newest_revision_is_answered_here() {
    let server = Server::start(|_| None).await;
    let mut host = Host::start(&server);
    host.call("probe", "server/discover", json!({})).await;
    assert_eq!(host.next().await["error"]["code"], -32601);
    assert!(server.seen().is_empty());
    assert!(host.greet().await["result"].is_object());
}
