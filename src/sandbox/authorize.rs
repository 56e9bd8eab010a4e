//! The authorization endpoint (RFC 6749 section 4.1.1, RFC 7636, RFC 9207).
//!
//! The order of the checks is the rule that matters: as long as client and redirect URI are not
//! known to belong together, nothing is ever sent to that URI (RFC 6749 section 4.1.2.1).

use std::time::Instant;

use http::Response;
use url::Url;

use super::client::Client;
use super::discovery;
use super::options::Consent;
use super::params::Params;
use super::reply::{self, Body};
use super::scope::Scope;
use super::server::Call;
use super::state::{Code, PENDING, Record, State};
use super::{page, secret};

/// A checked authorization request.
#[derive(Clone)]
pub(super) struct Asked {
    pub(super) client: Client,
    /// As it came: the token request must repeat it character for character.
    pub(super) redirect: String,
    state: String,
    pub(super) challenge: String,
    pub(super) scope: Scope,
    pub(super) resource: Option<String>,
}

enum Refusal {
    /// For the user's eyes only.
    Page(&'static str),
    /// For the client, by way of its redirect URI.
    Back { redirect: String, state: Option<String>, error: &'static str, what: &'static str },
}

pub(super) fn serve(call: &Call, record: &mut Record) -> Response<Body> {
    let base = &call.shared.base;
    let mut state = call.shared.state();
    state.log.counts.authorize += 1;
    if let Some(answer) = state.faults.next_authorize() {
        record.entry.note = Some("fault");
        return reply::whole(answer);
    }
    let issuer = state.options.issuer_in_response.then(|| base.clone());
    let query = call.parts.uri.query().unwrap_or_default();
    let asked = match check(query, (&state.clients(), &state.options.resources), base) {
        Ok(asked) => asked,
        Err(Refusal::Page(what)) => {
            record.entry.note = Some("page");
            return page::refusal(what);
        }
        Err(Refusal::Back { redirect, state, error, what }) => {
            record.entry.note = Some(error);
            let answer = [("error", error), ("error_description", what)];
            let location = back(issuer.as_deref(), &redirect, state.as_deref(), &answer);
            return reply::redirect(302, &location);
        }
    };
    record.entry.client = Some(asked.client.id.clone());
    record.entry.resource.clone_from(&asked.resource);
    if let Some(choice) = state.options.auto_consent {
        return reply::redirect(302, &decide(&mut state, base, asked, choice));
    }
    let lifetime = state.options.code_lifetime;
    let now = Instant::now();
    state.consents.retain(|_, (_, since)| now.duration_since(*since) < lifetime);
    if state.consents.len() >= PENDING {
        return page::refusal("Too many sign-ins are open. Try again in a few minutes.");
    }
    let number = secret::fresh("");
    let page = page::consent(&asked, &state.options.email, &number);
    state.consents.insert(secret::print(&number), (asked, now));
    page
}

/// Carries out the user's choice and returns where the browser goes.
pub(super) fn decide(state: &mut State, base: &str, asked: Asked, choice: Consent) -> String {
    let (redirect, opaque) = (asked.redirect.clone(), asked.state.clone());
    let issuer = state.options.issuer_in_response.then_some(base);
    match choice {
        Consent::Deny => {
            state.log.counts.denials += 1;
            let answer = [("error", "access_denied"), ("error_description", "The user chose Deny")];
            back(issuer, &redirect, Some(&opaque), &answer)
        }
        Consent::Authorize => {
            let (code, now) = (secret::fresh(""), Instant::now());
            // A spent code is kept for another lifetime, so that its second use is noticed.
            let kept = state.options.code_lifetime.saturating_mul(2);
            state.codes.retain(|_, code| now.duration_since(code.issued) < kept);
            if state.codes.len() >= PENDING {
                return back(issuer, &redirect, Some(&opaque), &[("error", "temporarily_unavailable")]);
            }
            state.log.counts.consents += 1;
            state.codes.insert(secret::print(&code), Code { asked, issued: now, spent: None });
            back(issuer, &redirect, Some(&opaque), &[("code", &code)])
        }
    }
}

fn check(query: &str, (clients, others): (&[Client], &[String]), base: &str) -> Result<Asked, Refusal> {
    let Ok(params) = Params::form(query.as_bytes()) else {
        return Err(Refusal::Page("The request repeats a parameter."));
    };
    let known = params.get("client_id").and_then(|id| clients.iter().find(|client| client.id == id));
    let Some(client) = known else {
        return Err(Refusal::Page("The application that sent you here is not known."));
    };
    let Some(redirect) = params.get("redirect_uri").filter(|redirect| client.allows(redirect)) else {
        return Err(Refusal::Page(
            "Invalid redirect_uri: the application asked to be answered at an address that is not its own.",
        ));
    };
    let state = params.get("state");
    let refuse = |error, what| {
        let (redirect, state) = (redirect.to_owned(), state.map(str::to_owned));
        Err(Refusal::Back { redirect, state, error, what })
    };
    let Some(opaque) = state else { return refuse("invalid_request", "state is required") };
    match params.get("response_type") {
        Some("code") => {}
        Some(_) => return refuse("unsupported_response_type", "response_type must be code"),
        None => return refuse("invalid_request", "response_type is required"),
    }
    let Some(challenge) = params.get("code_challenge") else {
        return refuse("invalid_request", "code_challenge is required");
    };
    if params.get("code_challenge_method") != Some("S256") {
        return refuse("invalid_request", "code_challenge_method must be S256");
    }
    let in_alphabet = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if challenge.len() != 43 || !challenge.bytes().all(in_alphabet) {
        return refuse("invalid_request", "code_challenge is not that of S256");
    }
    let Some(scope) = params.get("scope").map_or_else(|| Some(Scope::all()), Scope::parse) else {
        return refuse("invalid_scope", "a scope is not known");
    };
    let resource = params.get("resource");
    if resource.is_some_and(|resource| !discovery::is_resource(base, resource, others)) {
        return refuse("invalid_target", "resource is not this server");
    }
    Ok(Asked {
        client: client.clone(),
        redirect: redirect.to_owned(),
        state: opaque.to_owned(),
        challenge: challenge.to_owned(),
        scope,
        resource: resource.map(str::to_owned),
    })
}

/// The redirect URI with an answer: with `iss` (RFC 9207) if the server promises it, with `state` if there
/// was one.
fn back(issuer: Option<&str>, redirect: &str, state: Option<&str>, answer: &[(&str, &str)]) -> String {
    let Ok(mut url) = Url::parse(redirect) else { return redirect.to_owned() };
    url.query_pairs_mut()
        .extend_pairs(answer)
        .extend_pairs(state.map(|state| ("state", state)))
        .extend_pairs(issuer.map(|issuer| ("iss", issuer)));
    url.into()
}
