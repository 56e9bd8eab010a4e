//! Reads the query of a callback: bytes in, values out, no side effects.
//!
//! Two functions instead of one, because of their order: [`state`] touches nothing but `state`, and
//! only where that is right may [`answer`] look at the rest. A parser that reads `error` first is
//! how a foreign web page ends a login (CVE-2026-42073, L2).
//!
//! Stricter than `form_urlencoded`, which repairs what it cannot read: here a broken escape, a
//! repeated name or a control character in a parameter that matters makes the whole callback void
//! (OAuth 2.1: parameters MUST NOT appear more than once; security.md rows 19 and 33). Unknown
//! parameters are ignored, whatever is in them (row 22).

use secrecy::SecretString;

/// The parameters of an authorization response (RFC 6749 sections 4.1.2 and 4.1.2.1, RFC 9207).
#[derive(Debug, Default)]
pub struct Answer {
    /// The authorization code.
    pub code: Option<SecretString>,
    /// The error code, decoded but not cleaned.
    pub error: Option<String>,
    /// The server's explanation, decoded but not cleaned.
    pub description: Option<String>,
    /// The issuer that claims to answer.
    pub iss: Option<String>,
}

/// A parameter that matters is repeated or cannot be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

/// The `state` parameter alone: `None` if it is missing, empty, repeated or broken.
pub fn state(query: &str) -> Option<SecretString> {
    single(query, "state", Plus::Refused).ok().flatten().map(SecretString::from)
}

/// Everything else. An empty parameter counts as a missing one (RFC 6749 section 3.1).
///
/// # Errors
/// [`Malformed`], if `code`, `error` or `iss` is repeated or broken.
pub fn answer(query: &str) -> Result<Answer, Malformed> {
    Ok(Answer {
        code: single(query, "code", Plus::Refused)?.map(SecretString::from),
        iss: single(query, "iss", Plus::Refused)?,
        error: single(query, "error", Plus::Blank)?,
        // It is for people only: a broken one must not hide the error that it explains.
        description: single(query, "error_description", Plus::Blank).ok().flatten(),
    })
}

/// What a raw `+` means. In the form encoding it is a blank; but neither a code nor a state nor an
/// issuer has blanks, so there it is a `+` that the server forgot to encode, and guessing which
/// would send a wrong code (row 33).
#[derive(Clone, Copy, PartialEq)]
enum Plus {
    Blank,
    Refused,
}

/// The one value of `name`, if it is there exactly once.
fn single(query: &str, name: &str, plus: Plus) -> Result<Option<String>, Malformed> {
    let mut found = None;
    for pair in query.split('&') {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        // Names are decoded too: `st%61te` is `state`, and hides no second value.
        if decode(key, Plus::Blank).is_ok_and(|key| key == name) {
            if found.is_some() {
                return Err(Malformed);
            }
            found = Some(decode(value, plus)?);
        }
    }
    Ok(found.filter(|value| !value.is_empty()))
}

fn decode(text: &str, plus: Plus) -> Result<String, Malformed> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => {
                let high = hex(bytes.next())?;
                high << 4 | hex(bytes.next())?
            }
            b'+' if plus == Plus::Refused => return Err(Malformed),
            b'+' => b' ',
            other => other,
        });
    }
    let out = String::from_utf8(out).map_err(|_| Malformed)?;
    if out.chars().any(char::is_control) { Err(Malformed) } else { Ok(out) }
}

fn hex(digit: Option<u8>) -> Result<u8, Malformed> {
    let value = char::from(digit.ok_or(Malformed)?).to_digit(16).ok_or(Malformed)?;
    u8::try_from(value).map_err(|_| Malformed)
}

#[cfg(test)]
mod tests;
