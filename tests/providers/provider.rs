//! A provider and the MCP server of one of its customers, as one child process, and a user with a profile for them.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, mpsc};

use chipp_auth::sandbox::Options;
use serde_json::{Value, json};
use url::Url;

use crate::host::Host;
use crate::house::{Ended, House, LONG, wait};
use crate::parts::{node, peer};

/// The name of the profile.
pub const NAME: &str = "crm";

/// See `tests/peers/provider.mjs`.
pub struct Provider {
    process: Child,
    pipe: Mutex<(ChildStdin, mpsc::Receiver<String>)>,
    said: Value,
    pub house: House,
}

impl Provider {
    /// Starts it, and writes a profile that states all that a form asks for; `None` if a part is missing, which has
    /// been said then.
    pub fn start(options: &[&str]) -> Option<Provider> {
        if !node() {
            return None;
        }
        let mut command = Command::new("node");
        command.arg(peer("provider.mjs")).args(options).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let stdout = BufReader::new(process.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|l| sender.send(l)));
        let line = lines.recv_timeout(LONG).expect("the provider says where it is");
        let pipe = Mutex::new((process.stdin.take().unwrap(), lines));
        let said = serde_json::from_str(&line).unwrap();
        let provider = Provider { process, pipe, said, house: House::new(Options::default()) };
        provider.profile("");
        Some(provider)
    }

    /// What it said of itself.
    pub fn text(&self, name: &str) -> &str {
        self.said[name].as_str().unwrap_or_else(|| panic!("no {name} in {}", self.said))
    }

    /// Writes the profile: its addresses, its client, and these further lines.
    pub fn profile(&self, more: &str) {
        let names = ["url", "client_id", "authorize_url", "token_url", "revoke_url", "userinfo_url"];
        let lines =
            names.iter().filter(|name| !more.lines().any(|line| line.starts_with(&format!("{name} ="))));
        let lines = lines.filter_map(|name| Some(format!("{name} = {}\n", self.said.get(name)?)));
        self.profiles(&format!("[profiles.{NAME}]\n{}{more}\n", lines.collect::<String>()));
    }

    /// Writes the whole file.
    pub fn profiles(&self, text: &str) {
        std::fs::write(self.house.home.path().join("profiles.toml"), text).unwrap();
    }

    /// Has the server do something: `{"do": name, …}`.
    pub fn ask(&self, command: &Value) -> Value {
        let mut pipe = self.pipe.lock().unwrap();
        writeln!(pipe.0, "{command}").unwrap();
        let line = pipe.1.recv_timeout(LONG).expect("the provider answers");
        let mut answer: Value = serde_json::from_str(&line).unwrap();
        assert!(answer.get("ok").is_some(), "{command}: {answer}");
        answer["ok"].take()
    }

    /// From now on this user sits at the browser.
    pub fn user(&self, login: &str) {
        self.ask(&json!({"do": "user", "login": login}));
    }

    /// All that it was asked, in order.
    pub fn log(&self) -> Vec<Value> {
        let Value::Array(log) = self.ask(&json!({"do": "log"})) else { panic!("not a log") };
        log
    }

    /// The requests to one of its endpoints; `mcp` is the MCP server, `other` what it does not have.
    pub fn seen(&self, route: &str) -> Vec<Value> {
        self.log().into_iter().filter(|entry| entry["route"] == route).collect()
    }

    /// The parameters of the last authorization request, which is the browser's own.
    pub fn asked(&self) -> Vec<(String, String)> {
        Provider::query(&self.seen("authorize").pop().expect("an authorization request"))
    }

    /// The parameters of a request's address.
    pub fn query(entry: &Value) -> Vec<(String, String)> {
        let base = Url::parse("http://127.0.0.1").unwrap();
        base.join(entry["path"].as_str().unwrap()).unwrap().query_pairs().into_owned().collect()
    }

    /// The parameters of a request's body.
    pub fn parameters(entry: &Value) -> Vec<(String, String)> {
        let body = entry["body"].as_str().unwrap();
        match serde_json::from_str::<Value>(body) {
            Ok(Value::Object(members)) => {
                members.into_iter().map(|(name, value)| (name, value.as_str().unwrap().to_owned())).collect()
            }
            _ => url::form_urlencoded::parse(body.as_bytes()).into_owned().collect(),
        }
    }

    /// The token requests with this grant, as far as they were answered with tokens or not.
    pub fn grants(&self, grant: &str) -> Vec<Value> {
        let is = |entry: &Value| value(&Provider::parameters(entry), "grant_type").as_deref() == Some(grant);
        self.seen("token").into_iter().filter(is).collect()
    }

    /// The tokens that it issued last.
    pub fn issued(&self) -> Value {
        let answers = self.seen("token").into_iter().rev();
        let read = |entry: Value| {
            let text = entry["answer"].as_str().unwrap().to_owned();
            serde_json::from_str(&text).ok().or_else(|| {
                let pairs = url::form_urlencoded::parse(text.as_bytes()).into_owned();
                Some(Value::Object(pairs.map(|(name, value)| (name, value.into())).collect()))
            })
        };
        let mut found = answers.filter_map(read);
        found.find(|answer: &Value| answer.get("access_token").is_some()).expect("tokens")
    }

    /// Whether a token that it issued still serves.
    pub fn is_active(&self, token: &Value) -> bool {
        self.ask(&json!({"do": "active", "token": token})).as_bool().unwrap()
    }

    /// The command for the profile; its browser is somebody who says yes.
    pub fn command(&self, args: &[&str]) -> Command {
        self.plain(&[&args[..1], &[NAME], &args[1..]].concat())
    }

    /// The command as it is.
    pub fn plain(&self, args: &[&str]) -> Command {
        let mut command = self.house.command(args);
        command.env("BROWSER", peer("click.mjs"));
        if let Some(secret) = self.said["client_secret"].as_str() {
            command.env("CHIPP_AUTH_CLIENT_SECRET", secret);
        }
        command
    }

    pub fn run(&self, args: &[&str]) -> Ended {
        wait(self.command(args).spawn().unwrap())
    }

    /// Signs in.
    pub fn login(&self, args: &[&str]) -> Ended {
        self.run(&[&["login", "--timeout", "30s"], args].concat())
    }

    /// An MCP client with its session open. Nobody would answer a browser that it opened, and it has no secret.
    pub fn host(&self, args: &[&str]) -> Host {
        let mut command = self.command(&[&["proxy"], args].concat());
        command.env_remove("BROWSER").env_remove("CHIPP_AUTH_CLIENT_SECRET");
        let mut host = Host::start(command);
        let answer = host.initialize();
        assert!(answer.get("result").is_some(), "{answer}");
        host
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The value of a parameter.
pub fn value(parameters: &[(String, String)], name: &str) -> Option<String> {
    parameters.iter().find(|(found, _)| found == name).map(|(_, value)| value.clone())
}

/// What a tool said.
pub fn said(answer: &Value) -> &str {
    answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer}"))
}

/// Asserts a failure of this name, and that its text has this in it.
pub fn failed(ended: &Ended, name: &str, code: i32, text: &str) {
    ended.failed(name, code);
    assert!(ended.stderr.contains(text), "no {text:?} in {ended:?}");
}
