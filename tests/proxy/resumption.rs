//! Streams that break before the answer (T-30 to T-32, row 130).

use std::time::Duration;

use serde_json::json;

use super::host::{Host, error_of};
use super::server::{Answer, Part, Server, rpc};

/// T-31 (SEP-1699), T-30: the tool runs once, the answer comes on the continued stream.
#[tokio::test]
async fn a_broken_stream_with_event_ids_is_taken_up_again() {
    let server = Server::start(|seen| match (seen.method().as_str(), seen.header("last-event-id")) {
        ("tools/call", _) => Some(
            Answer::events()
                .data("id: e1\nretry: 1300\ndata:\n\n")
                .event("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{\"n\":1}}"),
        ),
        ("GET", Some("e1")) => Some(
            Answer::events()
                .data("id: e2\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{\"n\":2}}\n\n")
                .wait(50)
                .part(Part::Break),
        ),
        ("GET", Some("e2")) => Some(Answer::events().event(rpc(&json!("t"), "\"done\""))),
        _ => None,
    })
    .await;
    let mut host = Host::ready(&server).await;
    host.tool("t").await;
    assert_eq!(host.next().await["params"]["n"], 1);
    assert_eq!(host.next().await["params"]["n"], 2);
    assert_eq!(host.next().await["result"], "done");
    assert_eq!(server.count("tools/call"), 1);
    let gets: Vec<_> = server.of("GET").into_iter().filter(|g| g.header("last-event-id").is_some()).collect();
    let call = server.of("tools/call")[0].began;
    assert!(gets[0].began - call >= Duration::from_millis(1300), "retry is respected");
    assert!(gets[1].began - gets[0].began >= Duration::from_millis(1300), "and stays in force");
    assert_eq!(gets[0].header("mcp-session-id"), Some(super::server::SESSION));
}

/// A server that works by polling may end many streams, as long as each brings a new event id.
#[tokio::test]
async fn polling_may_go_on_longer_than_the_limit_of_tries() {
    let server = Server::start(|seen| {
        let polled = |n: u32| Answer::events().data(format!("id: {n}\nretry: 5\ndata:\n\n"));
        match (seen.method().as_str(), seen.header("last-event-id")) {
            ("tools/call", _) => Some(polled(0)),
            ("GET", Some("12")) => Some(Answer::events().event(rpc(&json!(1), "{}"))),
            ("GET", Some(id)) => Some(polled(id.parse::<u32>().unwrap() + 1)),
            _ => None,
        }
    })
    .await;
    let mut host = Host::ready(&server).await;
    host.tool(1).await;
    assert!(host.next().await["result"].is_object());
}

/// Row 130: at most 5 tries that bring nothing.
#[tokio::test]
async fn tries_that_bring_nothing_are_limited() {
    for (what, status) in [("an empty stream", 200), ("503", 503)] {
        let server =
            Server::start(move |seen| match (seen.method().as_str(), seen.header("last-event-id")) {
                ("tools/call", _) => Some(Answer::events().data("id: e\nretry: 10\ndata:\n\n")),
                ("GET", Some(_)) => Some(Answer { status, ..Answer::events() }),
                _ => None,
            })
            .await;
        let mut host = Host::ready(&server).await;
        host.tool(1).await;
        assert_eq!(error_of(&host.next().await), ("stream-lost".to_owned(), -31005), "{what}");
        let tries = server.of("GET").iter().filter(|get| get.header("last-event-id").is_some()).count();
        assert_eq!(tries, 5, "{what}");
        assert_eq!(server.count("tools/call"), 1);
    }
}

#[tokio::test]
async fn a_continuation_that_the_server_refuses_is_not_asked_for_again() {
    let server = Server::start(|seen| {
        (seen.method() == "tools/call").then(|| Answer::events().data("id: e\nretry: 10\ndata:\n\n"))
    })
    .await;
    let mut host = Host::ready(&server).await;
    host.tool(1).await;
    assert_eq!(error_of(&host.next().await).0, "stream-lost");
    assert_eq!(server.of("GET").iter().filter(|get| get.header("last-event-id").is_some()).count(), 1);
}

/// T-32: without an event id there is nothing to go on from; an empty id takes it back.
#[tokio::test]
async fn without_an_event_id_a_broken_stream_is_lost() {
    let server = Server::start(|seen| {
        (seen.method() == "tools/call").then(|| Answer::events().data("id: e\ndata:\n\nid:\ndata:\n\n"))
    })
    .await;
    let mut host = Host::ready(&server).await;
    host.tool(1).await;
    assert_eq!(error_of(&host.next().await).0, "stream-lost");
    assert!(server.of("GET").iter().all(|get| get.header("last-event-id").is_none()));
}
