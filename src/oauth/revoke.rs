//! Tells the server that a token is not needed any more (RFC 7009).

use secrecy::{ExposeSecret, SecretString};

use super::message::Message;
use super::wire::Endpoint;
use crate::error::{Error, Name, Result};

/// Revokes one token; `endpoint.url` is the revocation endpoint. A token that the server does not know
/// (any more) counts as revoked, as the RFC has it.
///
/// # Errors
/// `server-error` or `server-busy` with what the server said, `redirect-refused` (T1), or a failure of the
/// network.
pub async fn revoke(endpoint: Endpoint<'_>, token: &SecretString, hint: &str) -> Result<()> {
    let form = vec![
        ("token".to_owned(), token.expose_secret().to_owned()),
        ("token_type_hint".to_owned(), hint.to_owned()),
    ];
    let received = Message::new(endpoint, form).send().await?;
    match received.status {
        200..300 => Ok(()),
        429 => Err(Error::new(Name::ServerBusy, "the revocation endpoint asks us to wait")),
        300..400 => Err(Error::new(Name::RedirectRefused, "the revocation endpoint redirects elsewhere")),
        status => Err(Error::new(Name::ServerError, format!("the revocation endpoint answered {status}"))),
    }
}
