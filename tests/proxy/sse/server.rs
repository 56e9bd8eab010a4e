//! A scripted server of 2024-11-05: a stream for what it says, an address for what it is told.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep};

pub use crate::server::{HELLO, Seen, rpc};

/// What the server does with a request.
pub enum Do {
    /// Refuses it.
    Refuse(u16, String),
    /// The same, with a header more.
    Challenge(u16, &'static str, String),
    /// For a GET: opens a stream that begins with these bytes.
    Open(String),
    /// For a POST: takes it, and then says these bytes on the stream.
    Take(String),
    /// Says these bytes, and takes the POST that long after.
    Overtake(String, Duration),
    /// Takes it, and ends the stream.
    End,
}

/// An event with a message.
pub fn event(message: &str) -> String {
    format!("event: message\ndata: {message}\n\n")
}

/// Answers a request on the stream.
pub fn answer(seen: &Seen, result: &str) -> Do {
    Do::Take(event(&rpc(&seen.id(), result)))
}

type Script = dyn Fn(&Seen) -> Option<Do> + Send + Sync;
type Streams = Mutex<HashMap<usize, UnboundedSender<Bytes>>>;

pub struct Server {
    pub url: url::Url,
    log: Arc<Mutex<Vec<(String, Seen)>>>,
    streams: Arc<Streams>,
}

impl Server {
    /// Does as `script` says, and as such a server does where it says nothing: it knows no POST at `/sse`.
    pub async fn start(script: impl Fn(&Seen) -> Option<Do> + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/sse", listener.local_addr().unwrap()).parse().unwrap();
        let (log, streams) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Streams::default()));
        let script: Arc<Script> = Arc::new(script);
        let server = Server { url, log: Arc::clone(&log), streams: Arc::clone(&streams) };
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (log, streams, script) = (Arc::clone(&log), Arc::clone(&streams), Arc::clone(&script));
                let service = service_fn(move |request| {
                    handle(request, Arc::clone(&log), Arc::clone(&streams), Arc::clone(&script))
                });
                tokio::spawn(async move {
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(socket), service)
                        .await;
                });
            }
        });
        server
    }

    /// What was seen at a path (or at all), in order, by method or HTTP verb.
    pub fn of(&self, method: &str) -> Vec<(String, Seen)> {
        let log = self.log.lock().unwrap();
        log.iter().filter(|(_, seen)| method == "*" || seen.method() == method).cloned().collect()
    }

    pub fn count(&self, method: &str) -> usize {
        self.of(method).len()
    }

    pub async fn wait_for(&self, method: &str, count: usize) {
        for _ in 0..2000 {
            if self.count(method) >= count {
                return;
            }
            sleep(Duration::from_millis(10)).await;
        }
        panic!("{method} was not seen {count} times, but {}", self.count(method));
    }

    /// Says something on all streams.
    pub fn say(&self, bytes: &str) {
        for stream in self.streams.lock().unwrap().values() {
            let _ = stream.send(Bytes::copy_from_slice(bytes.as_bytes()));
        }
    }

    /// Ends all streams, and with them the sessions.
    pub fn restart(&self) {
        self.streams.lock().unwrap().clear();
    }

    /// Waits until nobody reads any more.
    pub async fn wait_until_left(&self) {
        for _ in 0..2000 {
            if self.streams.lock().unwrap().values().all(UnboundedSender::is_closed) {
                return;
            }
            sleep(Duration::from_millis(10)).await;
        }
        panic!("a stream is still open");
    }
}

type Body = StreamBody<stream::BoxStream<'static, Result<Frame<Bytes>, Infallible>>>;

fn respond(status: u16, header: Option<(&str, &str)>, body: impl Into<Bytes>) -> hyper::Response<Body> {
    let frames = vec![Ok(Frame::data(body.into()))];
    let mut response =
        hyper::Response::new(StreamBody::new(Box::pin(stream::iter(frames)) as stream::BoxStream<_>));
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap();
    if let Some((name, value)) = header {
        response
            .headers_mut()
            .insert(http::HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
    }
    response
}

async fn handle(
    request: hyper::Request<Incoming>,
    log: Arc<Mutex<Vec<(String, Seen)>>>,
    streams: Arc<Streams>,
    script: Arc<Script>,
) -> Result<hyper::Response<Body>, Infallible> {
    let began = Instant::now();
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let seen = Seen { verb: head.method.to_string(), headers: head.headers, body, began };
    let path = head.uri.to_string();
    let number = {
        let mut log = log.lock().unwrap();
        log.push((path.clone(), seen.clone()));
        log.len()
    };
    let session = path.split_once("session=").and_then(|(_, n)| n.parse::<usize>().ok());
    let usual = || match (seen.verb.as_str(), session) {
        ("GET", _) => Do::Open(format!("event: endpoint\ndata: /messages?session={number}\n\n")),
        (_, None) => Do::Refuse(405, String::new()),
        (_, Some(session)) if !streams.lock().unwrap().contains_key(&session) => {
            Do::Refuse(404, "Could not find session".to_owned())
        }
        _ if seen.method() == "initialize" => answer(&seen, HELLO),
        _ if seen.id().is_null() || seen.json().get("method").is_none() => Do::Take(String::new()),
        _ => answer(&seen, r#"{"ok":true}"#),
    };
    let say = |bytes: String| {
        let stream = session.and_then(|session| streams.lock().unwrap().get(&session).cloned());
        let _ = stream.map(|stream| stream.send(bytes.into()));
    };
    Ok(match script(&seen).unwrap_or_else(usual) {
        Do::Refuse(status, body) => respond(status, None, body),
        Do::Challenge(status, name, value) => respond(status, Some((name, &value)), ""),
        Do::Take(bytes) => {
            say(bytes);
            respond(202, None, "Accepted")
        }
        Do::Overtake(bytes, delay) => {
            say(bytes);
            sleep(delay).await;
            respond(202, None, "Accepted")
        }
        Do::End => {
            session.map(|session| streams.lock().unwrap().remove(&session));
            respond(202, None, "Accepted")
        }
        Do::Open(first) => {
            let (sender, mut receiver) = unbounded_channel();
            sender.send(Bytes::from(first)).unwrap();
            streams.lock().unwrap().insert(number, sender);
            let frames = stream::poll_fn(move |cx| {
                receiver.poll_recv(cx).map(|bytes| bytes.map(|b| Ok(Frame::data(b))))
            });
            let mut response = respond(200, Some(("content-type", "text/event-stream")), "");
            *response.body_mut() = StreamBody::new(Box::pin(frames) as stream::BoxStream<_>);
            response
        }
    })
}

/// The names of the methods in a log, in order.
pub fn methods(log: &[(String, Seen)]) -> Vec<String> {
    log.iter().map(|(_, seen)| seen.method()).collect()
}
