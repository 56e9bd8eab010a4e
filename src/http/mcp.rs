//! The HTTP client for MCP traffic: one server, as many requests at a time as the host has, streams that
//! stay open for hours, and as little work per request as there can be.
//!
//! It stands on hyper's connections and not on reqwest, whose layers cost more than the rest of the way
//! through this program. What it needs of a client is little: one origin, so no redirects (T-11), no cookies, no
//! decompression; a pool that knows which connections are free; and the exact knowledge whether a request
//! has left. A request is sent again by this client in one case only: the server had closed the
//! connection before anything of the request was written to it (P6).

mod answer;
mod connect;
mod pool;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use http::header::{HOST, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, Uri};
use http_body_util::Full;
use url::Url;

use crate::error::{Error, Name, Result};

pub use answer::{Answer, Broken};
use connect::Connector;
pub(super) use connect::trust;
use pool::{Link, Pool};

const AGENT: HeaderValue = HeaderValue::from_static(concat!("chipp-auth/", env!("CARGO_PKG_VERSION")));

/// Why there is no answer.
#[derive(Debug)]
pub enum Failure {
    /// Nothing of the request has reached the server: there was no connection. It may be sent again.
    NotSent(Error),
    /// The connection broke after that. The server may have acted.
    Lost,
}

/// A client for one MCP endpoint. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct Client {
    pool: Arc<Pool>,
    /// The endpoint as HTTP/2 names it, and as HTTP/1.1 does.
    absolute: Uri,
    origin: Uri,
    host: HeaderValue,
}

impl Client {
    /// A client for requests to `url`. Nothing is opened yet, nor is TLS prepared: that takes milliseconds
    /// where the system's certificates have to be read.
    ///
    /// `open`: the user accepts that the connection is not encrypted, on any host.
    ///
    /// # Errors
    /// `unsafe-url`, as [`super::check`], or [`super::check_open`].
    pub fn new(url: &Url, open: bool) -> Result<Self> {
        if open {
            super::check_open(url)?;
        } else {
            super::check(url)?;
        }
        Client::over(url, Pool::new(Connector::new(url)?))
    }

    /// A client for another path of the same server, over the same connections. The origin of `url` is not
    /// looked at: the caller has seen that it is the same.
    ///
    /// # Errors
    /// `unsafe-url` for what cannot be a path.
    pub fn at(&self, url: &Url) -> Result<Self> {
        Client::over(url, Arc::clone(&self.pool))
    }

    fn over(url: &Url, pool: Arc<Pool>) -> Result<Self> {
        let bad = |_: http::Error| {
            Error::new(Name::UnsafeUrl, format!("{} is no address for HTTP", super::show(url)))
        };
        let mut shown = url.clone();
        shown.set_fragment(None);
        let absolute: Uri =
            shown.as_str().parse().map_err(|error: http::uri::InvalidUri| bad(error.into()))?;
        let path = absolute.path_and_query().map_or("/", |path| path.as_str());
        let origin = path.parse().map_err(|error: http::uri::InvalidUri| bad(error.into()))?;
        // `Url` leaves the port out where it is the scheme's own.
        let authority = absolute.authority().map_or("", |authority| authority.as_str());
        let host = HeaderValue::from_str(authority).map_err(|error| bad(error.into()))?;
        Ok(Client { pool, absolute, origin, host })
    }

    /// Sends a request and returns the head of its answer. Dropping the future, or the answer before its
    /// end, closes the stream, which cancels the request in MCP 2026-07-28 (T-59).
    ///
    /// `body` is dropped when its last byte has been written.
    ///
    /// # Errors
    /// See [`Failure`]. A failed connection is named: `network-down`, `tls-failed`.
    pub async fn send(&self, method: Method, headers: HeaderMap, body: Bytes) -> Result<Answer, Failure> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.headers_mut() = headers;
        request.headers_mut().entry(USER_AGENT).or_insert(AGENT);
        loop {
            let (link, reused) = self.pool.take().await.map_err(Failure::NotSent)?;
            self.address(&mut request, &link);
            match link.send(request, &self.pool).await {
                Ok(answer) => return Ok(answer),
                Err(mut error) => match error.take_message() {
                    // The connection was closed while it lay idle, and the request was not begun.
                    Some(unsent) if reused => request = unsent,
                    Some(_) => {
                        let error = error.into_error();
                        return Err(Failure::NotSent(super::failure::connecting(&error, self.pool.host())));
                    }
                    None => return Err(Failure::Lost),
                },
            }
        }
    }

    /// Opens a connection, or finds that one is open. No request is sent on it.
    ///
    /// # Errors
    /// `network-down`, `tls-failed`.
    pub async fn connect(&self) -> Result<()> {
        self.pool.take().await.map(drop)
    }

    /// Lets a second connection be opened beside the first, if the server speaks HTTP/1.1: the stream for
    /// its own messages will keep one for itself, and the next request should not have to wait for
    /// another. No request is sent on it.
    pub fn spare(&self) {
        self.pool.spare();
    }

    fn address(&self, request: &mut Request<Full<Bytes>>, link: &Link) {
        if link.is_shared() {
            *request.uri_mut() = self.absolute.clone();
        } else {
            *request.uri_mut() = self.origin.clone();
            request.headers_mut().entry(HOST).or_insert_with(|| self.host.clone());
        }
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Client").field(&self.pool.host()).finish()
    }
}
