//! One client's scenario over one proxy, and what is asserted of every one.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::parties::{Era, LEGACY, MODERN, Manner, Sdk, Server};
use crate::house::{House, wait};
use crate::parts::peer;
use chipp_auth::sandbox::Options;

/// Every check that a client makes, whoever it is. Without streams there is no progress, but the check is there.
const CHECKS: [&str; 14] = [
    "connect",
    "list",
    "call",
    "progress",
    "parallel",
    "elicitation",
    "sampling",
    "resources",
    "prompts",
    "cancel",
    "logging",
    "large",
    "close",
    "quiet",
];
/// Those of which a newer revision has nothing, or of which one of the peers knows nothing.
const SOME: [&str; 2] = ["list_changed", "ping"];

/// A client's part.
pub struct Role<'a> {
    pub sdk: Sdk,
    pub era: Era,
    pub answers: &'a str,
    /// Checks that are left out.
    pub without: &'a [&'a str],
}

impl Role<'_> {
    pub fn legacy(sdk: Sdk) -> Role<'static> {
        Role { sdk, era: Era::Legacy, answers: "sse", without: &[] }
    }
}

/// The arguments of the usual proxy to this server.
pub fn with_the_token(server: &Server) -> [&str; 4] {
    ["proxy", &server.url, "--header", "Authorization: Bearer T"]
}

/// Runs the scenario over this proxy and asserts that all of it held. Which revision was spoken at the host's side.
pub fn play(role: &Role, server: &Server, proxy: &Command) -> String {
    let record = tempfile::tempdir().unwrap();
    let report = run(role, server.sdk, proxy, record.path());
    let protocol = report["protocol"].as_str().unwrap().to_owned();
    assert_eq!((&report["ok"], &report["failed"]), (&json!(true), &json!({})), "{report}");
    // A client that asks no `server/discover` is told no name.
    let name = &report["server"];
    assert!(name == server.sdk.name() || (name.is_null() && protocol == MODERN), "{report}");
    assert_eq!(report["transport"], "stdio");
    let everything = matches!(server.sdk, Sdk::Everything | Sdk::EverythingSse);
    let large = |check: &str| everything && check == "large";
    let some = SOME.iter().filter(|check| match **check {
        "ping" => protocol == LEGACY,
        _ => !everything,
    });
    let wanted = CHECKS.iter().filter(|check| !large(check)).chain(some);
    let missing: Vec<_> = wanted
        .filter(|check| !role.without.contains(check) && report["checks"].get(**check).is_none())
        .collect();
    assert!(missing.is_empty(), "{missing:?} in {report}");
    only_messages(record.path());
    protocol
}

/// Runs the scenario; the client's report.
pub fn run(role: &Role, server: Sdk, proxy: &Command, record: &Path) -> Value {
    let mut command = role.sdk.client();
    let era = match role.era {
        Era::Legacy => "legacy",
        Era::Dual => "auto",
        Era::Modern => "modern",
    };
    command.args(["--answers", role.answers, "--era", era]);
    command.args(role.without.iter().flat_map(|check| ["--without", check]));
    if matches!(server, Sdk::Everything | Sdk::EverythingSse) {
        command.args(["--server", "everything"]);
    }
    command.arg("--").arg(peer("witness")).arg(record).arg(proxy.get_program()).args(proxy.get_args());
    command.env_clear().envs(proxy.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let ended = wait(command.spawn().unwrap());
    let mut report = ended.json();
    report["stderr"] = json!(ended.stderr);
    report
}

/// S-03: nothing was written on stdout that is not a message, and the end was clean.
fn only_messages(record: &Path) {
    let (mut lines, mut ended) = (0, 0);
    for entry in std::fs::read_dir(record).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).expect("UTF-8 (S-01)");
        if path.extension().is_some_and(|extension| extension == "code") {
            assert_eq!(text, "0\n", "an exit code");
            ended += 1;
            continue;
        }
        assert!(text.is_empty() || text.ends_with('\n'), "whole lines (S-02): {text}");
        for line in text.lines() {
            let message: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            assert_eq!(message["jsonrpc"], "2.0", "{line}");
            lines += 1;
        }
    }
    // A client that probes may kill the process that it asked.
    assert!(lines > 10 && ended >= 1, "{lines} lines, {ended} ends");
}

/// One client and one server in their eras, with a fixed token; the server, to be asked.
pub fn pair(role: &Role, sdk: Sdk, era: Era) -> Option<(String, Server)> {
    if !role.sdk.there() || !sdk.there() {
        return None;
    }
    let server = Server::start(sdk, Manner { answers: role.answers, era, issuer: None });
    let house = House::new(Options::default());
    let protocol = play(role, &server, &house.command(&with_the_token(&server)));
    assert_eq!(server.seen("auth", "ok"), server.log().len(), "nothing went without the token");
    assert!(house.sandbox.log().is_empty());
    Some((protocol, server))
}

/// One session came and went, with its stream.
pub fn one_session(server: &Server) {
    assert_eq!(server.seen("rpc", "notifications/initialized"), 1);
    assert_eq!(server.seen("method", "DELETE"), 1, "the session was ended at the server (T-25)");
    assert!(server.seen("method", "GET") >= 1, "the stream was opened (T-26)");
    assert_eq!(server.seen("rpc", "notifications/cancelled"), 1, "the cancellation was posted (T-33)");
    // A sign-in comes before.
    let later = server.log().into_iter().skip_while(|entry| entry["rpc"] != "initialize").skip(1);
    let without: Vec<_> =
        later.filter(|entry| entry["protocol"] != LEGACY || entry["session"] != true).collect();
    assert!(without.is_empty(), "the revision and the session are named (T-20, T-22): {without:?}");
}

/// Requests only, each of which stands for itself. `probes`: how many `initialize` went before, to find out that
/// nobody there knows it (T-80).
pub fn no_session(server: &Server, probes: usize) {
    let strange =
        |entry: &Value| entry["method"] != "POST" || entry["session"] == true || entry["protocol"] != MODERN;
    let (first, rest): (Vec<_>, Vec<_>) =
        server.log().into_iter().partition(|entry| entry["rpc"] == "initialize");
    let strange: Vec<_> = rest.into_iter().filter(strange).collect();
    assert!(strange.is_empty(), "nothing but 2026-07-28 (T-50, T-61): {strange:?}");
    assert_eq!(first.len(), probes, "{first:?}");
    assert_eq!(server.seen("rpc", "notifications/cancelled"), 0, "by closing the stream instead (T-59)");
}
