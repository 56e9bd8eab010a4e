//! Who may do what at the MCP endpoints: bearer tokens, challenges (RFC 6750, RFC 9728 section 5.1)
//! and the scope of each tool.

use std::time::Instant;

use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, Response};

use super::areas::Area;
use super::family::Denied;
use super::reply::{self, Body, Step};
use super::rpc::Message;
use super::scope::Scope;
use super::server::Call;
use super::state::{Record, State};
use super::tools;

/// What a request may do.
pub(super) enum Caller {
    /// With this token's scope.
    Known(Scope),
    /// What needs no sign-in.
    Anonymous,
}

/// Judges the token of a request.
pub(super) fn enter(state: &mut State, call: &Call, area: Area, record: &mut Record) -> Step<Caller> {
    let bearer = match read_bearer(&call.parts.headers) {
        Ok(Some(bearer)) => bearer,
        Ok(None) if state.options.anonymous => return Ok(Caller::Anonymous),
        Ok(None) => return Err(Box::new(unauthorized(state, call, area, None))),
        Err(()) => {
            record.entry.note = Some("malformed");
            return Err(Box::new(unauthorized(state, call, area, Some("Invalid token format"))));
        }
    };
    let now = Instant::now();
    match state.ledger.check(bearer, &state.options, now) {
        Ok(access) => {
            (record.entry.family, record.entry.generation) = (Some(access.place.0), Some(access.place.1));
            Ok(Caller::Known(access.scope))
        }
        Err(Denied(place, why)) => {
            record.entry.family = place.map(|place| place.0);
            record.entry.generation = place.map(|place| place.1);
            record.entry.note = Some(why);
            let text =
                if why == "malformed" { "Invalid token format" } else { "The token is not valid any more" };
            Err(Box::new(unauthorized(state, call, area, Some(text))))
        }
    }
}

/// What a caller lacks for a request.
pub(super) enum Lack {
    /// A sign-in.
    SignIn,
    /// This scope.
    Scope(&'static str),
}

/// Judges what a known or anonymous caller wants to do.
pub(super) fn permit(caller: &Caller, message: &Message<'_>) -> Result<(), Lack> {
    let tool = message.tool();
    match caller {
        Caller::Anonymous => {
            let open = match message.method.as_deref() {
                Some("tools/call") => tool == Some("search_documentation"),
                Some("initialize" | "ping" | "tools/list") => true,
                Some(method) => method.starts_with("notifications/"),
                // An answer to the server's own request.
                None => true,
            };
            if open { Ok(()) } else { Err(Lack::SignIn) }
        }
        Caller::Known(scope) => match tool.and_then(tools::scope) {
            Some(needed) if !scope.covers(needed) => Err(Lack::Scope(needed)),
            _ => Ok(()),
        },
    }
}

/// The answer that says what is missing.
pub(super) fn missing(state: &mut State, call: &Call, area: Area, lack: &Lack) -> Response<Body> {
    match lack {
        Lack::SignIn => unauthorized(state, call, area, None),
        Lack::Scope(needed) => forbidden(state, call, area, needed),
    }
}

/// The 401. `invalid` says why the token was refused; without a token no error is named (RFC 6750
/// section 3).
pub(super) fn unauthorized(
    state: &mut State,
    call: &Call,
    area: Area,
    invalid: Option<&str>,
) -> Response<Body> {
    state.log.counts.unauthorized += 1;
    let mut challenge = start(state, call, area);
    if let Some(why) = invalid {
        challenge.push_str(&format!(r#", error="invalid_token", error_description="{why}""#));
    }
    let mut response = reply::http_error(401, "unauthorized", invalid.unwrap_or("Authentication required"));
    reply::set(&mut response, WWW_AUTHENTICATE, &challenge);
    response
}

fn forbidden(state: &mut State, call: &Call, area: Area, needed: &str) -> Response<Body> {
    state.log.counts.insufficient_scope += 1;
    let start = start(state, call, area);
    let challenge = format!(r#"{start}, error="insufficient_scope", scope="{needed}""#);
    let mut response = reply::http_error(403, "insufficient_scope", "Scope not authorized");
    reply::set(&mut response, WWW_AUTHENTICATE, &challenge);
    response
}

fn start(state: &State, call: &Call, area: Area) -> String {
    if state.options.discovery {
        format!(r#"Bearer resource_metadata="{}{}""#, call.shared.base, area.metadata_path())
    } else {
        r#"Bearer realm="Chipp""#.to_owned()
    }
}

/// The bearer token, if there is an `Authorization` header at all.
fn read_bearer(headers: &HeaderMap) -> Result<Option<&str>, ()> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return if headers.contains_key(AUTHORIZATION) { Err(()) } else { Ok(None) };
    };
    let (scheme, token) = value.to_str().map_err(|_| ())?.split_once(' ').ok_or(())?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(Some(token)) } else { Err(()) }
}
