//! Refuses what a browser would not send that an authorization server sent here.
//!
//! The listener cannot tell by the address who speaks: any page may point the user's browser at
//! loopback, also under a name of its own (DNS rebinding, L5). But browsers say in `Host` which name
//! they used and in `Sec-Fetch-*` what for, and pages cannot change either.

use http::{Method, Version, header, request::Parts};

use super::notice::Notice;

/// Where requests have to go.
#[derive(Debug, Clone)]
pub(super) struct Site {
    pub(super) port: u16,
    /// The path of the redirect URI, as a browser asks for it.
    pub(super) path: String,
}

/// What a request that passed asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// `GET` of the redirect URI, with whatever query.
    Callback,
    /// `GET /done`: the outcome, under an address without the code (L8).
    Done,
}

/// Looks at everything but the query.
pub(super) fn route(head: &Parts, site: &Site) -> Result<Route, Notice> {
    // An absolute target is for proxies, and no browser speaks HTTP/1.0 (row 29).
    if head.version != Version::HTTP_11 || head.uri.scheme().is_some() {
        return Err(Notice::NotOurs);
    }
    if !is_our_host(head, site.port) {
        return Err(Notice::Foreign);
    }
    let route = match (head.uri.path(), head.uri.query()) {
        // First, so that a redirect URI with this very path still has its last page: answers have a query.
        ("/done", None) => Route::Done,
        (path, _) if path == site.path => Route::Callback,
        _ => return Err(Notice::Nothing),
    };
    if head.method != Method::GET {
        return Err(Notice::Method);
    }
    if is_prefetch(head) {
        return Err(Notice::Prefetch);
    }
    let is = |name: &str, wanted: &str| head.headers.get_all(name).iter().all(|value| value == wanted);
    if !is("sec-fetch-mode", "navigate") || !is("sec-fetch-dest", "document") {
        return Err(Notice::Foreign);
    }
    Ok(route)
}

/// Exactly one `Host`, and exactly one of our three names with our port.
fn is_our_host(head: &Parts, port: u16) -> bool {
    let mut hosts = head.headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    ["localhost", "127.0.0.1", "[::1]"].iter().any(|name| {
        // Browsers leave out the port that http has by default.
        host.as_bytes() == format!("{name}:{port}").as_bytes() || (port == 80 && host == name)
    })
}

/// A page fetched in advance, which nobody may ever look at, must not use up the code (row 26).
fn is_prefetch(head: &Parts) -> bool {
    ["sec-purpose", "purpose", "x-purpose", "x-moz"].iter().any(|name| {
        head.headers.get_all(*name).iter().any(|value| {
            let value = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
            value.contains("prefetch") || value.contains("preview") || value.contains("prerender")
        })
    })
}
