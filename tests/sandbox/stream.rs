//! The GET stream and the end of a session.

use std::time::Duration;

use futures_util::StreamExt;
use serde_json::json;

use crate::kit::{Kit, MCP, call, headless};

fn listen(kit: &Kit, token: &str, session: &str) -> reqwest::RequestBuilder {
    kit.http
        .get(kit.sandbox.at(MCP))
        .header("accept", "text/event-stream")
        .header("authorization", format!("Bearer {token}"))
        .header("mcp-session-id", session)
        .header("mcp-protocol-version", "2025-11-25")
}

/// What arrives until `stop` is seen, the stream ends, or the time is over.
async fn read(response: reqwest::Response, stop: &str, limit: Duration) -> (String, bool) {
    let mut text = String::new();
    let mut stream = response.bytes_stream();
    let ended = tokio::time::timeout(limit, async {
        while let Some(Ok(bytes)) = stream.next().await {
            text.push_str(std::str::from_utf8(&bytes).unwrap());
            if !stop.is_empty() && text.contains(stop) {
                return false;
            }
        }
        true
    });
    let ended = ended.await.unwrap_or(false);
    (text, ended)
}

#[tokio::test]
async fn a_created_app_is_announced_to_every_session_on_one_of_its_streams() {
    let kit = Kit::new(headless());
    let token = kit.sign_in("*").await.access;
    let (one, two) = (kit.open(&token, "2025-11-25").await, kit.open(&token, "2025-11-25").await);
    let mut streams = Vec::new();
    for session in [&one, &one, &two] {
        let response = listen(&kit, &token, session).send().await.unwrap();
        assert_eq!(
            (response.status().as_u16(), &response.headers()["content-type"]),
            (200, &"text/event-stream".parse().unwrap())
        );
        streams.push(response);
    }
    kit.rpc(&token, &one, &call(1, "create_app", json!({"name": "New"}))).await;
    kit.rpc(&token, &one, &call(1, "create_app", json!({"name": ""}))).await;
    // Ends the streams, so that each can be read to its end.
    kit.sandbox.forget_sessions();
    let mut seen = Vec::new();
    for stream in streams {
        let (text, ended) = read(stream, "", Duration::from_secs(20)).await;
        assert!(ended);
        seen.push(text.matches("notifications/tools/list_changed").count());
    }
    assert_eq!((seen[0] + seen[1], seen[2]), (1, 1), "once a session, and not for an app that failed");
}

#[tokio::test]
async fn an_event_arrives_while_the_stream_is_open() {
    let kit = Kit::new(headless());
    let token = kit.sign_in("*").await.access;
    let session = kit.open(&token, "2025-11-25").await;
    let stream = listen(&kit, &token, &session).send().await.unwrap();
    kit.rpc(&token, &session, &call(1, "create_app", json!({"name": "New"}))).await;
    let (text, ended) = read(stream, "list_changed", Duration::from_secs(20)).await;
    assert!(text.starts_with(": open\n\n") && text.contains("event: message\ndata: {"), "{text}");
    assert!(!ended);
}

#[tokio::test]
async fn delete_ends_the_session_and_its_streams() {
    let kit = Kit::new(headless());
    let token = kit.sign_in("*").await.access;
    let session = kit.open(&token, "2025-11-25").await;
    let stream = listen(&kit, &token, &session).send().await.unwrap();
    let delete = || {
        let request = kit.http.delete(kit.sandbox.at(MCP)).header("mcp-session-id", &session);
        request
            .header("mcp-protocol-version", "2025-11-25")
            .header("authorization", format!("Bearer {token}"))
    };
    assert_eq!(kit.send(delete()).await.status, 204);
    assert!(read(stream, "", Duration::from_secs(20)).await.1, "the stream ended");
    assert_eq!(kit.send(delete()).await.status, 404);
    assert_eq!(kit.rpc(&token, &session, &call(1, "list_apps", json!({}))).await.status, 404);
}

#[tokio::test]
async fn the_stream_needs_token_session_and_media_type_and_may_be_missing() {
    let kit = Kit::new(headless());
    let token = kit.sign_in("*").await.access;
    let session = kit.open(&token, "2025-11-25").await;
    assert_eq!(kit.send(listen(&kit, "chipp_at_x", &session)).await.status, 401);
    assert_eq!(kit.send(listen(&kit, &token, "unknown")).await.status, 404);
    let mut other = listen(&kit, &token, &session).build().unwrap();
    other.headers_mut().insert("accept", "application/json".parse().unwrap());
    assert_eq!(kit.http.execute(other).await.unwrap().status().as_u16(), 400);
    kit.sandbox.set(|options| options.sessions = false);
    assert_eq!(kit.send(listen(&kit, &token, &session)).await.status, 405);
}
