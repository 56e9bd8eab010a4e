//! A server that writes every byte of HTTP itself, so that it can break off, lie and flood at any of them. What
//! happened is read from its log, never from the proxy's word.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::reply::{Outcome, Reply};

/// One request, and what became of its connection.
#[derive(Debug, Clone)]
pub struct Seen {
    pub verb: String,
    headers: Vec<(String, String)>,
    pub message: Value,
    pub began: Instant,
    /// The client hung up before the reply was all written.
    pub hung_up: Arc<AtomicBool>,
    /// The server was stopped before the reply was all written.
    pub cut_off: Arc<AtomicBool>,
    /// How many bytes of the reply were written.
    pub written: Arc<AtomicUsize>,
}

impl Seen {
    /// The JSON-RPC method, or the HTTP verb where there is none.
    pub fn method(&self) -> &str {
        self.message["method"].as_str().unwrap_or(&self.verb)
    }

    pub fn id(&self) -> &Value {
        &self.message["id"]
    }

    /// The name of the tool that is called.
    pub fn tool(&self) -> &str {
        self.message["params"]["name"].as_str().unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    pub fn has_hung_up(&self) -> bool {
        self.hung_up.load(Ordering::SeqCst)
    }
}

/// What to reply. Called when the whole request is there.
pub type Script = dyn Fn(&Seen) -> Reply + Send + Sync;

/// The server.
pub struct Server {
    pub url: url::Url,
    log: Arc<Mutex<Vec<Seen>>>,
    _running: watch::Sender<u32>,
}

impl Server {
    /// Replies as `script` says, and as a plain server does where it says nothing.
    pub async fn start(script: impl Fn(&Seen) -> Option<Reply> + Send + Sync + 'static) -> Self {
        let log = Arc::new(Mutex::new(Vec::new()));
        let to = Arc::clone(&log);
        let logged = move |seen: &Seen| {
            to.lock().unwrap().push(seen.clone());
            script(seen).unwrap_or_else(|| Reply::usual(seen))
        };
        let (running, stopped) = watch::channel(0);
        Server { url: listen(Arc::new(logged), stopped).await, log, _running: running }
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.log.lock().unwrap().clone()
    }

    /// The requests of one JSON-RPC method or HTTP verb.
    pub fn of(&self, method: &str) -> Vec<Seen> {
        self.seen().into_iter().filter(|seen| seen.method() == method).collect()
    }

    pub fn count(&self, method: &str) -> usize {
        self.of(method).len()
    }

    /// Waits until something is so.
    pub async fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        for _ in 0..3000 {
            if is_so(self) {
                return;
            }
            sleep(Duration::from_millis(10)).await;
        }
        panic!("waited in vain: {what}");
    }
}

/// Serves on a port of its own for as long as the runtime lives. Each change of `stopped` breaks all connections off.
pub async fn listen(script: Arc<Script>, stopped: watch::Receiver<u32>) -> url::Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let _ = socket.set_nodelay(true);
            let (script, mut stopped) = (Arc::clone(&script), stopped.clone());
            stopped.mark_unchanged();
            tokio::spawn(converse(socket, script, stopped));
        }
    });
    url
}

/// One connection, until one side has enough.
async fn converse(
    mut socket: TcpStream,
    script: Arc<Script>,
    mut stopped: watch::Receiver<u32>,
) -> io::Result<()> {
    let mut buffer = Vec::new();
    loop {
        let seen = tokio::select! {
            seen = read(&mut socket, &mut buffer) => seen?,
            Ok(()) = stopped.changed() => return Ok(()),
        };
        let Some(seen) = seen else { return Ok(()) };
        let reply = script(&seen);
        let outcome = tokio::select! {
            outcome = reply.write(&mut socket, &seen.written) => outcome,
            Ok(()) = stopped.changed() => {
                seen.cut_off.store(true, Ordering::SeqCst);
                return Ok(());
            }
        };
        match outcome {
            Outcome::Kept => {}
            Outcome::Closed => return Ok(()),
            Outcome::HungUp => {
                seen.hung_up.store(true, Ordering::SeqCst);
                return Ok(());
            }
        }
    }
}

/// The next request; none at the end of the connection.
async fn read(socket: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<Option<Seen>> {
    let head = loop {
        if let Some(at) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        if socket.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    };
    let text = String::from_utf8_lossy(&buffer[..head]).into_owned();
    let mut lines = text.lines();
    let verb = lines.next().and_then(|line| line.split(' ').next()).unwrap_or_default().to_owned();
    let headers: Vec<_> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let end = head + length.map_or(0, |(_, length)| length.parse().unwrap());
    while buffer.len() < end {
        if socket.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
    let message = serde_json::from_slice(&buffer[head..end]).unwrap_or_default();
    buffer.drain(..end);
    let (hung_up, cut_off, written) = Default::default();
    Ok(Some(Seen { verb, headers, message, began: Instant::now(), hung_up, cut_off, written }))
}
