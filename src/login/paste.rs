//! The answer as a person pastes it: the address at which the browser ended, its query, or the code alone.
//!
//! For browsers that cannot reach the listener: on another computer, or outside of this container. The rules
//! are those of the listener ([`verdict`]), with one exception: a code alone has no `state`. It is taken all
//! the same, because the token endpoint gives nothing for a code that was not asked for with our PKCE
//! challenge; but not where the server promises `iss`, which a code alone cannot have either.

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::verdict::{self, Void};
use super::{Expected, query};
use crate::error::Result;
use crate::http;

/// Nothing shorter is a code: they have at least 128 bits (RFC 6749 section 10.10), and a word typed by
/// mistake must not end the sign-in.
const SHORTEST: usize = 8;

/// Reads what was pasted. `Err` is for the person: what is wrong with it, half a sentence; nothing is used up
/// by it. Otherwise the code, or the error that ends the sign-in.
///
/// # Errors
/// What is wrong with the text.
pub fn read(text: &SecretString, expected: &Expected) -> Result<Result<SecretString>, &'static str> {
    let text = text.expose_secret().trim().trim_matches(['"', '\'', '<', '>']);
    if text.is_empty() {
        return Err("it is empty");
    }
    let scheme = text.split_once("://").map(|(scheme, _)| scheme);
    if scheme.is_some_and(|scheme| scheme.bytes().all(|byte| byte.is_ascii_alphabetic())) {
        return from_query(callback(text)?.query().unwrap_or_default(), expected);
    }
    let query = text.strip_prefix('?').unwrap_or(text);
    if query != text || is_query(query) {
        return from_query(query, expected);
    }
    if text.len() < SHORTEST || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("it is neither an address nor a code");
    }
    if expected.issuer_required {
        return Err(
            "this server names itself in its answer, so the whole address is needed, not the code alone",
        );
    }
    Ok(Ok(text.into()))
}

/// Our callback address, whichever way it is written. Another one, such as that of the sign-in page, has
/// not been answered yet.
fn callback(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| "it is not a complete address")?;
    let answers = url.query_pairs().any(|(name, _)| name == "code" || name == "error");
    // The path may be any: a profile can state its own.
    if url.scheme() != "http" || !http::is_loopback(&url) || !(answers || url.path() == "/callback") {
        return Err("it is not the address at which the browser ends, which has `code=` in it");
    }
    Ok(url)
}

fn is_query(text: &str) -> bool {
    ["code", "state", "error", "iss"].iter().any(|name| {
        text.split('&').any(|pair| {
            pair.split_once('=').is_some_and(|(found, value)| {
                // A code alone may end with the `=` of base64.
                found == *name && !value.is_empty()
            })
        })
    })
}

fn from_query(text: &str, expected: &Expected) -> Result<Result<SecretString>, &'static str> {
    if query::state(text).is_none() {
        return Err("its `state` is missing; it may have been cut off");
    }
    if !verdict::is_ours(text, expected) {
        return Err("it belongs to another sign-in: its `state` is not ours");
    }
    match verdict::outcome(text, expected) {
        Ok(outcome) => Ok(outcome.map_err(|(error, _)| error)),
        Err(Void::Malformed) => Err("it is damaged"),
        Err(Void::Empty) => Err("it has no code in it"),
    }
}

#[cfg(test)]
mod tests;
