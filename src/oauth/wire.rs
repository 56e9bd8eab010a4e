//! Token requests, and what becomes of their answers.
//!
//! The `oauth2` crate builds the parameters of those grants that it knows. How a request is written and sent is the business of `message`, how its answer is read
//! that of [`answer`](super::answer).

use std::borrow::Cow;
use std::fmt;
use std::future::{Ready, ready};

use oauth2::basic::BasicClient;
use oauth2::{
    AsyncHttpClient, AuthType, AuthorizationCode, ClientId, EndpointNotSet, EndpointSet, HttpRequest,
    HttpResponse, PkceCodeVerifier, RedirectUrl, RefreshToken, RequestTokenError, TokenUrl,
};
use secrecy::{ExposeSecret, SecretString};
use url::{Url, form_urlencoded};

use super::answer::Issued;
use super::dpop;
use super::message::Message;
use crate::credential::{Client, Tokens, now, now_ms};
use crate::error::{Error, Name, Result};
use crate::http::Reach;

pub use super::answer::{Against, Cause, Refusal};

type Oauth2Client = BasicClient<EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

/// Where and as whom token requests are made.
#[derive(Debug, Clone, Copy)]
pub struct Endpoint<'a> {
    /// The token endpoint.
    pub url: &'a Url,
    /// The authorization server's issuer identifier, for whom a client's assertion is meant.
    pub issuer: &'a str,
    /// The client.
    pub client: &'a Client,
    /// The `resource` parameter (RFC 8707), the same in every request of a sign-in.
    pub resource: Option<&'a str>,
    /// Where requests may go (D1).
    pub reach: &'a Reach,
    /// The key to bind the tokens to (RFC 9449), if they are to be bound.
    pub dpop: Option<&'a dpop::Key>,
}

/// What the browser brought back.
#[derive(Debug)]
pub struct Code {
    /// The authorization code.
    pub code: SecretString,
    /// The PKCE verifier (RFC 7636), if the authorization request had a challenge.
    pub verifier: Option<PkceCodeVerifier>,
    /// The redirect URI of the authorization request, byte for byte.
    pub redirect_uri: String,
}

impl Endpoint<'_> {
    /// Exchanges an authorization code (RFC 6749 section 4.1.3).
    ///
    /// # Errors
    /// See [`Refusal`].
    pub async fn exchange(&self, code: Code) -> Result<Issued, Refusal> {
        ask(*self, self.redemption(code).await?).await
    }

    /// The parameters that redeem a code.
    pub(super) async fn redemption(&self, code: Code) -> Result<Vec<(String, String)>> {
        let client = self.oauth2();
        let redirect = RedirectUrl::new(code.redirect_uri)
            .map_err(|_| Error::new(Name::Internal, "the redirect URI is not a URL"))?;
        let mut request = client
            .exchange_code(AuthorizationCode::new(code.code.expose_secret().to_owned()))
            .set_redirect_uri(Cow::Owned(redirect));
        if let Some(verifier) = code.verifier {
            request = request.set_pkce_verifier(verifier);
        }
        if let Some(resource) = self.resource {
            request = request.add_extra_param("resource", resource);
        }
        written(request.request_async(&Writer).await)
    }

    /// Spends a refresh token (RFC 6749 section 6), for the same scope again.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub async fn refresh(&self, token: &SecretString) -> Result<Issued, Refusal> {
        self.refresh_for(token, None).await
    }

    /// The same, naming a scope, which may not be a larger one.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub async fn refresh_for(&self, token: &SecretString, scope: Option<&str>) -> Result<Issued, Refusal> {
        let client = self.oauth2();
        let token = RefreshToken::new(token.expose_secret().to_owned());
        let mut request = client.exchange_refresh_token(&token);
        for (name, value) in [("resource", self.resource), ("scope", scope)] {
            if let Some(value) = value {
                request = request.add_extra_param(name, value);
            }
        }
        ask(*self, written(request.request_async(&Writer).await)?).await
    }

    fn oauth2(&self) -> Oauth2Client {
        // The client's secret is added by `Message`, the only place that knows where each style wants it.
        BasicClient::new(ClientId::new(self.client.id.clone()))
            .set_auth_type(AuthType::RequestBody)
            .set_token_uri(TokenUrl::from_url(self.url.clone()))
    }
}

/// Parameters that no profile states: they say who asks, or what is presented. One that replaced them would
/// show another client's name, or put a secret into a second place.
const OURS: [&str; 15] = [
    "assertion",
    "client_assertion",
    "client_assertion_type",
    "client_id",
    "client_secret",
    "code",
    "code_verifier",
    "device_code",
    "grant_type",
    "redirect_uri",
    "refresh_token",
    "subject_token",
    "subject_token_type",
    "token",
    "token_type_hint",
];

/// Sends the parameters of any grant, with those that the profile adds. They never replace one.
pub(super) async fn ask(endpoint: Endpoint<'_>, mut form: Vec<(String, String)>) -> Result<Issued, Refusal> {
    for (name, value) in &endpoint.client.token_params {
        if !OURS.contains(&name.as_str()) && form.iter().all(|(there, _)| there != name) {
            form.push((name.clone(), value.clone()));
        }
    }
    Message::new(endpoint, form).send().await?.read()
}

/// What the `oauth2` crate calls as its HTTP client. It sends nothing: the parameters come back as the "error"
/// of a request, because the crate's own reading of answers would lose the status, and rotated tokens with it.
struct Writer;

impl<'c> AsyncHttpClient<'c> for Writer {
    type Error = Written;
    type Future = Ready<Result<HttpResponse, Written>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        ready(Err(Written(form_urlencoded::parse(request.body()).into_owned().collect())))
    }
}

/// Parameters on their way through the `oauth2` crate. Never shown: they are secrets.
struct Written(Vec<(String, String)>);

impl fmt::Debug for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the parameters of a token request")
    }
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl std::error::Error for Written {}

fn written<T, E: oauth2::ErrorResponse>(
    outcome: Result<T, RequestTokenError<Written, E>>,
) -> Result<Vec<(String, String)>> {
    match outcome {
        Err(RequestTokenError::Request(Written(form))) => Ok(form),
        _ => Err(Error::new(Name::Internal, "the token request could not be built")),
    }
}

/// Makes tokens of an answer, counted from now. `documented` is the lifetime of refresh tokens in
/// seconds, for a server that does not state it.
pub fn tokens(issued: Issued, documented: Option<u64>) -> Tokens {
    let now = now();
    let refresh_lifetime = issued.refresh_expires_in.or(documented).filter(|_| issued.refresh.is_some());
    Tokens {
        access: issued.access,
        refresh: issued.refresh,
        scope: issued.scope,
        expires_in: issued.expires_in,
        received_at_ms: now_ms(),
        refresh_expires_at: refresh_lifetime.map(|lifetime| now.saturating_add(lifetime)),
    }
}

/// Which types of tokens are taken.
#[derive(Debug, Clone, Copy, Default)]
pub struct Types<'a> {
    /// The tokens are to be bound to a key: `DPoP`, and nothing else.
    pub bound: bool,
    /// An answer without a type is refused as well.
    pub named: bool,
    /// What is taken besides `Bearer`, for servers that have another word for it.
    pub also: &'a [String],
}

/// Refuses tokens of another type than asked for (T8, rows 103, 104): `DPoP` if they are to be bound to a
/// key, otherwise `Bearer`, or a type that the profile names, which is then used as a bearer token; in any
/// case of letters. They must be stored before this is asked, because the old refresh token is spent either
/// way (I1).
///
/// A bearer token in the place of a bound one is refused, and not used as what it is: RFC 9449 section 5 has
/// the client discard it where the binding matters, and it is asked for only where somebody wants it.
///
/// # Errors
/// `wrong-token-type`.
pub fn check_type(token_type: Option<&str>, types: Types<'_>) -> Result<()> {
    let Types { bound, named, also } = types;
    let wanted = if bound { "DPoP" } else { "Bearer" };
    let is = |found: &str, wanted: &str| found.eq_ignore_ascii_case(wanted);
    match token_type {
        Some(found) if is(found, wanted) => Ok(()),
        Some(found) if !bound && also.iter().any(|also| is(found, also)) => Ok(()),
        None if !named && !bound => Ok(()),
        found => {
            let found = found.map_or_else(|| "no type".to_owned(), crate::error::clean);
            let what = format!("the server issued a token of type {found}, not {wanted}");
            let error = Error::new(Name::WrongTokenType, what);
            Err(if bound {
                error.hinted(
                    "ask the operator of the server for DPoP, or leave out --dpop (in a profile: `dpop`)",
                )
            } else {
                error
            })
        }
    }
}
