//! An MCP host at the other end of the pipe, and a source of tokens.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chipp_auth::error::{Error, Name, Result};
use chipp_auth::proxy::{
    Access, Bearer, Challenge, End, Input, Limits, Notes, Output, Pipe, Refused, StepUp, Upstream, join,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::server::Server;

/// For anything that must happen. Long, since the machine may be busy.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// For what must not happen.
pub const SILENCE: Duration = Duration::from_millis(300);

/// Tokens `token-0`, `token-1` …: a new one after each 401 for the newest.
#[derive(Default)]
pub struct Tokens {
    pub current: Mutex<usize>,
    pub asked: AtomicUsize,
    pub renewed: AtomicUsize,
    pub signed_out: bool,
    pub challenges: Mutex<Vec<String>>,
}

pub struct Shared(pub Arc<Tokens>);

impl Bearer for Shared {
    async fn bearer(&self) -> Result<Option<Access>> {
        self.0.asked.fetch_add(1, Ordering::SeqCst);
        Ok(Some(token(*self.0.current.lock().unwrap())))
    }

    async fn unauthorized(&self, refused: Refused) -> Result<Access> {
        self.0.challenges.lock().unwrap().extend(refused.challenge.values);
        if self.0.signed_out {
            return Err(Error::new(Name::LoginRequired, "you are not signed in"));
        }
        let mut current = self.0.current.lock().unwrap();
        let used = refused.used.unwrap();
        if used.expose_secret() == format!("token-{current}") {
            self.0.renewed.fetch_add(1, Ordering::SeqCst);
            *current += 1;
        }
        Ok(token(*current))
    }

    async fn insufficient(&self, _: Option<SecretString>, _: Challenge) -> Result<StepUp> {
        Err(Error::new(Name::ScopeRequired, "more permissions"))
    }
}

fn token(n: usize) -> Access {
    SecretString::from(format!("token-{n}")).into()
}

/// The host's side of a running proxy.
pub struct Host {
    pub to: Option<UnixStream>,
    pub from: BufReader<UnixStream>,
    pub ends: mpsc::Sender<End>,
    pub proxy: JoinHandle<End>,
    pub tokens: Arc<Tokens>,
}

impl Host {
    pub fn start(server: &Server) -> Self {
        Host::with(server.url.clone(), Limits::default(), Tokens::default())
    }

    pub fn patient_for(server: &Server, silence: u64, total: u64) -> Self {
        let (silence, total) = (Duration::from_millis(silence), Duration::from_millis(total));
        Host::with(server.url.clone(), Limits { silence, stream: silence, total }, Tokens::default())
    }

    pub fn with(url: url::Url, limits: Limits, tokens: Tokens) -> Self {
        let tokens = Arc::new(tokens);
        let host = Host::over(url, limits, Shared(Arc::clone(&tokens)));
        Host { tokens, ..host }
    }

    /// With a source of tokens of one's own.
    pub fn over(url: url::Url, limits: Limits, bearer: impl Bearer) -> Self {
        Host::to(Upstream::new(url), limits, bearer)
    }

    /// With a memory of what the server speaks.
    pub fn remembering(server: &Server, notes: Arc<dyn Notes>) -> Self {
        let tokens = Arc::<Tokens>::default();
        let upstream = Upstream { notes: Some(notes), ..Upstream::new(server.url.clone()) };
        let host = Host::to(upstream, Limits::default(), Shared(Arc::clone(&tokens)));
        Host { tokens, ..host }
    }

    /// With a server of one's own description.
    pub fn to(upstream: Upstream, limits: Limits, bearer: impl Bearer) -> Self {
        let (to, input) = UnixStream::pair().unwrap();
        let (from, output) = UnixStream::pair().unwrap();
        let (ends, ended) = mpsc::channel(4);
        let pipe = Pipe { input: Input::new(input), output: Output::new(output), ends: ended, limits };
        let upstream = Upstream {
            headers: vec![("x-extra".parse().unwrap(), "always".parse().unwrap())],
            target: Some("mine".to_owned()),
            ..upstream
        };
        let proxy = tokio::spawn(join(pipe, upstream, bearer));
        Host { to: Some(to), from: BufReader::new(from), ends, proxy, tokens: Arc::default() }
    }

    /// Starts and opens a session.
    pub async fn ready(server: &Server) -> Self {
        let mut host = Host::start(server);
        host.greet().await;
        host
    }

    pub async fn greet(&mut self) -> Value {
        self.call(0, "initialize", json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "host", "version": "1"}})).await;
        let hello = self.next().await;
        self.note("notifications/initialized", json!({})).await;
        hello
    }

    pub async fn raw(&mut self, bytes: impl AsRef<[u8]>) {
        timeout(PATIENCE, self.to.as_mut().unwrap().write_all(bytes.as_ref())).await.unwrap().unwrap();
    }

    pub async fn call(&mut self, id: impl Into<Value>, method: &str, params: Value) {
        let id = id.into();
        self.raw(format!("{}\n", json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})))
            .await;
    }

    pub async fn tool(&mut self, id: impl Into<Value>) {
        self.call(id, "tools/call", json!({"name": "tool"})).await;
    }

    pub async fn note(&mut self, method: &str, params: Value) {
        self.raw(format!("{}\n", json!({"jsonrpc": "2.0", "method": method, "params": params}))).await;
    }

    /// The next line, as it came, without its end.
    pub async fn line(&mut self) -> String {
        let mut line = String::new();
        let read = timeout(PATIENCE, self.from.read_line(&mut line)).await;
        read.expect("no line came").unwrap();
        assert!(line.ends_with('\n'), "the stream ended: {line:?}");
        line.pop();
        line
    }

    /// The next message; a line that is not JSON fails here (S-03).
    pub async fn next(&mut self) -> Value {
        let line = self.line().await;
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("not JSON: {line}"))
    }

    /// Asserts that nothing more comes.
    pub async fn silence(&mut self) {
        let mut line = String::new();
        let read = timeout(SILENCE, self.from.read_line(&mut line)).await;
        assert!(read.is_err(), "unexpected: {line}");
    }

    /// Closes stdin and returns everything that still comes, and the end.
    pub async fn finish(mut self) -> (Vec<Value>, End) {
        drop(self.to.take());
        let end = timeout(PATIENCE, &mut self.proxy).await.expect("the proxy did not end").unwrap();
        let mut rest = Vec::new();
        let mut line = String::new();
        while timeout(PATIENCE, self.from.read_line(&mut line)).await.unwrap().unwrap() > 0 {
            rest.push(serde_json::from_str(&line).unwrap());
            line.clear();
        }
        (rest, end)
    }
}

/// The name of an error of ours, and its code.
pub fn error_of(message: &Value) -> (String, i64) {
    let error = &message["error"];
    assert_eq!(error["data"]["source"], "chipp-auth", "{message}");
    (error["data"]["name"].as_str().unwrap_or_default().to_owned(), error["code"].as_i64().unwrap())
}
