//! What the host says, in the order it says it: each line becomes a task that waits for what must be
//! first, and then sends.
//!
//! Three rules make the order (T-35, T-37). Whatever was read after `initialize` waits for its answer,
//! since the session id and the version are unknown before. Whatever was read after
//! `notifications/initialized` waits until the server has taken it. A cancellation waits until its
//! request has left. Everything else runs side by side; notifications keep their order among themselves.

mod batch;
mod note;
mod request;

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderValue;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use super::Bearer;
use super::bridge::Bridge;
use super::envelope::{Envelope, Fault, Kind};
use super::latch::{Latch, Opener};
use super::lines::{self, Line, Lines};
use super::message::{self, INVALID_REQUEST, PARSE_ERROR};
use super::modern::Modern;
use super::remote::Outgoing;
use super::stdio::Input;
use crate::error::{Error, Name};

/// The most memory for messages that have not left yet, in KiB, and what each counts at least.
const MEMORY: (usize, usize) = (64 << 10, 16);

pub(super) struct Dispatch<'a, B> {
    bridge: &'a Arc<Bridge<B>>,
    /// Those that answer: each has a ticket.
    tasks: &'a mut JoinSet<()>,
    /// All others.
    notes: &'a mut JoinSet<()>,
    /// Open when nothing has to be waited for.
    gate: Arc<Latch>,
    /// Open when the notification before has been taken.
    last_note: Arc<Latch>,
    memory: Arc<Semaphore>,
    /// The version of the last request without a session.
    version: Option<HeaderValue>,
}

impl<'a, B: Bearer> Dispatch<'a, B> {
    pub(super) fn new(
        bridge: &'a Arc<Bridge<B>>,
        tasks: &'a mut JoinSet<()>,
        notes: &'a mut JoinSet<()>,
    ) -> Self {
        let open = Latch::new();
        open.open();
        let memory = Arc::new(Semaphore::new(MEMORY.0));
        Dispatch { bridge, tasks, notes, gate: Arc::clone(&open), last_note: open, memory, version: None }
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
        while self.tasks.try_join_next().or_else(|| self.notes.try_join_next()).is_some() {}
        let text = match line {
            Line::Text(text) => text,
            Line::TooLong(head) => return self.too_long(&head).await,
        };
        // Each message that is one goes out as the one body of one POST (T-01, T-05); what is none is answered
        // here and goes nowhere (S-04).
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
                self.version = modern.as_ref().map(|modern| modern.version.clone()).or(self.version.take());
                self.request(text.clone(), id, &method, modern).await;
            }
            Kind::Notification { method } => {
                let modern = self.modern_note(&method, envelope.params);
                self.notification(text.clone(), &method, modern).await;
            }
            // What was asked for a server that cannot ask by itself.
            Kind::Answer { id } if self.bridge.questions.take(id, &text) => {}
            // Servers ask in sessions only: without one there is nobody who waits for it (T-58, S-06).
            Kind::Answer { .. } if !self.has_session() || self.bridge.desk.now().is_some() => {
                tracing::warn!("the host answers a request that no server made; dropped");
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

    /// Whether there is a session, or one is being opened.
    fn has_session(&self) -> bool {
        self.bridge.desk.now().is_some()
            || self.bridge.remote.sessions.current().epoch > 0
            || !self.gate.is_open()
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
