//! Who takes part, and how each is started.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;

use serde_json::Value;
use tempfile::TempDir;

use crate::house::LONG;
use crate::parts::{node, peer, python, python_sdk, rmcp, rmcp_program};

#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Sdk {
    /// The official TypeScript SDK, v2.
    TypeScript,
    TypeScriptV1,
    Python,
    FastMcp,
    Rmcp,
    /// `@modelcontextprotocol/server-everything`, over Streamable HTTP.
    Everything,
    /// The same over HTTP+SSE of 2024-11-05.
    EverythingSse,
}

/// Which revisions one speaks.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Era {
    /// Up to 2025-11-25, with a session.
    Legacy,
    /// Both; a client probes, and prefers the newer one.
    Dual,
    /// 2026-07-28 only.
    Modern,
}

pub const LEGACY: &str = "2025-11-25";
pub const MODERN: &str = "2026-07-28";

impl Sdk {
    /// Whether it is installed.
    pub fn there(self) -> bool {
        match self {
            Sdk::Python | Sdk::FastMcp => python_sdk(),
            // Behind the check of a Node program.
            Sdk::Rmcp => node() && rmcp(),
            _ => node(),
        }
    }

    /// What a server of it calls itself.
    pub fn name(self) -> &'static str {
        match self {
            Sdk::TypeScript => "peers-typescript",
            Sdk::TypeScriptV1 => "peers-typescript-v1",
            Sdk::Python => "peers-python",
            Sdk::FastMcp => "peers-fastmcp",
            Sdk::Rmcp => "peers-rmcp",
            Sdk::Everything | Sdk::EverythingSse => "mcp-servers/everything",
        }
    }

    pub fn client(self) -> Command {
        match self {
            Sdk::TypeScript => script("node".into(), "client.mjs"),
            Sdk::TypeScriptV1 => script("node".into(), "client-v1.mjs"),
            Sdk::Python => script(python(), "client.py"),
            Sdk::FastMcp => script(python(), "client_fastmcp.py"),
            Sdk::Rmcp => {
                let mut command = Command::new(rmcp_program());
                command.arg("client");
                command
            }
            Sdk::Everything | Sdk::EverythingSse => panic!("{self:?} is no client"),
        }
    }

    /// A server, without the options that all of them take, and what comes after them.
    fn server(self) -> (Command, Vec<PathBuf>) {
        let everything = || peer("node_modules/@modelcontextprotocol/server-everything/dist/index.js");
        match self {
            Sdk::TypeScript => (script("node".into(), "server.mjs"), vec![]),
            Sdk::TypeScriptV1 => (script("node".into(), "server-v1.mjs"), vec![]),
            Sdk::Python => (script(python(), "server.py"), vec![]),
            Sdk::FastMcp => (script(python(), "server_fastmcp.py"), vec![]),
            Sdk::Rmcp => behind(&["/mcp".into(), rmcp_program(), "server".into()]),
            Sdk::Everything => behind(&["/mcp".into(), "node".into(), everything(), "streamableHttp".into()]),
            Sdk::EverythingSse => {
                behind(&["/sse,/message".into(), "node".into(), everything(), "sse".into()])
            }
        }
    }
}

fn script(program: PathBuf, file: &str) -> Command {
    let mut command = Command::new(program);
    command.arg(peer(file));
    command
}

/// A server that knows nothing of tokens.
fn behind(command: &[PathBuf]) -> (Command, Vec<PathBuf>) {
    (script("node".into(), "behind.mjs"), [&["--".into()], command].concat())
}

/// How a server is to behave.
#[derive(Clone, Copy)]
pub struct Manner<'a> {
    /// `sse` or `json`.
    pub answers: &'a str,
    pub era: Era,
    /// The authorization server to point to.
    pub issuer: Option<&'a str>,
}

impl Default for Manner<'_> {
    fn default() -> Self {
        Manner { answers: "sse", era: Era::Legacy, issuer: None }
    }
}

/// A server behind a bearer check; `T` is a token. It ends with its stdin.
pub struct Server {
    process: Child,
    pub sdk: Sdk,
    pub url: String,
    files: TempDir,
}

impl Server {
    pub fn start(sdk: Sdk, manner: Manner) -> Server {
        let files = tempfile::tempdir().unwrap();
        let tokens = files.path().join("tokens");
        std::fs::write(&tokens, "").unwrap();
        let (mut command, rest) = sdk.server();
        command.args(["--token", "T", "--answers", manner.answers]).arg("--token-file").arg(tokens);
        command.arg("--log").arg(files.path().join("log"));
        command.args(manner.issuer.iter().flat_map(|issuer| ["--issuer", issuer]));
        let era = match manner.era {
            Era::Legacy => "legacy",
            Era::Dual => "dual",
            Era::Modern => "modern",
        };
        // Some let the whole command line pass that comes after.
        command.args(["--era", era]).env("PEERS_ERA", era).args(rest);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(process.stdout.take().unwrap());
        let (sender, first) = mpsc::channel();
        std::thread::spawn(move || sender.send(stdout.lines().next()));
        let line = first.recv_timeout(LONG).expect("the server says where it is").unwrap().unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        Server { process, sdk, url: said["url"].as_str().unwrap().to_owned(), files }
    }

    /// The file of the tokens that it accepts besides `T`.
    pub fn tokens(&self) -> PathBuf {
        self.files.path().join("tokens")
    }

    fn lines(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.files.path().join("log")).unwrap_or_default();
        // The last line may be half written.
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// The requests that reached it.
    pub fn log(&self) -> Vec<Value> {
        self.lines().into_iter().filter(|entry| entry["method"].is_string()).collect()
    }

    /// How many requests have this value.
    pub fn seen(&self, member: &str, value: &str) -> usize {
        self.log().iter().filter(|entry| entry[member] == value).count()
    }

    /// How often this happened in its tools.
    pub fn happened(&self, event: &str) -> usize {
        self.lines().iter().filter(|entry| entry["event"] == event).count()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Some have a server of their own, which ends with them if they are asked.
        drop(self.process.stdin.take());
        for _ in 0..200 {
            if self.process.try_wait().is_ok_and(|status| status.is_some()) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
