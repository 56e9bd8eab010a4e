//! A server that has had enough (429): a short wait passes unseen, a long one is told, and nobody hammers
//! (row 132, DESIGN section 1). What a session costs is read from the server's log.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::host::{Host, error_of};
use super::server::{Answer, Seen, Server};

/// Refuses this many tool calls, asking for so many seconds; then answers as usual.
fn refusing(times: usize, seconds: u64) -> impl Fn(&Seen) -> Option<Answer> + Send + Sync {
    let left = AtomicUsize::new(times);
    move |seen| {
        let refused = seen.method() == "tools/call"
            && left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
        refused.then(|| Answer::status(429).header("retry-after", seconds.to_string()))
    }
}

/// P6: it was not acted on, so it may be sent again.
#[tokio::test]
async fn a_short_wait_is_waited_for_and_the_call_sent_again() {
    let server = Server::start(refusing(1, 1)).await;
    let mut host = Host::ready(&server).await;
    host.tool(1).await;
    assert_eq!(host.next().await["result"]["ok"], true);
    let calls = server.of("tools/call");
    assert_eq!(calls.len(), 2);
    assert!(calls[1].began - calls[0].began >= Duration::from_secs(1));
}

#[tokio::test]
async fn after_the_second_try_the_host_is_told() {
    let server = Server::start(refusing(9, 1)).await;
    let mut host = Host::ready(&server).await;
    host.tool(1).await;
    let message = host.next().await;
    assert_eq!(error_of(&message), ("server-busy".to_owned(), -31002));
    assert_eq!(message["error"]["data"]["retryable"], true);
    assert_eq!(server.count("tools/call"), 3);
}

/// A long wait holds all requests back: they would only be refused too.
#[tokio::test]
async fn a_long_wait_is_told_at_once_and_nobody_asks_meanwhile() {
    let server = Server::start(refusing(1, 40)).await;
    let mut host = Host::ready(&server).await;
    host.tool(1).await;
    host.next().await;
    for (id, method) in [(2, "tools/call"), (3, "tools/list"), (4, "resources/list")] {
        host.call(id, method, json!({"name": "tool"})).await;
        let message = host.next().await;
        assert_eq!(error_of(&message).0, "server-busy");
        let text = message["error"]["message"].as_str().unwrap();
        assert!(text.contains(" has had too many requests; it asks to wait "), "{text}");
        assert!(text.contains(" seconds, until ") && text.contains("To mend it: try again after "), "{text}");
    }
    assert_eq!((server.count("tools/call"), server.count("tools/list")), (1, 0));
}

#[tokio::test]
async fn a_short_pause_is_shared() {
    let server = Server::start(refusing(1, 1)).await;
    let mut host = Host::ready(&server).await;
    host.tool(1).await;
    server.wait_for("tools/call", 1).await;
    // The refusal may be on its way still: what is asked for here must come after it.
    tokio::time::sleep(Duration::from_millis(200)).await;
    for id in 2..12 {
        host.call(id, "tools/list", json!({})).await;
    }
    for _ in 1..12 {
        assert!(host.next().await["result"].is_object());
    }
    let first = server.of("tools/call")[0].began;
    assert!(server.of("tools/list").iter().all(|seen| seen.began - first >= Duration::from_secs(1)));
    assert_eq!(server.count("tools/call") + server.count("tools/list"), 12);
}

#[tokio::test]
async fn a_call_that_is_cancelled_while_it_waits_is_not_sent_again() {
    let server = Server::start(refusing(1, 2)).await;
    let mut host = Host::ready(&server).await;
    host.tool(1).await;
    server.wait_for("tools/call", 1).await;
    host.note("notifications/cancelled", json!({"requestId": 1})).await;
    host.call(2, "tools/list", json!({})).await;
    assert_eq!(host.next().await["id"], 2);
    server.wait_for("notifications/cancelled", 1).await;
    // The pause is over for all; what would be sent again were sent now.
    for _ in 0..3 {
        host.silence().await;
    }
    assert_eq!(server.count("tools/call"), 1);
    assert!(host.finish().await.0.is_empty());
}

#[tokio::test]
async fn nobody_waits_longer_than_the_user_has_patience() {
    let server = Server::start(refusing(1, 4)).await;
    let mut host = Host::patient_for(&server, 1_000, 60_000);
    host.greet().await;
    let begun = Instant::now();
    host.tool(1).await;
    assert_eq!(error_of(&host.next().await).0, "server-busy");
    assert!(begun.elapsed() < Duration::from_secs(4));
}

/// Each request is one of the user's: those of the host, one GET, one DELETE.
#[tokio::test]
async fn a_session_costs_its_requests_and_two_more() {
    let server =
        Server::start(|seen| (seen.verb == "GET").then(|| Answer::events().event("").wait(600_000))).await;
    let mut host = Host::ready(&server).await;
    server.wait_for("GET", 1).await;
    host.call("list", "tools/list", json!({})).await;
    host.next().await;
    for id in 0..20 {
        host.tool(id).await;
        host.next().await;
    }
    host.note("notifications/roots/list_changed", json!({})).await;
    server.wait_for("notifications/roots/list_changed", 1).await;
    host.finish().await;
    server.wait_for("DELETE", 1).await;
    // initialize, initialized, a list, 20 calls, a notification.
    let messages = 24;
    assert_eq!(server.seen().len(), messages + 2, "{:?}", server.seen());
    assert_eq!((server.count("GET"), server.count("DELETE")), (1, 1));
}
