//! Serves the connections, each in a task of its own and each with a limit to everything.
//!
//! Browsers open connections in advance and leave them silent, and anybody on this computer may
//! connect: none of that may delay the one true callback or take memory without end (L7).

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::gate::Gate;
use super::guard::{self, Route};
use super::notice;

/// Connections at a time; more are closed at once (row 32).
const CONNECTIONS: usize = 32;
/// Until a request's head is complete (row 31).
const HEAD: Duration = Duration::from_secs(10);
/// Bytes of a request's head (row 30).
const HEAD_BYTES: usize = 16 * 1024;
/// A connection as a whole: its head, the wait for the outcome, and the answer.
const CONNECTION: Duration = Duration::from_secs(30);
/// Bytes and time granted to the body of a request that is refused (row 24).
const DRAIN: (usize, Duration) = (64 * 1024, Duration::from_secs(1));

/// Serves until it is dropped, which closes the sockets and every connection.
pub(super) async fn run(sockets: Vec<TcpListener>, gate: Arc<Gate>) {
    let mut connections = JoinSet::new();
    loop {
        match accept(&sockets).await {
            Ok(stream) => {
                while connections.try_join_next().is_some() {}
                if connections.len() < CONNECTIONS {
                    connections.spawn(connection(stream, gate.clone()));
                }
            }
            // A reset before the accept, or no descriptors left: either passes. The pause keeps the
            // second from becoming a busy loop.
            Err(_) => sleep(Duration::from_millis(20)).await,
        }
    }
}

/// The next connection on any of the sockets.
async fn accept(sockets: &[TcpListener]) -> io::Result<TcpStream> {
    std::future::poll_fn(|cx| {
        for socket in sockets {
            if let Poll::Ready(accepted) = socket.poll_accept(cx) {
                return Poll::Ready(accepted.map(|(stream, _)| stream));
            }
        }
        Poll::Pending
    })
    .await
}

async fn connection(stream: TcpStream, gate: Arc<Gate>) {
    let shown = AtomicBool::new(false);
    let service = service_fn(|request| async { Ok::<_, Infallible>(respond(request, &gate, &shown).await) });
    let served = http1::Builder::new()
        // Without a timer, the library's time limits are silently off.
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_BYTES)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    // How a connection ends concerns nobody but its client.
    let _ = timeout(CONNECTION, served).await;
    if shown.load(Ordering::Relaxed) {
        gate.arrived();
    }
}

async fn respond(request: Request<Incoming>, gate: &Gate, shown: &AtomicBool) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let refused = match guard::route(&head, &gate.site) {
        Ok(Route::Callback) => match gate.admit(head.uri.query().unwrap_or_default()) {
            Ok(()) => {
                gate.hold().await;
                return notice::to_done();
            }
            Err(refused) => refused,
        },
        Ok(Route::Done) => match gate.page() {
            Some(page) => {
                shown.store(true, Ordering::Relaxed);
                return notice::shown(page);
            }
            None => notice::Notice::Nothing,
        },
        Err(refused) => refused,
    };
    if !head.headers.contains_key(header::EXPECT) {
        drain(body).await;
    }
    refused.response()
}

/// Reads and forgets a little of a body that is not wanted: closing a socket with unread bytes
/// resets it, and the answer would be lost.
async fn drain(mut body: Incoming) {
    let (limit, time) = DRAIN;
    let read = async {
        let mut seen = 0;
        while let Some(Ok(frame)) = body.frame().await {
            seen += frame.data_ref().map_or(0, Bytes::len);
            if seen >= limit {
                break;
            }
        }
    };
    let _ = timeout(time, read).await;
}
