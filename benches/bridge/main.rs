//! What the bridge costs: the same calls to the same server on loopback, once by a plain HTTP client and
//! once through `chipp-auth proxy`, in turns, so that a busy machine slows both. Ratios carry over to
//! other machines, absolute times do not.
//!
//! `cargo bench --bench bridge`. `CHIPP_AUTH_BIN` names another binary to measure; `MCP_REMOTE` the path of
//! an installed `mcp-remote` (a program, or its `.js` file) to compare with. `ROUNDS` defaults to 5.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, missing_docs)]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};

mod server;

const SEQUENTIAL: usize = 2000;
const CONCURRENT: usize = 10_000;
const IN_FLIGHT: usize = 64;
const HELLO: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"bench","version":"1"}}}"#;
const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;

fn main() {
    let address = server::start();
    let url = format!("http://{address}/mcp");
    let own = std::env::var_os("CHIPP_AUTH_BIN")
        .map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_chipp-auth")), PathBuf::from);
    let mut columns = vec![("direct", Vec::new()), ("chipp-auth", Vec::new())];
    let other = std::env::var_os("MCP_REMOTE").map(PathBuf::from);
    if other.is_some() {
        columns.push(("mcp-remote", Vec::new()));
    }
    let rounds = std::env::var("ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(5);
    for _ in 0..rounds {
        columns[0].1.push(direct(&address));
        columns[1].1.push(through(|| chipp_auth(&own, &url)));
        if let Some(other) = &other {
            columns[2].1.push(through(|| mcp_remote(other, &url)));
        }
    }
    print(&columns);
}

/// One round of one way to the server.
#[derive(Clone, Copy)]
struct Round {
    cold_ms: f64,
    call_us: f64,
    calls_per_s: f64,
    rss_mb: f64,
}

fn print(columns: &[(&str, Vec<Round>)]) {
    type Row = (&'static str, fn(&Round) -> f64, fn(f64, f64) -> String);
    let rows: [Row; 4] = [
        ("cold start to the initialize answer, ms", |r| r.cold_ms, |a, b| format!(" ({:.1}x)", a / b)),
        ("one call after the other, µs each", |r| r.call_us, |a, b| format!(" (+{:.1} µs)", a - b)),
        ("64 calls in flight, calls/s", |r| r.calls_per_s, |a, b| format!(" ({:.2}x)", a / b)),
        ("idle memory (RSS), MB", |r| r.rss_mb, |_, _| String::new()),
    ];
    print!("| median of {} rounds |", columns[0].1.len());
    columns.iter().for_each(|(name, _)| print!(" {name} |"));
    println!("\n| --- |{}", " --- |".repeat(columns.len()));
    for (name, value, compare) in rows {
        print!("| {name} |");
        let direct = median(columns[0].1.iter().map(value));
        for (column, (_, rounds)) in columns.iter().enumerate() {
            let this = median(rounds.iter().map(value));
            match column {
                0 if this == 0.0 => print!(" – |"),
                0 => print!(" {this:.1} |"),
                _ => print!(" {this:.1}{} |", compare(this, direct)),
            }
        }
        println!();
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn call(id: usize) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"echo","arguments":{{"text":"hello"}}}}}}"#
    )
}

fn seconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64()
}

// ---- directly ----

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn direct(address: &str) -> Round {
    let runtime = runtime();
    runtime.block_on(async {
        let cold = Instant::now();
        let mut client = connect(address).await;
        post(&mut client, address, HELLO.to_owned()).await;
        let cold_ms = seconds(cold) * 1e3;
        post(&mut client, address, INITIALIZED.to_owned()).await;
        for id in 0..SEQUENTIAL / 10 {
            post(&mut client, address, call(id)).await;
        }
        let begun = Instant::now();
        for id in 0..SEQUENTIAL {
            post(&mut client, address, call(id)).await;
        }
        let call_us = seconds(begun) * 1e6 / SEQUENTIAL as f64;

        let mut clients = Vec::new();
        for _ in 0..IN_FLIGHT {
            clients.push(connect(address).await);
        }
        let begun = Instant::now();
        let tasks: Vec<_> = clients
            .into_iter()
            .map(|mut client| {
                let address = address.to_owned();
                tokio::spawn(async move {
                    for id in 0..CONCURRENT / IN_FLIGHT {
                        post(&mut client, &address, call(id)).await;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        let calls_per_s = (CONCURRENT / IN_FLIGHT * IN_FLIGHT) as f64 / seconds(begun);
        Round { cold_ms, call_us, calls_per_s, rss_mb: 0.0 }
    })
}

async fn connect(address: &str) -> SendRequest<Full<Bytes>> {
    let socket = TcpStream::connect(address).await.unwrap();
    socket.set_nodelay(true).unwrap();
    let (client, connection) = hyper::client::conn::http1::handshake(TokioIo::new(socket)).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn post(client: &mut SendRequest<Full<Bytes>>, address: &str, body: String) -> Bytes {
    let request = Request::post("/mcp")
        .header("host", address)
        .header("accept", "application/json, text/event-stream")
        .header("content-type", "application/json")
        .header("authorization", "Bearer x")
        .body(Full::new(Bytes::from(body)))
        .unwrap();
    let response = client.send_request(request).await.unwrap();
    response.into_body().collect().await.unwrap().to_bytes()
}

// ---- through a bridge ----

fn chipp_auth(binary: &Path, url: &str) -> Command {
    let mut command = Command::new(binary);
    command.args(["proxy", url, "--header", "Authorization: Bearer x"]);
    command
}

fn mcp_remote(program: &Path, url: &str) -> Command {
    let is_script = program.extension().is_some_and(|extension| extension == "js");
    let mut command = Command::new(if is_script { Path::new("node") } else { program });
    if is_script {
        command.arg(program);
    }
    command.args([url, "--header", "Authorization: Bearer x", "--allow-http", "--transport", "http-only"]);
    command
}

struct Bridge {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    line: String,
}

impl Bridge {
    fn start(mut command: Command) -> Self {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let (to, from) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Bridge { child, to, from, line: String::new() }
    }

    fn send(&mut self, lines: &str) {
        self.to.write_all(lines.as_bytes()).unwrap();
    }

    fn receive(&mut self) {
        self.line.clear();
        self.from.read_line(&mut self.line).unwrap();
        assert!(self.line.contains("\"result\""), "no result: {}", self.line);
    }

    /// Resident memory, in MB.
    fn rss(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
        line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or_default() / 1024.0
    }
}

fn through(command: impl Fn() -> Command) -> Round {
    let cold = Instant::now();
    let mut bridge = Bridge::start(command());
    bridge.send(&format!("{HELLO}\n"));
    bridge.receive();
    let cold_ms = seconds(cold) * 1e3;
    bridge.send(&format!("{INITIALIZED}\n{}\n", call(0)));
    bridge.receive();
    std::thread::sleep(Duration::from_millis(300));
    let rss_mb = bridge.rss();

    let one = |bridge: &mut Bridge, id| {
        bridge.send(&(call(id) + "\n"));
        bridge.receive();
    };
    (0..SEQUENTIAL / 10).for_each(|id| one(&mut bridge, id));
    let begun = Instant::now();
    (0..SEQUENTIAL).for_each(|id| one(&mut bridge, id));
    let call_us = seconds(begun) * 1e6 / SEQUENTIAL as f64;

    // All connections are open before the clock runs, as in the direct case.
    let many = |bridge: &mut Bridge, count: usize| {
        let first: String = (0..IN_FLIGHT).map(|id| call(id) + "\n").collect();
        bridge.send(&first);
        for id in IN_FLIGHT..count + IN_FLIGHT {
            bridge.receive();
            if id < count {
                bridge.send(&(call(id) + "\n"));
            }
        }
    };
    many(&mut bridge, IN_FLIGHT);
    let begun = Instant::now();
    many(&mut bridge, CONCURRENT);
    let calls_per_s = CONCURRENT as f64 / seconds(begun);

    drop(bridge.to);
    let _ = bridge.child.wait();
    Round { cold_ms, call_us, calls_per_s, rss_mb }
}
