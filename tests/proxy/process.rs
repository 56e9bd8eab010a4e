//! The real thing: a process with real pipes, sockets, files and signals. The process is this test
//! program itself, started again with one test, `child`, which serves its own stdin and stdout.

use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::process::Stdio;
use std::time::{Duration, Instant};

use chipp_auth::proxy::{End, Limits, Upstream, serve};
use rustix::fs::{OFlags, fcntl_getfl};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::host::{PATIENCE, Shared, Tokens};
use super::server::{Answer, Server};

const URL: &str = "CHIPP_AUTH_TEST_URL";

/// No test, but the process that the others start.
#[test]
#[ignore = "started by the other tests"]
fn child() {
    let Ok(url) = std::env::var(URL) else { return };
    let upstream = Upstream::new(url.parse().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let end =
        runtime.block_on(serve(upstream, Shared(std::sync::Arc::new(Tokens::default())), Limits::default()));
    let code = match end.unwrap() {
        End::Eof => 0,
        End::OutputClosed => 10,
        End::Orphaned => 11,
        End::Signal(number) => 128 + number,
    };
    runtime.shutdown_background();
    std::process::exit(code);
}

fn command(server: &Server) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "process::child", "--ignored", "--nocapture", "--quiet"]);
    command.env(URL, server.url.as_str()).stderr(Stdio::null()).kill_on_drop(true);
    command
}

struct Proxy {
    to: Option<Box<dyn AsyncWrite + Unpin>>,
    from: BufReader<Box<dyn AsyncRead + Unpin>>,
    child: Child,
}

impl Proxy {
    fn over_pipes(server: &Server, shared: &mut Vec<OwnedFd>) -> Self {
        let (stdin, to) = std::io::pipe().unwrap();
        let (from, stdout) = std::io::pipe().unwrap();
        shared.push(stdin.as_fd().try_clone_to_owned().unwrap());
        shared.push(stdout.as_fd().try_clone_to_owned().unwrap());
        let child = command(server).stdin(stdin).stdout(stdout).spawn().unwrap();
        let to = pipe::Sender::from_owned_fd(to.into()).unwrap();
        let from = pipe::Receiver::from_owned_fd(from.into()).unwrap();
        Proxy { to: Some(Box::new(to)), from: BufReader::new(Box::new(from)), child }
    }

    /// As Node starts its children.
    fn over_sockets(server: &Server, shared: &mut Vec<OwnedFd>) -> Self {
        let (to, stdin) = std::os::unix::net::UnixStream::pair().unwrap();
        let (from, stdout) = std::os::unix::net::UnixStream::pair().unwrap();
        shared.push(stdin.try_clone().unwrap().into());
        shared.push(stdout.try_clone().unwrap().into());
        let stdin = Stdio::from(OwnedFd::from(stdin));
        let child = command(server).stdin(stdin).stdout(OwnedFd::from(stdout)).spawn().unwrap();
        to.set_nonblocking(true).unwrap();
        from.set_nonblocking(true).unwrap();
        let (to, from) = (UnixStream::from_std(to).unwrap(), UnixStream::from_std(from).unwrap());
        Proxy { to: Some(Box::new(to)), from: BufReader::new(Box::new(from)), child }
    }

    async fn send(&mut self, line: &str) {
        self.to.as_mut().unwrap().write_all(format!("{line}\n").as_bytes()).await.unwrap();
    }

    async fn next(&mut self) -> Value {
        loop {
            let mut line = String::new();
            timeout(PATIENCE, self.from.read_line(&mut line)).await.unwrap().unwrap();
            assert!(!line.is_empty(), "stdout was closed");
            // What the test harness writes before the proxy begins.
            if !line.trim().is_empty() && !line.starts_with("running 1 test") {
                return serde_json::from_str(&line).unwrap_or_else(|_| panic!("not JSON: {line}"));
            }
        }
    }

    async fn hello(&mut self) {
        self.send(r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}"#).await;
        assert_eq!(self.next().await["result"]["protocolVersion"], "2025-11-25");
    }

    async fn code(&mut self) -> Option<i32> {
        timeout(PATIENCE, self.child.wait()).await.expect("the process did not end").unwrap().code()
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_raw(self.child.id().unwrap().cast_signed()).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
    }
}

type Start = fn(&Server, &mut Vec<OwnedFd>) -> Proxy;
const BOTH: [Start; 2] = [Proxy::over_pipes, Proxy::over_sockets];

/// DESIGN decision 10: pipes and sockets work in both directions, with small and large messages, and the
/// descriptions that are shared with the host stay in blocking mode.
#[tokio::test]
async fn pipes_and_sockets_are_polled_without_changing_them() {
    for start in BOTH {
        let server = Server::start(|seen| {
            let size = seen.json()["params"]["size"].as_u64()?;
            Some(Answer::result(seen, &format!("\"{}\"", "y".repeat(usize::try_from(size).unwrap()))))
        })
        .await;
        let mut shared = Vec::new();
        let mut proxy = start(&server, &mut shared);
        proxy.hello().await;
        for size in [1, 70_000, 5 << 20] {
            let filler = "x".repeat(size);
            proxy
                .send(&format!(r#"{{"jsonrpc":"2.0","id":{size},"method":"a","params":{{"size":{size},"f":"{filler}"}}}}"#))
                .await;
            assert_eq!(proxy.next().await["result"].as_str().unwrap().len(), size);
        }
        for fd in &shared {
            assert!(!fcntl_getfl(fd).unwrap().contains(OFlags::NONBLOCK));
        }
        // Our copies of its ends would keep them open.
        shared.clear();
        let begun = Instant::now();
        drop(proxy.to.take());
        assert_eq!(proxy.code().await, Some(0));
        assert!(begun.elapsed() < Duration::from_secs(2));
    }
}

/// Files cannot be polled; a thread reads and writes them.
#[tokio::test]
async fn files_work_as_well() {
    let server = Server::start(|_| None).await;
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (folder.path().join("in"), folder.path().join("out"));
    let mut file = File::create(&input).unwrap();
    for id in 0..100 {
        writeln!(file, r#"{{"jsonrpc":"2.0","id":{id},"method":"a"}}"#).unwrap();
    }
    let mut child = command(&server)
        .stdin(File::open(&input).unwrap())
        .stdout(File::create(&output).unwrap())
        .spawn()
        .unwrap();
    assert_eq!(timeout(PATIENCE, child.wait()).await.unwrap().unwrap().code(), Some(0));
    let text = std::fs::read_to_string(&output).unwrap();
    let mut ids: Vec<_> =
        text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()?["id"].as_u64()).collect();
    ids.sort_unstable();
    assert_eq!(ids, (0..100).collect::<Vec<_>>(), "{text}");
}

/// Row 128.
#[tokio::test]
async fn each_signal_ends_the_process_with_its_code() {
    use rustix::process::Signal;
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130), (Signal::HUP, 129)] {
        let server =
            Server::start(|seen| (seen.method() == "tools/call").then(|| Answer::status(200).after(60_000)))
                .await;
        let mut proxy = Proxy::over_pipes(&server, &mut Vec::new());
        proxy.hello().await;
        proxy.send(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#).await;
        server.wait_for("tools/call", 1).await;
        let begun = Instant::now();
        proxy.signal(signal);
        assert_eq!(proxy.code().await, Some(code));
        assert!(begun.elapsed() < Duration::from_secs(2));
        assert_eq!(server.count("DELETE"), 1);
    }
}

/// Row 127.
#[tokio::test]
async fn a_broken_pipe_ends_the_process() {
    for start in BOTH {
        let server = Server::start(|_| None).await;
        let mut proxy = start(&server, &mut Vec::new());
        proxy.hello().await;
        let (nothing, _) = std::io::pipe().unwrap();
        let nothing = pipe::Receiver::from_owned_fd(nothing.into()).unwrap();
        proxy.from = BufReader::new(Box::new(nothing));
        proxy.send(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#).await;
        assert_eq!(proxy.code().await, Some(10));
    }
}

/// Row 127, P7: the parent is gone, but somebody keeps the pipe open.
#[tokio::test]
async fn a_process_whose_parent_is_gone_ends() {
    let server = Server::start(|_| None).await;
    let (stdin, _kept_open) = std::io::pipe().unwrap();
    let (from, stdout) = std::io::pipe().unwrap();
    let mut shell = Command::new("sh");
    shell.args(["-c", "exec 3<&0; \"$@\" <&3 & sleep 1", "sh"]).arg(std::env::current_exe().unwrap());
    shell.args(["--exact", "process::child", "--ignored", "--nocapture", "--quiet"]);
    shell.env(URL, server.url.as_str()).stdin(stdin).stdout(stdout).stderr(Stdio::null());
    assert!(shell.status().await.unwrap().success());
    drop(shell);
    // stdout ends when its last writer, the proxy, does.
    let mut from = pipe::Receiver::from_owned_fd(from.into()).unwrap();
    let begun = Instant::now();
    let mut rest = Vec::new();
    let ended = tokio::io::AsyncReadExt::read_to_end(&mut from, &mut rest);
    timeout(PATIENCE, ended).await.expect("the process did not end").unwrap();
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}
