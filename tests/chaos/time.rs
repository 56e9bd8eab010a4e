//! Minutes and hours on a simulated clock (rows 130 and 132, T-10). The sockets are real; the clock moves only while
//! nobody has anything to do, so that a test of twenty minutes takes a moment.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncBufReadExt;
use tokio::time::{Instant, timeout};

use super::host::Host;
use super::reply::{HELLO, Reply, SESSION, Step, rpc};
use super::server::{Seen, Server};

const MINUTE: Duration = Duration::from_secs(60);

/// The next line, however long it takes; the bound is for a test that fails.
async fn line(host: &mut Host) -> String {
    let mut line = String::new();
    timeout(MINUTE * 60 * 24, host.from.read_line(&mut line)).await.expect("no line came").unwrap();
    line.trim_end().to_owned()
}

async fn next(host: &mut Host) -> Value {
    serde_json::from_str(&line(host).await).unwrap()
}

fn note(n: u32) -> String {
    format!(r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progress":{n}}}}}"#)
}

/// A tool that says every 30 s that it lives, for 20 minutes.
fn slow(seen: &Seen, sign: fn(u32) -> String) -> Reply {
    let reply = (0..40).fold(Reply::events(), |reply, n| reply.chunk(sign(n)).wait(Duration::from_secs(30)));
    reply.event(rpc(seen.id(), "\"done\"")).end()
}

/// T-10: comments and progress are activity.
#[tokio::test(start_paused = true)]
async fn twenty_minutes_of_signs_of_life_are_no_error() {
    let server = Server::start(|seen| match seen.tool() {
        "comments" => Some(slow(seen, |_| ": still here\n\n".to_owned())),
        "progress" => Some(slow(seen, |n| format!("data: {}\n\n", note(n)))),
        _ => None,
    })
    .await;
    let mut host = Host::ready(&server).await;
    for (name, notes) in [("comments", 0), ("progress", 40)] {
        let begun = Instant::now();
        host.call(name, "tools/call", json!({"name": name})).await;
        for n in 0..notes {
            assert_eq!(next(&mut host).await["params"]["progress"], n);
        }
        assert_eq!(next(&mut host).await["result"], "done", "{name}");
        assert!(begun.elapsed() >= 20 * MINUTE);
    }
    assert_eq!(server.count("tools/call"), 2);
}

/// The stream for the server's own messages may be silent for as long as it likes.
#[tokio::test(start_paused = true)]
async fn a_standing_stream_that_is_silent_for_twenty_minutes_still_brings_what_comes_then() {
    let server = Server::start(|seen| {
        (seen.verb == "GET").then(|| Reply::events().wait(20 * MINUTE).event(note(7)).step(Step::Hold))
    })
    .await;
    let mut host = Host::ready(&server).await;
    assert_eq!(next(&mut host).await["params"]["progress"], 7);
    assert_eq!(server.count("GET"), 1, "one request is spent on it");
}

/// Row 132: nothing at all for 300 s is a timeout; the server is told, and nothing is sent again.
#[tokio::test(start_paused = true)]
async fn a_request_without_any_answer_ends_after_five_minutes() {
    let server =
        Server::start(|seen| (seen.method() == "tools/call").then(|| Reply::default().step(Step::Hold)))
            .await;
    let mut host = Host::ready(&server).await;
    let begun = Instant::now();
    host.tool("t").await;
    let golden = r#"{"jsonrpc":"2.0","id":"t","error":{"code":-31007,"data":{"name":"timeout","retryable":true,"source":"chipp-auth"},"message":"timeout: 127.0.0.1 did not answer in time. To mend it: try again."}}"#;
    assert_eq!(line(&mut host).await, golden);
    assert_eq!(begun.elapsed().as_secs(), 300);
    server.until("the server is told", |server| server.count("notifications/cancelled") == 1).await;
    assert_eq!(server.of("notifications/cancelled")[0].message["params"]["requestId"], "t");
    server.until("the connection is closed", |server| server.of("tools/call")[0].has_hung_up()).await;
    assert_eq!(server.count("tools/call"), 1);
}

/// Row 132: comments do not extend the total limit, and the connection is closed.
#[tokio::test(start_paused = true)]
async fn a_flood_of_comments_ends_after_an_hour() {
    let server = Server::start(|seen| {
        (seen.method() == "tools/call").then(|| {
            let one = |reply: Reply| reply.chunk(": still here\n\n").wait(MINUTE);
            (0..90).fold(Reply::events(), |reply, _| one(reply))
        })
    })
    .await;
    let mut host = Host::ready(&server).await;
    let begun = Instant::now();
    host.tool("t").await;
    assert_eq!(next(&mut host).await["error"]["data"]["name"], "timeout");
    assert_eq!(begun.elapsed().as_secs(), 3600);
    server.until("the connection is closed", |server| server.of("tools/call")[0].has_hung_up()).await;
}

/// Row 130, T-30: `retry` is honoured; five tries that bring nothing, then the call is lost.
#[tokio::test(start_paused = true)]
async fn a_stream_that_cannot_be_resumed_is_lost_after_five_tries() {
    let server = Server::start(|seen| match (seen.method(), seen.header("last-event-id")) {
        ("initialize", _) => None,
        ("tools/call", _) => Some(Reply::events().chunk("id: e1\nretry: 4000\ndata:\n\n").end()),
        ("GET", Some("e1")) => Some(Reply::default().step(Step::Close)),
        _ => None,
    })
    .await;
    let mut host = Host::ready(&server).await;
    let begun = Instant::now();
    host.tool("t").await;
    let golden = r#"{"jsonrpc":"2.0","id":"t","error":{"code":-31005,"data":{"name":"stream-lost","retryable":false,"source":"chipp-auth"},"message":"stream-lost: 127.0.0.1 broke off its answer. To mend it: look whether the server has acted before you repeat the call."}}"#;
    assert_eq!(line(&mut host).await, golden);
    assert!(begun.elapsed() <= MINUTE, "{:?}", begun.elapsed());
    let tries: Vec<_> =
        server.of("GET").into_iter().filter(|get| get.header("last-event-id").is_some()).collect();
    assert_eq!(tries.len(), 5);
    assert!(tries[0].began - begun >= Duration::from_secs(4), "retry is honoured");
    assert!(tries.iter().all(|get| get.header("mcp-session-id") == Some(SESSION)));
    assert_eq!(server.count("tools/call"), 1);
}

/// Row 130: a request of 2026-07-28 has no session and no continuation. Its stream is not asked for again.
#[tokio::test(start_paused = true)]
async fn a_stateless_request_whose_stream_breaks_is_lost_at_once() {
    let server = Server::start(|seen| match seen.method() {
        "tools/call" => {
            Some(Reply::events().chunk("id: e1\nretry: 1\ndata:\n\n").event(note(1)).step(Step::Close))
        }
        "initialize" => Some(Reply::result(seen, HELLO)),
        _ => None,
    })
    .await;
    let mut host = Host::start(&server);
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}});
    let begun = Instant::now();
    host.call("t", "tools/call", json!({"name": "tool", "_meta": meta})).await;
    assert_eq!(next(&mut host).await["params"]["progress"], 1);
    let golden = r#"{"jsonrpc":"2.0","id":"t","error":{"code":-31005,"data":{"name":"stream-lost","retryable":false,"source":"chipp-auth"},"message":"stream-lost: 127.0.0.1 broke off its answer. To mend it: look whether the server has acted before you repeat the call."}}"#;
    assert_eq!(line(&mut host).await, golden);
    assert!(begun.elapsed() < Duration::from_secs(1));
    assert_eq!((server.count("tools/call"), server.count("GET")), (1, 0));
}

/// A stream that the server has opened for a request may be silent for twenty minutes: by opening it, the server has
/// said that it is at work.
#[tokio::test(start_paused = true)]
async fn twenty_silent_minutes_of_an_open_stream_are_no_error() {
    let server = Server::start(|seen| {
        let answer = rpc(seen.id(), "\"done\"");
        (seen.method() == "tools/call").then(|| Reply::events().wait(20 * MINUTE).event(answer).end())
    })
    .await;
    let mut host = Host::ready(&server).await;
    let begun = Instant::now();
    host.tool(1).await;
    assert_eq!(next(&mut host).await["result"], "done");
    assert!(begun.elapsed() >= 20 * MINUTE);
    assert_eq!(server.count("tools/call"), 1);
}

/// Row 126, T-34: the end of the proxy waits for answers, and neither for the end of their streams nor for what the host
/// has cancelled; many servers keep the streams of both open. Nor does a cancelled call keep its connection.
#[tokio::test(start_paused = true)]
async fn the_end_does_not_wait_for_streams_that_stay_open() {
    let server = Server::start(|seen| match seen.tool() {
        "answered" => Some(Reply::events().event(rpc(seen.id(), "{}")).step(Step::Hold)),
        "cancelled" => Some(Reply::events().event(note(1)).step(Step::Hold)),
        _ => None,
    })
    .await;
    let mut host = Host::ready(&server).await;
    for name in ["answered", "cancelled"] {
        host.call(name, "tools/call", json!({"name": name})).await;
        next(&mut host).await;
    }
    host.note("notifications/cancelled", json!({"requestId": "cancelled"})).await;
    server.until("it is told", |server| server.count("notifications/cancelled") == 1).await;
    let begun = Instant::now();
    assert_eq!(host.finish().await.0, Vec::<Value>::new());
    assert!(begun.elapsed() < Duration::from_millis(100), "{:?}", begun.elapsed());
    assert_eq!(server.count("DELETE"), 1);

    let mut host = Host::ready(&server).await;
    host.call("cancelled", "tools/call", json!({"name": "cancelled"})).await;
    next(&mut host).await;
    host.note("notifications/cancelled", json!({"requestId": "cancelled"})).await;
    let gone = |server: &Server| server.of("tools/call").last().is_some_and(Seen::has_hung_up);
    server.until("the connection is closed", gone).await;
    assert!(begun.elapsed() < Duration::from_secs(10));
}
