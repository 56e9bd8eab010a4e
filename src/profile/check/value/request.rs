//! What a profile may add to requests: headers and parameters, but none of those that are ours.

use http::header::{HeaderName, HeaderValue};

use super::{SECRET, Verdict, text, wrong};

/// Headers that are ours: what they say is decided by the sign-in and by the transport.
const OUR_HEADERS: &[&str] = &[
    "accept",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie2",
    "dpop",
    "expect",
    "host",
    "keep-alive",
    "last-event-id",
    "origin",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A header for the MCP server.
pub fn header(name: &str, value: &str) -> Verdict {
    text(name)?;
    let lower = name.to_ascii_lowercase();
    if HeaderName::from_bytes(name.as_bytes()).is_err() {
        return wrong("is no name of a header", "write a name such as X-Api-Key");
    }
    if lower == "authorization" {
        let hint = "remove it; for a token that you have, write `auth = \"bearer\"` and run `chipp-auth login PROFILE --with-token`";
        return wrong("is what the sign-in is for", hint);
    }
    if OUR_HEADERS.contains(&lower.as_str()) || lower.starts_with("mcp-") {
        return wrong("is a header that the transport sets itself", "remove it");
    }
    text(value)?;
    if HeaderValue::from_str(value).is_err() || !value.is_ascii() {
        return wrong("has a value that no header can have", "use printable ASCII characters only");
    }
    let open = value.match_indices("${").find(|(at, _)| {
        let name = value[at + 2..].split_once('}').map(|(name, _)| name).unwrap_or_default();
        let mut characters = name.chars();
        !characters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
            || !characters.all(|c| c.is_ascii_alphanumeric() || c == '_')
    });
    match open {
        Some(_) => {
            wrong("has a `${` that names no variable", "write a variable of the environment as ${NAME}")
        }
        None => Ok(()),
    }
}

/// Parameters of the authorization request that the sign-in itself decides.
const OUR_AUTHORIZE: &[&str] = &[
    "client_id",
    "redirect_uri",
    "state",
    "code_challenge",
    "code_challenge_method",
    "response_type",
    "response_mode",
    "scope",
    "resource",
    "nonce",
    "request",
    "request_uri",
    "dpop_jkt",
];

/// Parameters of token requests that the exchange itself decides.
const OUR_TOKEN: &[&str] = &[
    "grant_type",
    "code",
    "client_id",
    "client_secret",
    "refresh_token",
    "code_verifier",
    "redirect_uri",
    "scope",
    "resource",
    "device_code",
    "assertion",
    "client_assertion",
    "client_assertion_type",
    "subject_token",
    "subject_token_type",
    "actor_token",
    "username",
    "password",
    "token",
    "token_type_hint",
];

/// A further parameter of the authorization request.
pub fn authorize_param(name: &str, value: &str) -> Verdict {
    parameter(name, value, OUR_AUTHORIZE)
}

/// A further parameter of token requests.
pub fn token_param(name: &str, value: &str) -> Verdict {
    parameter(name, value, OUR_TOKEN)
}

fn parameter(name: &str, value: &str, ours: &[&str]) -> Verdict {
    text(name)?;
    if ours.contains(&name.to_ascii_lowercase().as_str()) {
        let hint = match name {
            "client_id" | "scope" | "resource" => {
                format!("remove it; `{name}` is a key of the profile itself")
            }
            "redirect_uri" => {
                "remove it; it is made of `redirect_host`, `redirect_port` and `redirect_path`".to_owned()
            }
            "client_secret" => SECRET.to_owned(),
            _ => "remove it".to_owned(),
        };
        return wrong("is a parameter that the sign-in sets itself", hint);
    }
    if !name.chars().all(|c| c.is_ascii_graphic() && !"&=?#%+".contains(c)) {
        return wrong("is no name of a parameter", "write the name alone, as the provider documents it");
    }
    // An empty value says something to some servers.
    if value.is_empty() { Ok(()) } else { text(value) }
}
