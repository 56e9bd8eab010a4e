//! The token request in every style, and the way back.
//!
//! The `oauth2` crate builds the requests; this adapter is the HTTP client it calls. It rewrites the
//! form body to JSON where the server wants that (every OAuth parameter is a string, so nothing is
//! lost), sends exactly once, and hands the crate an answer in the one shape that it accepts. All
//! judging of answers is in [`answer`](super::answer).

use std::borrow::Cow;
use std::fmt;
use std::pin::Pin;
use std::time::SystemTime;

use oauth2::basic::BasicClient;
use oauth2::{
    AsyncHttpClient, AuthType, AuthorizationCode, ClientId, EndpointNotSet, EndpointSet, HttpRequest,
    HttpResponse, PkceCodeVerifier, RedirectUrl, RefreshToken, RequestTokenError, TokenUrl,
};
use reqwest::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER};
use secrecy::{ExposeSecret, SecretString};
use url::{Url, form_urlencoded};

use super::answer::{self, Answer, Issued, Reply};
use super::retry_after::{self, Wait};
use crate::credential::{Client, TokenStyle, Tokens, now, now_ms};
use crate::error::{Error, Name, Result};
use crate::http;

pub use super::answer::{Cause, Refusal};

type Oauth2Client = BasicClient<EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

/// Where and as whom token requests are made.
#[derive(Debug, Clone, Copy)]
pub struct Endpoint<'a> {
    /// The token endpoint.
    pub url: &'a Url,
    /// The client.
    pub client: &'a Client,
    /// The `resource` parameter (RFC 8707), the same in every request of a sign-in.
    pub resource: Option<&'a str>,
}

/// What the browser brought back.
#[derive(Debug)]
pub struct Code {
    /// The authorization code.
    pub code: SecretString,
    /// The PKCE verifier (RFC 7636).
    pub verifier: PkceCodeVerifier,
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
            .set_pkce_verifier(code.verifier)
            .set_redirect_uri(Cow::Owned(redirect));
        if let Some(resource) = self.resource {
            request = request.add_extra_param("resource", resource);
        }
        settle(request.request_async(&Sender(self)).await)
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
        settle(request.request_async(&Sender(self)).await)
    }

    fn oauth2(&self) -> Oauth2Client {
        // The client's secret is added by `Message`, the only place that knows where each style wants it.
        BasicClient::new(ClientId::new(self.client.id.clone()))
            .set_auth_type(AuthType::RequestBody)
            .set_token_uri(TokenUrl::from_url(self.url.clone()))
    }
}

/// The HTTP client that the `oauth2` crate calls.
struct Sender<'a>(&'a Endpoint<'a>);

impl<'c> AsyncHttpClient<'c> for Sender<'_> {
    type Error = Judged;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Judged>> + Send + 'c>>;

    /// Sends one request and judges its answer. The verdict goes back as the "error" of the HTTP client,
    /// past the crate's own reading of answers, which would lose the status, and rotated tokens with it.
    fn call(&'c self, request: HttpRequest) -> Self::Future {
        let Endpoint { url, client, .. } = *self.0;
        Box::pin(async move {
            let form: Vec<(String, String)> = form_urlencoded::parse(request.body()).into_owned().collect();
            let message = Message::new(form, client);
            Err(Judged(match post(url, &message).await {
                Ok(reply) => redact(answer::read(reply.borrow()), &message),
                Err(error) => Answer::Refused(error.into()),
            }))
        })
    }
}

/// A verdict on its way through the `oauth2` crate.
#[derive(Debug)]
struct Judged(Answer);

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
        Err(RequestTokenError::Request(Judged(Answer::Issued(issued)))) => Ok(issued),
        Err(RequestTokenError::Request(Judged(Answer::Refused(refusal)))) => Err(refusal),
        _ => Err(Error::new(Name::Internal, "the token request could not be built").into()),
    }
}

/// A request with secrets: its parameters, and the client's credentials where its style wants them.
pub(super) struct Message<'a> {
    form: Vec<(String, String)>,
    client: &'a Client,
}

impl<'a> Message<'a> {
    /// Authenticates the client (RFC 6749 section 2.3.1): its id and secret go either into the body or
    /// into HTTP Basic, never into both, and never elsewhere on a second try (T7).
    pub(super) fn new(mut form: Vec<(String, String)>, client: &'a Client) -> Self {
        form.retain(|(name, _)| name != "client_id" && name != "client_secret");
        let message = Message { form, client };
        let mut form = Vec::new();
        if message.basic().is_none() {
            form.push(("client_id".to_owned(), client.id.clone()));
            form.extend(
                client.secret.iter().map(|s| ("client_secret".to_owned(), s.expose_secret().to_owned())),
            );
        }
        form.extend(message.form);
        Message { form, client }
    }

    /// User name and password of HTTP Basic, each form-encoded first.
    fn basic(&self) -> Option<(String, String)> {
        let secret = self.client.secret.as_ref()?;
        let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect();
        matches!(self.client.style, TokenStyle::FormBasic | TokenStyle::JsonBasic)
            .then(|| (encode(&self.client.id), encode(secret.expose_secret())))
    }

    fn encode(&self) -> (&'static str, String) {
        match self.client.style {
            TokenStyle::FormPost | TokenStyle::FormBasic => {
                let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.form).finish();
                ("application/x-www-form-urlencoded", body)
            }
            TokenStyle::Json | TokenStyle::JsonBasic => {
                let members = self.form.iter().map(|(name, value)| (name.clone(), value.as_str().into()));
                ("application/json", serde_json::Value::Object(members.collect()).to_string())
            }
        }
    }
}

/// An answer, read to its end.
pub(super) struct Received {
    pub(super) status: u16,
    wait: Option<Wait>,
    body: bytes::Bytes,
    host: String,
}

impl Received {
    pub(super) fn borrow(&self) -> Reply<'_> {
        Reply { status: self.status, wait: self.wait, body: &self.body, host: &self.host }
    }
}

/// Sends a message once: no redirect, no retry, bounded in time and size.
pub(super) async fn post(url: &Url, message: &Message<'_>) -> Result<Received> {
    let host = url.host_str().unwrap_or_default().to_owned();
    let (content_type, body) = message.encode();
    let mut request = http::oauth(url)?.post(url.clone());
    request = request.header(CONTENT_TYPE, content_type).header(ACCEPT, "application/json").body(body);
    if let Some((id, secret)) = message.basic() {
        request = request.basic_auth(id, Some(secret));
    }
    let response = request.send().await.map_err(|error| http::transport(&error, &host))?;
    let status = response.status().as_u16();
    let wait = response.headers().get(RETRY_AFTER);
    let wait = wait.map(|value| retry_after::read(value.to_str().unwrap_or_default(), SystemTime::now()));
    let body = http::read(response, http::TOKEN_ANSWER_LIMIT).await?;
    Ok(Received { status, wait, body, host })
}

/// Takes our own secrets out of the server's words (row 107).
fn redact(answer: Answer, message: &Message<'_>) -> Answer {
    let secret = ["code", "code_verifier", "refresh_token", "client_secret", "token"];
    let form =
        message.form.iter().filter(|(name, value)| secret.contains(&name.as_str()) && !value.is_empty());
    let mut secrets: Vec<&str> = form.map(|(_, value)| value.as_str()).collect();
    secrets.extend(message.client.secret.as_ref().map(ExposeSecret::expose_secret));
    match answer {
        Answer::Refused(refusal) if secrets.iter().any(|secret| refusal.says(secret)) => {
            Answer::Refused(refusal.silenced())
        }
        answer => answer,
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

/// Refuses tokens that are not bearer tokens (T8, rows 103, 104). They must be stored before this is
/// asked, because the old refresh token is spent either way (I1).
///
/// # Errors
/// `wrong-token-type`.
pub fn check_type(token_type: Option<&str>, required: bool) -> Result<()> {
    match token_type {
        Some(found) if found.eq_ignore_ascii_case("bearer") => Ok(()),
        None if !required => Ok(()),
        found => {
            let found = found.map_or_else(|| "no type".to_owned(), crate::error::clean);
            Err(Error::new(
                Name::WrongTokenType,
                format!("the server issued a token of type {found}, not Bearer"),
            ))
        }
    }
}
