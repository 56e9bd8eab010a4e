//! What wants no answer: the host's notifications, and its answers to the server's requests.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::timeout;

use super::Dispatch;
use crate::proxy::Bearer;
use crate::proxy::envelope::{Envelope, member};
use crate::proxy::latch::{Latch, Opener};
use crate::proxy::modern::Modern;
use crate::proxy::remote::Outgoing;

/// How long a cancellation waits for its request to leave.
const CANCEL: Duration = Duration::from_secs(10);

impl<B: Bearer> Dispatch<'_, B> {
    pub(super) async fn notification(&mut self, text: Bytes, method: &str, modern: Option<Box<Modern>>) {
        let gate = Arc::clone(&self.gate);
        let mut outgoing = self.outgoing(text.clone()).await;
        match method {
            "notifications/cancelled" => {
                let target = Envelope::peek(&text).ok().and_then(|envelope| envelope.params);
                let target = target.and_then(|params| member(params, "requestId"));
                let ticket = target.and_then(|id| self.bridge.pending.find(id));
                match &ticket {
                    Some(ticket) if ticket.hello => {
                        tracing::warn!("the host cancels initialize, which MCP forbids; dropped");
                        return;
                    }
                    // The server hears of it by the end of the stream, and by nothing else; the host hears
                    // nothing more for this id (T-59, S-07).
                    Some(ticket) if ticket.is_stateless() => {
                        self.bridge.pending.take_this(ticket);
                        self.bridge.pending.cancel(ticket);
                        return self.bridge.withdraw(ticket, "the request was cancelled").await;
                    }
                    // Nothing is left to cancel, and where there is no session nobody to be told.
                    None if modern.is_some() || !self.has_session() => return,
                    _ => {}
                }
                let bridge = Arc::clone(self.bridge);
                self.notes.spawn(async move {
                    gate.wait().await;
                    let translated = bridge.desk.now().is_some();
                    if let Some(ticket) = ticket {
                        if translated {
                            bridge.pending.take_this(&ticket);
                        }
                        bridge.pending.cancel(&ticket);
                        if !translated {
                            let _ = timeout(CANCEL, ticket.sent.wait()).await;
                        }
                    }
                    if !translated {
                        bridge.send_note(outgoing, "a cancellation").await;
                    }
                });
            }
            "notifications/initialized" if modern.is_none() => {
                let opener = self.close_gate();
                let bridge = Arc::clone(self.bridge);
                self.notes.spawn(async move {
                    gate.wait().await;
                    // A server without sessions has nobody to tell.
                    if bridge.desk.now().is_some() || bridge.send_note(outgoing, "initialized").await {
                        bridge.start_listening();
                    }
                    drop(opener);
                });
            }
            _ => {
                let opener = Opener(Latch::new());
                let before = std::mem::replace(&mut self.last_note, Arc::clone(&opener.0));
                let bridge = Arc::clone(self.bridge);
                let stateless = modern.is_some();
                outgoing.modern = modern;
                self.notes.spawn(async move {
                    // What knows of no session needs none to be open.
                    if !stateless {
                        gate.wait().await;
                    }
                    before.wait().await;
                    match bridge.desk.now().filter(|_| !stateless) {
                        Some(translation) => bridge.translate_note(&translation, outgoing).await,
                        None => drop(bridge.send_note(outgoing, "a notification").await),
                    }
                    drop(opener);
                });
            }
        }
    }

    /// The headers of a notification without a session (T-51). It need not say its version: where there is no
    /// session, it is that of the requests before it.
    pub(super) fn modern_note(&self, method: &str, params: Option<&str>) -> Option<Box<Modern>> {
        Modern::of(method, params).or_else(|| {
            let version = self.version.as_ref().filter(|_| !self.has_session())?;
            Modern::with(method, params, version.to_str().ok()?)
        })
    }

    /// Sends something that wants no answer, after `first`.
    pub(super) fn note(
        &mut self,
        message: Outgoing,
        first: impl Future<Output = ()> + Send + 'static,
        what: &'static str,
    ) {
        let bridge = Arc::clone(self.bridge);
        self.notes.spawn(async move {
            first.await;
            bridge.send_note(message, what).await;
        });
    }
}
