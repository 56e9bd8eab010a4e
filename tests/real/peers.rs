//! The official SDKs' clients over stdio through `chipp-auth proxy` to the official SDKs' servers, in all
//! pairs, and the MCP Inspector (issue 2 point 4). What has to hold is in `tests/peers/scenario.mjs` and
//! `client.py`; what reached the server is read from its log.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use chipp_auth::sandbox::{Fault, Options, TokenStyle};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::house::{House, LONG, wait};
use crate::parts::{node, peer, python, python_sdk};

#[derive(Clone, Copy, PartialEq, Debug)]
enum Sdk {
    TypeScript,
    Python,
}
use Sdk::{Python, TypeScript};

impl Sdk {
    fn there(self) -> bool {
        match self {
            TypeScript => node(),
            Python => python_sdk(),
        }
    }

    /// A command that runs `server` or `client`.
    fn command(self, role: &str) -> Command {
        let (program, file) = match self {
            TypeScript => (PathBuf::from("node"), format!("{role}.mjs")),
            Python => (python(), format!("{role}.py")),
        };
        let mut command = Command::new(program);
        command.arg(peer(&file));
        command
    }

    fn name(self) -> &'static str {
        match self {
            TypeScript => "typescript",
            Python => "python",
        }
    }
}

/// A server behind a bearer check. It ends with its stdin.
struct Server {
    process: Child,
    url: String,
    files: TempDir,
}

impl Server {
    fn start(sdk: Sdk, answers: &str, issuer: Option<&str>) -> Server {
        let files = tempfile::tempdir().unwrap();
        let tokens = files.path().join("tokens");
        std::fs::write(&tokens, "").unwrap();
        let mut command = sdk.command("server");
        command.args(["--token", "T", "--answers", answers]).arg("--token-file").arg(tokens);
        command.arg("--log").arg(files.path().join("log"));
        command.args(issuer.iter().flat_map(|issuer| ["--issuer", issuer]));
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(process.stdout.take().unwrap());
        let (sender, first) = mpsc::channel();
        std::thread::spawn(move || sender.send(stdout.lines().next()));
        let line = first.recv_timeout(LONG).expect("the server says where it is").unwrap().unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        Server { process, url: said["url"].as_str().unwrap().to_owned(), files }
    }

    fn tokens(&self) -> PathBuf {
        self.files.path().join("tokens")
    }

    fn log(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.files.path().join("log")).unwrap_or_default();
        // The last line may be half written.
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    fn seen(&self, member: &str, value: &str) -> usize {
        self.log().iter().filter(|entry| entry[member] == value).count()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Every check that a client makes; without streams there is no progress, but the check is there.
const CHECKS: [&str; 10] = [
    "connect",
    "list",
    "call",
    "progress",
    "parallel",
    "elicitation",
    "sampling",
    "list_changed",
    "close",
    "quiet",
];

/// Runs the client's scenario over this proxy, and asserts that all of it held.
fn scenario(client: Sdk, (server, answers): (Sdk, &str), proxy: &Command) {
    let mut command = client.command("client");
    command.args(["--answers", answers, "--"]).arg(proxy.get_program()).args(proxy.get_args());
    command.env_clear().envs(proxy.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let ended = wait(command.spawn().unwrap());
    assert_eq!(ended.code, 0, "{ended:?}");
    let report = ended.json();
    assert_eq!((&report["ok"], &report["failed"]), (&json!(true), &json!({})), "{report}");
    assert_eq!(report["server"], format!("peers-{}", server.name()));
    assert_eq!((&report["transport"], &report["protocol"]), (&json!("stdio"), &json!("2025-11-25")));
    let missing: Vec<_> = CHECKS.iter().filter(|check| report["checks"].get(**check).is_none()).collect();
    assert!(missing.is_empty(), "{missing:?} in {report}");
}

/// One session came and went, with its stream.
fn one_session(server: &Server) {
    assert_eq!(server.seen("rpc", "notifications/initialized"), 1);
    assert_eq!(server.seen("method", "DELETE"), 1, "the session was ended at the server");
    assert!(server.seen("method", "GET") >= 1, "the stream was opened");
}

fn with_a_header(client: Sdk, server: Sdk) {
    if !client.there() || !server.there() {
        return;
    }
    for answers in ["sse", "json"] {
        let upstream = Server::start(server, answers, None);
        let house = House::new(Options::default());
        let header = "Authorization: Bearer T";
        scenario(client, (server, answers), &house.command(&["proxy", &upstream.url, "--header", header]));
        one_session(&upstream);
        assert_eq!(upstream.seen("auth", "ok"), upstream.log().len(), "nothing went without the token");
        assert!(house.sandbox.log().is_empty());
    }
}

/// A sign-in at the sandbox, to which the server points: discovery, registration, code, tokens. In the
/// middle of the scenario the server takes the token back; the client must not notice.
fn with_a_sign_in(client: Sdk, server: Sdk) {
    if !client.there() || !server.there() {
        return;
    }
    for answers in ["sse", "json"] {
        let house =
            House::new(Options { registration: true, token_style: TokenStyle::Form, ..Options::default() });
        let issuer = house.sandbox.base().as_str().trim_end_matches('/').to_owned();
        let upstream = Server::start(server, answers, Some(&issuer));
        let resource = upstream.url.clone();
        house.sandbox.set(|options| options.resources = vec![resource]);

        learn(&house, &upstream);
        let ended = house.login(&[&upstream.url]);
        assert_eq!(ended.code, 0, "{ended:?}");
        let first = house.run(&["token", &upstream.url]).ok().to_owned();
        assert_eq!(std::fs::read_to_string(upstream.tokens()).unwrap(), first);

        let before = upstream.log().len();
        learn(&house, &upstream);
        std::thread::scope(|scope| {
            scope.spawn(|| revoke_in_mid_session(&upstream));
            scenario(client, (server, answers), &house.command(&["proxy", &upstream.url]));
        });
        one_session(&upstream);
        let refused = upstream.log()[before..].iter().filter(|entry| entry["auth"] == "wrong").count();
        assert!(refused >= 1, "the token was refused in mid-session");
        assert_eq!(upstream.log()[before..].iter().filter(|entry| entry["auth"] == "missing").count(), 0);
        let counts = house.sandbox.counts();
        assert_eq!((counts.registrations, counts.families, counts.token_refresh), (1, 1, 1), "{counts:?}");
        assert_eq!((counts.reuse, counts.mcp_posts), (0, 0));
        let entries = house.sandbox.log();
        let resources: Vec<_> = entries.iter().filter_map(|entry| entry.resource.as_deref()).collect();
        assert_eq!(resources, [&*upstream.url; 3], "named to authorize, to redeem and to renew (A-26)");
        assert_ne!(house.run(&["token", &upstream.url]).ok(), first);
    }
}

/// The next token that the sandbox issues is the one, and the only one, that the server accepts.
fn learn(house: &House, server: &Server) {
    let tokens = server.tokens();
    house.sandbox.fail_next(Fault::edit(move |answer| {
        std::fs::write(tokens, answer["access_token"].as_str().unwrap()).unwrap();
    }));
}

/// Takes the token back once a tool was called.
fn revoke_in_mid_session(server: &Server) {
    let began = Instant::now();
    while server.seen("rpc", "tools/call") == 0 {
        if began.elapsed() > LONG {
            return; // The client says what went wrong.
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    std::fs::write(server.tokens(), "").unwrap();
}

macro_rules! pairs {
    ($($name:ident: $client:ident to $server:ident;)*) => {$(
        mod $name {
            use super::*;

            #[test]
            fn with_a_header() {
                super::with_a_header($client, $server);
            }

            #[test]
            fn with_a_sign_in() {
                super::with_a_sign_in($client, $server);
            }
        }
    )*};
}

pairs! {
    typescript: TypeScript to TypeScript;
    python: Python to Python;
    typescript_to_python: TypeScript to Python;
    python_to_typescript: Python to TypeScript;
}

#[test]
fn the_inspector_lists_and_calls() {
    if !node() {
        return;
    }
    let server = Server::start(TypeScript, "sse", None);
    let house = House::new(Options::default());
    let proxy = house.command(&["proxy", &server.url, "--header", "Authorization: Bearer T"]);
    let inspect = |options: &[&str]| {
        let mut command = Command::new(peer("inspector.sh"));
        command.args(options).arg("--").arg(proxy.get_program()).args(proxy.get_args());
        command.env_clear().envs(proxy.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let ended = wait(command.spawn().unwrap());
        assert_eq!(ended.code, 0, "{ended:?}");
        ended.json()
    };
    let listed = inspect(&["--method", "tools/list"]);
    let mut names: Vec<_> =
        listed["tools"].as_array().unwrap().iter().filter_map(|tool| tool["name"].as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["add", "ask", "enable_more", "sample", "slow_count"]);
    let add = ["--method", "tools/call", "--tool-name", "add", "--tool-arg", "a=2", "--tool-arg", "b=3"];
    assert_eq!(inspect(&add)["content"][0]["text"], "5");
    // It lists the tools before it calls one, too.
    assert_eq!((server.seen("rpc", "initialize"), server.seen("rpc", "tools/call")), (2, 1));
}
