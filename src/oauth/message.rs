//! One request with secrets: the client's credentials in the one place its style has for them (T7), sent
//! once and never redirected (T1, T3), its answer bounded in time and size (T4).
//!
//! T7 also says that a secret is never shown again in another style. That holds for every style that a
//! profile, the command line, a registration or a record names: this file knows one style for each request.
//! Only who asked for `auto` has the styles tried one after the other, by [`search`](super::search), once for
//! each sign-in and at this one endpoint.

use std::time::SystemTime;

use reqwest::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER};
use secrecy::{ExposeSecret, SecretString};
use serde::Serializer;
use url::form_urlencoded;

use super::answer::{self, Answer, Cause, Issued, Refusal, Reply};
use super::wire::Endpoint;
use super::{assertion, dpop};
use crate::credential::TokenStyle;
use crate::error::{Error, Name, Result};
use crate::http;
use crate::http::retry_after::{self, Wait};

/// The parameters whose values are secrets.
const SECRET: [&str; 7] =
    ["assertion", "code", "code_verifier", "device_code", "refresh_token", "subject_token", "token"];

/// How the providers' own pages order the parameters of a form; what is not named follows as it came. No
/// server may care (RFC 6749 section 3.2), but whoever compares a request with such a page can.
const FORM: [&str; 12] = [
    "grant_type",
    "code",
    "refresh_token",
    "device_code",
    "assertion",
    "token",
    "token_type_hint",
    "client_id",
    "client_secret",
    "client_assertion_type",
    "client_assertion",
    "redirect_uri",
];
/// The same for the members of a JSON body.
const JSON: [&str; 10] = [
    "grant_type",
    "code",
    "refresh_token",
    "device_code",
    "assertion",
    "token",
    "token_type_hint",
    "redirect_uri",
    "client_id",
    "client_secret",
];

/// A request: its parameters, without those that authenticate the client.
pub(super) struct Message<'a> {
    endpoint: Endpoint<'a>,
    form: Vec<(String, String)>,
}

impl<'a> Message<'a> {
    pub(super) fn new(endpoint: Endpoint<'a>, mut form: Vec<(String, String)>) -> Self {
        form.retain(|(name, _)| name != "client_id" && name != "client_secret");
        Message { endpoint, form }
    }

    /// Sends it. A second time only where the server has not looked at the grant yet: it refused the first
    /// for want of a nonce and gave one (RFC 9449 section 8), or it did not find our id.
    pub(super) async fn send(&self) -> Result<Received> {
        let mut named = false;
        let mut first = self.once(named).await?;
        if self.basic().is_some() && first.misses_the_id() {
            // The servers of the official Python SDK look for the id in the body, even beside Basic, which
            // RFC 6749 section 3.2.1 allows. Others refuse it there, so it is added only when asked for. The
            // secret stays where it is (T7).
            named = true;
            first = self.once(named).await?;
        }
        let Some(key) = self.endpoint.dpop else { return Ok(first) };
        let told = first.nonce.as_deref().is_some_and(|nonce| key.learn(self.endpoint.url, nonce));
        if !told || first.read().err().is_none_or(|refusal| refusal.cause != Cause::NonceRequired) {
            return Ok(first);
        }
        let second = self.once(named).await?;
        if let Some(nonce) = &second.nonce {
            key.learn(self.endpoint.url, nonce);
        }
        Ok(second)
    }

    async fn once(&self, named: bool) -> Result<Received> {
        let Endpoint { url, client, reach, dpop, .. } = self.endpoint;
        let host = url.host_str().unwrap_or_default().to_owned();
        let form = self.authenticated(named)?;
        let (content_type, body) = encode(client.style, &form)?;
        let mut request = http::oauth(url, reach).await?.post(url.clone());
        request = request.header(CONTENT_TYPE, content_type).header(ACCEPT, "application/json").body(body);
        if let Some((id, secret)) = self.basic() {
            request = request.basic_auth(id, Some(secret));
        }
        if let Some(key) = dpop {
            request = request.header("DPoP", key.proof(dpop::Request { method: "POST", url, token: None })?);
        }
        let response = request.send().await.map_err(|error| http::transport(&error, &host))?;
        let wait = response.headers().get(RETRY_AFTER);
        let wait = wait.map(|value| retry_after::read(value.to_str().unwrap_or_default(), SystemTime::now()));
        let nonce =
            response.headers().get("DPoP-Nonce").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let status = response.status().as_u16();
        let body = http::read(response, http::TOKEN_ANSWER_LIMIT).await?;
        let secrets = form.into_iter().filter(|(name, _)| is_secret(name)).map(|(_, value)| value.into());
        let secrets = secrets.chain(client.secret.clone()).collect();
        Ok(Received { status, wait, nonce, body, host, secrets })
    }

    /// The parameters, with the client's credentials where its style has them in the body: its id and its
    /// secret (RFC 6749 section 2.3.1), or its id and an assertion (RFC 7523 section 2.2). A client with a
    /// key has no use for a secret.
    fn authenticated(&self, named: bool) -> Result<Vec<(String, String)>> {
        let client = self.endpoint.client;
        let mut form = Vec::new();
        let mut add = |name: &str, value: String| form.push((name.to_owned(), value));
        if named || self.basic().is_none() {
            add("client_id", client.id.clone());
        }
        if self.basic().is_none() {
            match (&client.key, &client.secret) {
                (Some(key), _) => {
                    add("client_assertion_type", assertion::TYPE.to_owned());
                    add("client_assertion", assertion::sign(client, key, self.endpoint.issuer)?);
                }
                (None, Some(secret)) => add("client_secret", secret.expose_secret().to_owned()),
                (None, None) => {}
            }
        }
        form.extend(self.form.iter().cloned());
        let order = if client.style.is_json() { &JSON[..] } else { &FORM[..] };
        form.sort_by_key(|(name, _)| order.iter().position(|first| first == name).unwrap_or(order.len()));
        Ok(form)
    }

    /// User name and password of HTTP Basic, each form-encoded first, as RFC 6749 section 2.3.1 says, unless
    /// the server wants them raw. A blank becomes `%20`, which every decoder reads; some take `+` for itself.
    fn basic(&self) -> Option<(String, String)> {
        let client = self.endpoint.client;
        let secret = client.secret.as_ref().filter(|_| client.key.is_none())?;
        let encode = |text: &str| match client.raw_basic {
            true => text.to_owned(),
            false => form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20"),
        };
        client.style.is_basic().then(|| (encode(&client.id), encode(secret.expose_secret())))
    }
}

fn is_secret(parameter: &str) -> bool {
    SECRET.contains(&parameter) || parameter == "client_secret" || parameter == "client_assertion"
}

fn encode(style: TokenStyle, form: &[(String, String)]) -> Result<(&'static str, String)> {
    if !style.is_json() {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        return Ok(("application/x-www-form-urlencoded", body));
    }
    let mut body = Vec::new();
    let written = serde_json::Serializer::new(&mut body).collect_map(form.iter().map(|(n, v)| (n, v)));
    let body = written.ok().and_then(|()| String::from_utf8(body).ok());
    let body = body.ok_or_else(|| Error::new(Name::Internal, "a request could not be written as JSON"))?;
    Ok(("application/json", body))
}

/// An answer, read to its end.
pub(super) struct Received {
    pub(super) status: u16,
    wait: Option<Wait>,
    nonce: Option<String>,
    pub(super) body: bytes::Bytes,
    host: String,
    /// What was sent and must not be repeated anywhere.
    secrets: Vec<SecretString>,
}

impl Received {
    /// Whether the server refused the client because it did not find its id.
    fn misses_the_id(&self) -> bool {
        let refused = matches!(self.status, 400 | 401);
        refused && self.read().is_err_and(|refusal| refusal.said.to_lowercase().contains("missing client_id"))
    }

    /// Reads it as a token answer. Our own secrets are taken out of the server's words (T6, row 107).
    pub(super) fn read(&self) -> Result<Issued, Refusal> {
        let reply = Reply { status: self.status, wait: self.wait, body: &self.body, host: &self.host };
        match answer::read(reply) {
            Answer::Issued(issued) => Ok(issued),
            Answer::Refused(refusal) if self.secrets.iter().any(|secret| tells(&refusal, secret)) => {
                Err(refusal.silenced())
            }
            Answer::Refused(refusal) => Err(refusal),
        }
    }
}

fn tells(refusal: &Refusal, secret: &SecretString) -> bool {
    !secret.expose_secret().is_empty() && refusal.says(secret.expose_secret())
}
