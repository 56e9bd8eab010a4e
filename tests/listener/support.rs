//! A listener in a thread of its own, and a client that sends bytes.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use chipp_auth::error::Result;
use chipp_auth::login::{Expected, Ignored, Listener, Page, Place};
use secrecy::ExposeSecret;

pub(crate) const STATE: &str = "s7ate-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
/// No test waits longer than this for anything; only a broken build gets near it.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// What to wait for, and what to do once it came.
pub(crate) struct Plan {
    pub(crate) issuer: Option<&'static str>,
    pub(crate) issuer_required: bool,
    pub(crate) limit: Duration,
    /// How long the exchange takes, and how it ends.
    pub(crate) exchange: (Duration, Page),
    /// Whether the callback is dropped in place of an answer.
    pub(crate) drop: bool,
}

impl Default for Plan {
    fn default() -> Self {
        let exchange = (Duration::ZERO, Page::SignedIn);
        Plan { issuer: None, issuer_required: false, limit: LONG, exchange, drop: false }
    }
}

/// A login that waits, in the background.
pub(crate) struct Login {
    pub(crate) port: u16,
    pub(crate) ignored: Ignored,
    accepted: mpsc::Receiver<Instant>,
    thread: JoinHandle<Result<String>>,
}

impl Login {
    pub(crate) fn start(plan: Plan) -> Login {
        Login::start_at(Place::default(), plan)
    }

    /// The same with another redirect URI; it is reached by IPv4.
    pub(crate) fn start_at(place: Place, plan: Plan) -> Login {
        let (ready, bound) = mpsc::channel();
        let (accept, accepted) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let uri = |port| format!("http://localhost:{port}{}", place.path);
                let listener = Listener::bind_at(place.clone()).await.unwrap();
                assert_eq!(listener.redirect_uri(), uri(listener.port()));
                ready.send((listener.port(), listener.ignored())).unwrap();
                let expected = Expected {
                    state: STATE.into(),
                    issuer: plan.issuer.map(Into::into),
                    issuer_required: plan.issuer_required,
                };
                let callback = listener.wait(expected, plan.limit).await?;
                let _ = accept.send(Instant::now());
                let code = callback.code().expose_secret().to_owned();
                tokio::time::sleep(plan.exchange.0).await;
                if !plan.drop {
                    callback.finish(plan.exchange.1).await;
                }
                Ok(code)
            })
        });
        let (port, ignored) = bound.recv().unwrap();
        Login { port, ignored, accepted, thread }
    }

    /// When the true callback was accepted.
    pub(crate) fn accepted(&self) -> Option<Instant> {
        self.accepted.recv_timeout(LONG).ok()
    }

    /// The code, or the error.
    pub(crate) fn end(self) -> Result<String> {
        self.thread.join().unwrap()
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        stream
    }

    /// Sends bytes on a new connection and reads until it is closed. `None`: closed without a word.
    pub(crate) fn raw(&self, bytes: &[u8]) -> Option<Answer> {
        let mut stream = self.connect();
        // A server that closes early may reset while we write.
        let _ = stream.write_all(bytes);
        let mut text = Vec::new();
        let mut chunk = [0; 4096];
        while let Ok(1..) = stream.peek(&mut chunk) {
            let read = stream.read(&mut chunk).unwrap();
            text.extend_from_slice(&chunk[..read]);
        }
        Answer::parse(&text)
    }

    /// A request as a browser sends it, with further header lines.
    pub(crate) fn ask(&self, method: &str, target: &str, headers: &str) -> Answer {
        let host = if headers.to_ascii_lowercase().contains("host:") {
            String::new()
        } else {
            format!("Host: localhost:{}\r\n", self.port)
        };
        let request = format!("{method} {target} HTTP/1.1\r\n{host}{headers}\r\n");
        self.raw(request.as_bytes()).unwrap_or_else(|| panic!("no answer to {method} {target} {headers}"))
    }

    pub(crate) fn get(&self, target: &str) -> Answer {
        self.ask("GET", target, "")
    }

    /// The true callback, and then the page it leads to.
    pub(crate) fn sign_in(&self) -> Answer {
        let answer = self.get(&format!("/callback?code=C0DE&state={STATE}"));
        assert_eq!((answer.status, answer.header("location")), (303, Some("/done")), "{answer:?}");
        self.get("/done")
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    fn parse(bytes: &[u8]) -> Option<Answer> {
        let text = std::str::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().unwrap();
        Some(Answer { status, head: head.to_owned(), body: body.to_owned() })
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.head.lines().skip(1).filter_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        });
        let first = values.next();
        assert!(values.next().is_none(), "{name} twice");
        first
    }

    /// The name of the recorded page that the body is, byte for byte (L4).
    pub(crate) fn page(&self) -> &'static str {
        PAGES
            .iter()
            .find(|(_, html)| *html == self.body)
            .map_or_else(|| panic!("unknown page: {self:?}"), |p| p.0)
    }
}

macro_rules! pages {
    ($($name:literal)*) => { [("", ""), $(($name, include_str!(concat!("../pages/", $name, ".html"))),)*] };
}

/// Every body that may ever be sent.
pub(crate) const PAGES: [(&str, &str); 11] = pages!(
    "signed-in" "denied" "failed" "pending"
    "400-not-ours" "403-foreign" "404-nothing" "405-method" "409-taken" "503-prefetch"
);
