//! The pipe and the server joined: what both directions share, and how a session of the proxy ends.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::select;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::timeout;

use super::dispatch::Dispatch;
use super::envelope::{self, Envelope, Fault, Kind};
use super::message;
use super::pending::Pending;
use super::remote::{Outgoing, Remote, Reply};
use super::stdio::{Input, Output};
use super::translate::{Desk, Questions};
use super::{Bearer, End, Upstream};
use crate::error::{Error, Name};

/// How long open calls may take after the host has closed stdin (row 126).
const GRACE: Duration = Duration::from_secs(2);
/// How long a notification may take.
const NOTE: Duration = Duration::from_secs(30);
/// How long the server may take to note the end of the session (T-25).
const FAREWELL: Duration = Duration::from_secs(1);

/// How long the proxy waits for the server.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Without anything from the server, for one request that it has not begun to answer, or whose JSON stops
    /// in the middle (row 132).
    pub silence: Duration,
    /// Without anything on an event stream that the server has opened for a request. Longer, because by opening
    /// it the server has said that it is at work, and that its end is there is seen to below HTTP.
    pub stream: Duration,
    /// For one request in all, however much the server sends in between.
    pub total: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            silence: Duration::from_secs(300),
            stream: Duration::from_secs(1800),
            total: Duration::from_secs(3600),
        }
    }
}

/// The host's side of the proxy.
pub struct Pipe {
    /// Where the host's messages come from.
    pub input: Input,
    /// Where the answers go.
    pub output: Output,
    /// What ends the proxy from outside. A second message ends it without any more waiting.
    pub ends: mpsc::Receiver<End>,
    /// How long to wait for the server.
    pub limits: Limits,
}

/// What all tasks of one proxy share.
pub(super) struct Bridge<B> {
    pub(super) remote: Remote<B>,
    pub(super) pending: Pending,
    pub(super) output: Output,
    pub(super) limits: Limits,
    pub(super) desk: Desk,
    pub(super) questions: Questions,
    listener: Mutex<Option<AbortHandle>>,
    me: Weak<Self>,
}

/// Joins a pipe and a server until one of them ends.
pub async fn join<B: Bearer>(pipe: Pipe, upstream: Upstream, bearer: B) -> End {
    let Pipe { input, output, mut ends, limits } = pipe;
    let bridge = Arc::new_cyclic(|me| Bridge {
        remote: Remote::new(upstream, bearer, limits.silence),
        pending: Pending::default(),
        output,
        limits,
        desk: Desk::default(),
        questions: Questions::default(),
        listener: Mutex::default(),
        me: Weak::clone(me),
    });
    let (mut tasks, mut notes) = (JoinSet::new(), JoinSet::new());
    let end = {
        let reading = Dispatch::new(&bridge, &mut tasks, &mut notes).run(input);
        select! {
            () = reading => End::Eof,
            Some(end) = ends.recv() => end,
            () = bridge.output.closed() => End::OutputClosed,
        }
    };
    // S-08, S-09: at once, but for what the host may still want to hear.
    let tidy = async {
        if end == End::Eof {
            bridge.pending.end_endless();
            // Not until all calls are over: a server may keep the stream of one open after its answer, or of one
            // that is cancelled.
            let done = async {
                while notes.join_next().await.is_some() {}
                bridge.pending.quiet().await;
                bridge.output.flushed().await;
            };
            let _ = timeout(GRACE, done).await;
        }
        // What is still open is cancelled by closing its stream.
        tasks.abort_all();
        notes.abort_all();
        bridge.stop_listening();
        let _ = timeout(FAREWELL, bridge.remote.delete()).await;
        bridge.remote.account();
    };
    select! {
        () = tidy => end,
        Some(again) = ends.recv() => again,
    }
}

impl<B: Bearer> Bridge<B> {
    /// Starts to listen to the server's own messages, once. Over HTTP+SSE they come anyway.
    pub(super) fn start_listening(self: &Arc<Self>) {
        match self.desk.now() {
            Some(translation) => self.start(|| Arc::clone(self).listen_for(translation)),
            None if self.remote.sse.is_on() => {}
            None => self.start(|| Arc::clone(self).listen()),
        }
    }

    /// Starts to keep the stream of HTTP+SSE, once.
    pub(super) fn start_keeping(&self) {
        if let Some(me) = self.me.upgrade() {
            self.start(|| me.keep_line());
        }
    }

    fn start<F: Future<Output = ()> + Send + 'static>(&self, listen: impl FnOnce() -> F) {
        let mut listener = self.listener.lock().unwrap_or_else(PoisonError::into_inner);
        if listener.is_none() {
            *listener = Some(tokio::spawn(listen()).abort_handle());
        }
    }

    pub(super) fn stop_listening(&self) {
        if let Some(listener) = self.listener.lock().unwrap_or_else(PoisonError::into_inner).take() {
            listener.abort();
        }
    }

    /// Gives one message of the server to the host, as one line; a batch as several (T-40). What is no
    /// message, and answers that nobody waits for, are dropped (T-18, P8).
    pub(super) async fn deliver(&self, message: Vec<u8>) {
        if self.is_wanted(&message) {
            self.emit(message::line(message)).await;
        } else if let Ok(members) = envelope::members(&message) {
            for member in members {
                if self.is_wanted(member.as_bytes()) {
                    self.emit(message::line(member.as_bytes().to_vec())).await;
                }
            }
        }
    }

    /// Writes a line of the server's. Where other answers may have come with it, they go out together.
    pub(super) async fn emit(&self, line: Vec<u8>) {
        if self.pending.len() > 0 {
            self.output.write_soon(line).await;
        } else {
            self.output.write(line).await;
        }
    }

    fn is_wanted(&self, message: &[u8]) -> bool {
        let why = match Envelope::peek(message).map(|envelope| envelope.kind()) {
            Ok(Kind::Request { .. } | Kind::Notification { .. }) => return true,
            Ok(Kind::Answer { id }) if self.pending.take(id).is_some() => return true,
            Ok(Kind::Answer { .. }) => "an answer that nobody waits for",
            Ok(Kind::Odd) => "JSON that is no message",
            // Its members are looked at one by one.
            Err(Fault::Array) => return false,
            Err(_) => "something that is not JSON",
        };
        tracing::warn!("the server sent {why}; dropped");
        false
    }

    /// Posts something that wants no answer (T-04). A failure is nobody's answer: it is only noted.
    pub(super) async fn send_note(&self, message: Outgoing, what: &str) -> bool {
        let host = self.remote.host();
        let why = match timeout(NOTE, self.remote.post(&message)).await {
            Ok(Ok(Reply::Accepted(_))) => return true,
            Ok(Ok(Reply::Refused(refusal))) => refusal.into_error(host),
            Ok(Err(error)) => error,
            Err(_) => Error::new(Name::Timeout, format!("{host} did not answer in time")),
        };
        tracing::warn!("could not send {what} of the host: {why}");
        false
    }
}
