//! HTTP+SSE of 2024-11-05 (T-83 to T-85), against a scripted server.

mod bounds;
mod lost;
mod server;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use chipp_auth::proxy::{Limits, Transport, Upstream};

use self::server::{Do, Server, answer, event, methods};
use super::host::{Host, Shared, Tokens, error_of};
use super::ladder::{Climbing, Key, Ladder};
use super::server::rpc;

/// A host whose proxy uses this transport.
fn over(server: &Server, transport: Transport) -> Host {
    let upstream = Upstream { transport, ..Upstream::new(server.url.clone()) };
    Host::to(upstream, Limits::default(), Shared(Tokens::default().into()))
}

async fn ready(server: &Server) -> Host {
    let mut host = over(server, Transport::Sse);
    host.greet().await;
    server.wait_for("notifications/initialized", 1).await;
    host
}

// T-83.
#[tokio::test]
async fn a_server_that_refuses_the_newer_transport_is_spoken_to_in_the_older() {
    for status in [400, 404, 405] {
        let server = Server::start(move |seen| {
            let newer =
                seen.verb == "POST" && seen.header("x-session").is_none() && seen.method() == "initialize";
            // The first POST goes to `/sse`; a session's has no such refusal.
            (newer
                && FIRST.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok())
            .then(|| Do::Refuse(status, String::new()))
        })
        .await;
        FIRST.store(1, Ordering::SeqCst);
        let mut host = over(&server, Transport::Auto);
        assert_eq!(host.greet().await["result"]["protocolVersion"], "2025-11-25", "{status}");
        host.tool(1).await;
        assert_eq!(host.next().await["result"]["ok"], true);
        let log = server.of("*");
        assert_eq!(
            methods(&log),
            ["initialize", "GET", "initialize", "notifications/initialized", "tools/call"]
        );
        assert_eq!((log[0].0.as_str(), log[1].0.as_str()), ("/sse", "/sse"));
        assert!(log[2..].iter().all(|(path, _)| path == "/messages?session=2"), "{log:?}");
        let get = &log[1].1;
        assert_eq!(get.header("accept"), Some("text/event-stream"));
        for (_, seen) in &log {
            assert_eq!(
                (seen.header("authorization"), seen.header("x-extra")),
                (Some("Bearer token-0"), Some("always"))
            );
            assert_eq!(seen.header("mcp-session-id"), None);
        }
        assert!(host.finish().await.0.is_empty());
        server.wait_until_left().await;
        assert_eq!(server.count("DELETE"), 0);
    }
}

static FIRST: AtomicUsize = AtomicUsize::new(0);

// T-85: the revision is something else than the transport.
#[tokio::test]
async fn the_old_revision_over_the_newer_transport_keeps_to_its_rules() {
    let server = super::server::Server::start(|seen| {
        let hello = r#"{"protocolVersion":"2024-11-05","capabilities":{}}"#;
        (seen.method() == "initialize").then(|| {
            super::server::Answer::result(seen, hello).header("mcp-session-id", super::server::SESSION)
        })
    })
    .await;
    let mut host = Host::ready(&server).await;
    host.tool(1).await;
    assert_eq!(host.next().await["result"]["ok"], true);
    server.wait_for("GET", 1).await;
    for seen in &server.seen()[1..] {
        assert_eq!(seen.header("mcp-session-id"), Some(super::server::SESSION), "{seen:?}");
        assert_eq!(seen.header("mcp-protocol-version"), Some("2024-11-05"), "{seen:?}");
    }
}

// T-63, T-82, T-83, T-84: what is no sign of the older transport leads to no GET; nor does `http`.
#[tokio::test]
async fn other_refusals_are_answers() {
    let cases: [(u16, &str, Transport, &str); 6] = [
        (406, "", Transport::Auto, "bad-response"),
        (500, "", Transport::Auto, "server-error"),
        (403, "", Transport::Auto, "bad-response"),
        (429, "", Transport::Auto, "server-busy"),
        (405, "", Transport::Http, "bad-response"),
        (404, "", Transport::Http, "bad-response"),
    ];
    for (status, body, transport, name) in cases {
        let server = Server::start(move |_| Some(Do::Refuse(status, body.to_owned()))).await;
        let mut host = over(&server, transport);
        host.call(1, "initialize", json!({})).await;
        assert_eq!(error_of(&host.next().await).0, name, "{status}");
        assert_eq!(server.count("GET"), 0, "{status}");
    }
    let modern = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32020,"message":"headers"}}"#;
    let server = Server::start(move |_| Some(Do::Refuse(400, modern.to_owned()))).await;
    let mut host = over(&server, Transport::Auto);
    host.call(1, "initialize", json!({})).await;
    assert!(host.next().await["error"].is_object());
    assert_eq!(server.count("GET"), 0, "a modern error is no sign of an old server");
}

/// The first refusal is what the host gets to read if there is no stream either.
#[tokio::test]
async fn where_the_older_transport_is_not_offered_the_first_refusal_counts() {
    for get in [
        || Do::Refuse(404, String::new()),
        || Do::Open("event: message\ndata: {}\n\nevent: endpoint\ndata:\n\n".to_owned()),
    ] {
        let server = Server::start(move |seen| match seen.verb.as_str() {
            "GET" => Some(get()),
            _ => Some(Do::Refuse(405, String::new())),
        })
        .await;
        let mut host = over(&server, Transport::Auto);
        for id in 1..3 {
            host.call(id, "initialize", json!({})).await;
            let message = host.next().await;
            assert!(message["error"]["message"].as_str().unwrap().contains("HTTP 405"), "{message}");
        }
        assert_eq!((server.count("GET"), server.count("initialize")), (2, 2));
    }
}

// T-83: the endpoint gets the token, so it must be where the user sent us.
#[tokio::test]
async fn an_endpoint_of_another_origin_gets_nothing() {
    let elsewhere = Server::start(|_| None).await;
    let place = elsewhere.url.join("/messages?session=1").unwrap();
    for transport in [Transport::Auto, Transport::Sse] {
        let data = format!("event: endpoint\ndata: {place}\n\n");
        let server = Server::start(move |seen| (seen.verb == "GET").then(|| Do::Open(data.clone()))).await;
        let mut host = over(&server, transport);
        host.call(1, "initialize", json!({})).await;
        let message = host.next().await;
        assert_eq!(error_of(&message), ("wrong-origin".to_owned(), -31004), "{message}");
        assert_eq!(elsewhere.count("*"), 0);
        assert!(host.finish().await.0.is_empty());
    }
}

#[tokio::test]
async fn many_requests_wait_at_a_time_and_each_gets_its_answer() {
    let server = Server::start(|seen| (seen.method() == "tools/call").then(|| Do::Take(String::new()))).await;
    let mut host = ready(&server).await;
    for id in 0..50 {
        host.tool(id).await;
    }
    server.wait_for("tools/call", 50).await;
    server.say(": still here\n\n");
    // Backwards, with other things in between, twice, and some that nobody asked for.
    for id in (0..50).rev() {
        server.say(&event(&rpc(&json!(id), &format!("{{\"n\":{id}}}"))));
        server.say(&event(&rpc(&json!(id), "{\"n\":\"again\"}")));
        server.say(&event(&rpc(&json!(id + 1000), "{}")));
    }
    server.say(&event(r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#));
    for id in (0..50).rev() {
        assert_eq!(host.next().await, json!({"jsonrpc": "2.0", "id": id, "result": {"n": id}}));
    }
    assert_eq!(host.next().await["method"], "notifications/tools/list_changed");
    host.silence().await;
    assert_eq!(server.count("tools/call"), 50);
}

/// Bytes go through unchanged, in one line.
#[tokio::test]
async fn what_comes_on_the_stream_goes_out_as_it_is() {
    let text =
        "{\"jsonrpc\":\"2.0\", \"id\":\"a\",\ndata:  \"result\":{\"n\":1e400,\"x\":12345678901234567890123}}";
    let server = Server::start(move |seen| {
        (seen.method() == "tools/call").then(|| Do::Take(format!("id: 1\ndata: {text}\n\n")))
    })
    .await;
    let mut host = ready(&server).await;
    host.tool("a").await;
    assert_eq!(host.line().await, text.replace("\ndata: ", " "));
}

/// The answer may come before that of the POST; and it counts although the POST then fails.
#[tokio::test]
async fn an_answer_that_overtakes_its_post_counts() {
    let server = Server::start(|seen| {
        let bytes = event(&rpc(&seen.id(), r#"{"ok":true}"#));
        (seen.method() == "tools/call").then(|| Do::Overtake(bytes, Duration::from_secs(600)))
    })
    .await;
    let mut host = ready(&server).await;
    let begun = Instant::now();
    host.tool(1).await;
    assert_eq!(host.next().await["result"]["ok"], true);
    host.call(2, "tools/list", json!({})).await;
    assert_eq!(host.next().await["id"], 2);
    assert!(begun.elapsed() < Duration::from_secs(60));
    assert!(host.finish().await.0.is_empty());
}

// T-28: what the server asks, the host answers at the endpoint.
#[tokio::test]
async fn the_servers_own_requests_are_answered() {
    let server = Server::start(|_| None).await;
    let mut host = ready(&server).await;
    server.say(&event(r#"{"jsonrpc":"2.0","id":7,"method":"roots/list"}"#));
    assert_eq!(host.next().await["method"], "roots/list");
    host.raw("{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"roots\":[]}}\n").await;
    server.wait_for("POST", 1).await;
    assert_eq!(server.of("POST")[0].1.json()["result"], json!({"roots": []}));
    assert!(server.of("POST")[0].0.starts_with("/messages?session="));
}

// A-46: on the GET, and on each POST.
#[tokio::test]
async fn a_401_is_renewed_on_both_ways() {
    let server = Server::start(|seen| {
        let token = seen.header("authorization").unwrap_or_default().to_owned();
        let old = match seen.method().as_str() {
            "GET" => token == "Bearer token-0",
            "tools/call" => token == "Bearer token-1",
            _ => false,
        };
        old.then(|| Do::Challenge(401, "www-authenticate", "Bearer error=\"invalid_token\"".to_owned()))
    })
    .await;
    let mut host = ready(&server).await;
    host.tool(1).await;
    assert_eq!(host.next().await["result"]["ok"], true);
    assert_eq!((server.count("GET"), server.count("tools/call")), (2, 2));
    assert_eq!(server.of("tools/call")[1].1.header("authorization"), Some("Bearer token-2"));
}

/// A host that asks for the newest era is told at once that this is not it.
#[tokio::test]
async fn a_probe_costs_no_request() {
    let server = Server::start(|_| None).await;
    let mut host = over(&server, Transport::Sse);
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28"});
    host.call("probe", "server/discover", json!({"_meta": meta})).await;
    assert_eq!(host.next().await["error"]["code"], -32601);
    assert_eq!(server.count("*"), 0);
    assert!(host.greet().await["result"].is_object());
}

/// X-03: a proof names the address that it goes to, and a nonce belongs there.
#[tokio::test]
async fn a_proof_is_for_the_endpoint() {
    let server = Server::start(|seen| {
        let old =
            seen.method() == "tools/call" && seen.header("dpop").is_some_and(|proof| proof.ends_with(" -"));
        old.then(|| Do::Challenge(401, "dpop-nonce", "n1".to_owned()))
    })
    .await;
    let key = Arc::new(Key::default());
    let ladder = Ladder { key: Some(Arc::clone(&key)), ..Ladder::default() };
    let upstream = Upstream { transport: Transport::Sse, ..Upstream::new(server.url.clone()) };
    let mut host = Host::to(upstream, Limits::default(), Climbing(Arc::new(ladder)));
    host.greet().await;
    host.tool(1).await;
    assert_eq!(host.next().await["result"]["ok"], true);
    for (path, seen) in server.of("*") {
        let proof = seen.header("dpop").unwrap().to_owned();
        let place = server.url.join(&path).unwrap();
        assert!(proof.contains(&format!(" {} {place} token-", seen.verb)), "{proof} at {path}");
    }
    let endpoint = server.url.join(&server.of("tools/call")[0].0).unwrap();
    assert_eq!(*key.learned.lock().unwrap(), [endpoint.to_string()]);
}

/// A second `initialize` begins a session of its own.
#[tokio::test]
async fn a_host_may_begin_again() {
    let server = Server::start(|_| None).await;
    let mut host = ready(&server).await;
    host.call("again", "initialize", json!({"protocolVersion": "2025-11-25"})).await;
    assert_eq!(host.next().await["id"], "again");
    host.tool(1).await;
    assert_eq!(host.next().await["result"]["ok"], true);
    assert_eq!((server.count("GET"), server.count("initialize")), (2, 2));
    assert_ne!(server.of("initialize")[0].0, server.of("initialize")[1].0);
}
