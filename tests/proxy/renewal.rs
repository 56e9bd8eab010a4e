//! A server that forgets the session (T-23, T-24, row 131).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::host::{Host, error_of};
use super::server::{Answer, HELLO, Seen, Server};

/// Sessions `s0`, `s1` …; `lost` of them are forgotten. The InitializeResult of later ones is `later`.
async fn forgetful(lost: Arc<AtomicUsize>, later: &'static str) -> Server {
    const BODY: &str = r#"{"jsonrpc":"2.0","error":{"code":-32001,"message":"Session not found"},"id":null}"#;
    forgetful_with(lost, later, || Answer { status: 404, ..Answer::json(BODY) }).await
}

async fn forgetful_with(lost: Arc<AtomicUsize>, later: &'static str, refusal: fn() -> Answer) -> Server {
    let opened = AtomicUsize::new(0);
    Server::start(move |seen: &Seen| {
        if seen.method() == "initialize" {
            let n = opened.fetch_add(1, Ordering::SeqCst);
            let hello = if n == 0 { HELLO } else { later };
            return Some(Answer::result(seen, hello).header("mcp-session-id", format!("s{n}")));
        }
        let session: usize = seen.header("mcp-session-id")?[1..].parse().unwrap();
        if session < lost.load(Ordering::SeqCst) {
            return Some(refusal());
        }
        (seen.verb == "GET").then(|| Answer::events().wait(60_000))
    })
    .await
}

#[tokio::test]
async fn a_lost_session_is_opened_again_and_the_host_sees_nothing_of_it() {
    let lost = Arc::new(AtomicUsize::new(0));
    let server = forgetful(Arc::clone(&lost), HELLO).await;
    let mut host = Host::ready(&server).await;
    host.call(1, "logging/setLevel", json!({"level": "debug"})).await;
    host.next().await;
    for uri in ["a", "b"] {
        host.call(2, "resources/subscribe", json!({"uri": uri})).await;
        host.next().await;
    }
    host.call(3, "resources/unsubscribe", json!({"uri": "a"})).await;
    host.next().await;
    server.wait_for("GET", 1).await;

    lost.store(1, Ordering::SeqCst);
    host.tool("t").await;
    let message = host.next().await;
    assert_eq!((&message["id"], &message["result"]["ok"]), (&json!("t"), &json!(true)));
    host.silence().await;

    let hellos = server.of("initialize");
    assert_eq!(hellos.len(), 2);
    assert_eq!(hellos[0].json()["params"], hellos[1].json()["params"]);
    assert_eq!(hellos[1].header("mcp-session-id"), None);
    let calls = server.of("tools/call");
    assert_eq!(calls.iter().map(|c| c.header("mcp-session-id").unwrap()).collect::<Vec<_>>(), ["s0", "s1"]);
    assert_eq!(server.count("notifications/initialized"), 2);
    // The state of the session, and the stream for the server's own messages, are there again.
    assert_eq!(server.count("logging/setLevel"), 2);
    let subscribed: Vec<_> =
        server.of("resources/subscribe").iter().map(|s| s.json()["params"]["uri"].clone()).collect();
    assert_eq!(subscribed, ["a", "b", "b"]);
    server.wait_for("GET", 2).await;
    assert_eq!(server.of("GET")[1].header("mcp-session-id"), Some("s1"));
}

#[tokio::test]
async fn many_calls_that_find_the_session_lost_open_one_new_one() {
    let lost = Arc::new(AtomicUsize::new(0));
    let server = forgetful(Arc::clone(&lost), HELLO).await;
    let mut host = Host::ready(&server).await;
    server.wait_for("GET", 1).await;
    lost.store(1, Ordering::SeqCst);
    for id in 0..20 {
        host.tool(id).await;
    }
    for _ in 0..20 {
        assert_eq!(host.next().await["result"]["ok"], true);
    }
    assert_eq!(server.count("initialize"), 2);
}

#[tokio::test]
async fn a_new_session_that_offers_less_is_refused() {
    const OLDER: &str = r#"{"protocolVersion":"2025-06-18","capabilities":{"tools":{}}}"#;
    const LESS: &str = r#"{"protocolVersion":"2025-11-25","capabilities":{}}"#;
    const MORE: &str =
        r#"{"protocolVersion":"2025-11-25","capabilities":{"tools":{"listChanged":true},"prompts":{}}}"#;
    for (later, fine) in [(OLDER, false), (LESS, false), (MORE, true)] {
        let lost = Arc::new(AtomicUsize::new(0));
        let server = forgetful(Arc::clone(&lost), later).await;
        let mut host = Host::ready(&server).await;
        server.wait_for("GET", 1).await;
        lost.store(1, Ordering::SeqCst);
        host.tool(1).await;
        let message = host.next().await;
        if fine {
            assert_eq!(message["result"]["ok"], true);
        } else {
            assert_eq!(error_of(&message), ("session-lost".to_owned(), -31002), "{later}");
            assert_eq!(server.count("tools/call"), 1);
        }
    }
}

/// One re-send, not a loop.
#[tokio::test]
async fn a_session_that_is_lost_at_once_again_is_an_error() {
    let lost = Arc::new(AtomicUsize::new(0));
    let server = forgetful(Arc::clone(&lost), HELLO).await;
    let mut host = Host::ready(&server).await;
    server.wait_for("GET", 1).await;
    lost.store(99, Ordering::SeqCst);
    host.tool(1).await;
    assert_eq!(error_of(&host.next().await).0, "session-lost");
    assert!(server.count("tools/call") <= 2);
}

/// The same where each new session opens without trouble: the limit alone ends it.
#[tokio::test]
async fn a_request_that_finds_every_session_lost_is_sent_twice() {
    let server = Server::start(|seen| {
        (seen.method() == "tools/call").then(|| Answer { status: 404, ..Answer::json("{}") })
    })
    .await;
    let mut host = Host::ready(&server).await;
    host.tool(1).await;
    assert_eq!(error_of(&host.next().await).0, "session-lost");
    assert_eq!((server.count("tools/call"), server.count("initialize")), (2, 2));
}

/// T-24: 400 where 404 is meant, as in servers after the official SDK's example; only if the words say so.
#[tokio::test]
async fn a_bad_request_that_speaks_of_the_session_means_a_lost_session() {
    const GONE: fn() -> Answer = || {
        let body = r#"{"jsonrpc":"2.0","error":{"code":-32000,"message":"Bad Request: No valid session ID provided"},"id":null}"#;
        Answer { status: 400, ..Answer::json(body) }
    };
    const OTHER: fn() -> Answer =
        || Answer { status: 400, ..Answer::json(r#"{"error":"invalid arguments"}"#) };
    for (refusal, renewed) in [(GONE, true), (OTHER, false)] {
        let lost = Arc::new(AtomicUsize::new(0));
        let server = forgetful_with(Arc::clone(&lost), HELLO, refusal).await;
        let mut host = Host::ready(&server).await;
        server.wait_for("GET", 1).await;
        lost.store(1, Ordering::SeqCst);
        host.tool(1).await;
        assert_eq!(host.next().await["result"]["ok"] == true, renewed);
        assert_eq!(server.count("initialize"), if renewed { 2 } else { 1 });
    }
}
