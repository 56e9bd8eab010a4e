//! A scripted MCP server on loopback. What happened is read from its log, never from the proxy's word.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

/// One request that the server has seen.
#[derive(Debug, Clone)]
pub struct Seen {
    pub verb: String,
    pub headers: http::HeaderMap,
    pub body: Bytes,
    pub began: Instant,
}

impl Seen {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The JSON-RPC method, or the HTTP verb where there is no body.
    pub fn method(&self) -> String {
        self.json()["method"].as_str().unwrap_or(&self.verb).to_owned()
    }

    pub fn id(&self) -> Value {
        self.json()["id"].clone()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// One step of an answer's body.
pub enum Part {
    Data(Bytes),
    Wait(Duration),
    /// The same again and again, as fast as it is taken.
    Flood(Bytes),
    /// Breaks the connection off.
    Break,
}

/// What the server answers.
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub parts: Vec<Part>,
    /// Before the head.
    pub delay: Duration,
}

impl Answer {
    pub fn status(status: u16) -> Self {
        Answer { status, headers: vec![], parts: vec![], delay: Duration::ZERO }
    }

    pub fn json(text: impl Into<String>) -> Self {
        Answer::status(200).header("content-type", "application/json").data(text.into())
    }

    pub fn events() -> Self {
        Answer::status(200).header("content-type", "text/event-stream; charset=utf-8")
    }

    /// A successful result for a request.
    pub fn result(seen: &Seen, result: &str) -> Self {
        Answer::json(rpc(&seen.id(), result))
    }

    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub fn data(mut self, data: impl Into<Bytes>) -> Self {
        self.parts.push(Part::Data(data.into()));
        self
    }

    pub fn part(mut self, part: Part) -> Self {
        self.parts.push(part);
        self
    }

    /// One event with a JSON message.
    pub fn event(self, message: impl AsRef<str>) -> Self {
        self.data(format!("data: {}\n\n", message.as_ref()))
    }

    pub fn wait(self, millis: u64) -> Self {
        self.part(Part::Wait(Duration::from_millis(millis)))
    }

    pub fn after(mut self, millis: u64) -> Self {
        self.delay = Duration::from_millis(millis);
        self
    }
}

pub fn rpc(id: &Value, result: &str) -> String {
    format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{result}}}")
}

pub const HELLO: &str = r#"{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"scripted","version":"1"}}"#;
pub const SESSION: &str = "session-one";

type Script = dyn Fn(&Seen) -> Option<Answer> + Send + Sync;

/// The server.
pub struct Server {
    pub url: url::Url,
    pub log: Arc<Mutex<Vec<Seen>>>,
    /// Parts of bodies that were taken by the HTTP library.
    pub parts_sent: Arc<AtomicUsize>,
    /// Answers that were not taken to their end.
    pub abandoned: Arc<AtomicUsize>,
}

impl Server {
    /// Starts a server that does as `script` says, and as a plain server does where it says nothing.
    pub async fn start(script: impl Fn(&Seen) -> Option<Answer> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/mcp", listener.local_addr().unwrap()).parse().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let parts_sent = Arc::new(AtomicUsize::new(0));
        let script: Arc<Script> = Arc::new(script);
        let abandoned = Arc::new(AtomicUsize::new(0));
        let (log2, counters) = (Arc::clone(&log), [Arc::clone(&parts_sent), Arc::clone(&abandoned)]);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let _ = socket.set_nodelay(true);
                let (log, script, counters) = (Arc::clone(&log2), Arc::clone(&script), counters.clone());
                let service = service_fn(move |request| {
                    answer(request, Arc::clone(&log), Arc::clone(&script), counters.clone())
                });
                tokio::spawn(async move {
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(socket), service)
                        .await;
                });
            }
        });
        Server { url, log, parts_sent, abandoned }
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.log.lock().unwrap().clone()
    }

    /// The requests of one JSON-RPC method or HTTP verb.
    pub fn of(&self, method: &str) -> Vec<Seen> {
        self.seen().into_iter().filter(|seen| seen.method() == method).collect()
    }

    pub fn count(&self, method: &str) -> usize {
        self.of(method).len()
    }

    /// Waits until so many answers were abandoned.
    pub async fn wait_for_closed(&self, count: usize) {
        for _ in 0..2000 {
            if self.abandoned.load(Ordering::SeqCst) >= count {
                return;
            }
            sleep(Duration::from_millis(10)).await;
        }
        panic!("not {count} answers were abandoned");
    }

    /// Waits until a method was seen so many times.
    pub async fn wait_for(&self, method: &str, count: usize) {
        for _ in 0..2000 {
            if self.count(method) >= count {
                return;
            }
            sleep(Duration::from_millis(10)).await;
        }
        panic!("{method} was not seen {count} times, but {}", self.count(method));
    }
}

/// Notes that the client has gone before the end of an answer.
struct End {
    reached: bool,
    abandoned: Arc<AtomicUsize>,
}

impl End {
    fn reach(&mut self) {
        self.reached = true;
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.abandoned.fetch_add(usize::from(!self.reached), Ordering::SeqCst);
    }
}

type Body = StreamBody<stream::BoxStream<'static, Result<Frame<Bytes>, std::io::Error>>>;

async fn answer(
    request: hyper::Request<Incoming>,
    log: Arc<Mutex<Vec<Seen>>>,
    script: Arc<Script>,
    [sent, abandoned]: [Arc<AtomicUsize>; 2],
) -> Result<hyper::Response<Body>, Infallible> {
    let began = Instant::now();
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let seen = {
        let mut log = log.lock().unwrap();
        let seen = Seen { verb: head.method.to_string(), headers: head.headers, body, began };
        log.push(seen.clone());
        seen
    };
    let answer = script(&seen).unwrap_or_else(|| usual(&seen));
    let end = End { reached: false, abandoned };
    sleep(answer.delay).await;
    let parts = stream::unfold((answer.parts.into_iter(), end), move |(mut parts, mut end)| {
        let sent = Arc::clone(&sent);
        async move {
            loop {
                let Some(part) = parts.next() else {
                    end.reach();
                    return None;
                };
                match part {
                    Part::Data(data) => {
                        sent.fetch_add(1, Ordering::SeqCst);
                        return Some((Ok(Frame::data(data)), (parts, end)));
                    }
                    Part::Wait(time) => sleep(time).await,
                    Part::Flood(data) => {
                        let again = vec![Part::Flood(data.clone())].into_iter();
                        return Some((Ok(Frame::data(data)), (again, end)));
                    }
                    Part::Break => {
                        end.reach();
                        return Some((Err(std::io::Error::other("broken off")), (parts, end)));
                    }
                }
            }
        }
    });
    let mut response =
        hyper::Response::new(StreamBody::new(Box::pin(parts) as stream::BoxStream<'static, _>));
    *response.status_mut() = hyper::StatusCode::from_u16(answer.status).unwrap();
    for (name, value) in answer.headers {
        response.headers_mut().append(name, value.parse().unwrap());
    }
    Ok(response)
}

/// What a plain server without surprises does.
fn usual(seen: &Seen) -> Answer {
    let message = seen.json();
    match (seen.verb.as_str(), seen.method().as_str()) {
        ("POST", "initialize") => Answer::result(seen, HELLO).header("mcp-session-id", SESSION),
        ("POST", _) if message["id"].is_null() || message["method"].is_null() => Answer::status(202),
        ("POST", _) => Answer::result(seen, r#"{"ok":true}"#),
        ("GET", _) => Answer::status(405),
        _ => Answer::status(200),
    }
}
