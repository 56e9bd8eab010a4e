//! How a proxy ends (S-08 to S-10, T-25, rows 126 to 128).

use std::time::{Duration, Instant};

use super::host::{Host, PATIENCE};
use super::server::{Answer, Server};
use chipp_auth::proxy::End;
use tokio::time::timeout;

/// Row 126: open calls get two seconds.
#[tokio::test]
async fn open_calls_may_finish_for_two_seconds_after_stdin_closes() {
    let server = Server::start(|seen| {
        (seen.method() == "tools/call").then(|| {
            let delay = if seen.id() == "soon" { 700 } else { 60_000 };
            Answer::result(seen, "{}").after(delay)
        })
    })
    .await;
    let mut host = Host::ready(&server).await;
    host.tool("soon").await;
    host.tool("never").await;
    server.wait_for("tools/call", 2).await;
    let begun = Instant::now();
    let (rest, end) = host.finish().await;
    assert_eq!(end, End::Eof);
    assert_eq!(rest.iter().map(|m| &m["id"]).collect::<Vec<_>>(), ["soon"]);
    assert!(begun.elapsed() >= Duration::from_secs(2) && begun.elapsed() < Duration::from_secs(10));
    assert_eq!(server.count("DELETE"), 1);
}

/// S-08: with nothing open, the end is prompt, even if the standing stream is open.
#[tokio::test]
async fn with_nothing_open_the_end_is_prompt() {
    let server = Server::start(|seen| (seen.verb == "GET").then(|| Answer::events().wait(60_000))).await;
    let host = Host::ready(&server).await;
    server.wait_for("GET", 1).await;
    let begun = Instant::now();
    assert_eq!(host.finish().await.1, End::Eof);
    assert!(begun.elapsed() < Duration::from_millis(1500), "{:?}", begun.elapsed());
}

/// T-25: a server that does not answer the DELETE holds nobody up.
#[tokio::test]
async fn the_farewell_is_bounded() {
    let server =
        Server::start(|seen| (seen.verb == "DELETE").then(|| Answer::status(200).after(60_000))).await;
    let host = Host::ready(&server).await;
    server.wait_for("GET", 1).await;
    let begun = Instant::now();
    assert_eq!(host.finish().await.1, End::Eof);
    assert!(begun.elapsed() >= Duration::from_millis(900) && begun.elapsed() < Duration::from_secs(8));
}

/// Row 127: S-10.
#[tokio::test]
async fn a_closed_stdout_ends_the_proxy() {
    let server = Server::start(|_| None).await;
    let mut host = Host::ready(&server).await;
    host.tool(1).await;
    drop(host.from);
    let end = timeout(PATIENCE, &mut host.proxy).await.unwrap().unwrap();
    assert_eq!(end, End::OutputClosed);
    assert_eq!(server.count("DELETE"), 1);
}

/// Row 128: open calls are not waited for, and a second signal waits for nothing.
#[tokio::test]
async fn a_signal_ends_the_proxy_and_a_second_one_at_once() {
    let server = Server::start(|seen| match seen.method().as_str() {
        "DELETE" => Some(Answer::status(200).after(60_000)),
        "tools/call" => Some(Answer::status(200).after(60_000)),
        _ => None,
    })
    .await;
    let mut host = Host::ready(&server).await;
    host.tool(1).await;
    server.wait_for("tools/call", 1).await;
    let begun = Instant::now();
    host.ends.send(End::Signal(15)).await.unwrap();
    server.wait_for("DELETE", 1).await;
    host.ends.send(End::Signal(2)).await.unwrap();
    let end = timeout(PATIENCE, &mut host.proxy).await.unwrap().unwrap();
    assert_eq!(end, End::Signal(2));
    assert!(begun.elapsed() < Duration::from_millis(900), "{:?}", begun.elapsed());
}
