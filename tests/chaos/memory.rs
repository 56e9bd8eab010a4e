//! Streams that want to fill the memory (row 132, P5): each kind several times at once, against one process whose
//! largest size the kernel tells.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::time::timeout;

use super::child;
use super::reply::{EVENTS, Reply, Step, chunk, rpc};
use super::server::{Seen, Server};

const PATIENCE: Duration = Duration::from_secs(120);
/// Four messages of 32 MiB, and as much again for one of them on its way through, and for the process itself.
const MEMORY: usize = 224 << 20;
const GIB: usize = 1 << 30;
const OK: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";

struct Proxy {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Proxy {
    async fn start(server: &Server, total: u64) -> Self {
        let mut child = child::start_for(&server.url, Duration::from_secs(total));
        let (to, from) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut proxy = Proxy { child, to, from: BufReader::new(from) };
        proxy.call("hello", "initialize", "").await;
        assert_eq!(proxy.next().await["id"], "hello");
        proxy
    }

    async fn call(&mut self, id: &str, method: &str, name: &str) {
        let line = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": {"name": name}});
        self.to.write_all(format!("{line}\n").as_bytes()).await.unwrap();
    }

    /// The next message; notifications are passed over.
    async fn next(&mut self) -> Value {
        let mut line = String::new();
        loop {
            line.clear();
            let read = timeout(PATIENCE, self.from.read_line(&mut line)).await.expect("no line came");
            assert!(read.unwrap() > 0, "stdout was closed");
            let harness = line.trim().is_empty()
                || line.starts_with("running 1 test")
                || line.starts_with("test child");
            if harness || line.contains("\"method\"") {
                continue;
            }
            return serde_json::from_str(&line).unwrap();
        }
    }
}

fn flood(head: &str, piece: &str) -> Reply {
    let many = chunk(&piece.repeat((256 << 10) / piece.len()));
    Reply::raw(format!("{head}\r\n")).step(Step::Flood(Bytes::from(many), GIB))
}

type Hostile = (&'static str, fn(&Seen) -> Reply, &'static [&'static str]);

/// What comes, and how it may end. A stream that never ends is ended by the limit for a call.
const STREAMS: &[Hostile] = &[
    ("a line without an end", |_| flood(EVENTS, "x"), &["too-large"]),
    (
        "data without an end",
        |_| Reply::events().chunk("data: ").step(Step::Flood(chunk(&"x".repeat(256 << 10)).into(), GIB)),
        &["too-large"],
    ),
    ("empty data lines", |_| flood(EVENTS, "data:\n"), &["too-large"]),
    ("nothing but CR", |_| flood(EVENTS, "\r"), &["timeout", "stream-lost"]),
    (
        "one comment",
        |_| Reply::events().chunk(":").step(Step::Flood(chunk(&"x".repeat(256 << 10)).into(), GIB)),
        &["timeout", "stream-lost", "too-large"],
    ),
    ("events without data", |_| flood(EVENTS, "id: 1\n\n"), &["timeout", "stream-lost"]),
    (
        "answers for nobody",
        |_| flood(EVENTS, "data: {\"jsonrpc\":\"2.0\",\"id\":\"x\",\"result\":{}}\n\n"),
        &["timeout", "stream-lost"],
    ),
    (
        "JSON without an end",
        |_| flood(&format!("{OK}transfer-encoding: chunked\r\n"), "[[[["),
        &["too-large"],
    ),
    (
        "white space before the JSON",
        |_| flood(&format!("{OK}transfer-encoding: chunked\r\n"), " \n"),
        &["too-large"],
    ),
    (
        "a head without an end",
        |_| Reply::raw(OK).step(Step::Flood("x-more: and more\r\n".repeat(9999).into(), GIB)),
        &["stream-lost"],
    ),
    (
        "extensions of chunks",
        |_| {
            let many = format!("1;{}\r\n\n\r\n", "x".repeat(8000));
            Reply::raw(format!("{EVENTS}\r\n")).step(Step::Flood(many.repeat(20).into(), GIB))
        },
        &["timeout", "stream-lost"],
    ),
    (
        "trailers",
        |_| {
            let head = format!("{OK}transfer-encoding: chunked\r\n\r\n0\r\n");
            Reply::raw(head).step(Step::Flood("x-more: and more\r\n".repeat(9999).into(), GIB))
        },
        &["stream-lost", "bad-response"],
    ),
];

/// Each kind of stream, four at a time; the process stays below `4 * 32 MiB` and what it needs for itself.
#[tokio::test]
async fn no_hostile_stream_fills_the_memory() {
    for (what, reply, names) in STREAMS {
        let server = Server::start(move |seen| (seen.method() == "tools/call").then(|| reply(seen))).await;
        // A machine that is busy needs a while for what is too large.
        let total = if names.contains(&"timeout") { 3 } else { 100 };
        let mut proxy = Proxy::start(&server, total).await;
        for id in ["a", "b", "c", "d"] {
            proxy.call(id, "tools/call", "hostile").await;
        }
        let mut ids = Vec::new();
        for _ in 0..4 {
            let message = proxy.next().await;
            let name = message["error"]["data"]["name"].as_str().unwrap();
            assert!(names.contains(&name), "{what}: {message}");
            ids.push(message["id"].as_str().unwrap().to_owned());
        }
        ids.sort();
        assert_eq!(ids, ["a", "b", "c", "d"], "{what}");
        proxy.call("after", "tools/list", "").await;
        assert_eq!(proxy.next().await["id"], "after", "{what}");
        let peak = child::peak_memory(&proxy.child);
        assert!(peak < MEMORY, "{what}: {} MiB", peak >> 20);
        server
            .until("the connections are closed", |server| {
                server.of("tools/call").iter().all(Seen::has_hung_up)
            })
            .await;
    }
}

/// P5: large messages of many streams at once; only four are in memory at a time, and all of them arrive.
#[tokio::test]
async fn large_messages_of_many_streams_take_turns() {
    for kind in ["events", "json"] {
        let server = Server::start(|seen| {
            let padding = format!("\"{}\"", "x".repeat(24 << 20));
            match seen.tool() {
                "events" => Some(Reply::events().event(rpc(seen.id(), &padding)).end()),
                "json" => Some(Reply::json(rpc(seen.id(), &padding))),
                _ => None,
            }
        })
        .await;
        let mut proxy = Proxy::start(&server, 100).await;
        let ids: Vec<_> = (0..12).map(|n| format!("call-{n}")).collect();
        for id in &ids {
            proxy.call(id, "tools/call", kind).await;
        }
        for _ in &ids {
            assert_eq!(proxy.next().await["result"].as_str().map(str::len), Some(24 << 20));
        }
        let peak = child::peak_memory(&proxy.child);
        assert!(peak < MEMORY, "{kind}: {} MiB", peak >> 20);
    }
}
