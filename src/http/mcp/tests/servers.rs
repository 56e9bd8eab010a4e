//! Servers of few words.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use url::Url;

use super::PATIENCE;

/// What is done on each connection.
#[derive(Clone, Copy)]
pub(super) enum Act {
    Answer,
    /// Answers, and closes without saying so.
    AnswerAndClose,
    /// Answers the first request and closes after having read the second.
    Once,
    ReadAndClose,
    /// Closes in the middle of the head.
    Half,
    /// Says something and goes on.
    Endless,
    /// Says less than it promised.
    Torn,
    /// A proxy for CONNECT that leads to this port.
    Tunnel(u16),
    /// The same in SOCKS 5.
    Socks(u16),
    /// Says at once that it understands nothing.
    Complain,
    /// A proxy that does not want to.
    Refuse,
}

const HELLO: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";

#[derive(Default)]
struct Log {
    heads: Mutex<Vec<String>>,
    connections: AtomicUsize,
    changed: Notify,
    closed: AtomicUsize,
}

pub(super) struct Server {
    pub(super) port: u16,
    log: Arc<Log>,
    accepting: JoinHandle<()>,
    /// Changes when all connections are to be closed.
    closing: watch::Sender<()>,
    seen_closed: AtomicUsize,
}

impl Server {
    pub(super) async fn start(act: Act) -> Self {
        Server::with(move |socket, log| async move { serve(act, socket, &log).await.unwrap_or_default() })
            .await
    }

    pub(super) async fn over_tls(offers: &[&str]) -> Self {
        let chain = CertificateDer::pem_slice_iter(include_bytes!("server.pem"));
        let key = PrivateKeyDer::from_pem_slice(include_bytes!("server-key.pem")).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.unwrap().with_no_client_auth();
        let mut config = config.with_single_cert(chain.map(Result::unwrap).collect(), key).unwrap();
        config.alpn_protocols = offers.iter().map(|offer| offer.as_bytes().to_vec()).collect();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        Server::with(move |socket, log| {
            let acceptor = acceptor.clone();
            async move {
                let Ok(socket) = acceptor.accept(socket).await else { return };
                let is_h2 = socket.get_ref().1.alpn_protocol() == Some(b"h2");
                let service = service_fn(move |_| {
                    log.heads.lock().unwrap().push(String::new());
                    async {
                        Ok::<_, Infallible>(http::Response::new(Full::new(Bytes::from_static(b"hello"))))
                    }
                });
                let socket = TokioIo::new(socket);
                if is_h2 {
                    let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                    let _ = builder.serve_connection(socket, service).await;
                } else {
                    let _ =
                        hyper::server::conn::http1::Builder::new().serve_connection(socket, service).await;
                }
            }
        })
        .await
    }

    async fn with<F: Future<Output = ()> + Send + 'static>(
        serve: impl Fn(TcpStream, Arc<Log>) -> F + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (log, closing) = (Arc::new(Log::default()), watch::Sender::new(()));
        let (logged, closed) = (Arc::clone(&log), closing.clone());
        let accepting = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                logged.connections.fetch_add(1, Ordering::SeqCst);
                logged.changed.notify_waiters();
                let (log, mut closing) = (Arc::clone(&logged), closed.subscribe());
                let serving = serve(socket, Arc::clone(&logged));
                tokio::spawn(async move {
                    tokio::select! {
                        () = serving => {}
                        _ = closing.changed() => {}
                    }
                    log.closed.fetch_add(1, Ordering::SeqCst);
                    log.changed.notify_waiters();
                });
            }
        });
        Server { port, log, accepting, closing, seen_closed: AtomicUsize::new(0) }
    }

    pub(super) fn url(&self, scheme: &str) -> Url {
        Url::parse(&format!("{scheme}://localhost:{}/mcp?a=b#c", self.port)).unwrap()
    }

    pub(super) fn connections(&self) -> usize {
        self.log.connections.load(Ordering::SeqCst)
    }

    /// What was read of each request, as far as it was looked at.
    pub(super) fn heads(&self) -> Vec<String> {
        self.log.heads.lock().unwrap().clone()
    }

    /// Returns when there have been so many connections.
    pub(super) async fn reaches(&self, connections: usize) {
        self.until(|log| log.connections.load(Ordering::SeqCst) >= connections).await;
    }

    /// Returns when one more connection is closed, and the client can know it.
    pub(super) async fn closed_one(&self) {
        let wanted = self.seen_closed.fetch_add(1, Ordering::SeqCst) + 1;
        self.until(|log| log.closed.load(Ordering::SeqCst) >= wanted).await;
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }

    pub(super) async fn close_all(&self) {
        let open = self.connections();
        self.closing.send_replace(());
        self.until(|log| log.closed.load(Ordering::SeqCst) >= open).await;
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }

    pub(super) async fn stop(self) {
        self.accepting.abort();
        let _ = self.accepting.await;
    }

    async fn until(&self, is_so: impl Fn(&Log) -> bool) {
        let waiting = async {
            loop {
                let changed = self.log.changed.notified();
                if is_so(&self.log) {
                    return;
                }
                changed.await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.expect("it did not come to that");
    }
}

/// What the client trusts.
pub(super) fn trust() -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(include_bytes!("ca.pem")).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let mut config = config.unwrap().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config
}

async fn serve(act: Act, mut socket: TcpStream, log: &Log) -> std::io::Result<()> {
    if let Act::Socks(port) = act {
        let mut greeting = [0; 3];
        socket.read_exact(&mut greeting).await?;
        socket.write_all(&[5, 0]).await?;
        let mut wish = [0; 5];
        socket.read_exact(&mut wish).await?;
        let mut name = vec![0; usize::from(wish[4]) + 2];
        socket.read_exact(&mut name).await?;
        log.heads.lock().unwrap().push(String::from_utf8_lossy(&name).into_owned());
        socket.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 1]).await?;
        return join(socket, port).await;
    }
    for number in 0.. {
        if let Act::Complain = act {
            socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await?;
            let _ = socket.read(&mut [0; 1000]).await;
            return Ok(());
        }
        if let Act::Half = act {
            let mut some = [0; 10];
            socket.read_exact(&mut some).await?;
            log.heads.lock().unwrap().push(String::new());
            return Ok(());
        }
        let head = read_request(&mut socket).await?;
        log.heads.lock().unwrap().push(head);
        match act {
            Act::ReadAndClose => return Ok(()),
            Act::Once if number > 0 => return Ok(()),
            Act::Answer | Act::Once => socket.write_all(HELLO).await?,
            Act::AnswerAndClose => return socket.write_all(HELLO).await,
            Act::Torn => {
                return socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhello").await;
            }
            Act::Endless => {
                socket
                    .write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n")
                    .await?;
                let _ = socket.read(&mut [0; 1]).await;
                return Ok(());
            }
            Act::Tunnel(port) => {
                socket.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
                return join(socket, port).await;
            }
            Act::Refuse => return socket.write_all(b"HTTP/1.1 403 Forbidden\r\n\r\n").await,
            Act::Half | Act::Complain | Act::Socks(_) => unreachable!(),
        }
    }
    Ok(())
}

/// Reads a request and returns its head.
async fn read_request(socket: &mut (impl AsyncRead + Unpin)) -> std::io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.split('\r').next()?.parse().ok());
    let mut body = vec![0; length.unwrap_or_default()];
    socket.read_exact(&mut body).await?;
    Ok(head)
}

async fn join(mut socket: impl AsyncRead + AsyncWrite + Unpin, port: u16) -> std::io::Result<()> {
    let mut other = TcpStream::connect(("127.0.0.1", port)).await?;
    tokio::io::copy_bidirectional(&mut socket, &mut other).await.map(drop)
}
