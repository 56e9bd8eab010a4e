//! The program itself, and a host at the other end of its pipe.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

/// For anything that must happen. Long, since the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a server with sessions answers to `initialize`, whatever the revision.
pub fn hello(revision: &str) -> String {
    format!(
        "{{\"protocolVersion\":\"{revision}\",\"capabilities\":{{\"tools\":{{}}}},\"serverInfo\":{{\"name\":\"corpus\",\"version\":\"1\"}}}}"
    )
}

/// What opens the session of a test, and is no part of the corpus.
pub const READY: &str = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}";
pub const OPEN: &str = "{\"jsonrpc\":\"2.0\",\"id\":\"open?\",\"method\":\"tools/list\"}";

pub struct Proxy {
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
    _home: tempfile::TempDir,
}

impl Proxy {
    pub fn start(url: &url::Url) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_chipp-auth"));
        command.args(["proxy", url.as_str(), "--header", "Authorization: Bearer x"]);
        command.env_clear().env("HOME", home.path()).env("CHIPP_AUTH_HOME", home.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let (to, from) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        Proxy { child, to, from, _home: home }
    }

    /// Starts it and begins a session of this revision; of the one without sessions none.
    pub async fn greeting(url: &url::Url, revision: &str) -> Self {
        let mut proxy = Proxy::start(url);
        if revision != "2026-07-28" {
            let params = format!(
                "{{\"protocolVersion\":\"{revision}\",\"capabilities\":{{}},\"clientInfo\":{{\"name\":\"corpus\",\"version\":\"1\"}}}}"
            );
            proxy
                .send(&format!(
                    "{{\"jsonrpc\":\"2.0\",\"id\":\"hello\",\"method\":\"initialize\",\"params\":{params}}}"
                ))
                .await;
            let answer = proxy.line().await;
            assert!(answer.contains(&hello(revision)), "{answer}");
            proxy.send(READY).await;
        }
        proxy
    }

    /// The same, and the session is open for certain: something that has to wait for it is answered.
    pub async fn speaking(url: &url::Url, revision: &str) -> Self {
        let mut proxy = Proxy::greeting(url, revision).await;
        if revision != "2026-07-28" {
            proxy.send(OPEN).await;
            proxy.line().await;
        }
        proxy
    }

    pub async fn send(&mut self, line: &str) {
        let to = self.to.as_mut().unwrap();
        timeout(PATIENCE, to.write_all(format!("{line}\n").as_bytes())).await.unwrap().unwrap();
    }

    /// The next line, as it came, without its end.
    pub async fn line(&mut self) -> String {
        let mut line = String::new();
        timeout(PATIENCE, self.from.read_line(&mut line)).await.expect("no line came").unwrap();
        assert_eq!(line.pop(), Some('\n'), "the stream ended: {line:?}");
        line
    }

    /// Ends it, and returns what it still had to say.
    pub async fn end(mut self) -> String {
        drop(self.to.take());
        let mut rest = String::new();
        timeout(PATIENCE, tokio::io::AsyncReadExt::read_to_string(&mut self.from, &mut rest))
            .await
            .expect("stdout stays open")
            .unwrap();
        let status = timeout(PATIENCE, self.child.wait()).await.expect("it does not end").unwrap();
        assert_eq!(status.code(), Some(0));
        rest
    }
}
