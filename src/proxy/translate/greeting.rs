//! `initialize` answered from a server's `server/discover`, and what the host said of itself kept for its
//! requests (checklist 1.6-A).

use super::splice::{quoted, with};
use crate::proxy::envelope::{member, string};
use crate::proxy::era::verdict::{LAST_LEGACY, is_legacy};

/// The extension that replaced the tasks of 2025-11-25. A host of those revisions cannot use it, and the
/// tasks that it knows are no more.
const TASKS: &str = "io.modelcontextprotocol/tasks";
const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";

/// What the host said of itself, as JSON texts: each request carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::proxy) struct Guest {
    pub(super) info: Option<String>,
    pub(super) capabilities: String,
}

impl Guest {
    /// From the parameters of `initialize`.
    pub(in crate::proxy) fn of(params: &str) -> Self {
        let object = |name| member(params, name).filter(|value| value.starts_with('{'));
        let capabilities = object("capabilities").and_then(|all| with(all, &[("tasks", None)]));
        Guest {
            info: object("clientInfo").map(str::to_owned),
            capabilities: capabilities.map_or_else(|| "{}".to_owned(), |all| without_tasks(&all)),
        }
    }

    /// Whether it can answer this request of a server.
    pub(super) fn answers(&self, method: &str) -> bool {
        let needed = match method {
            "elicitation/create" => "elicitation",
            "sampling/createMessage" => "sampling",
            "roots/list" => "roots",
            _ => return false,
        };
        member(&self.capabilities, needed).is_some_and(|value| value != "null")
    }
}

/// What the server offers, as far as it decides what is done here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::proxy) struct Offers {
    pub(super) logging: bool,
    pub(super) subscribe: bool,
    pub(super) tools: bool,
    pub(super) prompts: bool,
    pub(super) resources: bool,
}

impl Offers {
    /// From a DiscoverResult.
    pub(in crate::proxy) fn of(discovered: &str) -> Self {
        let Some(all) = member(discovered, "capabilities") else { return Offers::default() };
        let says = |area, what| member(all, area).and_then(|area| member(area, what)) == Some("true");
        Offers {
            logging: member(all, "logging").is_some_and(|value| value.starts_with('{')),
            subscribe: says("resources", "subscribe"),
            tools: says("tools", "listChanged"),
            prompts: says("prompts", "listChanged"),
            resources: says("resources", "listChanged"),
        }
    }
}

/// The revision that the host is told: the one it asked for, if that has an `initialize` at all, otherwise the
/// last one that has. What the differences between those revisions are is the host's own business: all that
/// goes to it is valid in each.
pub(in crate::proxy) fn version(params: &str) -> String {
    let asked = member(params, "protocolVersion").map(string).unwrap_or_default();
    if is_legacy(&asked) { asked.into_owned() } else { LAST_LEGACY.to_owned() }
}

/// The InitializeResult. `host` names the server where it does not name itself.
pub(in crate::proxy) fn result(discovered: &str, params: &str, host: &str) -> String {
    let capabilities = member(discovered, "capabilities").and_then(|all| with(all, &[("tasks", None)]));
    let capabilities = capabilities.map_or_else(|| "{}".to_owned(), |all| without_tasks(&all));
    let named = member(discovered, "_meta").and_then(|meta| member(meta, SERVER_INFO));
    let unnamed = || format!("{{\"name\":{},\"version\":\"unknown\"}}", quoted(host));
    let info = named.filter(|info| info.starts_with('{')).map_or_else(unnamed, str::to_owned);
    let mut text = format!(
        "{{\"protocolVersion\":{},\"capabilities\":{capabilities},\"serverInfo\":{info}",
        quoted(&version(params))
    );
    if let Some(instructions) = member(discovered, "instructions").filter(|text| text.starts_with('"')) {
        text.push_str(",\"instructions\":");
        text.push_str(instructions);
    }
    text.push('}');
    text
}

/// Capabilities without the extension for tasks.
fn without_tasks(capabilities: &str) -> String {
    let extensions = member(capabilities, "extensions").and_then(|all| with(all, &[(TASKS, None)]));
    let changed = extensions.and_then(|all| {
        let left = Some(all.as_str()).filter(|all| *all != "{}");
        with(capabilities, &[("extensions", left)])
    });
    changed.unwrap_or_else(|| capabilities.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOUND: &str = r#"{"supportedVersions":["2026-07-28"],"resultType":"complete","ttlMs":1,
        "capabilities":{"tools":{"listChanged":true,"x":1e400},"logging":{},"tasks":{"list":{}},"new":{},
        "resources":{"subscribe":true,"listChanged":false},
        "extensions":{"io.modelcontextprotocol/tasks":{},"io.modelcontextprotocol/ui":{"a":1}}},
        "instructions":"use \u0061 tool","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"s","version":"2"}}}"#;

    // 1.6-A: core tasks are not advertised, what only a server of 2026-07-28 says is left out.
    #[test]
    fn the_answer_says_what_an_older_host_can_use() {
        let said = result(FOUND, r#"{"protocolVersion":"2025-06-18"}"#, "example.com");
        assert_eq!(
            said,
            r#"{"protocolVersion":"2025-06-18","capabilities":{"tools":{"listChanged":true,"x":1e400},"logging":{},"new":{},"resources":{"subscribe":true,"listChanged":false},"extensions":{"io.modelcontextprotocol/ui":{"a":1}}},"serverInfo":{"name":"s","version":"2"},"instructions":"use \u0061 tool"}"#
        );
        let bare = result("{}", "{}", "exa\"mple");
        assert_eq!(
            bare,
            r#"{"protocolVersion":"2025-11-25","capabilities":{},"serverInfo":{"name":"exa\"mple","version":"unknown"}}"#
        );
    }

    #[test]
    fn the_version_is_the_hosts_if_it_has_a_handshake() {
        for (asked, told) in [
            (r#""2024-11-05""#, "2024-11-05"),
            (r#""2025-11-25""#, "2025-11-25"),
            (r#""2026-07-28""#, "2025-11-25"),
            (r#""1.0""#, "2025-11-25"),
            ("null", "2025-11-25"),
        ] {
            assert_eq!(version(&format!(r#"{{"protocolVersion":{asked}}}"#)), told, "{asked}");
        }
    }

    #[test]
    fn what_the_server_offers_is_read_from_its_capabilities() {
        let offers = Offers::of(FOUND);
        let expected = Offers { logging: true, subscribe: true, tools: true, ..Offers::default() };
        assert_eq!(offers, expected);
        assert_eq!(Offers::of(r#"{"capabilities":[]}"#), Offers::default());
    }

    #[test]
    fn what_the_host_is_and_can_do_is_kept_as_it_said_it() {
        let guest = Guest::of(
            r#"{"clientInfo":{"name":"h","n":1.0},"capabilities":{"roots":{"listChanged":true},"tasks":{},"elicitation":{},"sampling":null}}"#,
        );
        assert_eq!(guest.info.as_deref(), Some(r#"{"name":"h","n":1.0}"#));
        assert_eq!(guest.capabilities, r#"{"roots":{"listChanged":true},"elicitation":{},"sampling":null}"#);
        assert!(guest.answers("elicitation/create") && guest.answers("roots/list"));
        assert!(!guest.answers("sampling/createMessage") && !guest.answers("tools/call"));
        assert_eq!(Guest::of("[]"), Guest { info: None, capabilities: "{}".to_owned() });
    }
}
