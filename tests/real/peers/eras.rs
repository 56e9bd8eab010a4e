//! Eras meet (checklist 1.5): a client that knows one or both, and a server that knows one or both.

use serde_json::json;

use super::parties::Era::{self, Dual, Legacy, Modern};
use super::parties::Sdk::{self, FastMcp, Python, Rmcp, TypeScript, TypeScriptV1};
use super::parties::{LEGACY, MODERN, Manner, Server};
use super::play::{Role, no_session, one_session, pair, run, with_the_token};
use crate::host::Host;
use crate::house::House;
use chipp_auth::sandbox::Options;

/// The revisions that are spoken in the end: at the host's side, and at the server's.
struct Spoken {
    host: &'static str,
    server: &'static str,
}

const OLD: Spoken = Spoken { host: LEGACY, server: LEGACY };
const NEW: Spoken = Spoken { host: MODERN, server: MODERN };
const TRANSLATED: Spoken = Spoken { host: LEGACY, server: MODERN };

fn meet((client, era): (Sdk, Era), (server, serves): (Sdk, Era), spoken: &Spoken) {
    // FastMCP serves no subscriptions.
    let deaf = server == FastMcp && spoken.server == MODERN;
    let without: &[&str] = if deaf { &["list_changed"] } else { &[] };
    let role = Role { era, without, ..Role::legacy(client) };
    let Some((protocol, server)) = pair(&role, server, serves) else { return };
    assert_eq!(protocol, spoken.host);
    if spoken.server == MODERN {
        no_session(&server, usize::from(protocol == LEGACY));
    } else {
        one_session(&server);
    }
    assert_eq!(server.happened("cancelled"), 1, "the tool was told");
}

macro_rules! table {
    ($($(#[$attribute:meta])* $name:ident: $client:ident $knows:ident, $server:ident $serves:ident => $spoken:ident;)*) => {$(
        #[test]
        $(#[$attribute])*
        fn $name() {
            meet(($client, $knows), ($server, $serves), &$spoken);
        }
    )*};
}

// Of legacy clients and legacy servers there are more in `pairs`.
table! {
    legacy_and_dual: TypeScript Legacy, TypeScript Dual => OLD;
    legacy_and_dual_in_two_languages: TypeScriptV1 Legacy, Python Dual => OLD;

    legacy_and_modern: TypeScript Legacy, TypeScript Modern => TRANSLATED;
    legacy_v1_and_modern: TypeScriptV1 Legacy, Python Modern => TRANSLATED;
    legacy_python_and_modern: Python Legacy, TypeScript Modern => TRANSLATED;
    legacy_fastmcp_and_modern: FastMcp Legacy, FastMcp Modern => TRANSLATED;
    legacy_rmcp_and_modern: Rmcp Legacy, TypeScript Modern => TRANSLATED;
    legacy_and_modern_rmcp: Python Legacy, Rmcp Modern => TRANSLATED;

    dual_and_legacy: TypeScript Dual, Python Legacy => OLD;
    dual_python_and_legacy: Python Dual, TypeScriptV1 Legacy => OLD;
    dual_rmcp_and_legacy: Rmcp Dual, TypeScript Legacy => OLD;

    dual_and_dual: TypeScript Dual, Python Dual => NEW;
    dual_python_and_dual: Python Dual, TypeScript Dual => NEW;
    dual_fastmcp_and_dual: FastMcp Dual, Rmcp Dual => NEW;
    dual_rmcp_and_dual: Rmcp Dual, Python Dual => NEW;

    dual_and_modern: TypeScript Dual, FastMcp Modern => NEW;
    dual_python_and_modern: Python Dual, Python Modern => NEW;
    dual_rmcp_and_modern: Rmcp Dual, TypeScript Modern => NEW;

    modern_and_modern: TypeScript Modern, TypeScript Modern => NEW;
    modern_and_dual: TypeScript Modern, Rmcp Dual => NEW;
    modern_python_and_modern: Python Modern, Rmcp Modern => NEW;
    modern_rmcp_and_modern: Rmcp Modern, Rmcp Modern => NEW;
}

/// Row 7: nothing works, and the client is told why, at once.
#[test]
fn a_modern_client_learns_that_a_server_is_too_old() {
    if !TypeScript.there() {
        return;
    }
    let server = Server::start(TypeScriptV1, Manner::default());
    let house = House::new(Options::default());
    let role = Role { era: Modern, ..Role::legacy(TypeScript) };
    let record = tempfile::tempdir().unwrap();
    let report = run(&role, server.sdk, &house.command(&with_the_token(&server)), record.path());
    let failed = report["failed"].as_object().unwrap();
    assert_eq!(failed.keys().collect::<Vec<_>>(), ["connect"], "{report}");
    assert!(failed["connect"].as_str().unwrap().contains(MODERN), "{report}");
    assert_eq!(server.seen("rpc", "tools/list"), 0);
}

/// T-81: whom one speaks to is found out once.
#[test]
fn the_era_of_a_server_is_remembered() {
    if !Python.there() {
        return;
    }
    let server = Server::start(Python, Manner { era: Modern, ..Manner::default() });
    let house = House::new(Options::default());
    for _ in 0..3 {
        let mut host = Host::start(house.command(&with_the_token(&server)));
        assert_eq!(host.initialize()["result"]["serverInfo"]["name"], Python.name());
        assert_eq!(host.end().0, 0);
    }
    no_session(&server, 1);
}

/// Row 9: what some hosts do by mistake. Each message is taken for what it is.
#[test]
fn discover_and_then_initialize_on_one_pipe() {
    if !TypeScript.there() {
        return;
    }
    let server = Server::start(TypeScript, Manner { era: Dual, ..Manner::default() });
    let house = House::new(Options::default());
    let mut host = Host::start(house.command(&with_the_token(&server)));
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "t", "version": "1"},
    });
    let discovered = host.ask("server/discover", json!({"_meta": meta}));
    assert!(discovered["result"]["supportedVersions"].to_string().contains(MODERN), "{discovered}");
    let initialized = host.initialize();
    assert_eq!(initialized["result"]["protocolVersion"], LEGACY, "{initialized}");
    let arguments = json!({"name": "add", "arguments": {"a": 2, "b": 3}});
    let old = host.ask("tools/call", arguments.clone());
    assert_eq!(old["result"]["content"][0]["text"], "5", "{old}");
    let mut stateless = arguments;
    stateless["_meta"] = meta;
    let new = host.ask("tools/call", stateless);
    assert_eq!(new["result"]["content"][0]["text"], "5", "{new}");
    assert_eq!(host.end().0, 0);
    let calls: Vec<_> = server.log().into_iter().filter(|entry| entry["rpc"] == "tools/call").collect();
    let versions: Vec<_> = calls.iter().map(|call| (&call["protocol"], &call["session"])).collect();
    assert_eq!(versions, [(&json!(LEGACY), &json!(true)), (&json!(MODERN), &json!(false))]);
}
