//! An authorization server and the MCP server behind it, as one child process that is driven by lines.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use chipp_auth::sandbox::Options;
use serde_json::{Value, json};

use crate::host::Host;
use crate::house::{Ended, House, LONG, wait};
use crate::parts::{brought, node, peer, python};

#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Kind {
    /// npm `oidc-provider` and the official TypeScript SDK.
    OidcProvider,
    /// FastMCP, in the middle of whose server is the official Python SDK.
    FastMcp,
}
pub use Kind::{FastMcp, OidcProvider};

impl Kind {
    /// Whether what it needs is installed. The one who clicks needs Node either way.
    pub fn there(self) -> bool {
        node()
            && match self {
                OidcProvider => brought(&peer("node_modules/oidc-provider")),
                FastMcp => brought(&python().with_file_name("fastmcp")),
            }
    }

    fn command(self) -> Command {
        let (program, file) = match self {
            OidcProvider => ("node".into(), "oidc.mjs"),
            FastMcp => (python(), "authorization.py"),
        };
        let mut command = Command::new(program);
        command.arg(peer(file));
        command
    }
}

/// The servers, and a user of theirs.
pub struct Server {
    process: Child,
    pipe: Mutex<(ChildStdin, mpsc::Receiver<String>)>,
    /// The MCP endpoint.
    pub url: String,
    /// The authorization server's issuer identifier.
    pub issuer: String,
    pub house: House,
}

/// The secret of the clients that have one; full of characters that have to be encoded.
pub const SECRET: &str = "p:a+s s%w/o&r=d";

impl Server {
    /// Starts it; `None` if it is not installed, which has been said then.
    pub fn start(kind: Kind, options: &[&str]) -> Option<Server> {
        if !kind.there() {
            return None;
        }
        let mut command = kind.command();
        command.args(options).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let stdout = BufReader::new(process.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|l| sender.send(l)));
        let line = lines.recv_timeout(LONG).expect("the server says where it is");
        let said: Value = serde_json::from_str(&line).unwrap();
        let text = |name: &str| said[name].as_str().unwrap().to_owned();
        Some(Server {
            pipe: Mutex::new((process.stdin.take().unwrap(), lines)),
            process,
            url: text("url"),
            issuer: text("issuer"),
            house: House::new(Options::default()),
        })
    }

    /// Has the server do something: `{"do": name, …}`.
    pub fn ask(&self, command: &Value) -> Value {
        let mut pipe = self.pipe.lock().unwrap();
        writeln!(pipe.0, "{command}").unwrap();
        let line = pipe.1.recv_timeout(LONG).expect("the server answers");
        let mut answer: Value = serde_json::from_str(&line).unwrap();
        assert!(answer.get("ok").is_some(), "{command}: {answer}");
        answer["ok"].take()
    }

    /// From now on access tokens live so long.
    pub fn set_lifetime(&self, lifetime: Duration) {
        self.ask(&json!({"do": "lifetime", "seconds": lifetime.as_secs()}));
    }

    /// Ends an access token before its time.
    pub fn end(&self, token: &str) {
        self.ask(&json!({"do": "end", "token": token}));
    }

    /// What it says of a token (RFC 7662).
    pub fn introspect(&self, token: &str) -> Value {
        self.ask(&json!({"do": "introspect", "token": token}))
    }

    pub fn is_active(&self, token: &str) -> bool {
        self.introspect(token)["active"].as_bool().unwrap()
    }

    /// All that it was asked, in order.
    pub fn log(&self) -> Vec<Value> {
        let Value::Array(log) = self.ask(&json!({"do": "log"})) else { panic!("not a log") };
        log
    }

    /// The requests to one of its endpoints.
    pub fn seen(&self, route: &str) -> Vec<Value> {
        self.log().into_iter().filter(|entry| entry["route"] == route).collect()
    }

    /// The requests for tokens by this grant; the last part of its name is enough.
    pub fn grants(&self, grant: &str) -> Vec<Value> {
        let is = |entry: &Value| entry["params"]["grant_type"].as_str().is_some_and(|t| t.ends_with(grant));
        self.seen("token").into_iter().filter(is).collect()
    }

    /// The client that the user registered last.
    pub fn registered(&self) -> Value {
        self.seen("registration").pop().expect("a registration")["answer"].clone()
    }

    /// The tokens that it issued last.
    pub fn issued(&self) -> Tokens {
        let issued = |entry: &Value| entry["answer"].get("access_token").is_some();
        let answer = self.seen("token").into_iter().rfind(issued).expect("tokens")["answer"].clone();
        let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
        Tokens { access: text("access_token"), refresh: text("refresh_token") }
    }

    /// The command with this server as its target; its browser is somebody who says yes.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = self.house.command(&[&args[..1], &[self.url.as_str()], &args[1..]].concat());
        command.env("BROWSER", peer("click.mjs"));
        command
    }

    pub fn run(&self, args: &[&str]) -> Ended {
        wait(self.command(args).spawn().unwrap())
    }

    /// Signs in; the access token.
    pub fn login(&self, args: &[&str]) -> String {
        self.run(&[&["login", "--timeout", "30s"], args].concat()).ok();
        self.issued().access
    }

    /// A sign-in whose access token has just ended. The next one will live for an hour.
    pub fn expired(kind: Kind) -> Option<Server> {
        let server = Server::start(kind, &["--lifetime", "1"])?;
        server.login(&[]);
        server.set_lifetime(Duration::from_secs(3600));
        std::thread::sleep(Duration::from_millis(1100));
        Some(server)
    }

    /// An MCP client with its session open. Nobody would answer a browser that it opened.
    pub fn host(&self, args: &[&str]) -> Host {
        let mut command = self.command(&[&["proxy"], args].concat());
        command.env_remove("BROWSER");
        let mut host = Host::start(command);
        let answer = host.initialize();
        assert!(answer.get("result").is_some(), "{answer}");
        host
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub struct Tokens {
    pub access: String,
    pub refresh: String,
}

/// Asserts that a tool was called.
pub fn called(answer: &Value) {
    assert!(answer["result"]["content"][0]["text"].is_string(), "{answer}");
}

/// One test for each of the two servers.
macro_rules! both {
    ($($(#[$attribute:meta])* $name:ident)*) => {
        mod oidc_provider {
            $($(#[$attribute])* #[test] fn $name() { super::$name($crate::server::OidcProvider); })*
        }
        mod fastmcp {
            $($(#[$attribute])* #[test] fn $name() { super::$name($crate::server::FastMcp); })*
        }
    };
}
pub(crate) use both;
