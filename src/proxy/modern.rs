//! The HTTP side of MCP 2026-07-28, as far as a request differs from one of the older revisions: it stands
//! for itself, without a session, and its headers say what its body says (T-50 to T-53, T-61).
//!
//! | file | what happens there |
//! | --- | --- |
//! | `annotation`, `tools`, `value` | which arguments of which tool go into headers, and as what (T-53 to T-55) |
//! | `heal` | a call with the wrong headers, mended once (T-56) |
//! | `changes` | subscriptions, whose streams stay open (T-66 to T-68) |
//! | `json` | texts taken apart without being read as values |
//!
//! What may come back on a stateless exchange, and how it is cancelled, is `call/manner`.

mod annotation;
mod changes;
pub(super) mod heal;
mod json;
pub(super) mod tools;
mod value;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::envelope::{member, string};
use super::remote::VERSION;
use tools::Mirrored;
use value::encode;

const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const NAME: HeaderName = HeaderName::from_static("mcp-name");
/// The member of `params._meta` by which such a request is known.
const META_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
/// The part of it that no JSON writer spells in another way.
const PREFIX: &str = "io.modelcontextprotocol";

/// What a request asks for, as far as its answers must be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asks {
    /// For tools: what they want in headers is learned from the answer, and what may not be called is left
    /// out of it (T-54, T-55).
    Tools,
    /// For a tool to run: its arguments may have to go into headers as well (T-54).
    Call,
    /// To hear of changes, for as long as it takes (T-66).
    Changes,
    /// For anything else.
    Other,
}

/// The headers of one request.
#[derive(Debug)]
pub(super) struct Modern {
    pub(super) version: HeaderValue,
    method: HeaderValue,
    name: Option<HeaderValue>,
    /// The arguments that go into headers, of a call.
    pub(super) mirrored: Mirrored,
    pub(super) asks: Asks,
}

impl Modern {
    /// The headers for a request of this shape; `None` for those of the older revisions. Each message is
    /// judged by itself: a host may speak both on one pipe.
    pub(super) fn of(method: &str, params: Option<&str>) -> Option<Box<Self>> {
        // Nearly all requests are told by this alone, without reading their parameters.
        let params = params.filter(|params| params.contains(PREFIX) && method != "initialize")?;
        let version = member(member(params, "_meta")?, META_VERSION)?;
        Modern::with(method, Some(params), &string(version))
    }

    /// The same for a message that does not say its version itself. `None`: no header can carry it.
    pub(super) fn with(method: &str, params: Option<&str>, version: &str) -> Option<Box<Self>> {
        let version = HeaderValue::from_str(version).ok().filter(|version| !version.is_empty())?;
        // T-52.
        let named = match method {
            "tools/call" | "prompts/get" => Some("name"),
            "resources/read" => Some("uri"),
            "tasks/get" | "tasks/update" | "tasks/cancel" => Some("taskId"),
            _ => None,
        };
        let name = params.zip(named).and_then(|(params, named)| member(params, named));
        let name = name.and_then(|name| serde_json::from_str::<String>(name).ok());
        let name = name.and_then(|name| encode(&name));
        let asks = match method {
            "tools/list" => Asks::Tools,
            "tools/call" => Asks::Call,
            "subscriptions/listen" => Asks::Changes,
            _ => Asks::Other,
        };
        Some(Box::new(Modern { version, method: encode(method)?, name, mirrored: Mirrored::new(), asks }))
    }

    pub(super) fn insert(&self, headers: &mut HeaderMap) {
        // Of those the user gave, none may stand for what this message does not have.
        let mirrors = |name: &&HeaderName| **name == NAME || name.as_str().starts_with(tools::PREFIX);
        for name in headers.keys().filter(mirrors).cloned().collect::<Vec<_>>() {
            headers.remove(name);
        }
        headers.insert(VERSION, self.version.clone());
        headers.insert(METHOD, self.method.clone());
        if let Some(name) = &self.name {
            headers.insert(NAME, name.clone());
        }
        for (name, value) in &self.mirrored {
            headers.insert(name, value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_version_in_meta_makes_a_request_modern() {
        let of = |params| Modern::of("tools/call", Some(params)).is_some();
        assert!(of(r#"{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}"#));
        assert!(of(r#"{"_meta":{"io.modelcontextprotocol\/protocolVersion":"2026-07-28"}}"#));
        for params in [
            r#"{"_meta":{"io.modelcontextprotocol/clientInfo":{}}}"#,
            r#"{"_meta":{"io.modelcontextprotocol/protocolVersion":""}}"#,
            r#"{"_meta":{"io.modelcontextprotocol/protocolVersion":"a\nb"}}"#,
            r#"{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}"#,
            r#"["io.modelcontextprotocol/protocolVersion"]"#,
            r#"{"protocolVersion":"2025-11-25"}"#,
        ] {
            assert!(!of(params), "{params}");
        }
    }
}
