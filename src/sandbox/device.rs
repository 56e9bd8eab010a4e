//! The device grant (RFC 8628), off unless [`Options::device`](super::Options) says so. Its user decides at
//! once, as `auto_consent` has it; without that, never. A test that wants more patience of the client arms
//! answers of the token endpoint.

use std::time::Instant;

use http::Response;
use serde_json::json;

use super::client;
use super::discovery;
use super::family::Issued;
use super::options::Consent;
use super::params::Params;
use super::reply::{self, Body};
use super::scope::Scope;
use super::secret;
use super::server::Call;
use super::state::{PENDING, Record, State};

/// The grant type.
pub(super) const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// A device code.
pub(super) struct Waiting {
    client: String,
    scope: Scope,
    resource: Option<String>,
    issued: Instant,
}

/// The device authorization endpoint (section 3.1).
pub(super) fn serve(call: &Call, record: &mut Record) -> Response<Body> {
    let mut state = call.shared.state();
    if !state.options.device {
        return reply::http_error(404, "not_found", "there is nothing here");
    }
    let mut refuse = |status, error, what: &str| {
        record.entry.note = Some(error);
        reply::oauth_error(status, error, what)
    };
    let params = match Params::body(&call.parts.headers, &call.body, state.options.token_style) {
        Ok(params) => params,
        Err(what) => return refuse(400, "invalid_request", what),
    };
    let client = match client::authenticate(&state.clients(), &call.parts.headers, &params) {
        Ok(client) => client,
        Err(not) => return refuse(401, "invalid_client", not.why),
    };
    let Some(scope) = params.get("scope").map_or_else(|| Some(Scope::all()), Scope::parse) else {
        return refuse(400, "invalid_scope", "a scope is not known");
    };
    let (base, resource) = (&call.shared.base, params.get("resource"));
    if resource.is_some_and(|resource| !discovery::is_resource(base, resource, &state.options.resources)) {
        return refuse(400, "invalid_target", "resource is not this server");
    }
    if state.devices.len() >= PENDING {
        return refuse(503, "temporarily_unavailable", "too many sign-ins are open");
    }
    record.entry.client = Some(client.id.clone());
    record.entry.resource = resource.map(str::to_owned);
    let code = secret::fresh("");
    let (resource, issued) = (resource.map(str::to_owned), Instant::now());
    state.devices.insert(secret::print(&code), Waiting { client: client.id, scope, resource, issued });
    reply::json(
        200,
        &json!({
            "device_code": code,
            "user_code": "WDJB-MJHT",
            "verification_uri": format!("{base}/device"),
            "verification_uri_complete": format!("{base}/device?user_code=WDJB-MJHT"),
            "expires_in": state.options.code_lifetime.as_secs(),
            "interval": 1,
        }),
    )
}

/// The token request (section 3.4).
pub(super) fn redeem(
    state: &mut State,
    client: &str,
    params: &Params,
    record: &mut Record,
) -> Result<Issued, (u16, &'static str, &'static str)> {
    record.entry.grant = Some("device_code");
    let Some(code) = params.get("device_code") else {
        return Err((400, "invalid_request", "device_code is required"));
    };
    let (key, now) = (secret::print(code), Instant::now());
    let Some(found) = state.devices.get(&key).filter(|found| found.client == client) else {
        return Err((400, "invalid_grant", "the device code is not known"));
    };
    if now.duration_since(found.issued) >= state.options.code_lifetime {
        return Err((400, "expired_token", "the device code has expired"));
    }
    if params.get("resource") != found.resource.as_deref() {
        return Err((400, "invalid_target", "resource is not that of the device authorization request"));
    }
    match state.options.auto_consent {
        None => Err((400, "authorization_pending", "nobody has decided yet")),
        Some(Consent::Deny) => {
            state.log.counts.denials += 1;
            Err((400, "access_denied", "the user chose Deny"))
        }
        Some(Consent::Authorize) => {
            let scope = found.scope.clone();
            state.devices.remove(&key);
            state.log.counts.consents += 1;
            let issued = state.ledger.begin(client, &scope, &state.options, now);
            state.log.counts.families += 1;
            state.log.counts.pairs_issued += 1;
            Ok(issued)
        }
    }
}
