//! A plain MCP server without a sign-in, which writes down what it gets, byte by byte.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

/// One request: its head, and its body.
pub type Seen = (String, Value);

pub struct Plain {
    pub port: u16,
    pub log: Arc<Mutex<Vec<Seen>>>,
}

impl Plain {
    /// Answers as `script` says: a status line, more header lines, and a body. `None`: as such a server does.
    pub fn start(
        script: impl Fn(&Seen) -> Option<(&'static str, String, String)> + Send + Sync + 'static,
    ) -> Plain {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (seen, script) = (Arc::clone(&log), Arc::new(script));
        std::thread::spawn(move || {
            for socket in listener.incoming().map_while(Result::ok) {
                let (seen, script) = (Arc::clone(&seen), Arc::clone(&script));
                std::thread::spawn(move || {
                    let Some(request) = read(&socket) else { return };
                    seen.lock().unwrap().push(request.clone());
                    let (status, headers, body) = script(&request).unwrap_or_else(|| usual(&request));
                    let length = body.len();
                    let answer = format!(
                        "HTTP/1.1 {status}\r\n{headers}connection: close\r\ncontent-length: {length}\r\n\r\n{body}"
                    );
                    let _ = (&socket).write_all(answer.as_bytes());
                });
            }
        });
        Plain { port, log }
    }

    /// The heads of all POSTs.
    pub fn posts(&self) -> Vec<String> {
        let log = self.log.lock().unwrap();
        log.iter().map(|(head, _)| head.to_lowercase()).filter(|head| head.starts_with("post ")).collect()
    }
}

fn read(socket: &TcpStream) -> Option<Seen> {
    let mut reader = BufReader::new(socket);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let length = head
        .to_lowercase()
        .lines()
        .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    Some((head, serde_json::from_slice(&body).unwrap_or_default()))
}

fn usual((head, body): &Seen) -> (&'static str, String, String) {
    if !head.starts_with("POST") {
        return ("405 Method Not Allowed", String::new(), String::new());
    }
    let result = match body["method"].as_str() {
        Some("initialize") => {
            json!({"protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": {"name": "plain", "version": "1"}})
        }
        Some(_) if !body["id"].is_null() => json!({}),
        _ => return ("202 Accepted", String::new(), String::new()),
    };
    let answer = json!({"jsonrpc": "2.0", "id": body["id"], "result": result});
    ("200 OK", "content-type: application/json\r\n".to_owned(), answer.to_string())
}
