//! What may overtake what.

use std::time::Duration;

use serde_json::json;

use super::host::Host;
use super::server::{Answer, HELLO, SESSION, Server};

/// T-35: nothing goes out before `initialize` is answered; T-36: a ping is answered all the same.
#[tokio::test]
async fn requests_after_initialize_wait_for_its_answer_and_a_ping_does_not() {
    let server = Server::start(|seen| {
        (seen.method() == "initialize")
            .then(|| Answer::result(seen, HELLO).header("mcp-session-id", SESSION).after(400))
    })
    .await;
    let mut host = Host::start(&server);
    host.call(1, "initialize", json!({})).await;
    host.tool(2).await;
    host.call(3, "ping", json!({})).await;
    assert_eq!(host.next().await, json!({"jsonrpc": "2.0", "id": 3, "result": {}}));
    assert_eq!(host.next().await["id"], 1);
    assert_eq!(host.next().await["id"], 2);
    let seen = server.seen();
    assert_eq!(seen.len(), 2, "the ping was answered here");
    assert!(seen[1].began - seen[0].began >= Duration::from_millis(400));
    assert_eq!(seen[1].header("mcp-session-id"), Some(SESSION));
}

/// T-35: an `initialize` that fails lets the others go.
#[tokio::test]
async fn a_failed_initialize_blocks_nobody() {
    let server =
        Server::start(|seen| (seen.method() == "initialize").then(|| Answer::status(500).after(100))).await;
    let mut host = Host::start(&server);
    host.call(1, "initialize", json!({})).await;
    host.tool(2).await;
    assert_eq!(super::host::error_of(&host.next().await).0, "server-error");
    assert_eq!(host.next().await["result"]["ok"], true);
}

/// T-35: a server may keep the stream of `initialize` open after its answer.
#[tokio::test]
async fn the_answer_of_initialize_counts_and_not_the_end_of_its_stream() {
    let server = Server::start(|seen| {
        (seen.method() == "initialize")
            .then(|| Answer::events().event(super::server::rpc(&seen.id(), HELLO)).wait(60_000))
    })
    .await;
    let begun = std::time::Instant::now();
    let mut host = Host::ready(&server).await;
    host.tool(2).await;
    assert_eq!(host.next().await["id"], 2);
    assert!(begun.elapsed() < Duration::from_secs(4), "the end of the stream was waited for");
}

/// T-37.
#[tokio::test]
async fn initialized_is_acknowledged_before_later_requests_go() {
    let server = Server::start(|seen| {
        (seen.method() == "notifications/initialized").then(|| Answer::status(202).after(400))
    })
    .await;
    let mut host = Host::ready(&server).await;
    host.tool(1).await;
    host.next().await;
    let (noted, called) = (&server.of("notifications/initialized")[0], &server.of("tools/call")[0]);
    assert!(called.began - noted.began >= Duration::from_millis(400));
}

/// T-37: the cancellation of a request that is still on its way out waits for it.
#[tokio::test]
async fn a_cancellation_does_not_overtake_its_request() {
    let server = Server::start(|seen| match seen.method().as_str() {
        "tools/call" => Some(Answer::result(seen, "{}").after(1000)),
        _ => None,
    })
    .await;
    let mut host = Host::ready(&server).await;
    // A large request takes longer to leave than a small one.
    host.call(5, "tools/call", json!({"name": "x".repeat(20 << 20)})).await;
    host.note("notifications/cancelled", json!({"requestId": 5})).await;
    server.wait_for("notifications/cancelled", 1).await;
    let order: Vec<_> = server.seen().iter().map(super::server::Seen::method).collect();
    let place = |method| order.iter().position(|other| other == method).unwrap();
    assert!(place("tools/call") < place("notifications/cancelled"), "{order:?}");
}

/// T-33: `initialize` cannot be cancelled.
#[tokio::test]
async fn a_cancellation_of_initialize_goes_nowhere() {
    let server =
        Server::start(|seen| (seen.method() == "initialize").then(|| Answer::result(seen, HELLO).after(200)))
            .await;
    let mut host = Host::start(&server);
    host.call(1, "initialize", json!({})).await;
    host.note("notifications/cancelled", json!({"requestId": 1})).await;
    assert!(host.next().await["result"].is_object());
    host.finish().await;
    assert_eq!(server.count("notifications/cancelled"), 0);
}

/// T-34: no error follows for a request that was cancelled and that the server, rightly, does not answer.
#[tokio::test]
async fn a_cancelled_request_that_stays_unanswered_ends_in_silence() {
    let server =
        Server::start(|seen| (seen.method() == "tools/call").then(|| Answer::events().event("").wait(500)))
            .await;
    let mut host = Host::ready(&server).await;
    host.tool("gone").await;
    server.wait_for("tools/call", 1).await;
    host.note("notifications/cancelled", json!({"requestId": "gone"})).await;
    server.wait_for("notifications/cancelled", 1).await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    host.silence().await;
    assert_eq!(host.finish().await.0, Vec::<serde_json::Value>::new());
}

/// 64 calls of 300 ms are not a matter of 19 seconds.
#[tokio::test]
async fn sixty_four_calls_run_side_by_side() {
    let server =
        Server::start(|seen| (seen.method() == "tools/call").then(|| Answer::result(seen, "{}").after(300)))
            .await;
    let mut host = Host::ready(&server).await;
    for id in 1..=64 {
        host.tool(id).await;
    }
    let mut ids = Vec::new();
    for _ in 0..64 {
        ids.push(host.next().await["id"].as_u64().unwrap());
    }
    ids.sort_unstable();
    assert_eq!(ids, (1..=64).collect::<Vec<_>>());
    let calls = server.of("tools/call");
    let (first, last) =
        (calls.iter().map(|c| c.began).min().unwrap(), calls.iter().map(|c| c.began).max().unwrap());
    assert!(last - first < Duration::from_millis(300), "all were there before the first answer");
}

/// Notifications keep their order, however slow the server takes one.
#[tokio::test]
async fn notifications_keep_their_order() {
    let server =
        Server::start(|seen| (seen.json()["params"]["n"] == 0).then(|| Answer::status(202).after(300))).await;
    let mut host = Host::ready(&server).await;
    for n in 0..20 {
        host.note("notifications/progress", json!({"n": n})).await;
    }
    server.wait_for("notifications/progress", 20).await;
    let order: Vec<_> = server
        .of("notifications/progress")
        .iter()
        .map(|s| s.json()["params"]["n"].as_u64().unwrap())
        .collect();
    assert_eq!(order, (0..20).collect::<Vec<_>>());
    let notes = server.of("notifications/progress");
    assert!(notes[1].began - notes[0].began >= Duration::from_millis(300), "each is taken before the next");
}
