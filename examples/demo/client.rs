//! A small MCP client: it starts a stdio server and asks it things, with the time each answer takes.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

pub(crate) struct Client {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    started: Instant,
    id: u64,
}

impl Client {
    pub(crate) fn start(mut command: Command) -> Result<Client> {
        let started = Instant::now();
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().context("no stdout")?);
        Ok(Client { child, stdin, stdout, started, id: 0 })
    }

    fn send(&mut self, message: &Value) -> Result<()> {
        let stdin = self.stdin.as_mut().context("closed")?;
        writeln!(stdin, "{message}").context("the proxy does not listen")
    }

    /// Sends a request; its result, and how long that took.
    pub(crate) fn ask(&mut self, method: &str, params: Value) -> Result<(Value, Duration)> {
        let begun = Instant::now();
        self.id += 1;
        self.send(&json!({"jsonrpc": "2.0", "id": self.id, "method": method, "params": params}))?;
        let mut line = String::new();
        while self.stdout.read_line(&mut line)? > 0 {
            let mut message: Value = serde_json::from_str(&line).context("not JSON")?;
            if message["id"] == self.id && message.get("method").is_none() {
                if let Some(error) = message.get("error") {
                    bail!("{method}: {}", error["message"]);
                }
                return Ok((message["result"].take(), begun.elapsed()));
            }
            line.clear();
        }
        bail!("the proxy ended before it answered {method}")
    }

    /// Opens the MCP session; the server's name, and the time since the process was started.
    pub(crate) fn initialize(&mut self) -> Result<(String, Duration)> {
        let params = json!({
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "demo", "version": "1"},
        });
        let (answer, _) = self.ask("initialize", params)?;
        let took = self.started.elapsed();
        self.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}))?;
        Ok((answer["serverInfo"]["name"].as_str().unwrap_or("a server").to_owned(), took))
    }

    pub(crate) fn call(&mut self, tool: &str, arguments: Value) -> Result<(Value, Duration)> {
        self.ask("tools/call", json!({"name": tool, "arguments": arguments}))
    }
}

impl Drop for Client {
    /// As an MCP client ends a server: stdin is closed, and the process goes.
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.wait();
    }
}
