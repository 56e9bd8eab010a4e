//! The HTTP clients and their limits.
//!
//! Two kinds, because their dangers differ. The OAuth client carries refresh tokens, verifiers and
//! secrets in its bodies: short limits, bounded answers, idle connections forgotten quickly. The MCP
//! client carries the bearer token and streams that stay open for hours. Neither follows redirects
//! nor retries: the library would send the body on to another host on 307 and 308, and would spend a
//! rotating refresh token twice (security.md T1, T3; DESIGN decision 6). The OAuth client goes only where
//! [`Reach`] lets it, because servers choose its addresses; the MCP client goes where the user said.

mod guard;
mod kind;
mod reach;

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::{Client, ClientBuilder, Response};
use url::{Host, Url};

use crate::error::{Error, Name, Result};

use guard::Guard;
pub use reach::Reach;

/// The largest answer read from an OAuth endpoint, in bytes (security.md T4).
pub const TOKEN_ANSWER_LIMIT: usize = 256 * 1024;
/// The largest metadata document, in bytes (security.md D8).
pub const METADATA_LIMIT: usize = 1024 * 1024;

const CONNECT: Duration = Duration::from_secs(10);
const OAUTH_TOTAL: Duration = Duration::from_secs(30);
const OAUTH_SILENCE: Duration = Duration::from_secs(20);

/// A client for metadata, registration, token and revocation requests to `url`'s host, and to no other:
/// what is reachable is judged for this host (D1).
///
/// # Errors
/// `unsafe-url` for anything but https, or http on this computer, and for an address out of
/// `reach`; `tls-failed` if the system has no usable certificates.
pub async fn oauth(url: &Url, reach: &Reach) -> Result<Client> {
    let builder = base(url)?.timeout(OAUTH_TOTAL).read_timeout(OAUTH_SILENCE);
    reach.check(url).await?;
    build(builder.dns_resolver(Guard::new(url, reach)).pool_idle_timeout(Duration::from_secs(5)))
}

/// A client for MCP traffic to `url`'s host. It has no total time limit: a stream may live for hours.
///
/// # Errors
/// As [`oauth`], apart from its `reach`.
pub fn mcp(url: &Url) -> Result<Client> {
    let keep_alive = Duration::from_secs(30);
    build(
        base(url)?
            .pool_idle_timeout(keep_alive)
            .http2_keep_alive_interval(keep_alive)
            .http2_keep_alive_while_idle(true),
    )
}

/// What both clients share.
fn base(url: &Url) -> Result<ClientBuilder> {
    check(url)?;
    let builder = Client::builder()
        .user_agent(concat!("chipp-auth/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .tcp_nodelay(true)
        .connect_timeout(CONNECT);
    // On this computer there is nothing to encrypt, and a company proxy has no business there.
    // Reading the system's certificates costs milliseconds at each start.
    Ok(if url.scheme() == "http" { builder.no_proxy().tls_certs_only([]) } else { builder.https_only(true) })
}

fn build(builder: ClientBuilder) -> Result<Client> {
    builder.build().map_err(|_| {
        Error::new(Name::TlsFailed, "this computer has no certificate authorities to trust")
            .hinted("install the system's certificates (Debian: apt install ca-certificates)")
    })
}

/// Whether a URL's host is this computer, judged by its literal form alone.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Allows https anywhere, and http on this computer; neither with a user name or password (A-41, A-63: OAuth 2.1
/// section 1.5).
///
/// # Errors
/// `unsafe-url`.
pub fn check(url: &Url) -> Result<()> {
    let refuse = |why: &str| Err(Error::new(Name::UnsafeUrl, format!("{} {why}", show(url))));
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("contains a user name or password").map_err(|error| {
            error.hinted("leave them out of the address; a server with OAuth does not need them")
        });
    }
    match url.scheme() {
        "https" if url.host().is_some() => Ok(()),
        "http" if is_loopback(url) => Ok(()),
        "http" => refuse("is not encrypted"),
        _ => refuse("is neither https nor http"),
    }
}

/// A URL for people: origin and path only. Queries may carry codes and states, and are never shown.
pub fn show(url: &Url) -> String {
    let mut shown = url.clone();
    shown.set_query(None);
    shown.set_fragment(None);
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    crate::error::clean(shown.as_str())
}

/// Reads a body of at most `limit` bytes.
///
/// # Errors
/// `bad-response` if it is larger, otherwise as [`transport`].
pub async fn read(mut response: Response, limit: usize) -> Result<Bytes> {
    let host = response.url().host_str().unwrap_or("the server").to_owned();
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| transport(&error, &host))? {
        if body.len() + chunk.len() > limit {
            let what = format!("the answer of {host} is larger than {} KiB", limit / 1024);
            return Err(Error::new(Name::BadResponse, what));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// Names a failure below HTTP. The library's own text is not used: it contains the URL.
pub fn transport(error: &reqwest::Error, host: &str) -> Error {
    // Our own, from the resolver.
    let mut sources = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    if let Some(ours) = sources.find_map(|cause| cause.downcast_ref::<Error>()) {
        return ours.clone();
    }
    if error.is_timeout() && !error.is_connect() {
        return Error::new(Name::Timeout, format!("{host} did not answer in time"));
    }
    let causes = causes(error);
    // rustls' own words: expired, unknown issuer, wrong name.
    if let Some(reason) = causes.iter().find(|cause| cause.contains("certificate")) {
        return Error::new(Name::TlsFailed, format!("no safe connection to {host}: {reason}"));
    }
    if error.is_connect() && speaks_no_tls(error) {
        let reason = causes.last().map(String::as_str).unwrap_or_default();
        return Error::new(Name::TlsFailed, format!("no safe connection to {host}: {reason}"))
            .hinted("check the address and the port: what answers there does not speak https, or an outdated form of it");
    }
    let reason = causes.last().cloned().unwrap_or_else(|| "no connection".to_owned());
    let what = if error.is_connect() { "could not connect to" } else { "lost the connection to" };
    Error::new(Name::NetworkDown, format!("{what} {host}: {reason}"))
}

/// Whether the handshake failed: rustls' errors come as invalid data, those of the network never do.
fn speaks_no_tls(error: &reqwest::Error) -> bool {
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    causes.filter_map(|cause| cause.downcast_ref()).any(is_invalid_data)
}

/// The connector wraps such an error in another one.
fn is_invalid_data(error: &std::io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    error.kind() == std::io::ErrorKind::InvalidData || inner.is_some_and(is_invalid_data)
}

/// The chain of causes, without the first, which names the URL.
fn causes(error: &reqwest::Error) -> Vec<String> {
    let first = std::error::Error::source(error);
    std::iter::successors(first, |cause| cause.source())
        .map(|cause| crate::error::clean(&cause.to_string()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn only_https_and_loopback_http_are_allowed() {
        for good in
            ["https://example.com/mcp", "http://localhost:1/", "http://127.0.0.1:9/x", "http://[::1]/"]
        {
            assert!(check(&url(good)).is_ok(), "{good}");
        }
        for bad in [
            "http://example.com/",
            "http://localhost.example.com/",
            "http://192.168.0.1/",
            "https://user@example.com/",
            "https://user:pass@example.com/",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "ftp://localhost/",
        ] {
            assert_eq!(check(&url(bad)).unwrap_err().name(), Name::UnsafeUrl, "{bad}");
        }
    }

    #[test]
    fn a_shown_url_has_no_query_and_no_credentials() {
        assert_eq!(show(&url("https://u:p@e.com/cb?code=secret#f")), "https://e.com/cb");
    }
}
