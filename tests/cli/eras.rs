//! What the program as a client starts it remembers of a server's era, and what a probe costs (T-80 to T-82).

use std::time::{Duration, Instant};

use chipp_auth::sandbox::Options;
use serde_json::json;

use crate::host::Host;
use crate::house::{House, browser};
use crate::plain::{Plain, Seen};

/// A server without sessions.
fn modern_only((_, body): &Seen) -> Option<(&'static str, String, String)> {
    let id = &body["id"];
    let json = "content-type: application/json\r\n".to_owned();
    if body["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] != "2026-07-28" {
        let error = json!({"code": -32022, "message": "m", "data": {"supported": ["2026-07-28"]}});
        return Some((
            "400 Bad Request",
            json,
            json!({"jsonrpc": "2.0", "id": id, "error": error}).to_string(),
        ));
    }
    let info = json!({"io.modelcontextprotocol/serverInfo": {"name": "modern", "version": "1"}});
    let result = json!({"supportedVersions": ["2026-07-28"], "capabilities": {}, "_meta": info});
    Some(("200 OK", json, json!({"jsonrpc": "2.0", "id": id, "result": result}).to_string()))
}

fn methods(server: &Plain) -> Vec<String> {
    let log = server.log.lock().unwrap();
    log.iter().map(|(_, body)| body["method"].as_str().unwrap_or("none").to_owned()).collect()
}

/// T-81.
#[test]
fn a_server_without_sessions_is_remembered_until_it_is_reset() {
    let house = House::new(Options::default());
    let server = Plain::start(modern_only);
    let url = format!("http://127.0.0.1:{}/mcp?key=secret", server.port);
    let start = || {
        let before = methods(&server).len();
        let mut host = Host::of(&house, &[&url, "--header", "Authorization: Bearer t"]);
        let hello = host.initialize();
        assert_eq!(hello["result"]["serverInfo"]["name"], "modern", "{hello}");
        assert_eq!(host.end().0, 0);
        methods(&server).split_off(before)
    };
    assert_eq!(start(), ["initialize", "server/discover"]);
    assert_eq!(start(), ["server/discover"]);
    let said = house.run(&["reset", &url, "--yes"]);
    assert!(said.stderr.contains("what is remembered of the server"), "{said:?}");
    assert_eq!(start(), ["initialize", "server/discover"]);
}

/// Checklist 1.7: nobody is asked to sign in for a probe, and it does not take long; then the pipe is as good
/// as any.
#[test]
fn a_probe_opens_no_browser() {
    let house = House::new(Options::default());
    let (program, opened) = browser(&house);
    let mut command = house.command(&["proxy"]);
    command.env("BROWSER", &program);
    let mut host = Host::start(command);
    let begun = Instant::now();
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}});
    let answer = host.ask("server/discover", json!({"_meta": meta}));
    assert_eq!(answer["error"]["code"], -32601, "{answer}");
    assert!(begun.elapsed() < Duration::from_secs(9));
    assert!(!opened.exists(), "a browser was opened");
    let hello = host.initialize();
    assert!(hello.get("result").is_some(), "{hello}");
    assert!(opened.exists(), "initialize may open one");
}
