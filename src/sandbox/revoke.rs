//! The revocation endpoint (RFC 7009). A refresh token takes its whole sign-in with it; an unknown
//! token is as good as revoked and gets 200 too.

use http::Response;

use super::client;
use super::params::Params;
use super::reply::{self, Body};
use super::server::Call;
use super::state::Record;

pub(super) fn serve(call: &Call, record: &mut Record) -> Response<Body> {
    let mut state = call.shared.state();
    state.log.counts.revoke += 1;
    if let Some(answer) = state.faults.next_revoke() {
        record.entry.note = Some("fault");
        return reply::whole(answer);
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
    let Some(token) = params.get("token") else {
        return refuse(400, "invalid_request", "token is required");
    };
    match state.ledger.owner(token) {
        Some((_, owner)) if owner != client.id => {
            return refuse(400, "invalid_grant", "the token was issued to another client");
        }
        Some((place, _)) => (record.entry.family, record.entry.generation) = (Some(place.0), Some(place.1)),
        None => record.entry.note = Some("unknown"),
    }
    record.entry.client = Some(client.id);
    let ended = state.ledger.revoke_token(token);
    state.log.counts.families_revoked += u64::from(ended);
    reply::empty(200)
}
