//! As much of an MCP client as it takes to see the tools.

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, ReadHalf, WriteHalf};

use super::judge;
use crate::error::{Error, clean};
use crate::store::tools::Tool;

/// The most pages of a list.
const PAGES: usize = 100;

/// Why there are no tools.
pub(super) enum Failed {
    /// The proxy says why.
    Ours(Error),
    /// The server's own answer to this method is an error.
    Theirs(&'static str, String),
    /// The answer to this method is not what it has to be.
    Odd(&'static str),
    /// The server offers no `tools`.
    NoTools,
    /// The proxy has ended.
    Ended,
}

/// A server that has introduced itself.
pub(super) struct Server {
    pub(super) introduction: String,
    pub(super) has_tools: bool,
}

/// Our end of the pipe.
pub(super) struct Talk {
    input: BufReader<ReadHalf<DuplexStream>>,
    output: WriteHalf<DuplexStream>,
    id: u64,
}

impl Talk {
    pub(super) fn new(stream: DuplexStream) -> Self {
        let (input, output) = tokio::io::split(stream);
        Talk { input: BufReader::new(input), output, id: 0 }
    }

    /// Opens the session.
    pub(super) async fn initialize(&mut self) -> Result<Server, Failed> {
        let us = json!({"name": "chipp-auth-test", "version": env!("CARGO_PKG_VERSION")});
        let params = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": us});
        let result = self.ask("initialize", params).await?;
        self.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await?;
        let text = |value: &Value| value.as_str().map(clean).filter(|text| !text.is_empty());
        let info = &result["serverInfo"];
        let words = [text(&info["name"]), text(&info["version"])];
        let words: Vec<_> = words.into_iter().flatten().collect();
        let name = if words.is_empty() { "it answers".to_owned() } else { words.join(" ") };
        let introduction = match text(&result["protocolVersion"]) {
            Some(version) => format!("{name}, MCP {version}"),
            None => name,
        };
        Ok(Server { introduction, has_tools: result["capabilities"]["tools"].is_object() })
    }

    /// All tools, page by page.
    pub(super) async fn tools(&mut self) -> Result<Vec<Tool>, Failed> {
        const LIST: &str = "tools/list";
        let (mut tools, mut cursor) = (Vec::new(), None::<String>);
        for _ in 0..PAGES {
            let params = cursor.as_ref().map_or_else(|| json!({}), |cursor| json!({"cursor": cursor}));
            let page = self.ask(LIST, params).await?;
            let listed = page["tools"].as_array().ok_or(Failed::Odd(LIST))?;
            for tool in listed {
                let name = tool["name"].as_str().ok_or(Failed::Odd(LIST))?;
                tools.push(Tool::of(name, tool["title"].as_str(), tool["description"].as_str()));
            }
            let next = page["nextCursor"].as_str().map(str::to_owned);
            match next {
                None => return Ok(tools),
                // It would lead here again for ever.
                Some(next) if cursor.as_ref() == Some(&next) => return Err(Failed::Odd(LIST)),
                next => cursor = next,
            }
        }
        Err(Failed::Odd(LIST))
    }

    /// Sends a request and waits for its answer; the proxy sees to it that one comes.
    async fn ask(&mut self, method: &'static str, params: Value) -> Result<Value, Failed> {
        self.id += 1;
        let id = self.id;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})).await?;
        loop {
            let mut line = Vec::new();
            match self.input.read_until(b'\n', &mut line).await {
                Ok(1..) => {}
                _ => return Err(Failed::Ended),
            }
            let Ok(mut message) = serde_json::from_slice::<Value>(&line) else { continue };
            if message.get("method").is_some() {
                self.reply(&message).await?;
            } else if message["id"] == id {
                let error = &message["error"];
                if error.is_null() {
                    return Ok(message["result"].take());
                }
                let theirs = || Failed::Theirs(method, clean(error["message"].as_str().unwrap_or_default()));
                return Err(judge::ours(error).map_or_else(theirs, Failed::Ours));
            }
        }
    }

    /// The server asks: whether we are there, or for something that we do not have.
    async fn reply(&mut self, request: &Value) -> Result<(), Failed> {
        let Some(id) = request.get("id") else { return Ok(()) };
        let answer = match request["method"].as_str() {
            Some("ping") => json!({"jsonrpc": "2.0", "id": id, "result": {}}),
            _ => {
                json!({"jsonrpc": "2.0", "id": id, "error": {"code": -32601, "message": "Method not found"}})
            }
        };
        self.send(&answer).await
    }

    async fn send(&mut self, message: &Value) -> Result<(), Failed> {
        let line = format!("{message}\n");
        self.output.write_all(line.as_bytes()).await.map_err(|_| Failed::Ended)
    }
}
