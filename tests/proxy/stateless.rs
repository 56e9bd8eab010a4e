//! The exchanges of MCP 2026-07-28: each request has its own, and nothing but that (T-10, T-58 to T-62, T-69 to T-72).

use serde_json::json;
use tokio::io::AsyncBufReadExt;

use super::host::{Host, SILENCE, error_of};
use super::modern::modern;
use super::server::{Answer, Part, Server, rpc};

/// T-59, S-07: the host's cancellation closes that stream and is no POST; nothing more comes for the id. T-60: the
/// other exchanges go on.
#[tokio::test]
async fn a_cancelled_request_is_closed_and_not_told() {
    let server = Server::start(|seen| {
        let answer = rpc(&seen.id(), "1");
        let progress = r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1}}"#;
        (seen.method() == "tools/call")
            .then(|| Answer::events().event(progress).wait(400).event(progress).event(answer))
    })
    .await;
    let mut host = Host::start(&server);
    for id in ["cancelled", "other"] {
        host.call(id, "tools/call", modern(json!({"name": id}))).await;
    }
    for _ in 0..2 {
        assert_eq!(host.next().await["method"], "notifications/progress");
    }
    for id in ["cancelled", "never asked", "cancelled"] {
        host.note("notifications/cancelled", json!({"requestId": id})).await;
    }
    assert_eq!(host.next().await["method"], "notifications/progress");
    assert_eq!(host.next().await["id"], "other");
    host.note("notifications/cancelled", modern(json!({"requestId": "other"}))).await;
    host.silence().await;
    server.wait_for_closed(1).await;
    assert_eq!(server.seen().len(), 2, "no POST but the calls");
    // The id is free again.
    host.call("cancelled", "tools/list", modern(json!({}))).await;
    assert_eq!(host.next().await["id"], "cancelled");
}

/// T-59: also before the server has said anything, and while the host is slow to read.
#[tokio::test]
async fn a_request_may_be_cancelled_before_its_answer_begins() {
    let server = Server::start(|seen| {
        (seen.method() == "tools/call").then(|| Answer::result(seen, "1").after(60_000))
    })
    .await;
    let mut host = Host::start(&server);
    host.call(1, "tools/call", modern(json!({"name": "slow"}))).await;
    server.wait_for("tools/call", 1).await;
    host.note("notifications/cancelled", json!({"requestId": 1})).await;
    server.wait_for_closed(1).await;
    host.silence().await;
    let (rest, end) = host.finish().await;
    assert!(rest.is_empty(), "{rest:?}");
    assert_eq!(end, chipp_auth::proxy::End::Eof);
}

/// T-59, S-07: of what is on its way when the host cancels, a line that was begun is finished, and nothing else comes.
#[tokio::test]
async fn a_host_that_does_not_read_may_cancel() {
    let server = Server::start(|seen| {
        let filler = "x".repeat(64 << 10);
        let progress =
            format!(r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":"{filler}"}}"#);
        let events = || (0..400).fold(Answer::events(), |events, _| events.event(&progress));
        (seen.method() == "tools/call").then(|| events().event(rpc(&seen.id(), "1")))
    })
    .await;
    let mut host = Host::start(&server);
    host.call(1, "tools/call", modern(json!({"name": "loud"}))).await;
    assert_eq!(host.next().await["method"], "notifications/progress");
    host.note("notifications/cancelled", json!({"requestId": 1})).await;
    // What comes after the cancellation, so that it has been read by then; and nothing that is to be written.
    host.note("notifications/other", modern(json!({}))).await;
    server.wait_for("notifications/other", 1).await;
    let mut line = String::new();
    let mut lines = 0;
    while tokio::time::timeout(SILENCE, host.from.read_line(&mut line)).await.is_ok() {
        line.clear();
        lines += 1;
    }
    assert!(lines < 100, "{lines} lines were not held back by the pipe alone");
    server.wait_for_closed(1).await;
    host.call(2, "tools/list", modern(json!({}))).await;
    assert_eq!(host.next().await["id"], 2);
}

/// T-33, T-59: where there is a session, its requests are cancelled as before.
#[tokio::test]
async fn a_request_of_a_session_is_cancelled_by_a_message() {
    let server =
        Server::start(|seen| (seen.method() == "tools/call").then(|| Answer::events().wait(60_000))).await;
    let mut host = Host::ready(&server).await;
    host.tool("legacy").await;
    host.call("modern", "tools/call", modern(json!({"name": "tool"}))).await;
    server.wait_for("tools/call", 2).await;
    for id in ["modern", "legacy"] {
        host.note("notifications/cancelled", json!({"requestId": id})).await;
    }
    server.wait_for("notifications/cancelled", 1).await;
    host.silence().await;
    let told = server.of("notifications/cancelled");
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].json()["params"]["requestId"], "legacy");
}

/// T-58, S-06, T-60, T-72, P8: of a stream its own answer comes through, and the notifications before it.
#[tokio::test]
async fn a_stream_brings_its_own_answer_and_notifications() {
    let server = Server::start(|seen| {
        let note = |n: u8| {
            format!(r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progress":{n}}}}}"#)
        };
        let events = Answer::events()
            .event(note(1))
            .event(r#"{"jsonrpc":"2.0","id":7,"method":"roots/list"}"#)
            .event(rpc(&json!("quiet"), "\"stolen\""))
            .event("[]")
            .event(format!("[{}]", note(9)))
            .event(note(2))
            .event(rpc(&seen.id(), "1"))
            .event(note(3));
        let quiet = || Answer::result(seen, "1").after(1500);
        (seen.method() == "tools/call").then(|| if seen.id() == "quiet" { quiet() } else { events })
    })
    .await;
    let mut host = Host::start(&server);
    host.call("quiet", "tools/call", modern(json!({"name": "tool"}))).await;
    host.call("loud", "tools/call", modern(json!({"name": "tool"}))).await;
    for n in [1, 2] {
        assert_eq!(host.next().await["params"]["progress"], n);
    }
    assert_eq!(host.next().await["id"], "loud");
    assert_eq!(host.next().await, json!({"jsonrpc": "2.0", "id": "quiet", "result": 1}));
    // And what answers such a request goes nowhere.
    host.raw(format!("{}\n", rpc(&json!(7), "{}"))).await;
    host.silence().await;
    assert_eq!(server.seen().len(), 2);
}

/// T-61, T-62, row 130: a broken stream is not taken up nor the request sent again (D-1), and giving up means closing it.
#[tokio::test]
async fn a_broken_stream_is_lost_and_a_silent_one_is_closed() {
    let server = Server::start(|seen| match seen.json()["params"]["name"].as_str()? {
        "broken" => Some(Answer::events().data("id: e\nretry: 10\ndata:\n\n").wait(50).part(Part::Break)),
        _ => Some(Answer::events().wait(60_000)),
    })
    .await;
    let mut host = Host::patient_for(&server, 300, 60_000);
    for (name, error) in [("broken", "stream-lost"), ("silent", "timeout")] {
        host.call(name, "tools/call", modern(json!({"name": name}))).await;
        assert_eq!(error_of(&host.next().await).0, error);
    }
    server.wait_for_closed(1).await;
    host.silence().await;
    assert_eq!(server.seen().len(), 2, "no GET, and no cancellation");
}

/// T-10, row 132: what the server says, be it a comment, keeps a long call open; its end is an error and no silence.
#[tokio::test]
async fn a_long_call_goes_on_as_long_as_the_server_says_something() {
    let server = Server::start(|seen| {
        let progress = r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{}}"#;
        let mut events = Answer::events();
        for turn in 0..if seen.id() == "long" { 8 } else { 1000 } {
            events = if turn % 2 == 0 { events.data(": still here\n\n") } else { events.event(progress) };
            events = events.wait(150);
        }
        Some(events.event(rpc(&seen.id(), "1")))
    })
    .await;
    let mut host = Host::patient_for(&server, 600, 4000);
    for id in ["long", "endless"] {
        host.call(id, "tools/call", modern(json!({"name": "tool"}))).await;
        let answer = loop {
            let message = host.next().await;
            if message["id"] == id {
                break message;
            }
        };
        match id {
            "long" => assert_eq!(answer["result"], 1),
            _ => assert_eq!(error_of(&answer), ("timeout".to_owned(), -31007)),
        }
    }
    server.wait_for_closed(1).await;
    host.silence().await;
    assert_eq!(server.seen().len(), 2, "no cancellation but the closed stream");
}

/// T-61: a session that nobody asked for is none.
#[tokio::test]
async fn a_stray_session_is_ignored() {
    let server =
        Server::start(|seen| Some(Answer::result(seen, "1").header("mcp-session-id", "stray"))).await;
    let mut host = Host::start(&server);
    for id in 0..3 {
        host.call(id, "tools/list", modern(json!({}))).await;
        host.next().await;
    }
    host.finish().await;
    let seen = server.seen();
    assert!(seen.iter().all(|seen| seen.verb == "POST" && seen.header("mcp-session-id").is_none()));
    assert_eq!(seen.len(), 3, "no GET, no DELETE");
}

/// T-69, T-70: what a result says of itself is between the server and the host.
#[tokio::test]
async fn results_come_through_untouched() {
    let results = [
        r#"{"resultType":"input_required","requestState":"=?base64?\ud800 ?=","inputRequests":{"a":{"method":"x/y"}}}"#,
        r#"{"resultType":"of another time","content":[1e400]}"#,
        r#"{"content":[],"resultType":null}"#,
        r#"{"content":[]}"#,
    ];
    let server = Server::start(move |seen| {
        let number = usize::try_from(seen.json()["params"]["number"].as_u64()?).unwrap();
        let text = rpc(&seen.id(), results[number]);
        Some(if number % 2 == 0 { Answer::json(text) } else { Answer::events().event(text) })
    })
    .await;
    let mut host = Host::start(&server);
    for (number, result) in results.iter().enumerate() {
        host.call(number, "tools/call", modern(json!({"name": "tool", "number": number}))).await;
        assert_eq!(host.line().await, rpc(&json!(number), result));
    }
    assert_eq!(server.seen().len(), results.len(), "and nothing is repeated for the host");
}

/// T-71: nothing is kept to be answered with, however long it would hold.
#[tokio::test]
async fn nothing_is_cached() {
    let server = Server::start(|seen| {
        let result = r#"{"tools":[],"ttlMs":3600000,"cacheScope":"public"}"#;
        (seen.method() == "tools/list").then(|| Answer::result(seen, result))
    })
    .await;
    let mut host = Host::start(&server);
    for id in 0..3 {
        host.call(id, "tools/list", modern(json!({}))).await;
        host.next().await;
    }
    assert_eq!(server.count("tools/list"), 3);
}
