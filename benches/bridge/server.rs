//! The MCP server that is called: as fast as it can be, so that what is measured is the way to it. It notes
//! what reached it, for the judgement of those in between.

use std::convert::Infallible;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Instant;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::runtime::Builder;

use super::messages::TOKEN;
use body::Reply;

mod authorization;
mod body;
mod tools;

/// A server on a thread of its own.
pub(crate) struct Server {
    pub(crate) address: String,
    notes: Arc<Notes>,
}

/// What reached the server.
#[derive(Default)]
struct Notes {
    requests: AtomicUsize,
    executions: AtomicUsize,
    /// When the last DELETE came, and when it was answered.
    farewell: Mutex<Option<(Instant, Instant)>>,
    /// The kernel's number of the thread, for its CPU time.
    thread: AtomicU32,
}

impl Server {
    pub(crate) fn start() -> Self {
        let notes = Arc::new(Notes::default());
        let (to, from) = mpsc::channel();
        let shared = Arc::clone(&notes);
        std::thread::spawn(move || {
            shared.thread.store(super::cpu::this_thread(), Ordering::Relaxed);
            Builder::new_current_thread().enable_all().build().unwrap().block_on(async move {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                to.send(listener.local_addr().unwrap().to_string()).unwrap();
                while let Ok((socket, _)) = listener.accept().await {
                    socket.set_nodelay(true).unwrap();
                    let notes = Arc::clone(&shared);
                    let service = hyper::service::service_fn(move |request| {
                        let notes = Arc::clone(&notes);
                        async move { Ok::<_, Infallible>(answer(request, &notes).await) }
                    });
                    let connection = hyper::server::conn::http1::Builder::new();
                    tokio::spawn(connection.serve_connection(TokioIo::new(socket), service));
                }
            });
        });
        Server { address: from.recv().unwrap(), notes }
    }

    /// How many HTTP requests came.
    pub(crate) fn requests(&self) -> usize {
        self.notes.requests.load(Ordering::Relaxed)
    }

    /// How many times a tool was executed.
    pub(crate) fn executions(&self) -> usize {
        self.notes.executions.load(Ordering::Relaxed)
    }

    /// The last DELETE since this was asked: when it came, and when it was answered.
    pub(crate) fn take_farewell(&self) -> Option<(Instant, Instant)> {
        self.notes.farewell.lock().unwrap().take()
    }

    /// The kernel's number of the server's thread.
    pub(crate) fn thread(&self) -> u32 {
        self.notes.thread.load(Ordering::Relaxed)
    }
}

async fn answer(request: Request<Incoming>, notes: &Notes) -> Response<Reply> {
    let came = Instant::now();
    if request.uri().path() != "/mcp" {
        return authorization::answer(request).await;
    }
    notes.requests.fetch_add(1, Ordering::Relaxed);
    let authorized = request.headers().get("authorization").is_some_and(|value| {
        value.as_bytes().strip_prefix(b"Bearer ").is_some_and(|token| token == TOKEN.as_bytes())
    });
    if !authorized {
        return authorization::challenge(&request);
    }
    match request.method().as_str() {
        "POST" => match request.into_body().collect().await {
            Ok(body) => tools::answer(&body.to_bytes(), notes).await,
            Err(_) => body::status(400),
        },
        // A stream for the server's own messages, of which there are none.
        "GET" => body::events(body::Reply::silent()),
        "DELETE" => {
            *notes.farewell.lock().unwrap() = Some((came, Instant::now()));
            body::status(200)
        }
        _ => body::status(405),
    }
}
