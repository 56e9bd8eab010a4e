//! Registers a client at an authorization server that does not know us (RFC 7591; A-18 to A-21).

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;

use super::Provider;
use crate::credential::{Client, TokenStyle};
use crate::error::{Error, Name, Result, clean};
use crate::http;

/// The members of the registration answer that matter (RFC 7591 section 3.2.1).
#[derive(Deserialize)]
struct Registered {
    client_id: String,
    client_secret: Option<SecretString>,
    token_endpoint_auth_method: Option<String>,
}

/// The members of the error answer (RFC 7591 section 3.2.2).
#[derive(Deserialize)]
struct Refused {
    error: String,
    #[serde(default)]
    error_description: String,
}

/// Registers a native public client for one redirect URI.
///
/// # Errors
/// `client-rejected` if the server does not register clients or refuses this one; `bad-response`,
/// `server-error` and failures of the network.
pub async fn register(provider: &Provider, redirect_uri: &str, scope: Option<&str>) -> Result<Client> {
    let Some(url) = &provider.registration else {
        let what = format!("{} does not register clients by itself", clean(&provider.issuer));
        return Err(Error::new(Name::ClientRejected, what)
            .hinted("register a client there by hand and give its id with --client-id"));
    };
    let method = auth_method(provider.auth_methods.as_deref());
    let mut body = json!({
        "client_name": "chipp-auth",
        "application_type": "native",
        "redirect_uris": [redirect_uri],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": method,
    });
    if let Some(scope) = scope {
        body["scope"] = scope.into();
    }
    let host = url.host_str().unwrap_or_default().to_owned();
    let request =
        http::oauth(url, &provider.reach).await?.post(url.clone()).header(ACCEPT, "application/json");
    let request = request.header(CONTENT_TYPE, "application/json").body(body.to_string());
    let response = request.send().await.map_err(|error| http::transport(&error, &host))?;
    let status = response.status().as_u16();
    let body = http::read(response, http::TOKEN_ANSWER_LIMIT).await?;
    read(status, &body, (&host, method))
        .map(|client| Client { registered_redirect: Some(redirect_uri.to_owned()), ..client })
}

/// The method of client authentication to register for: none if allowed, since a program on a user's
/// computer keeps no secret from him.
fn auth_method(supported: Option<&[String]>) -> &'static str {
    let supported = supported.unwrap_or_default();
    let known = ["none", "client_secret_post", "client_secret_basic"];
    known.into_iter().find(|method| supported.iter().any(|s| s == method)).unwrap_or("none")
}

/// Reads the answer. Pure.
fn read(status: u16, body: &[u8], (host, asked): (&str, &str)) -> Result<Client> {
    match status {
        200 | 201 => {
            let registered: Registered = serde_json::from_slice(body).map_err(|_| {
                Error::new(
                    Name::BadResponse,
                    format!("the registration answer of {host} cannot be understood"),
                )
            })?;
            let method = registered.token_endpoint_auth_method.as_deref().unwrap_or(asked);
            let style =
                if method == "client_secret_basic" { TokenStyle::FormBasic } else { TokenStyle::FormPost };
            let secret = registered.client_secret.filter(|_| method != "none");
            Ok(Client { id: registered.client_id, secret, style, ..Client::default() })
        }
        400..500 => {
            let said = serde_json::from_slice::<Refused>(body).map_or_else(
                |_| format!("status {status}"),
                |refused| format!("{} {}", clean(&refused.error), clean(&refused.error_description)),
            );
            let what = format!("{host} refused to register this client: {}", said.trim());
            Err(Error::new(Name::ClientRejected, what)
                .hinted("register a client there by hand and give its id with --client-id"))
        }
        300..400 => Err(Error::new(Name::RedirectRefused, format!("{host} redirected the registration"))),
        _ => Err(Error::new(Name::ServerError, format!("{host} answered {status} to the registration"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_becomes_a_client_and_a_refusal_is_named() {
        let read = |status, body: &str| read(status, body.as_bytes(), ("e.com", "none"));
        let client = read(201, r#"{"client_id":"x","client_secret":"unused"}"#).unwrap();
        assert!(client.secret.is_none() && client.style == TokenStyle::FormPost);
        let basic =
            r#"{"client_id":"x","client_secret":"s","token_endpoint_auth_method":"client_secret_basic"}"#;
        assert!(read(200, basic).is_ok_and(|c| c.secret.is_some() && c.style == TokenStyle::FormBasic));
        let refused = read(400, r#"{"error":"invalid_redirect_uri"}"#).unwrap_err();
        assert_eq!(refused.name(), Name::ClientRejected);
        assert!(refused.what().contains("invalid_redirect_uri"));
        assert_eq!(read(201, "{}").unwrap_err().name(), Name::BadResponse);
        assert_eq!(read(503, "").unwrap_err().name(), Name::ServerError);
        assert_eq!(read(307, "").unwrap_err().name(), Name::RedirectRefused);
    }

    #[test]
    fn a_public_client_is_preferred() {
        let methods = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        assert_eq!(auth_method(None), "none");
        assert_eq!(auth_method(Some(&methods(&["client_secret_basic", "none"]))), "none");
        assert_eq!(auth_method(Some(&methods(&["client_secret_basic"]))), "client_secret_basic");
    }
}
