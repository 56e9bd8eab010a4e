//! The HTTP clients and their limits.
//!
//! Two kinds, because their dangers differ. The OAuth client carries refresh tokens, verifiers and
//! secrets in its bodies: short limits, bounded answers, idle connections forgotten quickly. The MCP
//! client ([`mcp`]) carries the bearer token and streams that stay open for hours. Neither follows redirects
//! nor retries: the library would send the body on to another host on 307 and 308, and would spend a
//! rotating refresh token twice (security.md T1, T3; DESIGN decision 6). The OAuth client goes only where
//! [`Reach`] lets it, because servers choose its addresses; the MCP client goes where the user said.

mod failure;
mod guard;
mod kind;
pub mod mcp;
pub mod rate_limit;
mod reach;
pub mod retry_after;

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use hyper_util::client::proxy::matcher::Matcher;
use reqwest::{Client, Response};
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
    check(url)?;
    let builder = Client::builder()
        .user_agent(concat!("chipp-auth/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .tcp_nodelay(true)
        .connect_timeout(CONNECT)
        .pool_idle_timeout(Duration::from_secs(5))
        .timeout(OAUTH_TOTAL)
        .read_timeout(OAUTH_SILENCE);
    // On this computer there is nothing to encrypt, and a company proxy has no business there.
    let builder =
        if url.scheme() == "http" { builder.no_proxy().tls_certs_only([]) } else { builder.https_only(true) };
    reach.check(url).await?;
    builder.dns_resolver(Guard::new(url, reach)).build().map_err(|_| no_certificates())
}

/// Whether this system has certificate authorities to judge servers by. Reads them, which takes milliseconds.
///
/// # Errors
/// `tls-failed`.
pub fn trust() -> Result<()> {
    mcp::trust().map(|_| ())
}

/// The proxy through which requests to `url` go, if there is one: its host and port, and nothing else of its
/// address.
pub fn proxy(url: &Url) -> Option<String> {
    let through = (url.scheme() == "https").then(Matcher::from_system)?;
    let found = through.intercept(&url.origin().ascii_serialization().parse().ok()?)?;
    let uri = found.uri();
    let port = uri.port().map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{}{port}", uri.host()?))
}

fn no_certificates() -> Error {
    Error::new(Name::TlsFailed, "this computer has no certificate authorities to trust")
        .hinted("install the system's certificates (Debian: apt install ca-certificates)")
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

/// Allows http anywhere, where the user has said so (`--allow-http`). No token of a sign-in may be sent there
/// (RFC 6750 section 5.3): whoever calls this sees to it.
///
/// # Errors
/// `unsafe-url`.
pub fn check_open(url: &Url) -> Result<()> {
    let mut encrypted = url.clone();
    if url.scheme() == "http" && url.host().is_some() {
        let _ = encrypted.set_scheme("https");
    }
    check(&encrypted)
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
    let cause = std::error::Error::source(error);
    let late = error.is_timeout() && !error.is_connect();
    match cause.and_then(failure::ours) {
        None if late => Error::new(Name::Timeout, format!("{host} did not answer in time")),
        _ => failure::named(cause, error.is_connect(), host),
    }
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
    fn http_anywhere_is_for_those_who_ask_for_it() {
        for good in ["http://example.com/mcp", "http://192.168.0.1:8/", "https://e.com/", "http://localhost/"]
        {
            assert!(check_open(&url(good)).is_ok(), "{good}");
        }
        for bad in ["http://user@example.com/", "ftp://example.com/", "file:///etc/passwd", "ws://e.com/"] {
            assert_eq!(check_open(&url(bad)).unwrap_err().name(), Name::UnsafeUrl, "{bad}");
        }
    }

    #[test]
    fn a_shown_url_has_no_query_and_no_credentials() {
        assert_eq!(show(&url("https://u:p@e.com/cb?code=secret#f")), "https://e.com/cb");
    }
}
