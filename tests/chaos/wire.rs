//! HTTP itself gone wrong, below everything that MCP speaks of (row 132).

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::host::{Host, error_of};
use super::reply::{EVENTS, Reply, Step, rpc};
use super::rows::Fault;
use super::server::{Seen, Server};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";

fn answer(seen: &Seen) -> String {
    rpc(seen.id(), "{\"ok\":true}")
}

fn with(head: &str, body: &str) -> Reply {
    Reply::raw(format!("{head}\r\n{body}"))
}

/// The head with the right length.
fn sized(head: &str, body: &str) -> Reply {
    with(&format!("{head}content-length: {}\r\n", body.len()), body)
}

pub const FAULTS: &[Fault] = &[
    ("no HTTP at all", |_| Reply::raw("SSH-2.0-OpenSSH_9.9\r\n").step(Step::Close)),
    ("HTTP/1.0 without a length", |seen| {
        with("HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n", &answer(seen)).step(Step::Close)
    }),
    ("HTTP/1.0 without a length, cut off", |seen| {
        let half = &answer(seen)[..20];
        with("HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n", half).step(Step::Close)
    }),
    ("an event stream of HTTP/1.0", |seen| {
        let event = format!("data: {}\r\n\r\n", answer(seen));
        with("HTTP/1.0 200 OK\r\ncontent-type: text/event-stream\r\n", &event).step(Step::Close)
    }),
    ("a length that is too great", |seen| {
        with(&format!("{OK}content-length: 9999\r\n"), &answer(seen)).step(Step::Close)
    }),
    ("a length that is too small", |seen| with(&format!("{OK}content-length: 9\r\n"), &answer(seen))),
    ("a length that is no number", |seen| with(&format!("{OK}content-length: many\r\n"), &answer(seen))),
    ("two lengths", |seen| with(&format!("{OK}content-length: 4\r\ncontent-length: 5\r\n"), &answer(seen))),
    ("a broken chunk", |_| with(&format!("{OK}transfer-encoding: chunked\r\n"), "ff\r\n{").step(Step::Close)),
    ("a chunk of no size", |_| with(&format!("{OK}transfer-encoding: chunked\r\n"), "zz\r\n{}\r\n")),
    ("a chunk larger than 64 bits say", |_| {
        with(&format!("{OK}transfer-encoding: chunked\r\n"), "fffffffffffffffff\r\n{")
    }),
    ("chunks without an end, JSON", |seen| {
        let chunk = super::reply::chunk(&answer(seen));
        with(&format!("{OK}transfer-encoding: chunked\r\n"), &chunk).step(Step::Close)
    }),
    ("chunks without an end, events", |seen| Reply::events().event(answer(seen)).step(Step::Close)),
    ("a compression nobody asked for", |_| {
        sized(&format!("{OK}content-encoding: gzip\r\n"), "\u{1f}\u{8b}\u{8}\0")
    }),
    ("101", |_| Reply::raw("HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n")),
    ("a few interim answers", |seen| {
        let early = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n";
        let length = answer(seen).len();
        Reply::raw(early.repeat(3)).bytes(format!("{OK}content-length: {length}\r\n\r\n{}", answer(seen)))
    }),
    ("a status that is none", |_| sized("HTTP/1.1 999 Odd\r\n", "")),
    ("a status of two digits", |_| sized("HTTP/1.1 20 Odd\r\n", "")),
    ("ten thousand headers", |seen| {
        sized(&format!("{OK}{}", "x-more: and more\r\n".repeat(10_000)), &answer(seen))
    }),
    ("a header of a megabyte", |seen| {
        sized(&format!("{OK}x-more: {}\r\n", "y".repeat(1 << 20)), &answer(seen))
    }),
    ("a head without an end", |_| Reply::raw(OK).step(Step::Flood("x-more: and more\r\n".into(), 1 << 30))),
    ("a header with a blank in its name", |seen| sized(&format!("{OK}x more: 1\r\n"), &answer(seen))),
    ("lines of the head that end with LF alone", |seen| {
        let length = answer(seen).len();
        Reply::raw(format!("{OK}content-length: {length}\r\n\r\n").replace('\r', "")).bytes(answer(seen))
    }),
    ("rubbish after the answer", |seen| sized(OK, &answer(seen)).bytes("rubbish\r\n\r\n")),
    ("a second answer after the answer", |seen| {
        let again = format!("{OK}content-length: {}\r\n\r\n{}", answer(seen).len(), answer(seen));
        sized(OK, &answer(seen)).bytes(again)
    }),
    ("a media type in capitals, with parameters", |seen| {
        sized("HTTP/1.1 200 OK\r\ncontent-type: Application/JSON ; charset=utf-8\r\n", &answer(seen))
    }),
    ("events without a media type", |seen| {
        with("HTTP/1.1 200 OK\r\n", &format!("data: {}\n\n", answer(seen))).step(Step::Close)
    }),
    ("trailers after the chunks", |seen| {
        let body = format!("{}0\r\nx-sum: 1\r\n\r\n", super::reply::chunk(&answer(seen)));
        with(&format!("{OK}transfer-encoding: chunked\r\n"), &body)
    }),
    ("a stream whose length is wrong", |seen| {
        let event = format!("data: {}\n\n", answer(seen));
        with("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 9999\r\n", &event)
            .step(Step::Close)
    }),
    ("an event stream with rubbish between its chunks", |seen| {
        Reply::raw(format!("{EVENTS}\r\n")).event("{").bytes("rubbish").event(answer(seen))
    }),
];

/// Interim answers without end are no answer: the limit ends it, and the connection with it.
#[tokio::test]
async fn interim_answers_do_not_extend_the_limit() {
    let server = Server::start(|seen| {
        let again = Step::Flood("HTTP/1.1 100 Continue\r\n\r\n".into(), usize::MAX);
        (seen.method() == "tools/call").then(|| Reply::default().step(again))
    })
    .await;
    let mut host = Host::patient_for(&server, 800, 60_000);
    host.greet().await;
    let begun = Instant::now();
    host.tool(1).await;
    assert_eq!(error_of(&host.next().await), ("timeout".to_owned(), -31007));
    assert!(begun.elapsed() < Duration::from_secs(15));
    server.until("the connection closed", |server| server.of("tools/call")[0].has_hung_up()).await;
}

/// A server that refuses a large request at its head does not read the rest of it.
#[tokio::test]
async fn an_answer_before_the_request_is_all_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url: url::Url = format!("http://{}/mcp", listener.local_addr().unwrap()).parse().unwrap();
    let calls = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = std::sync::Arc::clone(&calls);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let mut head = [0; 1024];
            let _ = socket.read(&mut head).await;
            let reply = "HTTP/1.1 413 Content Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
            let _ = socket.write_all(reply.as_bytes()).await;
            // Without this the system would throw the answer away together with what was not read.
            let _ = tokio::io::copy(&mut socket.take(64 << 20), &mut tokio::io::sink()).await;
        }
    });
    let mut host = Host::with(url, Default::default(), Default::default());
    host.call(1, "tools/call", json!({"name": "x".repeat(24 << 20)})).await;
    assert_eq!(error_of(&host.next().await), ("too-large".to_owned(), -31006));
    assert_eq!(calls.load(std::sync::atomic::Ordering::SeqCst), 1);
}
