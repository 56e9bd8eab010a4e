//! Reads what a token endpoint answers, tolerantly (security.md 4.4, `reference/crates.md` 2.2).
//!
//! A strict reader throws a rotated refresh token away because a lifetime came as a string; the user
//! is then signed out for a server's small habit. So everything that can be understood is, and only
//! what cannot be is refused, by name. A pure function: status and bytes in, value out.
//!
//! | file | what |
//! | --- | --- |
//! | [`members`] | a body, taken apart |
//! | [`against`] | whether another way of asking may be tried |
//! | [`said`] | the words of a server that refuses |
//! | [`refusal`] | an answer without tokens: its name, and what may be done about it |

mod against;
mod members;
mod refusal;
mod said;

use secrecy::SecretString;
use serde_json::Value;

use super::identity::Told;
use crate::error::{Error, Name};
use crate::http::retry_after::Wait;
use members::Members;

pub use against::Against;
pub use refusal::{Cause, Refusal};

/// The longest lifetime believed, in seconds: a day. A longer one only means an earlier refresh.
const LONGEST: u64 = 24 * 3600;
/// The longest access token taken, in bytes.
const LONGEST_TOKEN: usize = 64 * 1024;

/// What the endpoint said.
#[derive(Debug)]
pub enum Answer {
    /// Tokens were issued.
    Issued(Issued),
    /// No tokens that could be used, and why.
    Refused(Refusal),
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
    /// What tells whose tokens these are.
    pub told: Told,
}

/// The parts of an HTTP answer that are judged.
#[derive(Debug, Clone, Copy)]
pub struct Reply<'a> {
    /// HTTP status code.
    pub status: u16,
    /// `Retry-After`, read with [`retry_after`](crate::http::retry_after).
    pub wait: Option<Wait>,
    /// The body.
    pub body: &'a [u8],
    /// The host, for the error's sentence.
    pub host: &'a str,
}

/// Judges an answer. Total.
pub fn read(reply: Reply<'_>) -> Answer {
    let Reply { status, host, .. } = reply;
    if (300..400).contains(&status) {
        let what = format!("{host} tried to redirect a request that carries secrets");
        return Answer::Refused(Error::new(Name::RedirectRefused, what).into());
    }
    let body = reply.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(reply.body).trim_ascii();
    let success = (200..300).contains(&status);
    let refusal = match Members::read(body) {
        Some(members) => match judge(reply, &members) {
            Ok(issued) => return Answer::Issued(issued),
            Err(refusal) if success => salvage(refusal, &members, host),
            Err(refusal) => refusal,
        },
        None if !success => Refusal::unnamed(reply),
        None => {
            let refusal = if body.starts_with(b"<") {
                let what = format!("a web page came instead of an answer of {host}");
                Error::new(Name::CaptivePortal, what).into()
            } else {
                Refusal::bad(host, "cannot be understood")
            };
            salvage(refusal, &Members::within(body), host)
        }
    };
    Answer::Refused(refusal)
}

fn judge(reply: Reply<'_>, members: &Members) -> Result<Issued, Refusal> {
    let success = (200..300).contains(&reply.status);
    match said::said(members, success).filter(|_| members.complete) {
        Some(said) => Err(Refusal::named(reply, &said)),
        None if !success => Err(Refusal::unnamed(reply)),
        None if !members.complete => Err(Refusal::bad(reply.host, "cannot be understood")),
        None => issued(members, reply.host),
    }
}

/// Keeps the refresh token of an unusable answer, and nothing of it that could end the sign-in: where
/// there is a new token, the old one may be spent, and the new one has not been refused.
fn salvage(mut refusal: Refusal, members: &Members, host: &str) -> Refusal {
    refusal.salvaged = refresh(members);
    if refusal.salvaged.is_some() && refusal.cause == Cause::InvalidGrant {
        let salvaged = refusal.salvaged;
        refusal = Refusal { salvaged, ..Refusal::bad(host, "contradicts itself") };
    }
    // A server that quotes the tokens it issues is not quoted (row 107).
    let mut tokens = ["access_token", "refresh_token"].into_iter().filter_map(|name| members.text(name));
    if tokens.any(|token| refusal.says(token)) { refusal.silenced() } else { refusal }
}

fn issued(members: &Members, host: &str) -> Result<Issued, Refusal> {
    if ["access_token", "refresh_token", "error"].into_iter().any(|name| members.repeats(name)) {
        return Err(Refusal::bad(host, "repeats a member"));
    }
    let access = members.text("access_token").filter(|token| is_token(token));
    let access = access.ok_or_else(|| Refusal::bad(host, "has no usable access_token"))?;
    let seconds = |name: &str| members.get(name).and_then(seconds);
    Ok(Issued {
        access: access.into(),
        refresh: refresh(members),
        token_type: members.text("token_type").map(str::to_owned),
        expires_in: seconds("expires_in").map(|lifetime| lifetime.min(LONGEST)),
        refresh_expires_in: seconds("refresh_token_expires_in").or_else(|| seconds("refresh_expires_in")),
        scope: members.get("scope").and_then(scope),
        told: Told::read(members.single()),
    })
}

/// The refresh token, if there is one and it does not contradict itself. It never stands in a header,
/// so more is allowed in it than in an access token (RFC 6749 appendix A.17 has blanks), and any length:
/// the answer as a whole is bounded.
fn refresh(members: &Members) -> Option<SecretString> {
    let token = members.agreed("refresh_token")?.as_str()?;
    (!token.is_empty() && !token.contains(char::is_control)).then(|| token.into())
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
mod tests;
