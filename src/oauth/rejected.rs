//! What a user is told when the token endpoint refuses a code, or a device code: whether the token request
//! style is the likely cause, and what to do.

use super::answer::{Against, Refusal};
use crate::credential::{Client, TokenStyle};
use crate::error::{Error, Name};

/// Words by which servers say that they could not read a body.
const UNREADABLE: [&str; 5] = ["content-type", "content type", "grant_type", "json", "urlencoded"];

/// How the request was made.
#[derive(Debug, Clone, Copy)]
pub struct Tried<'a> {
    /// The client.
    pub client: &'a Client,
    /// The styles, in order.
    pub styles: &'a [TokenStyle],
    /// They were tried because none was named.
    pub seeking: bool,
}

/// Names a refusal for the user. What says nothing against the way of asking stays as it is.
#[must_use]
pub fn explain(refusal: Refusal, tried: Tried<'_>) -> Refusal {
    let error = match refusal.against {
        Against::Nothing => refusal.error,
        // A registration of our own is no mistake of the user's.
        _ if tried.client.registered_redirect.is_some() && !tried.seeking => refusal.error,
        Against::Client if refusal.error.name() == Name::ClientRejected => client(refusal.error, tried),
        Against::Request if !tried.seeking && !is_likely(&refusal, tried.client) => refusal.error,
        _ => exchange(&refusal, tried),
    };
    Refusal { error, ..refusal }
}

fn client(error: Error, tried: Tried<'_>) -> Error {
    let mut hint = match tried.client.secret {
        Some(_) => "check the client id and secret; production and sandbox have separate ones".to_owned(),
        None => "check the client id, and whether the server wants a secret with it; production and sandbox have separate ones".to_owned(),
    };
    if tried.seeking {
        let what = format!("{}{}", error.what(), listed(tried.styles));
        return keeping_hint(&error, Error::new(Name::ClientRejected, what), &hint);
    }
    hint.push_str("; or try another token request style: `chipp-auth login{target} --token-style auto`");
    keeping_hint(&error, Error::new(Name::ClientRejected, error.what()), &hint)
}

fn exchange(refusal: &Refusal, tried: Tried<'_>) -> Error {
    let error = &refusal.error;
    let why = if refusal.said.is_empty() { " and does not say why" } else { "" };
    let seeking = if tried.seeking { listed(tried.styles) } else { String::new() };
    let what = format!("the token endpoint refused the code{why}: {}{seeking}", error.what());
    let new = Error::new(Name::ExchangeRejected, what);
    let hint = if tried.seeking {
        "run `chipp-auth login{target}` again: it begins with another style, because some servers spend the code \
         at the first request; if that does not help, check the token URL and the client at the provider"
    } else if is_likely(refusal, tried.client) {
        Name::ExchangeRejected.row().hint
    } else {
        "check the token URL and the client at the provider, then run `chipp-auth login{target}`"
    };
    keeping_hint(error, new, hint)
}

/// Whether another style may be what the server wants: there is a secret that could stand elsewhere, or the
/// body could be of the wrong type.
fn is_likely(refusal: &Refusal, client: &Client) -> bool {
    let said = refusal.said.to_lowercase();
    (client.secret.is_some() && client.key.is_none())
        || client.style.is_json()
        || refusal.against == Against::Body
        || UNREADABLE.iter().any(|word| said.contains(word))
}

/// `new` with a hint; that of the old error, if somebody who knows the provider has given it one.
fn keeping_hint(old: &Error, new: Error, hint: &str) -> Error {
    new.hinted(old.own_hint().unwrap_or(hint))
}

fn listed(styles: &[TokenStyle]) -> String {
    let names: Vec<_> = styles.iter().map(|style| style.name()).collect();
    format!(", in every token request style that was tried ({})", names.join(", "))
}
