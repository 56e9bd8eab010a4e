//! What a request of 2026-07-28 says about itself in `params._meta`, put into a request that does not say it
//! (T-50, T-57), and taken out of a notification that says too much.

use super::greeting::Guest;
use super::splice::{quoted, with};
use crate::proxy::envelope::{Envelope, member};

const VERSION: &str = "io.modelcontextprotocol/protocolVersion";
const INFO: &str = "io.modelcontextprotocol/clientInfo";
const CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
const LOG_LEVEL: &str = "io.modelcontextprotocol/logLevel";
const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

/// The parameters with the members that each request has to carry. Whatever else the host has put into its
/// `_meta`, such as a progress token, stays. `None` if the parameters are no object.
pub(in crate::proxy) fn request(
    params: Option<&str>,
    version: &str,
    guest: &Guest,
    level: Option<&str>,
) -> Option<String> {
    let params = params.unwrap_or("{}");
    let meta = member(params, "_meta").filter(|meta| meta.starts_with('{')).unwrap_or("{}");
    let (version, level) = (quoted(version), level.map(quoted));
    let meta = with(
        meta,
        &[
            (VERSION, Some(version.as_str())),
            (INFO, guest.info.as_deref()),
            (CAPABILITIES, Some(guest.capabilities.as_str())),
            (LOG_LEVEL, level.as_deref()),
        ],
    )?;
    with(params, &[("_meta", Some(meta.as_str()))])
}

/// A notification of a subscription, without the name of the subscription: the host knows none (1.6-A).
pub(super) fn without_subscription(message: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(message).ok()?;
    let params = Envelope::peek(message).ok()?.params?;
    let meta = with(member(params, "_meta")?, &[(SUBSCRIPTION, None)])?;
    let left = Some(meta.as_str()).filter(|meta| *meta != "{}");
    let params = with(params, &[("_meta", left)])?;
    with(text, &[("params", Some(params.as_str()))])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guest() -> Guest {
        Guest::of(r#"{"clientInfo":{"name":"h","version":"1"},"capabilities":{"roots":{}}}"#)
    }

    const OURS: &str = r#""io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"h","version":"1"},"io.modelcontextprotocol/clientCapabilities":{"roots":{}}"#;

    // T-50, T-57, T-09.
    #[test]
    fn a_request_says_what_it_must_and_keeps_what_it_said() {
        let of = |params| request(params, "2026-07-28", &guest(), None).unwrap();
        assert_eq!(of(None), format!("{{\"_meta\":{{{OURS}}}}}"));
        assert_eq!(
            of(Some(
                r#"{ "name":"t", "arguments":{ "a" : 1.00 }, "_meta":{"progressToken":7,"x/y":[1e400]} }"#
            )),
            format!(
                r#"{{"name":"t","arguments":{{ "a" : 1.00 }},"_meta":{{"progressToken":7,"x/y":[1e400],{OURS}}}}}"#
            )
        );
        // Neither a second `_meta` nor a second version may be left for a reader to prefer.
        assert_eq!(
            of(Some(
                r#"{"_meta":{"a":1},"\u005fmeta":{"io.modelcontextprotocol/clientInfo":1,"b":2},"n":1}"#
            )),
            format!(r#"{{"n":1,"_meta":{{"b":2,{OURS}}}}}"#)
        );
        assert_eq!(of(Some(r#"{"_meta":null}"#)), format!("{{\"_meta\":{{{OURS}}}}}"));
        assert_eq!(request(Some("[1]"), "2026-07-28", &guest(), None), None);
    }

    #[test]
    fn a_log_level_is_asked_for_with_each_request() {
        let params = request(None, "2026-07-28", &Guest::of("{}"), Some("warning")).unwrap();
        assert_eq!(
            params,
            r#"{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/logLevel":"warning"}}"#
        );
    }

    // T-66.
    #[test]
    fn a_subscription_is_not_named_to_the_host() {
        let of = |params: &str| {
            let text = format!(r#"{{"jsonrpc":"2.0","method":"m","params":{params}}}"#);
            without_subscription(text.as_bytes())
        };
        let plain = r#"{"jsonrpc":"2.0","method":"m","params":{"uri":"u"}}"#;
        let id = r#""io.modelcontextprotocol/subscriptionId":"x""#;
        assert_eq!(of(&format!(r#"{{"_meta":{{{id}}},"uri":"u"}}"#)).unwrap(), plain);
        assert_eq!(
            of(&format!(r#"{{"_meta":{{{id},"a":1}}}}"#)).unwrap(),
            r#"{"jsonrpc":"2.0","method":"m","params":{"_meta":{"a":1}}}"#
        );
        assert_eq!(of("{}"), None);
    }
}
