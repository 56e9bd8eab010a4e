//! The HTTP side of MCP 2026-07-28, as far as a request differs from one of the older revisions: it stands
//! for itself, without a session, and its headers say what its body says (T-50 to T-53, T-61).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::envelope::{member, string};
use super::remote::VERSION;

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
    /// To hear of changes, for as long as it takes (T-66).
    Changes,
    /// For anything else.
    Other,
}

/// The headers of one request.
#[derive(Debug)]
pub(super) struct Modern {
    version: HeaderValue,
    method: HeaderValue,
    name: Option<HeaderValue>,
    asks: Asks,
}

impl Modern {
    /// The headers for a request of this shape; `None` for those of the older revisions. Each message is
    /// judged by itself: a host may speak both on one pipe.
    pub(super) fn of(method: &str, params: Option<&str>) -> Option<Box<Self>> {
        // Nearly all requests are told by this alone, without reading their parameters.
        let params = params.filter(|params| params.contains(PREFIX) && method != "initialize")?;
        let version = member(member(params, "_meta")?, META_VERSION)?;
        let version = HeaderValue::from_str(&string(version)).ok().filter(|version| !version.is_empty())?;
        let named = match method {
            "tools/call" | "prompts/get" => member(params, "name"),
            "resources/read" => member(params, "uri"),
            "tasks/get" | "tasks/update" | "tasks/cancel" => member(params, "taskId"),
            _ => None,
        };
        let name = named.and_then(|name| serde_json::from_str::<String>(name).ok());
        let name = name.and_then(|name| encode(&name));
        let asks = match method {
            "tools/list" => Asks::Tools,
            "subscriptions/listen" => Asks::Changes,
            _ => Asks::Other,
        };
        Some(Box::new(Modern { version, method: encode(method)?, name, asks }))
    }

    pub(super) fn asks(&self) -> Asks {
        self.asks
    }

    pub(super) fn insert(&self, headers: &mut HeaderMap) {
        headers.insert(VERSION, self.version.clone());
        headers.insert(METHOD, self.method.clone());
        if let Some(name) = &self.name {
            headers.insert(NAME, name.clone());
        }
    }
}

/// A text as a header's value: as it is where it can be, otherwise in base64 between marks (T-53).
fn encode(text: &str) -> Option<HeaderValue> {
    let plain = text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) && text.trim() == text;
    let marked = text.starts_with("=?base64?") && text.ends_with("?=");
    let value =
        if plain && !marked { text.to_owned() } else { format!("=?base64?{}?=", STANDARD.encode(text)) };
    HeaderValue::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    // T-53, the table of the specification.
    #[test]
    fn what_is_not_plain_goes_in_base64() {
        for (text, value) in [
            ("get_weather", "get_weather"),
            ("a b", "a b"),
            ("", ""),
            (" a", "=?base64?IGE=?="),
            ("a ", "=?base64?YSA=?="),
            ("a\tb", "=?base64?YQli?="),
            ("a\nb", "=?base64?YQpi?="),
            ("é", "=?base64?w6k=?="),
            ("=?base64?YQ==?=", "=?base64?PT9iYXNlNjQ/WVE9PT89?="),
        ] {
            assert_eq!(encode(text).unwrap(), value, "{text:?}");
        }
    }

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
