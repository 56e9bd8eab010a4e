//! Tells the server that a token is not needed any more (RFC 7009).

use secrecy::{ExposeSecret, SecretString};

use super::message::Message;
use super::wire::Endpoint;
use crate::credential::{Client, TokenStyle};
use crate::error::{Error, Name, Result};

/// Revokes one token; `endpoint.url` is the revocation endpoint. The request is written as the client's token
/// requests are, and as a form if the server does not take that. A token that the server does not know
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
    let received = Message::new(endpoint, form.clone()).send().await?;
    let judged = judge(received.status, &received.body, hint);
    let style = match endpoint.client.style {
        TokenStyle::Json => TokenStyle::FormPost,
        TokenStyle::JsonBasic => TokenStyle::FormBasic,
        TokenStyle::FormPost | TokenStyle::FormBasic => return judged,
    };
    if judged.is_ok() || !matches!(received.status, 400 | 415 | 422) {
        return judged;
    }
    // Servers that take JSON for tokens may keep to the RFC here, whose section 2.1 has a form. Nothing is spent
    // by asking twice, and the client's secret stays in the place that its style has for it (T7).
    let client = Client { style, ..endpoint.client.clone() };
    let received = Message::new(Endpoint { client: &client, ..endpoint }, form).send().await?;
    judge(received.status, &received.body, hint)
}

/// What an answer means (RFC 7009 section 2.2). Pure.
fn judge(status: u16, body: &[u8], hint: &str) -> Result<()> {
    let unsupported = || {
        let said: Option<serde_json::Value> = serde_json::from_slice(body).ok();
        said.is_some_and(|said| said["error"] == "unsupported_token_type")
    };
    match status {
        200..300 => Ok(()),
        // Section 2.2.1: access tokens of this server end by themselves, or with their refresh token.
        400 if hint == "access_token" && unsupported() => Ok(()),
        429 => Err(Error::new(Name::ServerBusy, "the revocation endpoint asks us to wait")),
        300..400 => Err(Error::new(Name::RedirectRefused, "the revocation endpoint redirects elsewhere")),
        status => Err(Error::new(Name::ServerError, format!("the revocation endpoint answered {status}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_server_that_cannot_revoke_access_tokens_is_excused() {
        let body = br#"{"error":"unsupported_token_type"}"#;
        assert!(judge(200, b"", "refresh_token").is_ok() && judge(204, b"", "access_token").is_ok());
        assert!(judge(400, body, "access_token").is_ok());
        for (status, body, hint, name) in [
            (400, &body[..], "refresh_token", Name::ServerError),
            (400, b"{}", "access_token", Name::ServerError),
            (503, body, "access_token", Name::ServerError),
            (302, b"", "access_token", Name::RedirectRefused),
            (429, b"", "refresh_token", Name::ServerBusy),
        ] {
            assert_eq!(judge(status, body, hint).unwrap_err().name(), name, "{status} {hint}");
        }
    }
}
