//! What goes with each HTTP request.

use serde_json::json;

use super::host::Host;
use super::server::{Answer, HELLO, SESSION, Server, rpc};

/// T-01, T-02, T-07, T-11, A-60.
#[tokio::test]
async fn each_message_is_its_own_post_with_both_media_types_and_the_token() {
    let server = Server::start(|_| None).await;
    let mut host = Host::ready(&server).await;
    host.tool(7).await;
    assert_eq!(host.next().await["id"], 7);
    let (_, _) = host.finish().await;
    for seen in server.seen() {
        assert_eq!(seen.header("authorization"), Some("Bearer token-0"), "{}", seen.method());
        assert_eq!(seen.header("x-extra"), Some("always"));
        assert_eq!(seen.header("origin"), None);
        if seen.verb == "POST" {
            assert_eq!(seen.header("accept"), Some("application/json, text/event-stream"));
            assert_eq!(seen.header("content-type"), Some("application/json"));
            assert_eq!(seen.header("content-length").unwrap(), seen.body.len().to_string());
        }
    }
    assert_eq!(server.of("GET")[0].header("accept"), Some("text/event-stream"));
}

/// T-20, T-22, T-25: session id and the *result's* version on all later requests, GET and DELETE too.
#[tokio::test]
async fn session_and_version_come_from_the_answer_and_go_with_everything_later() {
    for as_events in [false, true] {
        let older = HELLO.replace("2025-11-25", "2025-06-18");
        let server = Server::start(move |seen| {
            (seen.method() == "initialize").then(|| {
                let answer = if as_events {
                    Answer::events().event("").event(rpc(&seen.id(), &older))
                } else {
                    Answer::result(seen, &older)
                };
                answer.header("mcp-session-id", SESSION)
            })
        })
        .await;
        let mut host = Host::ready(&server).await;
        host.tool("a").await;
        host.next().await;
        server.wait_for("GET", 1).await;
        host.finish().await;

        let seen = server.seen();
        assert_eq!(seen[0].header("mcp-session-id"), None);
        assert_eq!(seen[0].header("mcp-protocol-version"), None);
        let later: Vec<_> = seen[1..].iter().map(super::server::Seen::method).collect();
        for method in ["notifications/initialized", "tools/call", "GET", "DELETE"] {
            assert!(later.iter().any(|other| other == method), "{method} in {later:?}");
        }
        for seen in &seen[1..] {
            assert_eq!(seen.header("mcp-session-id"), Some(SESSION), "{}", seen.method());
            assert_eq!(seen.header("mcp-protocol-version"), Some("2025-06-18"), "{}", seen.method());
        }
    }
}

/// T-22: a host that opens a new session on the same pipe does so without the old one's id.
#[tokio::test]
async fn a_second_initialize_goes_without_the_first_ones_session() {
    let server = Server::start(|_| None).await;
    let mut host = Host::ready(&server).await;
    host.greet().await;
    host.tool(1).await;
    host.next().await;
    let hellos = server.of("initialize");
    assert_eq!(hellos.len(), 2);
    assert_eq!(hellos[1].header("mcp-session-id"), None);
    assert_eq!(hellos[1].header("mcp-protocol-version"), None);
}

/// P3: a session id that no header may carry is not sent back.
#[tokio::test]
async fn a_session_id_with_a_blank_or_too_long_is_ignored() {
    for bad in ["has blank".to_owned(), "x".repeat(1025), String::new()] {
        let server = Server::start(move |seen| {
            (seen.method() == "initialize")
                .then(|| Answer::result(seen, HELLO).header("mcp-session-id", &bad))
        })
        .await;
        let mut host = Host::ready(&server).await;
        host.tool(1).await;
        host.next().await;
        host.finish().await;
        assert!(server.seen().iter().all(|seen| seen.header("mcp-session-id").is_none()));
        assert_eq!(server.count("DELETE"), 0);
    }
}

/// T-21: an answer to something else does not open the session.
#[tokio::test]
async fn the_version_is_learned_from_the_paired_answer_alone() {
    let server = Server::start(|seen| {
        (seen.method() == "initialize").then(|| {
            Answer::events()
                .event(rpc(&json!(999), r#"{"protocolVersion":"1999-01-01"}"#))
                .event(rpc(&seen.id(), HELLO))
        })
    })
    .await;
    let mut host = Host::start(&server);
    assert_eq!(host.greet().await["result"]["protocolVersion"], "2025-11-25");
    server.wait_for("notifications/initialized", 1).await;
    assert_eq!(server.seen()[1].header("mcp-protocol-version"), Some("2025-11-25"));
}

/// P2, T-11: the token follows no redirect.
#[tokio::test]
async fn a_redirect_is_refused_and_the_other_server_sees_nothing() {
    let other = Server::start(|_| None).await;
    for status in [301, 302, 303, 307, 308] {
        let to = other.url.to_string();
        let server = Server::start(move |_| Some(Answer::status(status).header("location", &to))).await;
        let mut host = Host::start(&server);
        host.call(1, "initialize", json!({})).await;
        let error = super::host::error_of(&host.next().await);
        assert_eq!(error, ("redirect-refused".to_owned(), -31004), "{status}");
    }
    assert!(other.seen().is_empty());
}
