//! The answer of the consent page: one of its two buttons.
//!
//! The form carries a one-time number of 256 bits and nothing else of the request, so neither a
//! foreign page nor an edited form can authorize anything that the user did not see.

use std::time::Instant;

use http::Response;

use super::authorize;
use super::options::Consent;
use super::params::Params;
use super::reply::{self, Body};
use super::server::Call;
use super::state::Record;
use super::{page, secret};

pub(super) fn serve(call: &Call, record: &mut Record) -> Response<Body> {
    let form = Params::form(&call.body).unwrap_or_default();
    let choice = match form.get("choice") {
        Some("authorize") => Consent::Authorize,
        Some("deny") => Consent::Deny,
        _ => return page::refusal("The form came back without a choice."),
    };
    let mut state = call.shared.state();
    let lifetime = state.options.code_lifetime;
    let pending = form.get("request").and_then(|number| state.consents.remove(&secret::print(number)));
    let Some((asked, since)) = pending else {
        record.entry.note = Some("unknown");
        return page::refusal("This page was already answered. Start again from your application.");
    };
    if Instant::now().duration_since(since) >= lifetime {
        record.entry.note = Some("expired");
        return page::refusal("This page is too old. Start again from your application.");
    }
    record.entry.client = Some(asked.client.id.clone());
    record.entry.note = Some(if choice == Consent::Authorize { "authorize" } else { "deny" });
    // 303 and not 307, which would make the browser post the form to the client (RFC 9700 section 4.12).
    reply::redirect(303, &authorize::decide(&mut state, &call.shared.base, asked, choice))
}
