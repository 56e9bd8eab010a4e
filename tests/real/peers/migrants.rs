//! Who comes from mcp-remote: the lines that its documentation has people write into their clients'
//! configuration, and what they write instead, at a real server.

use chipp_auth::sandbox::Options;
use serde_json::{Value, json};

use super::parties::Sdk::{self, Everything, EverythingSse};
use super::parties::{Manner, Server};
use crate::host::Host;
use crate::house::House;

/// What stands after `mcp-remote`, and after `chipp-auth proxy`; `URL` is the server's address, `OPEN` that by
/// which it is found through the network. The `env` of the configuration is `ENV` in all.
const LINES: [(&str, &str, Sdk); 10] = [
    ("URL --header Authorization:${AUTH_HEADER}", "URL --header Authorization:${AUTH_HEADER}", Everything),
    ("URL --header Authorization:${AUTH_HEADER}", "URL --header Authorization:${AUTH_HEADER}", EverythingSse),
    (
        "URL --header 'Authorization: Bearer ${AUTH_TOKEN}' --header 'X-Tenant: 7'",
        "URL --header 'Authorization: Bearer ${AUTH_TOKEN}' --header 'X-Tenant: 7'",
        Everything,
    ),
    (
        "URL --transport http-only --header Authorization:${AUTH_HEADER}",
        "URL --transport http --header Authorization:${AUTH_HEADER}",
        Everything,
    ),
    (
        "URL --transport sse-only --header Authorization:${AUTH_HEADER}",
        "URL --transport sse --header Authorization:${AUTH_HEADER}",
        EverythingSse,
    ),
    (
        "URL --transport http-first --header Authorization:${AUTH_HEADER}",
        "URL --transport auto --header Authorization:${AUTH_HEADER}",
        EverythingSse,
    ),
    // It need not be told which to try first.
    (
        "URL --transport sse-first --header Authorization:${AUTH_HEADER}",
        "URL --transport auto --header Authorization:${AUTH_HEADER}",
        Everything,
    ),
    (
        "OPEN --allow-http --header Authorization:${AUTH_HEADER}",
        "OPEN --allow-http --header Authorization:${AUTH_HEADER}",
        Everything,
    ),
    (
        "URL 9696 --resource https://tenant.example/ --header Authorization:${AUTH_HEADER}",
        "URL --port 9696 --resource https://tenant.example/ --header Authorization:${AUTH_HEADER}",
        Everything,
    ),
    (
        "URL --silent --header Authorization:${AUTH_HEADER}",
        "URL -q --header Authorization:${AUTH_HEADER}",
        Everything,
    ),
];
const ENV: [(&str, &str); 2] = [("AUTH_TOKEN", "T"), ("AUTH_HEADER", "Bearer T")];

/// The words of a line; quotes keep one together.
fn words(line: &str) -> Vec<String> {
    let parts = line.split('\'').enumerate();
    parts
        .flat_map(|(at, part)| match at % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect(),
            _ => vec![part.to_owned()],
        })
        .collect()
}

fn migrate(sdk: Sdk) {
    if !sdk.there() {
        return;
    }
    let server = Server::start(sdk, Manner::default());
    for (theirs, ours, _) in LINES.iter().filter(|line| line.2 == sdk) {
        let before = server.log().len();
        let house = House::new(Options::default());
        let mut command = house.command(&["proxy"]);
        // No loopback by its form, but it leads to this machine.
        let open = server.url.replace("127.0.0.1", "0.0.0.0");
        command.args(words(ours).iter().map(|word| word.replace("URL", &server.url).replace("OPEN", &open)));
        let mut host = Host::start({
            command.envs(ENV);
            command
        });
        let answer = host.initialize();
        assert_eq!(answer["result"]["serverInfo"]["name"], sdk.name(), "{theirs}: {answer}");
        let tools = host.ask("tools/list", json!({}));
        assert!(
            tools["result"]["tools"].as_array().is_some_and(|tools| tools.len() > 5),
            "{theirs}: {tools}"
        );
        let echo = host.ask("tools/call", json!({"name": "echo", "arguments": {"message": "x"}}));
        assert_eq!(echo["result"]["content"][0]["text"], "Echo: x", "{theirs}: {echo}");
        assert_eq!(host.end().0, 0, "{theirs}");
        asked(&server.log()[before..], sdk, ours);
    }
}

/// The transport that was asked for, or was there, and the token on each request.
fn asked(log: &[Value], sdk: Sdk, line: &str) {
    assert!(log.iter().all(|entry| entry["auth"] == "ok"), "{line}: {log:?}");
    let tried = log.iter().filter(|entry| entry["path"] == "/sse" && entry["method"] == "POST").count();
    let sse = sdk == EverythingSse;
    assert_eq!(tried, usize::from(sse && !line.contains("--transport sse")), "{line}: {log:?}");
    let ended = log.iter().filter(|entry| entry["method"] == "DELETE").count();
    assert_eq!(ended, usize::from(!sse), "{line}: {log:?}");
}

#[test]
fn the_lines_of_mcp_remote_have_equivalents() {
    migrate(Everything);
}

#[test]
fn the_lines_of_mcp_remote_have_equivalents_with_the_older_transport() {
    migrate(EverythingSse);
}

/// What was asked for is what is tried, and nothing else.
#[test]
fn a_transport_that_is_asked_for_is_the_only_one() {
    if !Everything.there() {
        return;
    }
    for (sdk, transport) in [(Everything, "sse"), (EverythingSse, "http")] {
        let server = Server::start(sdk, Manner::default());
        let house = House::new(Options::default());
        let arguments = [&server.url, "--transport", transport, "--header", "Authorization: Bearer T"];
        let mut host = Host::of(&house, &arguments);
        let answer = host.initialize();
        assert!(answer.get("error").is_some(), "{transport}: {answer}");
        let method = if transport == "sse" { "GET" } else { "POST" };
        assert_eq!(server.seen("method", method), server.log().len(), "{transport}: {:?}", server.log());
    }
}
