//! The client that speaks HTTP itself: hyper, with connections that stay open, and `sse-stream` for events.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::{try_join, try_join_all};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1::SendRequest;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use sse_stream::SseStream;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use super::{Client, Done, Limit, Open, Outcome, seconds};
use crate::check::{self, Faults};
use crate::messages::{HELLO, INITIALIZED, TOKEN, Tool};

const BOUND: Duration = Duration::from_secs(10);

type Connection = SendRequest<Full<Bytes>>;

pub(crate) struct Direct {
    runtime: Runtime,
    address: String,
    connections: Vec<Connection>,
    open: Rc<RefCell<Open>>,
}

impl Direct {
    /// Opens a session: and the milliseconds until `initialize` is answered.
    pub(crate) fn start(address: &str, faults: Arc<Faults>) -> Outcome<(Self, f64)> {
        let begun = Instant::now();
        let runtime =
            Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
        let hello = async {
            let mut connection = connect(address).await?;
            let answer = whole(post(&mut connection, address, HELLO.into()).await?).await?;
            match check::id(&answer) {
                Some(0) => Ok((connection, seconds(begun) * 1e3)),
                _ => Err("no answer to initialize".to_owned()),
            }
        };
        let (mut connection, cold_ms) = within(&runtime, BOUND, hello)?;
        within(&runtime, BOUND, async {
            whole(post(&mut connection, address, INITIALIZED.into()).await?).await
        })?;
        let open = Rc::new(RefCell::new(Open::new(faults)));
        let direct = Direct { runtime, address: address.to_owned(), connections: vec![connection], open };
        Ok((direct, cold_ms))
    }

    /// Start and `tools/list` in as few round trips as HTTP/1.1 allows, in milliseconds: a second connection
    /// carries `notifications/initialized`, whose 202 nobody waits for.
    pub(crate) fn least(address: &str) -> Outcome<f64> {
        let begun = Instant::now();
        let runtime =
            Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
        within(&runtime, BOUND, async {
            let (mut first, mut second) = try_join(connect(address), connect(address)).await?;
            whole(post(&mut first, address, HELLO.into()).await?).await?;
            let noted = post(&mut second, address, INITIALIZED.into());
            let listed = async {
                whole(post(&mut first, address, Tool::List.request(1).into()).await?).await?;
                Ok(seconds(begun) * 1e3)
            };
            Ok(try_join(noted, listed).await?.1)
        })
    }

    fn run(&mut self, tool: Tool, in_flight: usize, limit: Limit) -> Outcome<Done> {
        let Direct { runtime, address, connections, open } = self;
        let address = address.as_str();
        // All connections are there before the clock runs.
        within(runtime, limit.bound, async {
            while connections.len() < in_flight {
                connections.push(connect(address).await?);
            }
            Ok(())
        })?;
        let first = open.borrow_mut().call(tool);
        let first = RefCell::new(Some((first, tool.request(first))));
        let (sent, done) = (RefCell::new(0), RefCell::new(0));
        let begun = Instant::now();
        let (first, sent, done, shared) = (&first, &sent, &done, &*open);
        let series = connections.iter_mut().take(in_flight).map(|connection| async move {
            while *sent.borrow() < limit.calls && (*sent.borrow() == 0 || begun.elapsed() < limit.time) {
                *sent.borrow_mut() += 1;
                let (id, request) = first.borrow_mut().take().unwrap_or_else(|| {
                    let id = shared.borrow_mut().call(tool);
                    (id, tool.request(id))
                });
                let response = post(connection, address, request.into()).await?;
                take(response, shared).await?;
                shared.borrow_mut().outcome()?;
                if shared.borrow().waits_for(id) {
                    return Err("the answer does not hold what was asked for".to_owned());
                }
                *done.borrow_mut() += 1;
            }
            Ok(())
        });
        let outcome = within(runtime, limit.bound, try_join_all(series));
        let seconds = seconds(begun);
        outcome.map_err(|error| format!("{error}; {} messages missing", open.borrow_mut().lose()))?;
        Ok(Done { calls: *done.borrow(), seconds })
    }
}

impl Client for Direct {
    fn sequence(&mut self, tool: Tool, limit: Limit) -> Outcome<Done> {
        self.run(tool, 1, limit)
    }

    fn flood(&mut self, tool: Tool, in_flight: usize, limit: Limit) -> Outcome<Done> {
        self.run(tool, in_flight, limit)
    }

    fn bridge(&self) -> Option<u32> {
        None
    }

    fn executions(&self) -> usize {
        self.open.borrow().executions()
    }

    fn finish(self: Box<Self>) -> Outcome<f64> {
        Ok(0.0)
    }
}

fn within<T>(runtime: &Runtime, bound: Duration, work: impl Future<Output = Outcome<T>>) -> Outcome<T> {
    runtime.block_on(async {
        timeout(bound, work).await.unwrap_or_else(|_| Err(format!("not done within {bound:?}")))
    })
}

async fn connect(address: &str) -> Outcome<Connection> {
    let socket = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
    socket.set_nodelay(true).map_err(|error| error.to_string())?;
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(socket)).await;
    let (client, connection) = handshake.map_err(|error| error.to_string())?;
    tokio::spawn(connection);
    Ok(client)
}

async fn post(connection: &mut Connection, address: &str, body: Bytes) -> Outcome<Response<Incoming>> {
    let mut request = Request::post("/mcp")
        .header("host", address)
        .header("accept", "application/json, text/event-stream")
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {TOKEN}"));
    if body != HELLO {
        request = request.header("mcp-session-id", "bench").header("mcp-protocol-version", "2025-11-25");
    }
    let request = request.body(Full::new(body)).map_err(|error| error.to_string())?;
    let response = connection.send_request(request).await.map_err(|error| error.to_string())?;
    if response.status().is_success() { Ok(response) } else { Err(format!("HTTP {}", response.status())) }
}

thread_local! {
    /// Memory for large answers, kept as the other client keeps it: neither pays for new pages.
    static SPARE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The body: as it arrived, if it came in one piece.
async fn whole(response: Response<Incoming>) -> Outcome<Bytes> {
    let mut body = response.into_body();
    let first = piece(&mut body).await?.unwrap_or_default();
    if body.is_end_stream() {
        return Ok(first);
    }
    let mut all = SPARE.take();
    all.clear();
    all.extend_from_slice(&first);
    while let Some(piece) = piece(&mut body).await? {
        all.extend_from_slice(&piece);
    }
    Ok(Bytes::from_owner(Kept(all)))
}

async fn piece(body: &mut Incoming) -> Outcome<Option<Bytes>> {
    let frame = body.frame().await.transpose().map_err(|error| error.to_string())?;
    Ok(frame.and_then(|frame| frame.into_data().ok()))
}

/// Goes back when nobody reads it any more.
struct Kept(Vec<u8>);

impl AsRef<[u8]> for Kept {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        SPARE.set(std::mem::take(&mut self.0));
    }
}

/// Judges all messages of a response.
async fn take(response: Response<Incoming>, open: &RefCell<Open>) -> Outcome<()> {
    let is_stream = response.headers().get("content-type").is_some_and(|value| value == "text/event-stream");
    if !is_stream {
        let answer = whole(response).await?;
        open.borrow_mut().take(&answer);
        return Ok(());
    }
    let mut events = SseStream::new(response.into_body());
    while let Some(event) = events.next().await {
        let data = event.map_err(|error| error.to_string())?.data.unwrap_or_default();
        open.borrow_mut().take(data.as_bytes());
    }
    Ok(())
}
