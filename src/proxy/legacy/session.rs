//! What the server has to be told with every request once `initialize` is answered: the session id
//! and the protocol version (T-20 to T-22), and what is needed to open the session again (T-24).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use http::{HeaderMap, HeaderValue};
use serde_json::Value;
use tokio::sync::watch;

use crate::proxy::envelope::{member, string};

/// The header of the session id.
pub(in crate::proxy) const SESSION_ID: &str = "mcp-session-id";
/// How much session state is replayed: entries, and bytes of each.
const KEPT: (usize, usize) = (256, 4096);

/// One MCP session, seen from the HTTP side.
#[derive(Default, Clone)]
pub(in crate::proxy) struct Session {
    /// A secret by its nature: never logged (P9). Marked sensitive.
    pub(in crate::proxy) id: Option<HeaderValue>,
    /// The version that the InitializeResult named.
    pub(in crate::proxy) version: Option<HeaderValue>,
    /// Grows with each session.
    pub(in crate::proxy) epoch: u64,
}

/// What opened the session.
#[derive(Debug, Clone, Default)]
pub(in crate::proxy) struct Hello {
    /// The host's own `initialize` parameters, as JSON text.
    pub(in crate::proxy) params: String,
    /// The session id that the server's answer carries.
    pub(in crate::proxy) id: Option<HeaderValue>,
    /// The version and the capabilities that the host was told.
    version: String,
    capabilities: Value,
}

/// The session of this pipe, and its history.
pub(in crate::proxy) struct Sessions {
    now: watch::Sender<Arc<Session>>,
    hello: Mutex<Option<Hello>>,
    kept: Mutex<BTreeMap<String, (String, String)>>,
}

impl Sessions {
    pub(in crate::proxy) fn new() -> Self {
        Sessions { now: watch::Sender::default(), hello: Mutex::default(), kept: Mutex::default() }
    }

    pub(in crate::proxy) fn current(&self) -> Arc<Session> {
        Arc::clone(&self.now.borrow())
    }

    pub(in crate::proxy) fn subscribe(&self) -> watch::Receiver<Arc<Session>> {
        self.now.subscribe()
    }

    /// The host opened a session: `result` is the InitializeResult as JSON text.
    pub(in crate::proxy) fn open(&self, mut hello: Hello, result: &str) {
        hello.version = version(result);
        hello.capabilities = capabilities(result);
        self.replace(&hello);
        *self.hello.lock().unwrap_or_else(PoisonError::into_inner) = Some(hello);
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// What opened the session, to open it again.
    pub(in crate::proxy) fn hello(&self) -> Option<Hello> {
        self.hello.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The session as it would be after `hello`. Others see it once it is [set](Self::set).
    pub(in crate::proxy) fn next(&self, hello: &Hello) -> Session {
        // A version that is no header value cannot be sent, and was none of MCP's.
        let version = HeaderValue::from_str(&hello.version).ok().filter(|version| !version.is_empty());
        Session { id: hello.id.clone(), version, epoch: self.now.borrow().epoch + 1 }
    }

    pub(in crate::proxy) fn set(&self, session: Session) -> Arc<Session> {
        let session = Arc::new(session);
        self.now.send_replace(Arc::clone(&session));
        session
    }

    fn replace(&self, hello: &Hello) {
        self.set(self.next(hello));
    }

    /// Remembers requests that change what the server does for this session.
    pub(in crate::proxy) fn keep(&self, method: &str, params: Option<&str>) {
        let params = params.unwrap_or("{}");
        let uri = || member(params, "uri").unwrap_or_default();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let key = match method {
            "logging/setLevel" => method.to_owned(),
            "resources/subscribe" => format!("resource {}", uri()),
            "resources/unsubscribe" => {
                kept.remove(&format!("resource {}", uri()));
                return;
            }
            _ => return,
        };
        if kept.len() < KEPT.0 && params.len() <= KEPT.1 {
            kept.insert(key, (method.to_owned(), params.to_owned()));
        }
    }

    /// The requests to send again in a new session: method and parameters.
    pub(in crate::proxy) fn kept(&self) -> Vec<(String, String)> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
}

impl Hello {
    pub(in crate::proxy) fn new(params: String) -> Self {
        Hello { params, ..Hello::default() }
    }

    /// Whether a new InitializeResult promises what the host was told before.
    pub(in crate::proxy) fn still_holds(&self, result: &str) -> bool {
        version(result) == self.version && includes(&capabilities(result), &self.capabilities)
    }
}

/// The session id of an answer, if it is one (T-22, P3).
pub(in crate::proxy) fn session_id(headers: &HeaderMap) -> Option<HeaderValue> {
    let mut id = headers.get(SESSION_ID)?.clone();
    let visible = id.as_bytes().iter().all(|byte| (0x21..=0x7e).contains(byte));
    if id.is_empty() || id.len() > 1024 || !visible {
        tracing::warn!("the server's session id is not a valid one; going on without");
        return None;
    }
    id.set_sensitive(true);
    Some(id)
}

fn version(result: &str) -> String {
    member(result, "protocolVersion").map(|version| string(version).into_owned()).unwrap_or_default()
}

fn capabilities(result: &str) -> Value {
    member(result, "capabilities").and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

/// Whether everything that `less` says is also in `more`.
fn includes(more: &Value, less: &Value) -> bool {
    match (more, less) {
        (Value::Object(more), Value::Object(less)) => {
            less.iter().all(|(name, less)| more.get(name).is_some_and(|more| includes(more, less)))
        }
        // A capability that is there by being false is not needed.
        (more, less) => more == less || less.is_null() || *less == Value::Bool(false),
    }
}
