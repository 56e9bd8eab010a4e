//! Registers a client at an authorization server that does not know us (RFC 7591; A-18 to A-21).

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;

use super::{Provider, device};
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

/// What a client is registered for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Where answers may go.
    pub redirect_uri: &'a str,
    /// The scope that it may ask for; the server's default without one.
    pub scope: Option<&'a str>,
    /// Whether it may sign in by a device code too (RFC 8628).
    pub device: bool,
}

/// Why there is no client.
#[derive(Debug)]
pub enum Refusal {
    /// The server does not like this redirect URI; it may like another one (A-20).
    RedirectUri(Error),
    /// Anything else.
    Failed(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Refusal::Failed(error)
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::RedirectUri(error) | Refusal::Failed(error) => error,
        }
    }
}

/// Registers a native public client for one redirect URI.
///
/// # Errors
/// `client-rejected` if the server does not register clients or refuses this one; `bad-response`,
/// `server-error`, `server-busy` and failures of the network.
pub async fn register(provider: &Provider, wanted: Wanted<'_>) -> Result<Client, Refusal> {
    let Some(url) = &provider.registration else {
        let what = format!("{} does not register clients by itself", clean(&provider.issuer));
        return Err(by_hand(what).into());
    };
    let method = auth_method(provider.auth_methods.as_deref());
    let body = metadata(wanted, method);
    let host = url.host_str().unwrap_or_default().to_owned();
    let request =
        http::oauth(url, &provider.reach).await?.post(url.clone()).header(ACCEPT, "application/json");
    let request = request.header(CONTENT_TYPE, "application/json").body(body.to_string());
    let response = request.send().await.map_err(|error| http::transport(&error, &host))?;
    let status = response.status().as_u16();
    let body = http::read(response, http::TOKEN_ANSWER_LIMIT).await?;
    read(status, &body, (&host, method))
        .map(|client| Client { registered_redirect: Some(wanted.redirect_uri.to_owned()), ..client })
}

/// The way out where a server does not register us.
pub fn by_hand(what: impl Into<String>) -> Error {
    Error::new(Name::ClientRejected, what)
        .hinted("register a client there by hand and give its id with --client-id")
}

/// The metadata of this program (RFC 7591 section 2). Without `application_type` a server takes a client
/// for a web application, which may not have loopback redirects (A-19).
fn metadata(wanted: Wanted<'_>, method: &str) -> serde_json::Value {
    let mut grants = vec!["authorization_code", "refresh_token"];
    grants.extend(wanted.device.then_some(device::GRANT));
    let mut body = json!({
        "client_name": "chipp-auth",
        "application_type": "native",
        "redirect_uris": [wanted.redirect_uri],
        "grant_types": grants,
        "response_types": ["code"],
        "token_endpoint_auth_method": method,
    });
    if let Some(scope) = wanted.scope {
        body["scope"] = scope.into();
    }
    body
}

/// The method of client authentication to register for: none if allowed, since a program on a user's
/// computer keeps no secret from him.
fn auth_method(supported: Option<&[String]>) -> &'static str {
    let supported = supported.unwrap_or_default();
    let known = ["none", "client_secret_post", "client_secret_basic"];
    known.into_iter().find(|method| supported.iter().any(|s| s == method)).unwrap_or("none")
}

/// Reads the answer. Pure.
fn read(status: u16, body: &[u8], (host, asked): (&str, &str)) -> Result<Client, Refusal> {
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
        429 => Err(Error::new(Name::ServerBusy, format!("{host} registers no more clients now")).into()),
        400..500 => {
            let refused = serde_json::from_slice::<Refused>(body).ok();
            let said = refused.as_ref().map_or_else(
                || format!("status {status}"),
                |refused| format!("{} {}", clean(&refused.error), clean(&refused.error_description)),
            );
            let error = by_hand(format!("{host} refused to register this client: {}", said.trim()));
            Err(match refused {
                Some(refused) if refused.error == "invalid_redirect_uri" => Refusal::RedirectUri(error),
                _ => Refusal::Failed(error),
            })
        }
        300..400 => {
            Err(Error::new(Name::RedirectRefused, format!("{host} redirected the registration")).into())
        }
        _ => {
            Err(Error::new(Name::ServerError, format!("{host} answered {status} to the registration")).into())
        }
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
        for (status, body, name) in [
            (400, r#"{"error":"invalid_client_metadata"}"#, Name::ClientRejected),
            (401, "", Name::ClientRejected),
            (403, "<html>", Name::ClientRejected),
            (201, "{}", Name::BadResponse),
            (429, "", Name::ServerBusy),
            (503, "", Name::ServerError),
            (307, "", Name::RedirectRefused),
        ] {
            match read(status, body) {
                Err(Refusal::Failed(error)) => assert_eq!(error.name(), name, "{status} {body}"),
                other => panic!("{status} {body}: {other:?}"),
            }
        }
    }

    // A-20.
    #[test]
    fn a_refused_redirect_uri_is_told_apart() {
        let refused = read(400, br#"{"error":"invalid_redirect_uri"}"#, ("e.com", "none")).unwrap_err();
        assert!(
            matches!(&refused, Refusal::RedirectUri(error) if error.what().contains("invalid_redirect_uri"))
        );
        assert_eq!(Error::from(refused).name(), Name::ClientRejected);
    }

    // A-19, A-21.
    #[test]
    fn the_metadata_is_that_of_a_native_client_that_renews() {
        let wanted =
            Wanted { redirect_uri: "http://localhost:1/callback", scope: Some("a b"), device: false };
        let body = metadata(wanted, "none");
        assert_eq!(body["application_type"], "native");
        assert_eq!(body["grant_types"], json!(["authorization_code", "refresh_token"]));
        assert_eq!((&body["redirect_uris"][0], &body["scope"]), (&wanted.redirect_uri.into(), &"a b".into()));
        let body = metadata(Wanted { scope: None, device: true, ..wanted }, "none");
        assert_eq!(body["grant_types"][2], device::GRANT);
        assert!(body.get("scope").is_none());
    }

    #[test]
    fn a_public_client_is_preferred() {
        let methods = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        assert_eq!(auth_method(None), "none");
        assert_eq!(auth_method(Some(&methods(&["client_secret_basic", "none"]))), "none");
        assert_eq!(auth_method(Some(&methods(&["client_secret_basic"]))), "client_secret_basic");
    }
}
