//! What the server says without being asked (T-26 to T-29).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;

use super::host::Host;
use super::server::{Answer, HELLO, Server, rpc};

/// T-28: a server's request reaches the host, and the host's answer reaches the server, from the stream
/// of a call as well as from the standing one.
#[tokio::test]
async fn requests_of_the_server_are_relayed_and_their_answers_posted() {
    let ask = |id: &str| format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"roots/list\"}}");
    let server = Server::start(move |seen| match seen.method().as_str() {
        "GET" => Some(Answer::events().event(ask("\"s1\"")).wait(60_000)),
        // The id is that of the call: the two sides count for themselves.
        "tools/call" => Some(Answer::events().event(ask("1")).wait(300).event(rpc(&seen.id(), "\"called\""))),
        _ => None,
    })
    .await;
    let mut host = Host::ready(&server).await;
    assert_eq!(host.next().await["id"], "s1");
    host.tool(1).await;
    let asked = host.next().await;
    assert_eq!((&asked["id"], &asked["method"]), (&json!(1), &json!("roots/list")));
    let answer = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"roots\":[ 1e400 ]}}";
    host.raw(format!("{answer}\r\n")).await;
    assert_eq!(host.next().await["result"], "called");
    for _ in 0..500 {
        if server.seen().iter().any(|seen| seen.body == answer) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the answer did not reach the server as it was");
}

/// T-26: 405 means never.
#[tokio::test]
async fn a_server_without_a_standing_stream_is_not_asked_again() {
    let server = Server::start(|_| None).await;
    let mut host = Host::ready(&server).await;
    server.wait_for("GET", 1).await;
    for id in 0..5 {
        host.tool(id).await;
        host.next().await;
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    assert_eq!(server.count("GET"), 1);
}

/// T-30, T-32: the standing stream goes on where it stopped, after the pause the server wants.
#[tokio::test]
async fn the_standing_stream_is_taken_up_again() {
    let server = Server::start(|seen| match (seen.verb.as_str(), seen.header("last-event-id")) {
        ("GET", None) => Some(
            Answer::events()
                .data("id: g1\nretry: 1500\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/a\"}\n\n"),
        ),
        ("GET", Some("g1")) => {
            Some(Answer::events().event("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/b\"}").wait(60_000))
        }
        _ => None,
    })
    .await;
    let mut host = Host::ready(&server).await;
    assert_eq!(host.next().await["method"], "notifications/a");
    assert_eq!(host.next().await["method"], "notifications/b");
    let gets = server.of("GET");
    assert!(gets[1].began - gets[0].began >= Duration::from_millis(1500));
}

/// Failures are tried again, with growing pauses.
#[tokio::test]
async fn a_standing_stream_that_fails_is_tried_again_later() {
    let tries = AtomicUsize::new(0);
    let server = Server::start(move |seen| {
        (seen.verb == "GET").then(|| match tries.fetch_add(1, Ordering::SeqCst) {
            0 | 1 => Answer::status(503),
            _ => Answer::events().event("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/ok\"}").wait(60_000),
        })
    })
    .await;
    let mut host = Host::ready(&server).await;
    assert_eq!(host.next().await["method"], "notifications/ok");
    let gets = server.of("GET");
    assert!(gets[1].began - gets[0].began >= Duration::from_secs(1));
    assert!(gets[2].began - gets[1].began >= Duration::from_secs(2));
}

/// T-40: batches are of 2025-03-26 alone; there one POST carries one, and each of its requests is answered.
#[tokio::test]
async fn a_batch_is_one_post_in_its_revision_and_refused_in_others() {
    let batch = r#"[{"jsonrpc":"2.0","id":1,"method":"a"},{"jsonrpc":"2.0","method":"n"},{"jsonrpc":"2.0","id":"2","method":"b"},{"jsonrpc":"2.0","id":3,"method":"c"}]"#;
    for version in ["2025-03-26", "2025-11-25"] {
        let hello = HELLO.replace("2025-11-25", version);
        let server = Server::start(move |seen| {
            if seen.method() == "initialize" {
                return Some(Answer::result(seen, &hello));
            }
            seen.json()
                .is_array()
                .then(|| Answer::json(format!("[{},\n{}]", rpc(&json!("2"), "{}"), rpc(&json!(1), "{}"))))
        })
        .await;
        let mut host = Host::ready(&server).await;
        host.raw(format!("{batch}\n")).await;
        if version == "2025-03-26" {
            assert_eq!(host.next().await["id"], "2");
            assert_eq!(host.next().await["id"], 1);
            let missing = host.next().await;
            assert_eq!(
                (&missing["id"], super::host::error_of(&missing).0.as_str()),
                (&json!(3), "bad-response")
            );
            assert_eq!(server.seen().iter().filter(|seen| seen.body == batch).count(), 1);
        } else {
            for id in [json!(1), json!("2"), json!(3)] {
                let refused = host.next().await;
                assert_eq!((&refused["id"], &refused["error"]["code"]), (&id, &json!(-32600)));
            }
            assert!(server.seen().iter().all(|seen| !seen.json().is_array()));
        }
        host.silence().await;
    }
}
