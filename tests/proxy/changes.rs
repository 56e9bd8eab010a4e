//! `subscriptions/listen` of MCP 2026-07-28: a stream that stays open (T-66 to T-68).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chipp_auth::proxy::End;
use serde_json::{Value, json};

use super::host::{Host, error_of};
use super::modern::modern;
use super::server::{Answer, Part, Seen, Server, rpc};

/// The id of the request, which is the name of the subscription: it must come back to the letter.
const ID: &str = "\"l\\u0069sten\"";

fn listen() -> String {
    let params =
        modern(json!({"notifications": {"toolsListChanged": true, "resourceSubscriptions": ["file:///a"]}}));
    format!("{{\"jsonrpc\":\"2.0\",\"id\":{ID},\"method\":\"subscriptions/listen\",\"params\":{params}}}\n")
}

fn note(method: &str, more: &str) -> String {
    let meta = format!("{{\"io.modelcontextprotocol/subscriptionId\":{ID}}}");
    format!(
        "{{\"jsonrpc\":\"2.0\",\"method\":\"notifications/{method}\",\"params\":{{\"_meta\":{meta}{more}}}}}"
    )
}

fn acknowledged(agreed: &str) -> String {
    note("subscriptions/acknowledged", &format!(",\"notifications\":{agreed}"))
}

const BOTH: &str =
    r#"{"toolsListChanged":true,"promptsListChanged":false,"resourceSubscriptions":["file:///a"]}"#;

/// A server whose streams are, one after the other, what `stream` says.
async fn serve(stream: impl Fn(usize, &Seen) -> Answer + Send + Sync + 'static) -> Server {
    let count = AtomicUsize::new(0);
    Server::start(move |seen| {
        (seen.method() == "subscriptions/listen").then(|| stream(count.fetch_add(1, Ordering::SeqCst), seen))
    })
    .await
}

/// T-66, T-67: nothing but the server or the host ends it, and everything is relayed as it came.
#[tokio::test]
async fn a_stream_may_be_silent_for_longer_than_any_request() {
    let server = serve(|_, seen| {
        let end = rpc(&seen.id(), r#"{"resultType":"complete"}"#);
        Answer::events()
            .event(acknowledged(BOTH))
            .wait(1500)
            .event(note("tools/list_changed", ""))
            .wait(200)
            .event(end)
    })
    .await;
    let mut host = Host::patient_for(&server, 300, 600);
    host.raw(listen()).await;
    assert_eq!(host.line().await, acknowledged(BOTH));
    host.call(1, "tools/list", modern(json!({}))).await;
    assert_eq!(host.next().await["id"], 1);
    assert_eq!(host.line().await, note("tools/list_changed", ""));
    // T-68: a graceful end is the server's answer.
    assert_eq!(
        host.next().await,
        json!({"jsonrpc": "2.0", "id": "listen", "result": {"resultType": "complete"}})
    );
    host.silence().await;
    assert_eq!(server.count("subscriptions/listen"), 1);
}

/// T-68, D-2: after a break the same request is posted again, and what may have been missed is told.
#[tokio::test]
async fn a_broken_stream_is_taken_up_and_the_host_told_of_changes() {
    let server = serve(|turn, _| {
        let events = Answer::events().data("retry: 10\nid: 7\n\n").event(acknowledged(BOTH));
        match turn {
            0 => events.wait(50).part(Part::Break),
            1 => Answer::status(503),
            _ => events.event(note("resources/updated", ",\"uri\":\"file:///a\"")).wait(60_000),
        }
    })
    .await;
    let mut host = Host::start(&server);
    host.raw(listen()).await;
    let updated = note("resources/updated", ",\"uri\":\"file:///a\"");
    for line in [&acknowledged(BOTH), &note("tools/list_changed", ""), &updated, &updated] {
        assert_eq!(host.line().await, *line);
    }
    host.silence().await;
    let posted = server.of("subscriptions/listen");
    assert_eq!(posted.len(), 3);
    for seen in &posted {
        assert_eq!((seen.verb.as_str(), &seen.body), ("POST", &posted[0].body), "the same, to the byte");
        assert_eq!(
            (seen.header("last-event-id"), seen.header("mcp-method")),
            (None, Some("subscriptions/listen"))
        );
    }
    assert_eq!(server.seen().len(), 3, "no GET");
}

/// T-68: if the server now agrees to something else, the host must know.
#[tokio::test]
async fn another_acknowledgement_is_told() {
    let less = r#"{"toolsListChanged":true}"#;
    let server = serve(move |turn, _| match turn {
        0 => Answer::events().event(acknowledged(BOTH)).data("retry: 10\n\n"),
        _ => Answer::events().event(acknowledged(less)).wait(60_000),
    })
    .await;
    let mut host = Host::start(&server);
    host.raw(listen()).await;
    for line in [acknowledged(BOTH), acknowledged(less), note("tools/list_changed", "")] {
        assert_eq!(host.line().await, line);
    }
    host.silence().await;
}

/// T-68: the tries have an end, and the end is an error for the request.
#[tokio::test]
async fn a_server_that_is_gone_ends_the_subscription() {
    let server = serve(|turn, _| match turn {
        0 => Answer::events().data("retry: 10\n\n").event(acknowledged(BOTH)),
        n if n % 2 == 0 => Answer::events().event(acknowledged(BOTH)).part(Part::Break),
        _ => Answer::status(500),
    })
    .await;
    let mut host = Host::start(&server);
    host.raw(listen()).await;
    let answer = loop {
        let message = host.next().await;
        if message["id"] == "listen" {
            break message;
        }
    };
    assert_eq!(error_of(&answer).0, "server-error");
    assert_eq!(server.count("subscriptions/listen"), 8);
    host.silence().await;
}

/// What was never acknowledged, or is refused for good, is answered at once.
#[tokio::test]
async fn a_subscription_that_cannot_begin_is_answered_at_once() {
    let server = serve(|turn, seen| match turn {
        0 => Answer::events().part(Part::Break),
        1 => Answer::status(500),
        2 => {
            let error = json!({"id": seen.id(), "error": {"code": -32601, "message": "no"}}).to_string();
            Answer { status: 404, ..Answer::json(error) }
        }
        3 => Answer::events().data("retry: 10\n\n").event(acknowledged(BOTH)),
        _ => Answer::status(403),
    })
    .await;
    let mut host = Host::start(&server);
    let expected = ["stream-lost", "server-error", "-32601", "bad-response"];
    for expected in expected {
        host.raw(listen()).await;
        let mut answer = host.next().await;
        if answer["id"].is_null() {
            answer = host.next().await;
        }
        match answer["error"]["code"].as_i64() {
            Some(-32601) => assert_eq!(expected, "-32601"),
            _ => assert_eq!(error_of(&answer).0, expected),
        }
    }
    assert_eq!(server.count("subscriptions/listen"), 5);
}

/// T-68, T-59: the host's cancellation ends it, also between two streams; and another may begin under its id.
#[tokio::test]
async fn the_host_ends_it() {
    let server = serve(|turn, _| {
        let events = Answer::events().event(acknowledged(BOTH));
        if turn == 1 { events.data("retry: 60000\n\n") } else { events.wait(60_000) }
    })
    .await;
    let mut host = Host::start(&server);
    for turn in 1..=3 {
        host.raw(listen()).await;
        assert_eq!(host.line().await, acknowledged(BOTH));
        if turn == 2 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        host.note("notifications/cancelled", json!({"requestId": "listen"})).await;
        host.silence().await;
    }
    server.wait_for_closed(2).await;
    assert_eq!(server.seen().len(), 3);
}

/// S-08: an open subscription does not keep the proxy from ending: it is closed first, and the calls are waited for.
#[tokio::test]
async fn the_end_of_stdin_ends_it_at_once() {
    let server = Server::start(|seen| match seen.method().as_str() {
        "subscriptions/listen" => Some(Answer::events().event(acknowledged(BOTH)).wait(60_000)),
        _ => Some(Answer::result(seen, "1").after(700)),
    })
    .await;
    let mut host = Host::start(&server);
    host.raw(listen()).await;
    host.line().await;
    host.call(1, "tools/list", modern(json!({}))).await;
    server.wait_for("tools/list", 1).await;
    drop(host.to.take());
    assert_eq!(host.next().await["id"], 1);
    assert_eq!(server.abandoned.load(Ordering::SeqCst), 1, "it was closed before");
    let (rest, end): (Vec<Value>, End) = host.finish().await;
    assert!(rest.is_empty(), "{rest:?}");
    assert_eq!(end, End::Eof);
}
