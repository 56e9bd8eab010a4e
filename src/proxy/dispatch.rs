//! What the host says, in the order it says it: each line becomes a task that waits for what must be
//! first, and then sends.
//!
//! Three rules make the order (T-35, T-37). Whatever was read after `initialize` waits for its answer,
//! since the session id and the version are unknown before. Whatever was read after
//! `notifications/initialized` waits until the server has taken it. A cancellation waits until its
//! request has left. Everything else runs side by side; notifications keep their order among themselves.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::Bearer;
use super::bridge::Bridge;
use super::call::Call;
use super::envelope::{self, Envelope, Fault, Kind, member};
use super::latch::{Latch, Opener};
use super::legacy::Outgoing;
use super::lines::{self, Line, Lines};
use super::message::{self, INVALID_REQUEST, METHOD_NOT_FOUND, PARSE_ERROR};
use super::modern::Modern;
use super::session::Hello;
use super::stdio::Input;
use crate::error::{Error, Name};

/// The most requests that wait for their answers.
const MOST: usize = 1024;
/// The most memory for messages that have not left yet, in KiB, and what each counts at least.
const MEMORY: (usize, usize) = (64 << 10, 16);
/// How long a cancellation waits for its request to leave.
const CANCEL: Duration = Duration::from_secs(10);
/// The one revision with batches (T-40).
const BATCHES: &str = "2025-03-26";

pub(super) struct Dispatch<'a, B> {
    bridge: &'a Arc<Bridge<B>>,
    tasks: &'a mut JoinSet<()>,
    /// Open when nothing has to be waited for.
    gate: Arc<Latch>,
    /// Open when the notification before has been taken.
    last_note: Arc<Latch>,
    memory: Arc<Semaphore>,
}

impl<'a, B: Bearer> Dispatch<'a, B> {
    pub(super) fn new(bridge: &'a Arc<Bridge<B>>, tasks: &'a mut JoinSet<()>) -> Self {
        let open = Latch::new();
        open.open();
        let memory = Arc::new(Semaphore::new(MEMORY.0));
        Dispatch { bridge, tasks, gate: Arc::clone(&open), last_note: open, memory }
    }

    /// Reads until the end.
    pub(super) async fn run(mut self, mut input: Input) {
        let mut lines = Lines::default();
        while input.read(lines.buffer()).await.is_ok_and(|count| count > 0) {
            while let Some(line) = lines.next() {
                self.line(line).await;
            }
        }
        // The last line may lack its end, if it is all there.
        match lines.rest() {
            Some(Line::Text(text)) if matches!(Envelope::peek(&text), Err(Fault::NotJson)) => {
                tracing::warn!("stdin ended in the middle of a line; dropped");
            }
            Some(line) => self.line(line).await,
            None => {}
        }
    }

    async fn line(&mut self, line: Line) {
        while self.tasks.try_join_next().is_some() {}
        let text = match line {
            Line::Text(text) => text,
            Line::TooLong(head) => return self.too_long(&head).await,
        };
        let envelope = match Envelope::peek(&text) {
            Ok(envelope) => envelope,
            Err(Fault::NotJson) => return self.refuse(None, PARSE_ERROR, "the line is not valid JSON").await,
            Err(Fault::NotObject) => {
                return self.refuse(None, INVALID_REQUEST, "the line is no message").await;
            }
            Err(Fault::Array) => return self.batch(text).await,
        };
        match envelope.kind() {
            Kind::Request { id, method } => {
                let modern = Modern::of(&method, envelope.params);
                self.request(text.clone(), id, &method, modern).await;
            }
            Kind::Notification { method } => {
                self.notification(text.clone(), &method).await;
            }
            Kind::Answer { .. } => {
                let (gate, message) = (Arc::clone(&self.gate), self.outgoing(text.clone()).await);
                self.note(message, async move { gate.wait().await }, "an answer");
            }
            Kind::Odd => {
                let text = "the line is JSON, but no JSON-RPC message";
                self.refuse(envelope.usable_id(), INVALID_REQUEST, text).await;
            }
        }
    }

    async fn request(&mut self, text: Bytes, id: &str, method: &str, modern: Option<Box<Modern>>) {
        let params = |text| Envelope::peek(text).ok().and_then(|envelope| envelope.params);
        match method {
            // This proxy speaks the revisions that have no such method; a host that probes for a newer
            // one is told so at once, and nobody is asked to sign in for a probe (DESIGN section 4).
            "server/discover" => {
                return self.refuse(Some(id), METHOD_NOT_FOUND, "there is no method server/discover").await;
            }
            // While the host waits for `initialize`, perhaps for a person, it must not think us dead (T-36).
            "ping" if !self.gate.is_open() => return self.bridge.output.write(message::pong(id)).await,
            _ if self.bridge.pending.len() >= MOST => {
                let busy =
                    Error::new(Name::ServerBusy, format!("{MOST} requests wait for their answers already"));
                return self.bridge.output.write(message::error(Some(id), &busy.to_rpc())).await;
            }
            "logging/setLevel" | "resources/subscribe" | "resources/unsubscribe" => {
                self.bridge.remote.sessions.keep(method, params(&text));
            }
            _ => {}
        }
        let is_hello = method == "initialize";
        let ticket = self.bridge.pending.add(id, is_hello);
        let stateless = modern.is_some();
        let mut call = Call { asked: vec![Arc::clone(&ticket)], hello: None, opener: None, stateless };
        let gate = Arc::clone(&self.gate);
        if is_hello {
            let params = params(&text).unwrap_or("{}").to_owned();
            call.hello = Some(Hello::new(params));
            call.opener = Some(self.close_gate());
        }
        let mut outgoing = self.outgoing(text).await;
        outgoing.hello = is_hello;
        outgoing.modern = modern;
        outgoing.sent = Arc::clone(&ticket.sent);
        let bridge = Arc::clone(self.bridge);
        self.tasks.spawn(async move {
            // What knows of no session needs none to be open.
            if !stateless {
                gate.wait().await;
            }
            bridge.call(call, outgoing).await;
        });
    }

    async fn notification(&mut self, text: Bytes, method: &str) {
        let gate = Arc::clone(&self.gate);
        let outgoing = self.outgoing(text.clone()).await;
        match method {
            "notifications/cancelled" => {
                let target = Envelope::peek(&text).ok().and_then(|envelope| envelope.params);
                let target = target.and_then(|params| member(params, "requestId"));
                let ticket = target.and_then(|id| self.bridge.pending.find(id));
                if ticket.as_ref().is_some_and(|ticket| ticket.hello) {
                    tracing::warn!("the host cancels initialize, which MCP forbids; dropped");
                    return;
                }
                let first = async move {
                    gate.wait().await;
                    if let Some(ticket) = ticket {
                        ticket.cancel();
                        let _ = timeout(CANCEL, ticket.sent.wait()).await;
                    }
                };
                self.note(outgoing, first, "a cancellation");
            }
            "notifications/initialized" => {
                let opener = self.close_gate();
                let bridge = Arc::clone(self.bridge);
                self.tasks.spawn(async move {
                    gate.wait().await;
                    if bridge.send_note(outgoing, "initialized").await {
                        bridge.start_listening();
                    }
                    drop(opener);
                });
            }
            _ => {
                let opener = Opener(Latch::new());
                let before = std::mem::replace(&mut self.last_note, Arc::clone(&opener.0));
                let bridge = Arc::clone(self.bridge);
                self.tasks.spawn(async move {
                    gate.wait().await;
                    before.wait().await;
                    bridge.send_note(outgoing, "a notification").await;
                    drop(opener);
                });
            }
        }
    }

    /// Sends something that wants no answer, after `first`.
    fn note(
        &mut self,
        message: Outgoing,
        first: impl Future<Output = ()> + Send + 'static,
        what: &'static str,
    ) {
        let bridge = Arc::clone(self.bridge);
        self.tasks.spawn(async move {
            first.await;
            bridge.send_note(message, what).await;
        });
    }

    async fn batch(&mut self, text: Bytes) {
        let (gate, outgoing) = (Arc::clone(&self.gate), self.outgoing(text.clone()).await);
        let bridge = Arc::clone(self.bridge);
        self.tasks.spawn(async move {
            gate.wait().await;
            let session = bridge.remote.sessions.current();
            let allowed = session.version.as_ref().is_some_and(|version| version == BATCHES);
            match allowed.then(|| requests_of(&text)).flatten() {
                None => {
                    let refusal = message::refusal(None, INVALID_REQUEST, "a batch is not allowed here");
                    bridge.output.write(refusal).await;
                }
                Some(ids) if ids.is_empty() => {
                    bridge.send_note(outgoing, "a batch").await;
                }
                Some(ids) => {
                    let asked = ids.into_iter().map(|id| bridge.pending.add(id, false)).collect();
                    bridge.call(Call { asked, hello: None, opener: None, stateless: false }, outgoing).await;
                }
            }
        });
    }

    /// Makes everything read from now on wait for what comes out of this.
    fn close_gate(&mut self) -> Opener {
        self.gate = Latch::new();
        Opener(Arc::clone(&self.gate))
    }

    /// A message, once there is memory for it. Until then nothing more is read.
    async fn outgoing(&self, bytes: Bytes) -> Outgoing {
        let share = self.share(bytes.len()).await;
        Outgoing { _share: share, ..Outgoing::own(bytes) }
    }

    async fn share(&self, size: usize) -> Option<OwnedSemaphorePermit> {
        let wanted = (MEMORY.1 + size / 1024).min(MEMORY.0);
        Arc::clone(&self.memory).acquire_many_owned(u32::try_from(wanted).unwrap_or(u32::MAX)).await.ok()
    }

    async fn refuse(&self, id: Option<&str>, code: i32, text: &str) {
        self.bridge.output.write(message::refusal(id, code, text)).await;
    }

    async fn too_long(&self, head: &[u8]) {
        let seen = Envelope::peek_head(head);
        // The id of an answer is the server's, and no name for anything that the host knows.
        let id = seen.usable_id().filter(|_| seen.result.is_none() && seen.error.is_none());
        let what = format!("a message of the host is longer than {} MiB", lines::LIMIT >> 20);
        self.bridge.output.write(message::error(id, &Error::new(Name::TooLarge, what).to_rpc())).await;
    }
}

/// The ids of a batch's requests; `None` if it is not one that may be sent.
fn requests_of(text: &[u8]) -> Option<Vec<&str>> {
    let members = envelope::members(text).ok().filter(|members| !members.is_empty())?;
    let mut ids = Vec::new();
    for member in members {
        match Envelope::peek(member.as_bytes()).ok()?.kind() {
            Kind::Request { method, .. } if method == "initialize" => return None,
            Kind::Request { id, .. } => ids.push(id),
            Kind::Odd => return None,
            Kind::Notification { .. } | Kind::Answer { .. } => {}
        }
    }
    Some(ids)
}
