//! A host that asks for the newer era (rows 5, 6, 8 and 9).

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::super::host::{Host, Tokens};
use super::super::server::{Answer, Part, Server};
use super::{Pad, VERSION, discovered, dual, failure, legacy_only, modern, modern_only};

/// Row 5, T-80: the answer comes as the server gave it, and nothing but the probe goes out.
#[tokio::test]
async fn a_probe_reaches_a_server_of_the_newer_era_and_its_answer_the_host() {
    for script in [modern_only, dual] {
        let server = Server::start(script).await;
        let (pad, mut host) = (Pad::new(), Host::start(&server));
        host.call("p", "server/discover", modern(json!({}))).await;
        assert_eq!(host.next().await, json!({"jsonrpc": "2.0", "id": "p", "result": discovered()}));
        host.call(2, "tools/list", modern(json!({}))).await;
        assert_eq!(host.next().await["result"]["era"], "modern");
        host.finish().await;
        let seen: Vec<_> = server.seen().iter().map(super::Seen::method).collect();
        assert_eq!(seen, ["server/discover", "tools/list"]);
        assert_eq!(pad.text(), None);
    }
}

/// The same over an event stream.
#[tokio::test]
async fn the_answer_to_a_probe_may_come_as_an_event() {
    let server = Server::start(|seen| {
        let answer = super::super::server::rpc(&seen.id(), "{\"supportedVersions\":[1e400]}");
        Some(Answer::events().event("").event(answer).wait(60_000))
    })
    .await;
    let mut host = Host::start(&server);
    host.call(1, "server/discover", modern(json!({}))).await;
    assert_eq!(host.line().await, r#"{"jsonrpc":"2.0","id":1,"result":{"supportedVersions":[1e400]}}"#);
}

/// Row 6, T-08, T-80: an answer that no newer server gives, whatever the older one said; then `initialize`
/// works on the same pipe, and nothing has looked for HTTP+SSE (T-83).
#[tokio::test]
async fn a_probe_of_an_older_server_leads_to_initialize() {
    for status in [400, 404, 405, 406, 422] {
        let server = Server::start(move |seen| match seen.method().as_str() {
            "server/discover" if status == 400 => legacy_only(seen),
            "server/discover" => Some(Answer::status(status).data("<html>")),
            _ => None,
        })
        .await;
        let pad = Pad::new();
        let mut host = Host::remembering(&server, pad.clone());
        host.call("p", "server/discover", modern(json!({}))).await;
        let answer = host.next().await;
        assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!("p"), &json!(-32601)), "{answer}");
        assert_eq!(host.greet().await["result"]["protocolVersion"], "2025-11-25");
        host.tool(1).await;
        assert_eq!(host.next().await["id"], 1);
        host.finish().await;
        assert_eq!(pad.speaks().as_deref(), Some(""), "remembered: sessions only");
        assert!(server.of("GET").iter().all(|seen| seen.header("mcp-session-id").is_some()));
        // The next process does not ask the server again.
        let before = server.seen().len();
        let mut host = Host::remembering(&server, pad);
        host.call("p", "server/discover", modern(json!({}))).await;
        assert_eq!(host.next().await["error"]["code"], -32601);
        assert_eq!(server.seen().len(), before);
    }
}

/// T-82: a wall, a gateway and a broken line are answered in the same way, and nothing is remembered.
#[tokio::test]
async fn a_probe_learns_nothing_from_walls_and_failures() {
    for status in [401, 403, 408, 429, 500, 502, 503] {
        let server = Server::start(move |seen| {
            let modern_words = failure(seen, status, -32000, &Value::Null);
            Some(modern_words.header("www-authenticate", "Bearer"))
        })
        .await;
        let pad = Pad::new();
        let mut host = Host::remembering(&server, pad.clone());
        host.call(7, "server/discover", modern(json!({}))).await;
        let answer = host.next().await;
        assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!(7), &json!(-32601)), "{status}");
        assert_eq!(pad.text(), None, "{status}");
        assert_eq!(server.count("server/discover"), 1, "asked once");
        assert_eq!(
            host.tokens.renewed.load(std::sync::atomic::Ordering::SeqCst),
            0,
            "nobody signs in for it"
        );
        assert!(host.tokens.challenges.lock().unwrap().is_empty());
    }
    let closed = "http://127.0.0.1:1/mcp".parse().unwrap();
    let mut host = Host::with(closed, chipp_auth::proxy::Limits::default(), Tokens::default());
    host.call(7, "server/discover", modern(json!({}))).await;
    assert_eq!(host.next().await["error"]["code"], -32601);
}

/// Hosts give a probe ten seconds (1.7).
#[tokio::test]
async fn a_server_that_says_nothing_does_not_keep_a_probe_waiting() {
    for answer in ["head", "body", "stream"] {
        let server = Server::start(move |_| {
            Some(match answer {
                "head" => Answer::json("{}").after(60_000),
                "body" => Answer::status(200).header("content-type", "application/json").wait(60_000),
                _ => Answer::events().part(Part::Wait(Duration::from_secs(60))),
            })
        })
        .await;
        let pad = Pad::new();
        let mut host = Host::remembering(&server, pad.clone());
        let begun = Instant::now();
        host.call(1, "server/discover", modern(json!({}))).await;
        assert_eq!(host.next().await["error"]["code"], -32601, "{answer}");
        assert!(begun.elapsed() < Duration::from_secs(9), "{answer}");
        assert_eq!(pad.text(), None);
    }
}

/// Row 8, T-64: the three errors of the newer era go to the host, even if the server names no id.
#[tokio::test]
async fn a_modern_error_is_the_answer_to_a_probe() {
    for (code, named) in [(-32022, true), (-32022, false), (-32021, true), (-32020, false)] {
        let server = Server::start(move |seen| {
            let data = json!({"supported": ["2027-01-01"], "requested": VERSION});
            let mut error =
                json!({"jsonrpc": "2.0", "error": {"code": code, "message": "m", "data": data}, "x": 1});
            error["id"] = if named { seen.id() } else { Value::Null };
            Some(Answer { status: 400, ..Answer::json(error.to_string()) })
        })
        .await;
        let pad = Pad::new();
        let mut host = Host::remembering(&server, pad.clone());
        host.call("p", "server/discover", modern(json!({}))).await;
        let answer = host.next().await;
        assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!("p"), &json!(code)));
        assert_eq!(
            (&answer["error"]["data"]["supported"][0], &answer["x"]),
            (&json!("2027-01-01"), &json!(1))
        );
        assert_eq!(pad.text(), None);
    }
}

/// Row 9: one message does not decide for the next.
#[tokio::test]
async fn both_eras_have_room_on_one_pipe() {
    let server = Server::start(dual).await;
    let mut host = Host::start(&server);
    host.call("p", "server/discover", modern(json!({}))).await;
    assert!(host.next().await["result"]["supportedVersions"].is_array());
    assert_eq!(host.greet().await["result"]["serverInfo"]["name"], "scripted");
    host.call(1, "tools/list", json!({})).await;
    assert_eq!(host.next().await["result"], json!({"ok": true}));
    host.call(2, "tools/list", modern(json!({}))).await;
    assert_eq!(host.next().await["result"]["era"], "modern");
    host.call("q", "server/discover", modern(json!({}))).await;
    assert!(host.next().await["result"]["supportedVersions"].is_array());
    host.call(3, "tools/list", json!({})).await;
    assert_eq!(host.next().await["result"], json!({"ok": true}));
}

/// Several throw-away processes at once, each with its own question (1.7).
#[tokio::test]
async fn many_may_probe_at_once() {
    let server = Server::start(modern_only).await;
    let mut hosts: Vec<_> = (0..8).map(|_| Host::start(&server)).collect();
    for host in &mut hosts {
        host.call("p", "server/discover", modern(json!({}))).await;
    }
    for mut host in hosts {
        assert!(host.next().await["result"]["supportedVersions"].is_array());
        assert_eq!(host.finish().await.0, Vec::<Value>::new());
    }
}

/// Of the older revisions, which have no such method, is a probe that does not say what it is.
#[tokio::test]
async fn a_probe_without_a_version_is_answered_here() {
    let server = Server::start(|_| None).await;
    let mut host = Host::start(&server);
    host.call(1, "server/discover", json!({})).await;
    assert_eq!(host.next().await["error"]["code"], -32601);
    assert!(server.seen().is_empty());
}

/// S-07: a probe that is cancelled gets no answer, and its stream is closed.
#[tokio::test]
async fn a_cancelled_probe_is_over() {
    let server = Server::start(|_| Some(Answer::events().event("").wait(60_000))).await;
    let mut host = Host::start(&server);
    host.call("p", "server/discover", modern(json!({}))).await;
    server.wait_for("server/discover", 1).await;
    host.note("notifications/cancelled", json!({"requestId": "p"})).await;
    server.wait_for_closed(1).await;
    host.silence().await;
}
