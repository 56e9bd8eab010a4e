//! Row 131: a server that forgets its sessions, or is started anew.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::host::Host;
use super::reply::{HELLO, Reply, Step, rpc};
use super::server::Server;

/// Sessions `s0`, `s1` …, of which the first `lost` are forgotten. Later ones are opened with `later`.
async fn forgetful(lost: &Arc<AtomicUsize>, later: &'static str) -> Server {
    let (lost, opened) = (Arc::clone(lost), AtomicUsize::new(0));
    Server::start(move |seen| {
        if seen.method() == "initialize" {
            let n = opened.fetch_add(1, Ordering::SeqCst);
            let headers = format!("content-type: application/json\r\nmcp-session-id: s{n}\r\n");
            let hello = if n == 0 { HELLO } else { later };
            return Some(Reply::body(200, &headers, &rpc(seen.id(), hello)));
        }
        let session: usize = seen.header("mcp-session-id")?[1..].parse().unwrap();
        if session < lost.load(Ordering::SeqCst) {
            return Some(Reply::status(404, ""));
        }
        match seen.tool() {
            "polled" => Some(Reply::events().chunk("id: e1\nretry: 300\ndata:\n\n").end()),
            _ if seen.verb == "GET" => {
                let greeting = r#"{"jsonrpc":"2.0","method":"notifications/message","params":{}}"#;
                let standing = Reply::events().event(greeting);
                Some(if session == 0 { standing.end() } else { standing.step(Step::Hold) })
            }
            _ => None,
        }
    })
    .await
}

/// The answer to a call in a session that was forgotten, and that opens with `later` if at all.
async fn after_a_loss(later: &'static str) -> (String, Server) {
    let lost = Arc::new(AtomicUsize::new(0));
    let server = forgetful(&lost, later).await;
    let mut host = Host::ready(&server).await;
    assert_eq!(host.next().await["method"], "notifications/message");
    lost.store(1, Ordering::SeqCst);
    host.tool("t").await;
    let mut line = host.line().await;
    while line.contains("notifications/message") {
        line = host.line().await;
    }
    (line, server)
}

fn lost(why: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":"t","error":{{"code":-31002,"data":{{"name":"session-lost","retryable":false,"source":"chipp-auth"}},"message":"session-lost: 127.0.0.1 has forgotten the session{why}. To mend it: restart the MCP client, so that it opens a new session."}}}}"#
    )
}

#[tokio::test]
async fn a_lost_session_is_opened_again_or_its_loss_is_told_word_for_word() {
    let (line, server) = after_a_loss(HELLO).await;
    assert_eq!(line, r#"{"jsonrpc":"2.0","id":"t","result":{"ok":true}}"#);
    assert_eq!((server.count("initialize"), server.count("tools/call")), (2, 2));

    const OTHER: &str = r#"{"protocolVersion":"2025-06-18","capabilities":{"tools":{},"logging":{},"resources":{"subscribe":true}}}"#;
    const LESS: &str =
        r#"{"protocolVersion":"2025-11-25","capabilities":{"tools":{},"logging":{},"resources":{}}}"#;
    for later in [OTHER, LESS] {
        let (line, server) = after_a_loss(later).await;
        assert_eq!(line, lost(", and now speaks another version or offers less"));
        assert_eq!(server.count("tools/call"), 1);
    }
    let (line, _) = after_a_loss("null").await;
    assert_eq!(line, lost(", and now speaks another version or offers less"));
}

/// Row 131: in either era "no such method" is an answer, whatever the status, and no lost session.
#[tokio::test]
async fn a_method_that_is_not_found_is_an_answer() {
    let server = Server::start(|seen| {
        let body =
            format!(r#"{{"jsonrpc":"2.0","id":{},"error":{{"code":-32601,"message":"no"}}}}"#, seen.id());
        (seen.method() == "tools/call").then(|| Reply::body(404, "content-type: application/json\r\n", &body))
    })
    .await;
    let mut host = Host::ready(&server).await;
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}});
    for params in [json!({"name": "a"}), json!({"name": "a", "_meta": meta})] {
        host.call("t", "tools/call", params).await;
        assert_eq!(host.line().await, r#"{"jsonrpc":"2.0","id":"t","error":{"code":-32601,"message":"no"}}"#);
    }
    assert_eq!((server.count("initialize"), server.count("tools/call")), (1, 2));
}

/// T-23, T-24: the stream for the server's own messages notices the loss, too, even if the host has nothing to say.
#[tokio::test]
async fn the_standing_stream_opens_a_lost_session_again() {
    let lost = Arc::new(AtomicUsize::new(0));
    let server = forgetful(&lost, HELLO).await;
    let mut host = Host::ready(&server).await;
    host.call(1, "resources/subscribe", json!({"uri": "a"})).await;
    let mut messages = vec![host.next().await, host.next().await];
    lost.store(1, Ordering::SeqCst);
    messages.push(host.next().await);
    assert!(messages.iter().any(|message| message["id"] == 1));
    assert_eq!((server.count("initialize"), server.count("resources/subscribe")), (2, 2));
    server
        .until("it is heard in the new session", |server| {
            server.of("GET").iter().any(|get| get.header("mcp-session-id") == Some("s1"))
        })
        .await;
}

/// T-24: event ids of a forgotten session mean nothing in the next; the call is lost at once, and truthfully.
#[tokio::test]
async fn a_call_of_a_forgotten_session_is_not_resumed_in_another() {
    let lost = Arc::new(AtomicUsize::new(0));
    let server = forgetful(&lost, HELLO).await;
    let mut host = Host::ready(&server).await;
    assert_eq!(host.next().await["method"], "notifications/message");
    host.call("polled", "tools/call", json!({"name": "polled"})).await;
    server.until("it is called", |server| server.count("tools/call") == 1).await;
    lost.store(1, Ordering::SeqCst);
    host.tool("other").await;
    let mut answers = Vec::new();
    while answers.len() < 2 {
        let message = host.next().await;
        if !message["id"].is_null() {
            answers.push(message);
        }
    }
    answers.sort_by_key(|answer| answer["id"].as_str().map(str::to_owned));
    assert_eq!(answers[0]["result"]["ok"], true);
    assert_eq!(answers[1]["error"]["data"]["name"], "stream-lost");
    let in_new = |get: &super::server::Seen| get.header("mcp-session-id") == Some("s1");
    assert!(
        server.of("GET").iter().filter(|get| in_new(get)).all(|get| get.header("last-event-id").is_none())
    );
}
