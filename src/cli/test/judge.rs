//! Names what stands between a sign-in and its tools (the seed's "Tools Don't Load After OAuth").

use serde_json::Value;

use super::server::{Said, Token};
use super::talk::Failed;
use crate::error::{Error, Name, clean};
use crate::oauth::challenge;
use crate::profile::{ResourceChoice, Target};
use crate::proxy::Challenge;

/// The error of ours that a proxy answered with.
pub(super) fn ours(error: &Value) -> Option<Error> {
    if error["data"]["source"] != "chipp-auth" {
        return None;
    }
    let text = error["data"]["name"].as_str()?;
    let name = Name::ALL.iter().find(|name| name.row().text == text)?;
    let message = error["message"].as_str()?;
    let rest = message.strip_prefix(&format!("{text}: ")).unwrap_or(message);
    let (what, hint) = rest.split_once(". To mend it: ")?;
    Some(Error::new(*name, what).hinted(hint.trim_end_matches('.')))
}

/// What the failure is for the person who tests; `said`: what came of a 401.
pub(super) fn named(failed: Failed, target: &Target, token: Token, said: Option<Said>) -> Error {
    let host = clean(target.url.host_str().unwrap_or_default());
    let lead = if token == Token::None { String::new() } else { "signed in, but ".to_owned() };
    let unavailable = |what: String| Error::new(Name::ToolsUnavailable, format!("{lead}{what}"));
    match failed {
        Failed::Ours(error) => match error.name() {
            _ if token == Token::None => error,
            Name::LoginRequired => match said {
                Some(Said::Ended(why)) => why,
                Some(Said::Refused(challenge)) => refused(&host, target, token, &challenge),
                None => error,
            },
            Name::NetworkDown
            | Name::Timeout
            | Name::ServerError
            | Name::BadResponse
            | Name::SessionLost
            | Name::StreamLost => unavailable(error.what().to_owned()),
            _ => error,
        },
        Failed::Theirs(method, message) => {
            let message = if message.is_empty() { "without a word".to_owned() } else { message };
            unavailable(format!("{host} answers `{method}` with an error: {message}"))
        }
        Failed::Odd(method) => unavailable(format!("{host} does not answer `{method}` as MCP has it")),
        Failed::NoTools => unavailable(format!("{host} says that it has no tools")),
        Failed::Ended => Error::new(Name::Internal, "the proxy ended before its answer"),
    }
}

/// A token that the MCP server does not take. If it is new, then it is for somebody else.
fn refused(host: &str, target: &Target, token: Token, said: &Challenge) -> Error {
    let found = challenge::find(&said.values);
    let why = found.as_ref().and_then(|found| found.get("error_description").or_else(|| found.error()));
    let why = why.map(|why| format!(" ({})", clean(why))).unwrap_or_default();
    if token == Token::Given {
        let what = format!("{host} does not accept the token that you gave{why}");
        return Error::new(Name::LoginDenied, what)
            .hinted("get a new one there, and give it to `chipp-auth login{target}`");
    }
    let what = format!("signed in, but {host} does not accept the token{why}");
    let resource = match &target.resource {
        ResourceChoice::Auto => "auto".to_owned(),
        ResourceChoice::Omit => "omit".to_owned(),
        ResourceChoice::Value(value) => clean(value),
    };
    let taken_back = match token {
        Token::Stored => "; if it was taken back there, `chipp-auth login{target}` gives you another one",
        _ => "",
    };
    Error::new(Name::ToolsUnavailable, what).hinted(format!(
        "check that the MCP server accepts tokens of this provider, and that the token is made for it: `resource`, which names its audience, is `{resource}`; the server's own log says more{taken_back}"
    ))
}
