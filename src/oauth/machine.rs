//! The grants that need no person: the client for itself (RFC 6749 section 4.4, X-01), a JWT as grant
//! (RFC 7523 section 2.1, X-04), and the exchange at an identity provider that makes one of a user's ID
//! token (RFC 8693, X-02).

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::answer::Issued;
use super::message::Message;
use super::wire::{self, Endpoint, Refusal};
use crate::credential::TokenStyle;
use crate::error::{Error, Name, Result, clean};

const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
/// An identity assertion authorization grant (draft-ietf-oauth-identity-assertion-authz-grant).
const ID_JAG: &str = "urn:ietf:params:oauth:token-type:id-jag";
const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";

/// Asks for tokens of the client itself.
///
/// # Errors
/// See [`Refusal`].
pub async fn client_credentials(endpoint: Endpoint<'_>, scope: Option<&str>) -> Result<Issued, Refusal> {
    let form = form(&[
        ("grant_type", Some("client_credentials")),
        ("resource", endpoint.resource),
        ("scope", scope),
    ]);
    wire::ask(endpoint, form).await
}

/// Presents a JWT as grant. What the server says of it is final: neither is it presented again, nor
/// another grant tried.
///
/// # Errors
/// See [`Refusal`].
pub async fn jwt_bearer(
    endpoint: Endpoint<'_>,
    assertion: &SecretString,
    scope: Option<&str>,
) -> Result<Issued, Refusal> {
    let form = form(&[
        ("grant_type", Some(JWT_BEARER)),
        ("assertion", Some(assertion.expose_secret())),
        ("resource", endpoint.resource),
        ("scope", scope),
    ]);
    wire::ask(endpoint, form).await
}

/// What an identity provider is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Exchange<'a> {
    /// The user's ID token.
    pub id_token: &'a SecretString,
    /// The issuer identifier of the authorization server that will take the assertion.
    pub audience: &'a str,
    /// The scope that will be asked for there.
    pub scope: Option<&'a str>,
}

/// Has an identity provider make an assertion for another authorization server of an ID token.
/// `idp.resource` is the MCP server.
///
/// # Errors
/// See [`Refusal`]; `wrong-token-type` if the answer is not such an assertion.
pub async fn exchange(idp: Endpoint<'_>, exchange: Exchange<'_>) -> Result<SecretString, Refusal> {
    #[derive(Deserialize)]
    struct Kind {
        issued_token_type: Option<String>,
    }
    let form = form(&[
        ("grant_type", Some(TOKEN_EXCHANGE)),
        ("requested_token_type", Some(ID_JAG)),
        ("audience", Some(exchange.audience)),
        ("resource", idp.resource),
        ("scope", exchange.scope),
        ("subject_token", Some(exchange.id_token.expose_secret())),
        ("subject_token_type", Some(ID_TOKEN)),
    ]);
    let received = Message::new(idp, form).send().await?;
    let issued = received.read()?;
    // RFC 8693 section 2.2.1 requires the member: anything else in the answer is not what was asked for,
    // and must not be shown to another server.
    let kind = serde_json::from_slice::<Kind>(&received.body).ok().and_then(|kind| kind.issued_token_type);
    match kind.as_deref() {
        Some(ID_JAG) => Ok(issued.access),
        kind => {
            let found = kind.map_or_else(|| "of no stated type".to_owned(), clean);
            let what = format!("the identity provider issued a token that is no ID-JAG, but {found}");
            Err(Error::new(Name::WrongTokenType, what)
                .hinted("ask the operator of the identity provider to allow this client the ID-JAG for this server")
                .into())
        }
    }
}

/// The style of a client whose style nobody stated: HTTP Basic where it has a secret and the server
/// does not rule that out (RFC 8414 section 2), the body otherwise.
pub fn style(methods: Option<&[String]>, secret: bool) -> TokenStyle {
    let basic = methods.is_none_or(|methods| methods.iter().any(|method| method == "client_secret_basic"));
    if secret && basic { TokenStyle::FormBasic } else { TokenStyle::FormPost }
}

/// The parameters that have a value.
fn form(parameters: &[(&str, Option<&str>)]) -> Vec<(String, String)> {
    let given = parameters.iter().filter_map(|(name, value)| value.map(|value| (*name, value)));
    given.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
