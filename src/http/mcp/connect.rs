//! Opens connections: TCP to the server or to the system's proxy, TLS, and the choice between HTTP/2 and
//! HTTP/1.1, which the server makes (ALPN).

use std::error::Error as StdError;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http::Uri;
use http_body_util::Full;
use hyper::client::conn::{http1, http2};
use hyper::rt::{Read, Write};
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::proxy::{SocksV4, SocksV5, Tunnel};
use hyper_util::client::legacy::connect::{Connection, HttpConnector};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt;
use tower_service::Service;
use url::Url;

use super::pool::Link;
use crate::error::{Error, Name, Result};
use crate::http::{CONNECT, failure};

/// How often a connection that lies still is asked whether it still lives.
const PROBE: Duration = Duration::from_secs(15);
const PROBES: u32 = 3;
/// The same over HTTP/2, where the server has to answer.
const PING: Duration = Duration::from_secs(30);

type Fault = Box<dyn StdError + Send + Sync>;

/// Opens connections to one server.
pub(super) struct Connector {
    uri: Uri,
    host: String,
    proxy: Option<Intercept>,
    tcp: HttpConnector,
    tls: OnceLock<Result<Arc<ClientConfig>>>,
}

impl Connector {
    pub(super) fn new(url: &Url) -> Result<Self> {
        // On this computer a company proxy has no business.
        let matcher = (url.scheme() == "https").then(Matcher::from_system);
        Connector::with(url, matcher)
    }

    pub(super) fn with(url: &Url, proxies: Option<Matcher>) -> Result<Self> {
        let origin = url.origin().ascii_serialization();
        let uri: Uri = origin.parse().map_err(|_| {
            Error::new(Name::UnsafeUrl, format!("{} is no address for HTTP", crate::http::show(url)))
        })?;
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT));
        tcp.set_keepalive(Some(PROBE));
        tcp.set_keepalive_interval(Some(PROBE));
        tcp.set_keepalive_retries(Some(PROBES));
        let proxy = proxies.and_then(|proxies| proxies.intercept(&uri));
        let host = url.host_str().unwrap_or("the server").to_owned();
        Ok(Connector { uri, host, proxy, tcp, tls: OnceLock::new() })
    }

    /// Trusts these certificates, and not the system's.
    #[cfg(test)]
    pub(super) fn trusting(self, config: ClientConfig) -> Self {
        let _ = self.tls.set(Ok(Arc::new(config)));
        self
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// For a connection that never came.
    pub(super) fn gone(&self) -> Error {
        Error::new(Name::NetworkDown, format!("could not connect to {}: no connection", self.host))
    }

    /// Opens one.
    ///
    /// # Errors
    /// `network-down`, `tls-failed`.
    pub(super) async fn connect(&self) -> Result<Link> {
        let opened = tokio::time::timeout(CONNECT, self.open()).await;
        let fault = match opened {
            Ok(Ok(link)) => return Ok(link),
            Ok(Err(fault)) => fault,
            Err(_) => "operation timed out".into(),
        };
        Err(failure::connecting(&*fault, &self.host))
    }

    async fn open(&self) -> Result<Link, Fault> {
        let mut tcp = self.tcp.clone();
        if self.uri.scheme_str() == Some("http") {
            return speak(MaybeHttpsStream::Http(tcp.call(self.uri.clone()).await?)).await;
        }
        let tls = self.tls()?;
        let over = match &self.proxy {
            None => return secure(tcp, tls, &self.uri).await,
            Some(proxy) => proxy.uri().clone(),
        };
        let user = self.proxy.as_ref().and_then(Intercept::raw_auth);
        let user = user.map(|(name, password)| (name.to_owned(), password.to_owned()));
        match over.scheme_str() {
            // The name is looked up by the proxy in every case: here it would block, and tell the local
            // network which server is meant.
            Some("socks5" | "socks5h") => {
                let socks = SocksV5::new(with_port(over)?, tcp);
                let socks = match user {
                    Some((name, password)) => socks.with_auth(name, password),
                    None => socks,
                };
                secure(socks, tls, &self.uri).await
            }
            Some("socks4" | "socks4a") => secure(SocksV4::new(with_port(over)?, tcp), tls, &self.uri).await,
            _ => {
                // To the proxy itself only HTTP/1.1 is spoken, encrypted if its address says so.
                let mut plain = ClientConfig::clone(&tls);
                plain.alpn_protocols = Vec::new();
                let tunnel = Tunnel::new(over, HttpsConnector::from((tcp, plain)));
                let mut headers = http::HeaderMap::new();
                headers.insert(http::header::USER_AGENT, super::AGENT);
                let tunnel = tunnel.with_headers(headers);
                let tunnel = match self.proxy.as_ref().and_then(Intercept::basic_auth) {
                    Some(auth) => tunnel.with_auth(auth.clone()),
                    None => tunnel,
                };
                secure(tunnel, tls, &self.uri).await
            }
        }
    }

    /// What TLS needs, made when it is first needed.
    fn tls(&self) -> Result<Arc<ClientConfig>> {
        self.tls.get_or_init(trust).clone()
    }
}

/// The system's own judgement of certificates.
pub(in crate::http) fn trust() -> Result<Arc<ClientConfig>> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.and_then(BuilderVerifierExt::with_platform_verifier);
    let mut config = config.map_err(|_| super::super::no_certificates())?.with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// A SOCKS proxy's own port, where none is given (RFC 1928 section 3).
fn with_port(proxy: Uri) -> Result<Uri, http::Error> {
    if proxy.port().is_some() {
        return Ok(proxy);
    }
    let authority = format!("{}:1080", proxy.host().unwrap_or_default());
    Uri::builder().scheme("http").authority(authority).path_and_query("/").build()
}

/// Connects by `connector`, with TLS on top.
async fn secure<C>(connector: C, tls: Arc<ClientConfig>, uri: &Uri) -> Result<Link, Fault>
where
    C: Service<Uri>,
    C::Response: Connection + Read + Write + Send + Unpin + 'static,
    C::Future: Send + 'static,
    C::Error: Into<Fault>,
{
    let mut connector = HttpsConnector::from((connector, tls));
    connector.enforce_https();
    speak(connector.call(uri.clone()).await?).await
}

/// Speaks HTTP over an open connection.
async fn speak<T>(io: T) -> Result<Link, Fault>
where
    T: Connection + Read + Write + Send + Unpin + 'static,
{
    if io.connected().is_negotiated_h2() {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder.timer(TokioTimer::new()).keep_alive_interval(PING).keep_alive_while_idle(true);
        let (link, connection) = builder.handshake::<_, Full<Bytes>>(io).await?;
        tokio::spawn(connection);
        return Ok(Link::Shared(link));
    }
    let (mut link, connection) = http1::handshake(io).await?;
    tokio::spawn(connection);
    link.ready().await?;
    Ok(Link::Single(link))
}
