//! The server's answers: passed on as they are, one line each, each once.

use std::time::Duration;

use serde_json::json;

use super::host::{Host, error_of};
use super::server::{Answer, Part, Server, rpc};

/// T-09: what JSON libraries cannot hold comes through.
#[tokio::test]
async fn ids_and_numbers_come_out_byte_for_byte() {
    let odd = r#"{"big":123456789012345678901234567890,"huge":1e400,"zero":-0,"half":"\ud800","a":1,"a":2,"z":[ 1.0 ],"b":1}"#;
    let server = Server::start(move |seen| {
        // The id is cut out of the request as text: this server, too, must not read it.
        let text = String::from_utf8(seen.body.to_vec()).unwrap();
        let id = text.split("\"id\":").nth(1)?.split(",\"m").next()?.to_owned();
        text.contains("tools/call")
            .then(|| Answer::json(format!("{{\"result\":{odd},\"id\":{id},\"jsonrpc\":\"2.0\"}}")))
    })
    .await;
    let mut host = Host::ready(&server).await;
    for id in ["12345678901234567890123", "\"a\\/b\\u00e9\"", "-0", "1.50", "\"\\ud800\""] {
        let request =
            format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"tools/call\",\"params\":{odd}}}");
        host.raw(format!("{request}\n")).await;
        assert_eq!(host.line().await, format!("{{\"result\":{odd},\"id\":{id},\"jsonrpc\":\"2.0\"}}"));
        assert_eq!(server.seen().last().unwrap().body, request);
    }
}

/// T-09: a server that spells the id anew still answers its request.
#[tokio::test]
async fn an_id_in_another_spelling_is_the_same_id() {
    let server =
        Server::start(|seen| (seen.method() == "tools/call").then(|| Answer::result(seen, "{}"))).await;
    let mut host = Host::ready(&server).await;
    host.raw("{\"jsonrpc\":\"2.0\",\"id\":\"a\\/\\u0062\",\"method\":\"tools/call\"}\n").await;
    assert_eq!(host.next().await["id"], "a/b");
    let server =
        Server::start(|seen| (seen.method() == "tools/call").then(|| Answer::json(rpc(&json!(7), "{}"))))
            .await;
    let mut host = Host::ready(&server).await;
    host.raw("{\"jsonrpc\":\"2.0\",\"id\":7.0,\"method\":\"tools/call\"}\n").await;
    assert_eq!(host.next().await["id"], 7);
}

/// S-02, T-16.
#[tokio::test]
async fn a_pretty_printed_answer_becomes_one_line() {
    let server = Server::start(|seen| {
        let id = seen.id();
        match seen.json()["params"]["name"].as_str() {
            Some("json") => Some(Answer::json(format!("{{\r\n  \"jsonrpc\": \"2.0\",\n  \"id\": {id},\n\"result\": {{\"t\": \"a\\nb\"}}\r\n}}\n"))),
            Some("events") => Some(Answer::events().data(format!(
                "event: message\r\ndata: {{\r\ndata:   \"jsonrpc\": \"2.0\",\r\ndata: \"id\": {id}, \"result\": {{\"t\": \"a\\nb\"}}\r\ndata: }}\r\n\r\n"
            ))),
            _ => None,
        }
    })
    .await;
    let mut host = Host::ready(&server).await;
    for (id, name) in [(1, "json"), (2, "events")] {
        host.call(id, "tools/call", json!({"name": name})).await;
        assert_eq!(host.next().await, json!({"jsonrpc": "2.0", "id": id, "result": {"t": "a\nb"}}));
    }
}

/// T-03, T-13 to T-18, T-72: a stream with everything a server may put in.
#[tokio::test]
async fn a_stream_gives_its_messages_in_order_and_nothing_else() {
    let server = Server::start(|seen| {
        (seen.method() == "tools/call").then(|| {
            let mut answer = Answer::events().data("\u{feff}: hello\n\nid: 1\nretry: 10\ndata:\n\n: ping\n\n");
            for n in 0..50 {
                answer = answer.event(format!("{{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{{\"progress\":{n}}}}}"));
            }
            answer
                .data("event: other\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"not/this\"}\n\n")
                .event("{ this is not JSON")
                .event("17")
                .event("[1]")
                .event("{\"jsonrpc\":\"2.0\"}")
                .data(format!("data: {}\r\rdata: {{\"never\":\"finished\"", rpc(&seen.id(), "\"done\"")))
        })
    })
    .await;
    let mut host = Host::ready(&server).await;
    host.tool("x").await;
    for n in 0..50 {
        assert_eq!(host.next().await["params"]["progress"], n);
    }
    assert_eq!(host.next().await["result"], "done");
    assert_eq!(host.finish().await.0.len(), 0);
}

/// P8: an answer for nobody and a second answer are dropped.
#[tokio::test]
async fn answers_that_nobody_waits_for_are_dropped() {
    let server = Server::start(|seen| {
        (seen.method() == "tools/call").then(|| {
            Answer::events()
                .event(rpc(&json!("stranger"), "1"))
                .event(rpc(&json!(null), "1"))
                .event(rpc(&seen.id(), "\"first\""))
                .event(rpc(&seen.id(), "\"second\""))
                .event("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\"}")
        })
    })
    .await;
    let mut host = Host::ready(&server).await;
    host.tool(1).await;
    assert_eq!(host.next().await["result"], "first");
    assert_eq!(host.next().await["method"], "notifications/message");
    host.silence().await;
}

/// P8: ids are answered once even if the answer comes on the stream of another request.
#[tokio::test]
async fn an_answer_on_another_stream_reaches_its_request_once() {
    let server = Server::start(|seen| match seen.json()["params"]["name"].as_str() {
        Some("late") => Some(Answer::events().wait(600)),
        Some("both") => {
            Some(Answer::events().event(rpc(&json!("late"), "\"by both\"")).event(rpc(&seen.id(), "\"own\"")))
        }
        _ => None,
    })
    .await;
    let mut host = Host::ready(&server).await;
    host.call("late", "tools/call", json!({"name": "late"})).await;
    server.wait_for("tools/call", 1).await;
    host.call("both", "tools/call", json!({"name": "both"})).await;
    assert_eq!(host.next().await["result"], "by both");
    assert_eq!(host.next().await["result"], "own");
    tokio::time::sleep(Duration::from_millis(700)).await;
    host.silence().await;
}

/// T-10: silence ends a call, the server is told, and a late answer is not passed on.
#[tokio::test]
async fn a_call_without_an_answer_times_out_and_is_cancelled() {
    let server = Server::start(|seen| match seen.json()["params"]["name"].as_str() {
        Some("head") => Some(Answer::result(seen, "{}").after(1500)),
        Some("body") => Some(Answer::events().event("").wait(1500).event(rpc(&seen.id(), "{}"))),
        _ => None,
    })
    .await;
    let mut host = Host::patient_for(&server, 500, 60_000);
    host.greet().await;
    for (id, name) in [("1", "head"), ("2", "body")] {
        host.call(id, "tools/call", json!({"name": name})).await;
        let message = host.next().await;
        assert_eq!(error_of(&message), ("timeout".to_owned(), -31007));
        assert_eq!(message["id"], id);
    }
    server.wait_for("notifications/cancelled", 2).await;
    let cancelled: Vec<_> = server
        .of("notifications/cancelled")
        .iter()
        .map(|s| s.json()["params"]["requestId"].clone())
        .collect();
    assert_eq!(cancelled, [json!("1"), json!("2")]);
    assert_eq!(server.count("tools/call"), 2);
    tokio::time::sleep(Duration::from_millis(1200)).await;
    host.silence().await;
}

/// T-10: progress and comments keep a call alive beyond the limit of silence …
#[tokio::test]
async fn activity_keeps_a_call_alive() {
    let server = Server::start(|seen| {
        (seen.method() == "tools/call").then(|| {
            let mut answer = Answer::events();
            for _ in 0..8 {
                answer = answer.data(": still here\n\n").wait(200);
            }
            answer.event(rpc(&seen.id(), "\"at last\""))
        })
    })
    .await;
    let mut host = Host::patient_for(&server, 700, 60_000);
    host.greet().await;
    host.tool(1).await;
    assert_eq!(host.next().await["result"], "at last");
}

/// … but not for ever (row 132): neither slow nor fast comments extend the total limit.
#[tokio::test]
async fn the_total_limit_holds_against_a_flood_of_comments() {
    let server = Server::start(|seen| match seen.json()["params"]["name"].as_str()? {
        "slow" => Some((0..600).fold(Answer::events(), |answer, _| answer.data(": still here\n\n").wait(50))),
        "fast" => Some(Answer::events().part(Part::Flood(": still here\n\n".into()))),
        _ => None,
    })
    .await;
    let mut host = Host::patient_for(&server, 500, 1500);
    host.greet().await;
    for name in ["slow", "fast"] {
        let begun = std::time::Instant::now();
        host.call(name, "tools/call", json!({"name": name})).await;
        assert_eq!(error_of(&host.next().await).0, "timeout", "{name}");
        assert!(begun.elapsed() >= Duration::from_millis(1400) && begun.elapsed() < Duration::from_secs(15));
    }
}

/// P5, row 132: too much in one message, in each form it can come in.
#[tokio::test]
async fn too_large_an_answer_is_an_error_and_the_next_call_works() {
    const CHUNK: usize = 1 << 20;
    let server = Server::start(|seen| {
        let mut answer = match seen.json()["params"]["name"].as_str()? {
            "json" => Answer::json("{"),
            "line" => Answer::events().data("data: "),
            "lines" => Answer::events(),
            _ => return None,
        };
        let chunk = if seen.json()["params"]["name"] == "lines" { "data:\n" } else { "xxxxxx" };
        for _ in 0..40 {
            answer = answer.data(chunk.repeat(CHUNK / chunk.len()));
        }
        Some(answer)
    })
    .await;
    let mut host = Host::ready(&server).await;
    for (id, name) in ["json", "line", "lines"].into_iter().enumerate() {
        host.call(id, "tools/call", json!({"name": name})).await;
        let message = host.next().await;
        assert_eq!(error_of(&message), ("too-large".to_owned(), -31006), "{name}");
        assert_eq!(message["id"], id);
    }
    host.call("after", "tools/call", json!({"name": "small"})).await;
    assert_eq!(host.next().await["result"]["ok"], true);
}

/// Row 129: while the host does not read, neither does the proxy; nothing is lost.
#[tokio::test]
async fn a_host_that_does_not_read_stops_the_server() {
    const MESSAGES: usize = 400;
    let server = Server::start(|seen| {
        (seen.method() == "tools/call").then(|| {
            let mut answer = Answer::events();
            for n in 0..MESSAGES {
                let filler = "x".repeat(64 << 10);
                answer = answer.event(format!("{{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{{\"n\":{n},\"f\":\"{filler}\"}}}}"));
            }
            answer.event(rpc(&seen.id(), "{}")).part(Part::Wait(Duration::ZERO))
        })
    })
    .await;
    let mut host = Host::ready(&server).await;
    server.wait_for("GET", 1).await;
    host.tool(1).await;
    let sent = || server.parts_sent.load(std::sync::atomic::Ordering::SeqCst);
    let mut before = usize::MAX;
    while before != sent() {
        before = sent();
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    assert!(before < MESSAGES / 2, "{before} of {MESSAGES} messages were taken from the server");
    for n in 0..MESSAGES {
        assert_eq!(host.next().await["params"]["n"], n);
    }
    assert_eq!(host.next().await["id"], 1);
}

/// Row 129: nor does another call read its answer into memory meanwhile.
#[tokio::test]
async fn a_host_that_does_not_read_stops_the_other_answers_too() {
    const PARTS: usize = 470;
    let server = Server::start(|seen| match seen.json()["params"]["name"].as_str()? {
        "stuck" => Some(Answer::json(rpc(&seen.id(), &format!("\"{}\"", "x".repeat(8 << 20))))),
        "other" => {
            let begin = format!("{{\"jsonrpc\":\"2.0\",\"id\":{},\"result\":\"", seen.id());
            let middle = (0..PARTS).fold(Answer::json(begin), |answer, _| answer.data("y".repeat(64 << 10)));
            Some(middle.data("\"}"))
        }
        _ => None,
    })
    .await;
    let mut host = Host::ready(&server).await;
    host.call("stuck", "tools/call", json!({"name": "stuck"})).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    host.call("other", "tools/call", json!({"name": "other"})).await;
    server.wait_for("tools/call", 2).await;
    let sent = || server.parts_sent.load(std::sync::atomic::Ordering::SeqCst);
    let mut before = usize::MAX;
    while before != sent() {
        before = sent();
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    assert!(before < PARTS * 3 / 4, "{before} of {PARTS} parts were taken from the server");
    assert_eq!(host.next().await["id"], "stuck");
    assert_eq!(host.next().await["result"].as_str().unwrap().len(), PARTS * (64 << 10));
}
