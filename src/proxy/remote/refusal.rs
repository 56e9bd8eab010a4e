//! An HTTP answer that is not a success, and the name of the failure it means (row 132).

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{LOCATION, RETRY_AFTER};
use http::{HeaderMap, StatusCode};
use url::Url;

use super::busy;
use super::status::Meaning;
use crate::error::{Error, Name, clean};
use crate::http::retry_after::Wait;
use crate::http::{rate_limit, show};
use crate::proxy::envelope::{Envelope, Kind, member, string};
use crate::proxy::message::METHOD_NOT_FOUND;

/// What a server of 2026-07-28 says with 400 and 404: wrong headers, a missing capability, another version, no
/// such method, wrong parameters (T-63, T-64).
const MODERN: [&str; 5] = ["-32020", "-32021", "-32022", "-32601", "-32602"];

/// How much of a body that is no JSON may tell of a lost session, in bytes.
const PLAIN: usize = 200;

/// The answer, with what was read of its body.
pub(in crate::proxy) struct Refusal {
    pub(in crate::proxy) status: StatusCode,
    pub(in crate::proxy) headers: HeaderMap,
    pub(in crate::proxy) body: Bytes,
    /// Whether the request carried a session id.
    pub(in crate::proxy) in_session: bool,
}

impl Refusal {
    /// The server does not know the session any more (T-23). 404 with "method not found" is an answer.
    /// Servers built after the official SDK's examples say 400 where they should say 404; there the
    /// words must tell (T-24).
    pub(in crate::proxy) fn is_session_gone(&self) -> bool {
        match self.status {
            _ if !self.in_session => false,
            StatusCode::NOT_FOUND => self.code() != Some(&METHOD_NOT_FOUND.to_string()),
            StatusCode::BAD_REQUEST if !self.is_answer() => {
                let plain = || String::from_utf8_lossy(&self.body[..self.body.len().min(PLAIN)]).into_owned();
                let words = self.words().unwrap_or_else(plain).to_lowercase();
                let unknown = ["no valid", "not found", "invalid", "unknown", "expired", "no transport"];
                words.contains("session") && unknown.iter().any(|word| words.contains(word))
            }
            _ => false,
        }
    }

    /// Whether the body is a JSON-RPC answer for a particular request (T-08).
    pub(in crate::proxy) fn is_answer(&self) -> bool {
        Envelope::peek(&self.body).is_ok_and(|envelope| {
            matches!(envelope.kind(), Kind::Answer { .. }) && envelope.usable_id().is_some()
        })
    }

    /// A modern server's error that names no request, as the answer to the request of this id, for which alone
    /// it can be: what it says is the host's business (T-08, T-64).
    pub(in crate::proxy) fn as_answer_to(&self, id: &str) -> Option<Vec<u8>> {
        let envelope = Envelope::peek(&self.body).ok()?;
        let is_unnamed = envelope.method.is_none() && envelope.id.is_none_or(|id| id == "null");
        let is_modern = matches!(self.status, StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND)
            && self.code().is_some_and(|code| MODERN.contains(&code));
        let error = envelope.error.filter(|_| is_unnamed && is_modern)?;
        Some(format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"error\":{error}}}").into_bytes())
    }

    /// The code of a JSON-RPC error in the body, as JSON text.
    pub(in crate::proxy) fn code(&self) -> Option<&str> {
        member(self.rpc_error()?, "code")
    }

    fn rpc_error(&self) -> Option<&str> {
        Envelope::peek(&self.body).ok()?.error
    }

    /// The server's own words, cleaned: the `message` of a JSON-RPC error, or of one like it.
    fn words(&self) -> Option<String> {
        let error = self.rpc_error()?;
        let text = if error.starts_with('"') { Some(error) } else { member(error, "message") };
        text.filter(|text| text.starts_with('"'))
            .map(|text| clean(&string(text)))
            .filter(|text| !text.is_empty())
    }

    /// Names the failure. `host` is the server's host name.
    pub(in crate::proxy) fn into_error(self, host: &str) -> Error {
        let status = self.status.as_u16();
        let meaning = Meaning::of(status);
        let said = self.words().map(|words| format!(": {words}")).unwrap_or_default();
        let now = SystemTime::now();
        let error = match status {
            300..=399 => Error::new(meaning.name, format!("{host} redirects to {}", self.elsewhere())),
            401 => Error::new(meaning.name, format!("{host} does not accept the sign-in")),
            _ if self.is_session_gone() => {
                return Error::new(Name::SessionLost, format!("{host} does not know the session any more"));
            }
            429 => return busy::busy(host, self.wait(now), now),
            511 => Error::new(meaning.name, "the network asks for a sign-in of its own"),
            _ => Error::new(meaning.name, format!("{host} answered HTTP {status}{said}")),
        };
        let error = if meaning.lasts { error.lasting() } else { error };
        match (meaning.hint, self.wait(now)) {
            // Only with a time of its own: what the limits of the account say has nothing to do with it.
            (None, Some(wait)) if status == 503 && self.headers.contains_key(RETRY_AFTER) => {
                error.hinted(format!("try again {}", busy::after(wait, now)))
            }
            (Some(hint), _) => error.hinted(hint),
            (None, _) => error,
        }
    }

    /// Where a redirect leads, for people.
    fn elsewhere(&self) -> String {
        let place = self.headers.get(LOCATION).and_then(|value| value.to_str().ok());
        match place.and_then(|place| Url::parse(place).ok()) {
            Some(url) => show(&url),
            None => "another address".to_owned(),
        }
    }

    /// How long the server wants to be left alone, if it says so: in a header, or in the body as Chipp's does
    /// (DESIGN section 1).
    pub(in crate::proxy) fn wait(&self, now: SystemTime) -> Option<Duration> {
        let reset = || member(self.rpc_error()?, "reset")?.parse::<f64>().ok().map(|reset| reset as u64);
        rate_limit::wait(&self.headers, reset(), now).map(Wait::duration)
    }
}

/// Whether a media type is the wanted one, whatever its parameters (T-03).
pub(in crate::proxy) fn is_media(headers: &HeaderMap, wanted: &str) -> bool {
    media(headers).is_some_and(|media| media.eq_ignore_ascii_case(wanted))
}

/// The media type without its parameters.
pub(in crate::proxy) fn media(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(http::header::CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next().unwrap_or(value).trim())
}

#[cfg(test)]
mod tests;
