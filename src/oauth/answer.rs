//! Reads what a token endpoint answers, tolerantly (security.md 4.4, `reference/crates.md` 2.2).
//!
//! A strict reader throws a rotated refresh token away because a lifetime came as a string; the user
//! is then signed out for a server's small habit. So everything that can be understood is, and only
//! what cannot be is refused, by name. A pure function: status and bytes in, value out.

use secrecy::SecretString;
use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::Value;
use std::fmt;

use crate::error::{Error, Name, clean};

/// The longest lifetime believed, in seconds: a day. A longer one only means an earlier refresh.
const LONGEST: u64 = 24 * 3600;
/// The longest token taken, in bytes.
const LONGEST_TOKEN: usize = 64 * 1024;

/// What the endpoint said.
#[derive(Debug)]
pub enum Answer {
    /// Tokens were issued.
    Issued(Issued),
    /// The grant (code or refresh token) is not valid any more: the only answer that ends a sign-in.
    InvalidGrant(String),
    /// Anything else. Nothing is lost by it.
    Failed(Error),
}

/// A token answer's members.
#[derive(Debug)]
pub struct Issued {
    /// `access_token`.
    pub access: SecretString,
    /// `refresh_token`; none if absent or empty.
    pub refresh: Option<SecretString>,
    /// `token_type` as sent.
    pub token_type: Option<String>,
    /// `expires_in` in seconds; none if absent or beyond belief.
    pub expires_in: Option<u64>,
    /// `refresh_token_expires_in` (or `refresh_expires_in`) in seconds.
    pub refresh_expires_in: Option<u64>,
    /// `scope`, as one string.
    pub scope: Option<String>,
}

/// The parts of an HTTP answer that are judged.
#[derive(Debug, Clone, Copy)]
pub struct Reply<'a> {
    /// HTTP status code.
    pub status: u16,
    /// `Retry-After` in seconds, if it came as a number.
    pub retry_after: Option<u64>,
    /// The body.
    pub body: &'a [u8],
    /// The host, for the error's sentence.
    pub host: &'a str,
}

/// Judges an answer. Total.
pub fn read(reply: Reply<'_>) -> Answer {
    let Reply { status, body, host, .. } = reply;
    if (300..400).contains(&status) {
        let what = format!("{host} tried to redirect a request that carries secrets");
        return Answer::Failed(Error::new(Name::RedirectRefused, what));
    }
    let text = std::str::from_utf8(body).unwrap_or_default();
    let text = text.trim_start_matches('\u{feff}').trim();
    let members = members(text);
    let success = (200..300).contains(&status);
    match members {
        Some(members) => match error_of(&members) {
            Some((code, description)) => refused(reply, &code, &description),
            None if success => issued(&members, host),
            None => unnamed(reply),
        },
        None if success && text.starts_with('<') => {
            let what = format!("a web page came instead of an answer of {host}");
            Answer::Failed(Error::new(Name::CaptivePortal, what))
        }
        None if success => bad(host, "cannot be understood"),
        None => unnamed(reply),
    }
}

fn bad(host: &str, why: &str) -> Answer {
    Answer::Failed(Error::new(Name::BadResponse, format!("the token answer of {host} {why}")))
}

/// The members of a JSON object or of a form-encoded body (GitHub, row 106).
fn members(text: &str) -> Option<Vec<(String, Value)>> {
    if text.starts_with('{') {
        return serde_json::from_str::<Members>(text).ok().map(|members| members.0);
    }
    let form: Vec<(String, Value)> = url::form_urlencoded::parse(text.as_bytes())
        .map(|(k, v)| (k.into_owned(), v.into_owned().into()))
        .collect();
    form.iter().any(|(name, _)| name == "access_token" || name == "error").then_some(form)
}

/// All members in order, duplicates kept: last-wins is no rule for tokens (row 97).
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Members;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        from.deserialize_map(All)
    }
}

/// The value of a member that occurs exactly once.
fn get<'a>(members: &'a [(String, Value)], name: &str) -> Option<&'a Value> {
    let mut found = members.iter().filter(|(n, _)| n == name).map(|(_, value)| value);
    found.next().filter(|_| found.next().is_none())
}

/// `error` and `error_description`, also nested (`{"error": {"code": …}}`) or as Slack's `ok: false`.
fn error_of(members: &[(String, Value)]) -> Option<(String, String)> {
    let description = get(members, "error_description").and_then(Value::as_str).unwrap_or_default();
    match get(members, "error") {
        Some(Value::String(code)) if !code.is_empty() => Some((code.clone(), description.to_owned())),
        Some(Value::Object(nested)) => {
            let text = |name: &str| nested.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            let code = [text("error"), text("code"), text("type")].into_iter().find(|code| !code.is_empty());
            Some((code.unwrap_or_else(|| "error".to_owned()), text("message")))
        }
        _ if get(members, "ok") == Some(&Value::Bool(false)) => {
            Some(("error".to_owned(), description.to_owned()))
        }
        _ => None,
    }
}

/// Judges an OAuth error (RFC 6749 section 5.2), whatever status it came with (Auth0: 403, GitHub: 200).
fn refused(reply: Reply<'_>, code: &str, description: &str) -> Answer {
    let host = reply.host;
    let said = if description.is_empty() {
        clean(code)
    } else {
        format!("{} ({})", clean(code), clean(description))
    };
    match code {
        "invalid_grant"
        | "bad_refresh_token"
        | "refresh_token_not_found"
        | "bad_verification_code"
        | "invalid_refresh_token" => Answer::InvalidGrant(said),
        "invalid_client" | "unauthorized_client" => Answer::Failed(Error::new(
            Name::ClientRejected,
            format!("{host} does not accept this client id or secret: {said}"),
        )),
        "invalid_request" | "invalid_scope" | "unsupported_grant_type" | "invalid_target" => {
            Answer::Failed(Error::new(Name::ClientRejected, format!("{host} refused the request: {said}")))
        }
        "slow_down" | "temporarily_unavailable" => busy(reply),
        _ if reply.status == 429 => busy(reply),
        _ => Answer::Failed(Error::new(Name::ServerError, format!("{host} answered with an error: {said}"))),
    }
}

/// An answer that failed and does not say why in OAuth's words: never the end of a sign-in (rows 80-84).
fn unnamed(reply: Reply<'_>) -> Answer {
    match reply.status {
        429 => busy(reply),
        status => Answer::Failed(Error::new(
            Name::ServerError,
            format!("{} answered {status} to the token request", reply.host),
        )),
    }
}

fn busy(reply: Reply<'_>) -> Answer {
    let error =
        Error::new(Name::ServerBusy, format!("{} asks us to wait before the next request", reply.host));
    Answer::Failed(match reply.retry_after {
        Some(seconds) => error.hinted(format!("try again in {} seconds", seconds.clamp(1, 3600))),
        None => error,
    })
}

fn issued(members: &[(String, Value)], host: &str) -> Answer {
    let access = match get(members, "access_token") {
        Some(Value::String(token)) if is_token(token) => SecretString::from(token.as_str()),
        _ => return bad(host, "has no usable access_token"),
    };
    let refresh = match get(members, "refresh_token") {
        Some(Value::String(token)) if is_token(token) => Some(SecretString::from(token.as_str())),
        _ => None,
    };
    let seconds = |name: &str| get(members, name).and_then(seconds);
    Answer::Issued(Issued {
        access,
        refresh,
        token_type: get(members, "token_type").and_then(Value::as_str).map(str::to_owned),
        expires_in: seconds("expires_in").map(|lifetime| lifetime.min(LONGEST)),
        refresh_expires_in: seconds("refresh_token_expires_in").or_else(|| seconds("refresh_expires_in")),
        scope: get(members, "scope").and_then(scope),
    })
}

/// A token fits into a header: visible ASCII (RFC 6749 appendix A.12).
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST_TOKEN && text.bytes().all(|b| b.is_ascii_graphic())
}

/// A lifetime in any shape: number, fraction, or either as a string. Nothing below one second and
/// nothing that is not a number is a lifetime (rows 101, 102).
fn seconds(value: &Value) -> Option<u64> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    // `as` saturates, which is what is wanted of 1e300.
    (number.is_finite() && number >= 1.0).then_some(number as u64)
}

fn scope(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()).filter(|text| !text.trim().is_empty()),
        Value::Array(list) => {
            let words: Vec<_> = list.iter().filter_map(Value::as_str).collect();
            (!words.is_empty()).then(|| words.join(" "))
        }
        _ => None,
    }
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
