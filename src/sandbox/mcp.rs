//! The HTTP half of the MCP server: Streamable HTTP as of 2025-03-26, 2025-06-18 and 2025-11-25.
//!
//! Strict on purpose: where the specification lets a server forgive, this one does not, so that a
//! client's mistake shows in a test and not with a stricter server in the field.

use std::time::Instant;

use http::header::{ACCEPT, CACHE_CONTROL, ORIGIN};
use http::{HeaderName, Method, Response};

use super::areas::Area;
use super::fault::Fault;
use super::gate::{self, Caller};
use super::options::Answers;
use super::params::media_type;
use super::reply::{self, Answer, Body, Hangup, Step};
use super::rpc::{self, Message, Messages};
use super::server::Call;
use super::session;
use super::state::{Record, State};

/// The versions spoken here, newest first.
pub(super) const VERSIONS: [&str; 3] = ["2025-11-25", "2025-06-18", "2025-03-26"];

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
const VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");

pub(super) fn serve(call: &Call, area: Area, record: &mut Record) -> Answer {
    let mut state = call.shared.state();
    let is_post = call.parts.method == Method::POST;
    record.entry.session = call.parts.headers.contains_key(SESSION);
    record.entry.version = header(call, &VERSION).and_then(|text| VERSIONS.into_iter().find(|v| *v == text));
    if is_post {
        state.log.counts.mcp_posts += 1;
        note(&call.body, record);
        if let Some(fault) = state.faults.next_mcp() {
            record.entry.note = Some("fault");
            return match fault {
                Fault::McpAnswer(answer) => Ok(reply::whole(*answer)),
                Fault::McpUnauthorized => {
                    Ok(gate::unauthorized(&mut state, call, area, Some("The token is not valid any more")))
                }
                _ => Err(Hangup),
            };
        }
    }
    // A browser page may not speak to a server on this computer (DNS rebinding).
    if call.parts.headers.contains_key(ORIGIN) {
        return Ok(reply::http_error(403, "forbidden", "requests with an Origin are not served"));
    }
    let answer = gate::enter(&mut state, call, area, record).and_then(|caller| {
        if is_post {
            limited(&mut state, |state| post(state, call, area, &caller))
        } else if call.parts.method == Method::GET {
            get(&mut state, call)
        } else {
            delete(&mut state, call)
        }
    });
    Ok(answer.unwrap_or_else(|refusal| *refusal))
}

/// Counts the request against the rate limit and marks the answer with what is left of it.
fn limited(
    state: &mut State,
    serve: impl FnOnce(&mut State) -> Step<Response<Body>>,
) -> Step<Response<Body>> {
    let Some(limit) = state.options.rate_limit.clone() else { return serve(state) };
    let verdict = state.window.count(&limit, Instant::now());
    let mut response = if verdict.allowed {
        serve(state).unwrap_or_else(|refusal| *refusal)
    } else {
        state.log.counts.rate_limited += 1;
        verdict.refusal()
    };
    verdict.mark(&mut response);
    Ok(response)
}

fn post(state: &mut State, call: &Call, area: Area, caller: &Caller) -> Step<Response<Body>> {
    accepts(call, &["application/json", "text/event-stream"])?;
    if media_type(&call.parts.headers) != "application/json" {
        return reply::refuse(415, "bad_content_type", "the body must be application/json");
    }
    let messages = rpc::read(&call.body)?;
    for message in &messages.all {
        gate::permit(caller, message).map_err(|lack| Box::new(gate::missing(state, call, area, &lack)))?;
    }
    let opens = messages.all.iter().any(Message::opens);
    let version = if opens { check_version(call, None).map(|()| None) } else { negotiated(state, call) }?;
    if messages.batch && version != Some("2025-03-26") {
        return Err(Box::new(rpc::unreadable(true)));
    }
    let outcome = rpc::answer_all(state, area, &messages);
    if outcome.tools_changed {
        state.sessions.tell(r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#);
    }
    if outcome.answers.is_empty() {
        return Ok(reply::empty(202));
    }
    let mut response = write(state.options.answers, &messages, outcome.answers);
    if let (true, Some(version)) = (state.options.sessions, outcome.version) {
        let id = state.sessions.open(version);
        reply::set(&mut response, SESSION, &id);
    }
    Ok(response)
}

fn get(state: &mut State, call: &Call) -> Step<Response<Body>> {
    if !state.options.sessions {
        return Err(Box::new(not_here()));
    }
    accepts(call, &["text/event-stream"])?;
    let id = find_session(state, call)?;
    id.and_then(|id| state.sessions.stream(id)).ok_or_else(|| Box::new(not_here()))
}

fn delete(state: &mut State, call: &Call) -> Step<Response<Body>> {
    if !state.options.sessions {
        return Err(Box::new(not_here()));
    }
    let id = find_session(state, call)?;
    state.sessions.close(id.unwrap_or_default());
    Ok(reply::empty(204))
}

/// The session of a request, with its version checked.
fn find_session<'a>(state: &State, call: &'a Call) -> Step<Option<&'a str>> {
    if !state.options.sessions {
        check_version(call, None)?;
        return Ok(None);
    }
    let Some(id) = header(call, &SESSION) else {
        return reply::refuse(400, "session_required", "Mcp-Session-Id is required");
    };
    let Some(version) = state.sessions.version(id) else {
        return reply::refuse(404, "session_unknown", "there is no such session");
    };
    check_version(call, Some(version))?;
    Ok(Some(id))
}

/// The version of the session, or without sessions that of the header.
fn negotiated(state: &State, call: &Call) -> Step<Option<&'static str>> {
    let said = header(call, &VERSION).unwrap_or("2025-03-26");
    Ok(match find_session(state, call)? {
        Some(id) => state.sessions.version(id),
        None => VERSIONS.into_iter().find(|version| *version == said),
    })
}

/// T-20: the header names a known version, and within a session the negotiated one. 2025-03-26
/// did not have the header.
fn check_version(call: &Call, negotiated: Option<&str>) -> Step<()> {
    let refuse = |what| reply::refuse(400, "bad_protocol_version", what);
    match (header(call, &VERSION), negotiated) {
        (Some(said), _) if !VERSIONS.contains(&said) => refuse("MCP-Protocol-Version is not supported"),
        (Some(said), Some(agreed)) if said != agreed => {
            refuse("MCP-Protocol-Version is not the negotiated one")
        }
        (None, Some(agreed)) if agreed != "2025-03-26" => refuse("MCP-Protocol-Version is required"),
        _ => Ok(()),
    }
}

fn accepts(call: &Call, needed: &[&str]) -> Step<()> {
    let values = call.parts.headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let offered: Vec<&str> = values
        .flat_map(|value| value.split(','))
        .filter_map(|one| one.split(';').next())
        .map(str::trim)
        .collect();
    if needed.iter().all(|needed| offered.iter().any(|one| one.eq_ignore_ascii_case(needed))) {
        return Ok(());
    }
    reply::refuse(400, "bad_accept", &format!("Accept must name {}", needed.join(" and ")))
}

fn write(form: Answers, messages: &Messages<'_>, answers: Vec<String>) -> Response<Body> {
    let mut response = match form {
        Answers::Json if messages.batch => {
            reply::raw(200, "application/json", format!("[{}]", answers.join(",")))
        }
        Answers::Json => reply::raw(200, "application/json", answers.concat()),
        Answers::Sse => session::events(&answers),
    };
    reply::set(&mut response, CACHE_CONTROL, "no-store");
    response
}

/// Puts method and tool into the log, also for a request that is refused afterwards.
fn note(body: &[u8], record: &mut Record) {
    let Ok(Messages { all, batch: false }) = rpc::read(body) else { return };
    let Some(message) = all.into_iter().next() else { return };
    record.entry.tool = message.tool().and_then(super::tools::known);
    record.entry.method = message.method.map(|method| method.chars().take(64).collect());
}

fn header<'a>(call: &'a Call, name: &HeaderName) -> Option<&'a str> {
    call.parts.headers.get(name).and_then(|value| value.to_str().ok())
}

fn not_here() -> Response<Body> {
    reply::empty(405)
}
