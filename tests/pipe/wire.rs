//! An MCP server on bare sockets, a thread for each connection. It keeps no message, so that a gigabyte may
//! pass, and counts each byte that the kernel took from it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// For anything that must happen. Long, since the machine may be busy.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What is kept of a body.
const HEAD: usize = 4096;

/// One HTTP request.
#[derive(Debug, Clone)]
pub struct Request {
    pub verb: String,
    /// The lines of the head.
    pub head: String,
    /// The beginning of the body.
    pub body: String,
    pub length: usize,
}

impl Request {
    /// The JSON-RPC method, or the verb where there is no body.
    pub fn method(&self) -> &str {
        let method = self.body.split_once("\"method\":\"").and_then(|(_, rest)| rest.split_once('"'));
        method.map_or(&self.verb, |(method, _)| method)
    }

    /// The id, as it is spelled.
    pub fn id(&self) -> Option<&str> {
        let (_, rest) = self.body.split_once("\"id\":")?;
        rest.split_once([',', '}']).map(|(id, _)| id)
    }
}

/// The answer to one request, as it is written.
pub struct Reply {
    socket: TcpStream,
    sent: Arc<AtomicU64>,
    /// Nothing comes after this answer.
    last: bool,
}

type Sent = std::io::Result<()>;

impl Reply {
    pub fn raw(&mut self, bytes: &[u8]) -> Sent {
        let mut left = bytes;
        while !left.is_empty() {
            let count = self.socket.write(left)?;
            self.sent.fetch_add(count as u64, Ordering::Relaxed);
            left = &left[count..];
        }
        Ok(())
    }

    pub fn json(&mut self, text: &str) -> Sent {
        self.head("200 OK", "application/json", text.len())?;
        self.raw(text.as_bytes())
    }

    pub fn head(&mut self, status: &str, media: &str, length: usize) -> Sent {
        // In capitals: the names of headers are read whatever their case (T-12).
        let head = format!(
            "HTTP/1.1 {status}\r\nCONTENT-TYPE: {media}\r\nMCP-SESSION-ID: s\r\ncontent-length: {length}\r\n\r\n"
        );
        self.raw(head.as_bytes())
    }

    pub fn status(&mut self, status: &str) -> Sent {
        self.raw(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").as_bytes())
    }

    pub fn result(&mut self, request: &Request, result: &str) -> Sent {
        self.json(&answer(request, result))
    }

    /// Begins an event stream; the connection ends with it.
    pub fn events(&mut self) -> Sent {
        self.last = true;
        self.raw(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
    }

    pub fn event(&mut self, text: &str) -> Sent {
        self.raw(format!("data: {text}\n\n").as_bytes())
    }

    /// Does nothing until the other side goes away.
    pub fn hang(&mut self) -> Sent {
        self.socket.set_read_timeout(Some(PATIENCE))?;
        let _ = self.socket.read(&mut [0; 1]);
        Ok(())
    }
}

pub fn answer(request: &Request, result: &str) -> String {
    format!("{{\"jsonrpc\":\"2.0\",\"id\":{},\"result\":{result}}}", request.id().unwrap_or("null"))
}

type Script = dyn Fn(&Request, &mut Reply) -> Option<Sent> + Send + Sync;

pub struct Wire {
    pub url: String,
    pub seen: Arc<Mutex<Vec<Request>>>,
    pub sent: Arc<AtomicU64>,
}

impl Wire {
    /// A server that does as `script` says, and as a plain one does where it says nothing.
    pub fn start(script: impl Fn(&Request, &mut Reply) -> Option<Sent> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/mcp", listener.local_addr().unwrap());
        let (seen, sent) = (Arc::default(), Arc::<AtomicU64>::default());
        let wire = Wire { url, seen: Arc::clone(&seen), sent: Arc::clone(&sent) };
        let script: Arc<Script> = Arc::new(script);
        std::thread::spawn(move || {
            for socket in listener.incoming().map_while(Result::ok) {
                let (seen, sent, script) = (Arc::clone(&seen), Arc::clone(&sent), Arc::clone(&script));
                std::thread::spawn(move || {
                    let _ = socket.set_nodelay(true);
                    let mut from = BufReader::with_capacity(256 << 10, socket.try_clone().unwrap());
                    let mut reply = Reply { socket, sent, last: false };
                    while let Some(request) = read(&mut from) {
                        seen.lock().unwrap().push(request.clone());
                        let done =
                            script(&request, &mut reply).unwrap_or_else(|| usual(&request, &mut reply));
                        if done.is_err() || reply.last {
                            return;
                        }
                    }
                });
            }
        });
        wire
    }

    /// Somebody else's.
    pub fn at(url: String) -> Self {
        Wire { url, seen: Arc::default(), sent: Arc::default() }
    }

    /// What was asked, by method or verb.
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().iter().map(|request| request.method().to_owned()).collect()
    }

    pub fn count(&self, method: &str) -> usize {
        self.seen().iter().filter(|seen| *seen == method).count()
    }

    pub fn wait_for(&self, method: &str, count: usize) {
        wait_until(&format!("{method} {count} times"), || self.count(method) >= count);
    }
}

/// Waits for a condition.
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn read(from: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if from.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let lower = head.to_lowercase();
    let length = lower.split_once("content-length: ").and_then(|(_, rest)| rest.split("\r\n").next());
    let length: usize = length.map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length.min(HEAD)];
    from.read_exact(&mut body).ok()?;
    std::io::copy(&mut from.take((length - body.len()) as u64), &mut std::io::sink()).ok()?;
    let verb = head.split(' ').next().unwrap().to_owned();
    Some(Request { verb, head, body: String::from_utf8_lossy(&body).into_owned(), length })
}

fn usual(request: &Request, reply: &mut Reply) -> Sent {
    match (request.verb.as_str(), request.method()) {
        ("POST", "initialize") => {
            let revision = request.body.split("\"protocolVersion\":\"").nth(1).unwrap_or("2025-11-25");
            let revision = &revision[..10];
            reply.result(request, &format!("{{\"protocolVersion\":\"{revision}\",\"capabilities\":{{}}}}"))
        }
        ("POST", _) if request.id().is_none() => reply.status("202 Accepted"),
        ("POST", _) => reply.result(request, "{}"),
        ("GET", _) => reply.status("405 Method Not Allowed"),
        _ => reply.status("200 OK"),
    }
}
