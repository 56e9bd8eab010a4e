//! The token endpoint (RFC 6749 sections 4.1.3 and 6, RFC 7636 section 4.6), with its faults.
//!
//! Two steps, because everything that is worth testing happens between them: *commit* judges the
//! request and changes the ledger in one go under the lock; *answer* may come later, differently,
//! or not at all.

use std::time::Instant;

use http::Response;
use http::header::WWW_AUTHENTICATE;
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};

use super::client::{self, Client};
use super::device;
use super::discovery;
use super::family::{Issued, Refresh};
use super::fault::Fault;
use super::log::Kind;
use super::params::Params;
use super::reply::{self, Answer, Body, Hangup};
use super::scope::Scope;
use super::secret;
use super::server::Call;
use super::state::{Record, State};

/// Status, OAuth error code and description.
type Refused = (u16, &'static str, &'static str);

const BAD_GRANT: &str = "invalid_grant";

pub(super) async fn serve(call: &Call, record: &mut Record) -> Answer {
    let fault = call.shared.state().faults.next_token();
    record.entry.note = fault.as_ref().map(|_| "fault");
    let fault = match fault {
        Some(Fault::TokenAnswer(answer)) => return Ok(reply::whole(*answer)),
        Some(Fault::TokenDropBeforeCommit) => return Err(Hangup),
        Some(Fault::TokenRedirect(url)) => return Ok(reply::redirect(307, url.as_str())),
        other => other,
    };
    let (response, delay) = commit(call, record);
    let delay = match &fault {
        Some(Fault::TokenDropAfterCommit) => return Err(Hangup),
        Some(Fault::TokenDelay(more)) => delay + *more,
        _ => delay,
    };
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    match (response, fault) {
        (Ok(success), Some(Fault::TokenRewrite(change))) => {
            Ok(reply::raw(200, "application/json", change(success.to_string())))
        }
        (Ok(success), _) => Ok(reply::json(200, &success)),
        (Err(refusal), _) => Ok(refusal),
    }
}

/// Everything up to and including the change of the ledger.
fn commit(call: &Call, record: &mut Record) -> (Result<Value, Response<Body>>, std::time::Duration) {
    let mut state = call.shared.state();
    let delay = state.options.token_delay;
    let params = match Params::body(&call.parts.headers, &call.body, state.options.token_style) {
        Ok(params) => params,
        Err(what) => {
            record.entry.note = Some("invalid_request");
            return (Err(reply::oauth_error(400, "invalid_request", what)), delay);
        }
    };
    let client = match client::authenticate(&state.clients(), &call.parts.headers, &params) {
        Ok(client) => client,
        Err(not) => {
            record.entry.note = Some("invalid_client");
            let mut response = reply::oauth_error(401, "invalid_client", not.why);
            if not.by_header {
                reply::set(&mut response, WWW_AUTHENTICATE, r#"Basic realm="Chipp""#);
            }
            return (Err(response), delay);
        }
    };
    record.entry.client = Some(client.id.clone());
    let resource = params.get("resource");
    let (base, others) = (&call.shared.base, &state.options.resources);
    let issued = if resource.is_some_and(|resource| !discovery::is_resource(base, resource, others)) {
        Err((400, "invalid_target", "resource is not this server"))
    } else {
        record.entry.resource = resource.map(str::to_owned);
        match params.get("grant_type") {
            Some("authorization_code") => by_code(&mut state, &client, &params, record),
            Some("refresh_token") => by_refresh(&mut state, &client, &params, record),
            Some(device::GRANT) if state.options.device => {
                device::redeem(&mut state, &client.id, &params, record)
            }
            Some(_) => Err((400, "unsupported_grant_type", "use authorization_code or refresh_token")),
            None => Err((400, "invalid_request", "grant_type is required")),
        }
    };
    let answer = issued
        .map(|issued| {
            record.entry.family = Some(issued.place.0);
            record.entry.issued = Some(issued.place.1);
            success(&issued, state.options.say_expires_in)
        })
        .map_err(|(status, error, what)| {
            record.entry.note = Some(error);
            reply::oauth_error(status, error, what)
        });
    (answer, delay)
}

fn by_code(
    state: &mut State,
    client: &Client,
    params: &Params,
    record: &mut Record,
) -> Result<Issued, Refused> {
    state.log.counts.token_code += 1;
    record.entry.grant = Some("authorization_code");
    let Some(code) = params.get("code") else { return Err((400, "invalid_request", "code is required")) };
    let Some(verifier) = params.get("code_verifier") else {
        return Err((400, "invalid_request", "code_verifier is required"));
    };
    let key = secret::print(code);
    let Some(found) = state.codes.get(&key) else {
        return Err((400, BAD_GRANT, "the code is not known"));
    };
    if found.asked.client.id != client.id {
        return Err((400, BAD_GRANT, "the code was issued to another client"));
    }
    if let Some((family, generation)) = found.spent {
        // RFC 6749 section 4.1.2: a code used twice may be a stolen one, so what it gave is taken back.
        record.entry.kind = Kind::Reuse;
        (record.entry.family, record.entry.generation) = (Some(family), Some(generation));
        state.log.counts.reuse += 1;
        state.revoke_family(family);
        return Err((400, BAD_GRANT, "the code was used before"));
    }
    let now = Instant::now();
    let wrong = if now.duration_since(found.issued) >= state.options.code_lifetime {
        Some("the code has expired")
    } else if params.get("redirect_uri") != Some(found.asked.redirect.as_str()) {
        Some("redirect_uri is not that of the authorization request")
    } else if !is_verifier(verifier) || secret::challenge(verifier) != found.asked.challenge {
        Some("code_verifier does not fit the challenge")
    } else if params.get("resource").is_some() && params.get("resource") != found.asked.resource.as_deref() {
        return Err((400, "invalid_target", "resource is not that of the authorization request"));
    } else {
        None
    };
    if let Some(wrong) = wrong {
        // Whoever holds the code without its verifier is not whom it was meant for: no second try.
        state.codes.remove(&key);
        return Err((400, BAD_GRANT, wrong));
    }
    let scope = found.asked.scope.clone();
    let issued = state.ledger.begin(&client.id, &scope, &state.options, now);
    if let Some(code) = state.codes.get_mut(&key) {
        code.spent = Some(issued.place);
    }
    state.log.counts.families += 1;
    state.log.counts.pairs_issued += 1;
    Ok(issued)
}

fn by_refresh(
    state: &mut State,
    client: &Client,
    params: &Params,
    record: &mut Record,
) -> Result<Issued, Refused> {
    state.log.counts.token_refresh += 1;
    record.entry.grant = Some("refresh_token");
    let Some(token) = params.get("refresh_token") else {
        return Err((400, "invalid_request", "refresh_token is required"));
    };
    let scope = match params.get("scope").map(Scope::parse) {
        Some(None) => return Err((400, "invalid_scope", "a scope is not known")),
        Some(scope) => scope,
        None => None,
    };
    let Some(place) = state.ledger.place_of_refresh(token) else {
        return Err((400, BAD_GRANT, "the refresh token is not known"));
    };
    (record.entry.family, record.entry.generation) = (Some(place.0), Some(place.1));
    *state.log.counts.refreshes_per_generation.entry(place).or_default() += 1;
    if state.ledger.owner(token).is_none_or(|(_, owner)| owner != client.id) {
        return Err((400, BAD_GRANT, "the refresh token was issued to another client"));
    }
    match state.ledger.refresh(place, scope, &state.options, Instant::now()) {
        Refresh::Rotated(issued) => {
            state.log.counts.pairs_issued += 1;
            Ok(issued)
        }
        Refresh::Graced(issued) => {
            state.log.counts.graced += 1;
            record.entry.note = Some("grace");
            Ok(issued)
        }
        Refresh::Reused { revoked } => {
            record.entry.kind = Kind::Reuse;
            state.log.counts.reuse += 1;
            state.log.counts.families_revoked += u64::from(revoked);
            Err((400, BAD_GRANT, "the refresh token was used before"))
        }
        Refresh::Refused(why) => Err((400, BAD_GRANT, why)),
        Refresh::TooMuchScope => Err((400, "invalid_scope", "more than was granted")),
    }
}

/// RFC 7636 section 4.1.
fn is_verifier(verifier: &str) -> bool {
    (43..=128).contains(&verifier.len())
        && verifier.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

fn success(issued: &Issued, say_expires_in: bool) -> Value {
    let mut answer = Map::new();
    answer.insert("access_token".to_owned(), json!(issued.access.expose_secret()));
    answer.insert("token_type".to_owned(), json!("Bearer"));
    if say_expires_in {
        answer.insert("expires_in".to_owned(), json!(issued.expires_in.as_secs()));
    }
    answer.insert("refresh_token".to_owned(), json!(issued.refresh.expose_secret()));
    answer.insert("scope".to_owned(), json!(issued.scope.to_string()));
    Value::Object(answer)
}
