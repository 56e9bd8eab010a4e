//! The MCP server: reachable, over a connection that is safe, with a clock like ours. One request, without a
//! token: what it answers to a stranger is enough, and starts the search for the authorization server too.

use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, DATE, HeaderValue, WWW_AUTHENTICATE};
use http::{HeaderMap, Method};
use url::Url;

use crate::cli::proxy::header;
use crate::error::{Error, Name, Result};
use crate::http::mcp::{Client, Failure};
use crate::profile::Target;

use super::check::Check;

/// The longest wait for the answer's head.
const LIMIT: Duration = Duration::from_secs(10);

/// What every server has, and what one challenges that lets anybody `initialize` (A-11).
const QUESTION: &[u8] = br#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}"#;

pub(super) const ID: &str = "server";
pub(super) const CLOCK: &str = "clock";

/// What the server said to a stranger.
pub(super) struct Look {
    pub(super) status: u16,
    /// The values of `WWW-Authenticate`.
    pub(super) challenge: Vec<String>,
    /// The answer is a page for people.
    page: bool,
    /// Its clock, and ours at that moment.
    clocks: Option<[SystemTime; 2]>,
    took: Duration,
}

impl Look {
    /// Whether a stranger is served. A server with sessions may want one first (400).
    pub(super) fn is_open(&self) -> bool {
        matches!(self.status, 200..=299 | 400)
    }
}

/// Asks.
///
/// # Errors
/// `network-down`, `tls-failed`, `timeout`.
pub(super) async fn look(target: &Target) -> Result<Look> {
    let url = &target.url;
    let host = url.host_str().unwrap_or_default();
    // A header that cannot be had is told of by itself; what the server says without it is worth something too.
    let mut headers: HeaderMap = header::of(target).unwrap_or_default().list.into_iter().collect();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
    headers.insert("mcp-protocol-version", HeaderValue::from_static("2025-11-25"));
    headers.insert("mcp-method", HeaderValue::from_static("tools/list"));
    let client = Client::new(url, false)?;
    let began = Instant::now();
    let sent = client.send(Method::POST, headers, Bytes::from_static(QUESTION));
    let late = |_| Error::new(Name::Timeout, format!("{host} did not answer in {} s", LIMIT.as_secs()));
    let answer = tokio::time::timeout(LIMIT, sent).await.map_err(late)?.map_err(|failure| match failure {
        Failure::NotSent(error) => error,
        Failure::Lost => Error::new(Name::NetworkDown, format!("lost the connection to {host}")),
    })?;
    let (took, now) = (began.elapsed(), SystemTime::now());
    let text = |name| answer.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let theirs = text(DATE).and_then(|date| httpdate::parse_http_date(date).ok());
    let values = answer.headers().get_all(WWW_AUTHENTICATE).iter();
    Ok(Look {
        status: answer.status().as_u16(),
        challenge: values.filter_map(|value| value.to_str().ok().map(str::to_owned)).collect(),
        page: text(CONTENT_TYPE).is_some_and(|kind| kind.starts_with("text/html")),
        // Half of the way there and back is the best guess of when it looked at its clock.
        clocks: theirs.map(|theirs| [theirs, now - took / 2]),
        took,
    })
}

/// The profile's own headers, where one of them cannot be had: its variable may be set for the MCP client alone.
pub(super) fn headers(target: &Target) -> Option<Check> {
    let error = header::of(target).err()?;
    Some(Check::warn(
        "headers",
        format!("asked without the profile's headers: {}", error.what()),
        error.hint(),
    ))
}

/// Whether the server is there and is one.
pub(super) fn reachable(url: &Url, found: &Result<Look>) -> Check {
    let host = url.host_str().unwrap_or_default();
    let look = match found {
        Ok(look) => look,
        Err(error) if error.name() == Name::TlsFailed => {
            return Check::skipped(
                ID,
                format!("there is no safe connection to {host}: see `{}`", super::tls::ID),
            );
        }
        Err(error) => return Check::fail(ID, error),
    };
    let status = look.status;
    let after = format!("after {} ms", look.took.as_millis());
    let address = "check the address of the MCP server";
    match status {
        200..=299 if look.page => {
            let what = format!("{host} answers with a page for people, not as an MCP server");
            Check::fail(ID, &Error::new(Name::CaptivePortal, what))
        }
        401 => Check::ok(ID, format!("{host} answers {after} and asks for a sign-in")),
        _ if look.is_open() => Check::ok(ID, format!("{host} answers {after}, without asking for a sign-in")),
        300..=399 => {
            let what = format!("{host} redirects MCP requests");
            let error = Error::new(Name::RedirectRefused, what)
                .hinted("give the address to which it leads as the target; a token is never sent on");
            Check::fail(ID, &error)
        }
        429 => Check::warn(ID, format!("{host} asks us to wait (429)"), "try again later"),
        500.. => Check::fail(ID, &Error::new(Name::ServerError, format!("{host} answers {status}"))),
        _ => Check::warn(ID, format!("{host} answers {status} to an MCP request"), address),
    }
}

/// Above how many seconds a clock is wrong enough to be told of, and to fail.
const WARN: u64 = 60;
const FAIL: u64 = 300;

/// Compares the clocks. Certificates and assertions are judged by ours; ends of tokens are not, since they are
/// counted from when they came.
pub(super) fn clock(found: &Result<Look>) -> Check {
    let clocks = match found {
        Ok(look) => look.clocks,
        Err(_) => return Check::skipped(CLOCK, "the server could not be asked"),
    };
    let Some([theirs, ours]) = clocks else {
        return Check::skipped(CLOCK, "the server does not say what time it is");
    };
    let (off, direction) = match ours.duration_since(theirs) {
        Ok(ahead) => (ahead.as_secs(), "ahead of"),
        Err(behind) => (behind.duration().as_secs(), "behind"),
    };
    let what = format!("this computer's clock is {} {direction} the server's", crate::cli::ui::span(off));
    let remedy = "set this computer's clock, or let it be set from the network (NTP)";
    if off > FAIL {
        // What a wrong clock breaks first.
        return Check::fail(CLOCK, &Error::new(Name::TlsFailed, what).hinted(remedy));
    }
    match off > WARN {
        true => Check::warn(CLOCK, what, remedy),
        false => Check::ok(CLOCK, "this computer's clock agrees with the server's"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::check::Status;

    fn said(status: u16) -> Look {
        Look { status, challenge: Vec::new(), page: false, clocks: None, took: Duration::ZERO }
    }

    #[test]
    fn an_answer_that_no_mcp_server_gives_is_told_of() {
        let url = Url::parse("https://e.com/mcp").unwrap();
        for (status, page, expected, name) in [
            (200, false, Status::Ok, None),
            (202, false, Status::Ok, None),
            (200, true, Status::Fail, Some(Name::CaptivePortal)),
            (401, false, Status::Ok, None),
            (401, true, Status::Ok, None),
            (400, false, Status::Ok, None),
            (403, false, Status::Warn, None),
            (404, false, Status::Warn, None),
            (429, false, Status::Warn, None),
            (307, false, Status::Fail, Some(Name::RedirectRefused)),
            (500, false, Status::Fail, Some(Name::ServerError)),
            (599, true, Status::Fail, Some(Name::ServerError)),
        ] {
            let check = reachable(&url, &Ok(Look { page, ..said(status) }));
            assert_eq!((check.status, check.name), (expected, name), "{status} {page}");
        }
    }

    #[test]
    fn a_clock_is_judged_in_both_directions() {
        let now = SystemTime::now();
        for (seconds, status) in [
            (0, Status::Ok),
            (60, Status::Ok),
            (61, Status::Warn),
            (300, Status::Warn),
            (301, Status::Fail),
            (1_000_000_000, Status::Fail),
        ] {
            let off = Duration::from_secs(seconds);
            for (theirs, word) in [(now + off, "behind"), (now - off, "ahead")] {
                let check = clock(&Ok(Look { clocks: Some([theirs, now]), ..said(401) }));
                assert_eq!(check.status, status, "{seconds} {word}");
                assert!(status == Status::Ok || check.what.contains(word), "{}", check.what);
            }
        }
        assert_eq!(clock(&Ok(said(401))).status, Status::Skipped);
    }
}
