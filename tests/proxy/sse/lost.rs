//! A stream that is lost, and a session that the server does not know any more (T-24, P6).

use super::*;

/// Nothing can be resumed: who waits is told, and the next call finds a session again (T-24).
#[tokio::test]
async fn a_lost_stream_is_told_and_the_session_is_opened_again() {
    let server = Server::start(|seen| (seen.json()["params"]["name"] == "tool").then_some(Do::End)).await;
    let mut host = ready(&server).await;
    host.call("level", "logging/setLevel", json!({"level": "debug"})).await;
    host.next().await;
    host.tool("lost").await;
    let message = host.next().await;
    assert_eq!(
        (message["id"].clone(), error_of(&message)),
        (json!("lost"), ("stream-lost".to_owned(), -31005))
    );
    host.call("next", "tools/call", json!({"name": "other"})).await;
    assert_eq!(host.next().await["id"], "next");
    host.silence().await;
    assert_eq!(
        methods(&server.of("*"))[4..],
        ["tools/call", "GET", "initialize", "notifications/initialized", "logging/setLevel", "tools/call"]
    );
    let [first, second] = &server.of("initialize")[..] else { panic!() };
    assert_eq!(first.1.json()["params"], second.1.json()["params"]);
    assert_eq!(server.of("logging/setLevel")[1].1.json()["params"], json!({"level": "debug"}));
}

/// What the server says unasked is heard again without a request of the host.
#[tokio::test]
async fn the_stream_is_opened_again_for_the_servers_own_messages() {
    let server = Server::start(|_| None).await;
    let mut host = ready(&server).await;
    server.restart();
    server.wait_for("notifications/initialized", 2).await;
    server.say(&event(r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#));
    assert_eq!(host.next().await["method"], "notifications/tools/list_changed");
}

/// The address is the session: where it is not known, nobody has acted (P6).
#[tokio::test]
async fn an_unknown_session_is_opened_again_and_the_call_sent_once_more() {
    let calls = AtomicUsize::new(0);
    let server = Server::start(move |seen| {
        let first = seen.method() == "tools/call" && calls.fetch_add(1, Ordering::SeqCst) == 0;
        first.then(|| Do::Refuse(404, "Could not find session".to_owned()))
    })
    .await;
    let mut host = ready(&server).await;
    host.tool(1).await;
    assert_eq!(host.next().await["result"]["ok"], true);
    assert_eq!((server.count("tools/call"), server.count("initialize")), (2, 2));
    assert_ne!(server.of("tools/call")[0].0, server.of("tools/call")[1].0);
}

#[tokio::test]
async fn a_server_that_has_become_another_is_no_session() {
    let hellos = AtomicUsize::new(0);
    let server = Server::start(move |seen| match seen.method().as_str() {
        "initialize" if hellos.fetch_add(1, Ordering::SeqCst) > 0 => {
            Some(answer(seen, r#"{"protocolVersion":"2024-11-05","capabilities":{}}"#))
        }
        _ => None,
    })
    .await;
    let mut host = ready(&server).await;
    server.restart();
    server.wait_for("initialize", 2).await;
    host.tool(1).await;
    assert_eq!(error_of(&host.next().await).0, "session-lost");
    assert_eq!(server.count("tools/call"), 0);
}
