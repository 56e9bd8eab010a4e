//! Token requests, and what becomes of their answers.
//!
//! The `oauth2` crate builds the parameters of those grants that it knows; this adapter is the HTTP client
//! that it calls. How a request is written and sent is the business of `message`, how its answer is read
//! that of [`answer`](super::answer).

use std::borrow::Cow;
use std::fmt;
use std::pin::Pin;

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

pub use super::answer::{Cause, Refusal};

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
        settle(request.request_async(&Sender(*self)).await)
    }

    /// Spends a refresh token (RFC 6749 section 6).
    ///
    /// # Errors
    /// See [`Refusal`].
    pub async fn refresh(&self, token: &SecretString) -> Result<Issued, Refusal> {
        let client = self.oauth2();
        let token = RefreshToken::new(token.expose_secret().to_owned());
        let mut request = client.exchange_refresh_token(&token);
        if let Some(resource) = self.resource {
            request = request.add_extra_param("resource", resource);
        }
        settle(request.request_async(&Sender(*self)).await)
    }

    fn oauth2(&self) -> Oauth2Client {
        // The client's secret is added by `Message`, the only place that knows where each style wants it.
        BasicClient::new(ClientId::new(self.client.id.clone()))
            .set_auth_type(AuthType::RequestBody)
            .set_token_uri(TokenUrl::from_url(self.url.clone()))
    }
}

/// Sends the parameters of any grant.
pub(super) async fn ask(endpoint: Endpoint<'_>, form: Vec<(String, String)>) -> Result<Issued, Refusal> {
    Message::new(endpoint, form).send().await?.read()
}

/// The HTTP client that the `oauth2` crate calls.
struct Sender<'a>(Endpoint<'a>);

impl<'c> AsyncHttpClient<'c> for Sender<'_> {
    type Error = Judged;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Judged>> + Send + 'c>>;

    /// Sends one request and judges its answer. The verdict goes back as the "error" of the HTTP client,
    /// past the crate's own reading of answers, which would lose the status, and rotated tokens with it.
    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let form = form_urlencoded::parse(request.body()).into_owned().collect();
            Err(Judged(ask(self.0, form).await))
        })
    }
}

/// A verdict on its way through the `oauth2` crate.
#[derive(Debug)]
struct Judged(Result<Issued, Refusal>);

impl fmt::Display for Judged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a judged token answer")
    }
}

impl std::error::Error for Judged {}

fn settle<T, E: oauth2::ErrorResponse>(
    outcome: Result<T, RequestTokenError<Judged, E>>,
) -> Result<Issued, Refusal> {
    match outcome {
        Err(RequestTokenError::Request(Judged(verdict))) => verdict,
        _ => Err(Error::new(Name::Internal, "the token request could not be built").into()),
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

/// Refuses tokens of another type than asked for (T8, rows 103, 104): `DPoP` if they are to be `bound` to a
/// key, otherwise `Bearer`, in any case of letters. They must be stored before this is asked, because the old
/// refresh token is spent either way (I1). `named`: an answer without a type is refused as well.
///
/// A bearer token in the place of a bound one is refused, and not used as what it is: RFC 9449 section 5 has
/// the client discard it where the binding matters, and it is asked for only where somebody wants it.
///
/// # Errors
/// `wrong-token-type`.
pub fn check_type(token_type: Option<&str>, bound: bool, named: bool) -> Result<()> {
    let wanted = if bound { "DPoP" } else { "Bearer" };
    match token_type {
        Some(found) if found.eq_ignore_ascii_case(wanted) => Ok(()),
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
