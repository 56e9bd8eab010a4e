//! What is waited for, and for how long; what is kept, and how much (row 132, T-10, P5).

use super::*;

/// Row 132: silence and a comment flood; T-10.
#[tokio::test]
async fn a_call_that_is_never_answered_ends_and_the_others_go_on() {
    let server = Server::start(|seen| (seen.method() == "tools/call").then(|| Do::Take(String::new()))).await;
    let upstream = Upstream { transport: Transport::Sse, ..Upstream::new(server.url.clone()) };
    let limits = Limits {
        silence: Duration::from_millis(600),
        total: Duration::from_millis(2_500),
        ..Limits::default()
    };
    let mut host = Host::to(upstream, limits, Shared(Tokens::default().into()));
    host.greet().await;
    let begun = Instant::now();
    host.tool("silent").await;
    assert_eq!(error_of(&host.next().await), ("timeout".to_owned(), -31007));
    server.wait_for("notifications/cancelled", 1).await;
    let comments = async {
        loop {
            server.say(": ping\n\n");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let begun_again = Instant::now();
    host.tool("flooded").await;
    let message = tokio::select! { message = host.next() => message, () = comments => unreachable!() };
    assert_eq!(error_of(&message).0, "timeout");
    assert!(begun_again.elapsed() >= Duration::from_millis(2_400), "comments are signs of life");
    host.call("list", "tools/list", json!({})).await;
    assert_eq!(host.next().await["id"], "list");
    assert!(begun.elapsed() < Duration::from_secs(60));
}

#[tokio::test]
async fn a_cancelled_call_is_told_to_the_server_and_answered_by_nobody() {
    let server = Server::start(|seen| (seen.method() == "tools/call").then(|| Do::Take(String::new()))).await;
    let mut host = ready(&server).await;
    host.tool(1).await;
    server.wait_for("tools/call", 1).await;
    host.note("notifications/cancelled", json!({"requestId": 1})).await;
    server.wait_for("notifications/cancelled", 1).await;
    server.say(&event(&rpc(&json!(1), "{}")));
    let begun = Instant::now();
    assert!(host.finish().await.0.is_empty());
    assert!(begun.elapsed() < Duration::from_secs(30));
    server.wait_until_left().await;
}

/// P5: an event beyond the limit ends the stream, and memory stays bounded.
#[tokio::test]
async fn an_endless_event_is_too_large() {
    let server = Server::start(|seen| {
        (seen.method() == "tools/call").then(|| Do::Take("data: ".to_owned() + &"x".repeat(33 << 20)))
    })
    .await;
    let mut host = ready(&server).await;
    host.tool(1).await;
    assert_eq!(error_of(&host.next().await), ("too-large".to_owned(), -31006));
    host.call(2, "tools/list", json!({})).await;
    assert_eq!(host.next().await["id"], 2);
}
