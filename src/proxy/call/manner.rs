//! By which rules a call is answered: those of its session, or those of 2026-07-28, where a request stands
//! for itself.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use crate::proxy::Bearer;
use crate::proxy::bridge::Bridge;
use crate::proxy::envelope::{Envelope, Kind, id_key};
use crate::proxy::modern::Asks;
use crate::proxy::pending::Ticket;

/// The rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::proxy) enum Manner {
    /// Of a session, or the request that opens one.
    Session,
    /// It knows of no session: its exchange is its own, closing it cancels the request, and a broken one is
    /// not taken up (T-59 to T-62).
    Stateless(Asks),
}

impl Manner {
    pub(in crate::proxy) fn is_stateless(self) -> bool {
        matches!(self, Manner::Stateless(_))
    }
}

impl<B: Bearer> Bridge<B> {
    /// What of a message on a stateless request's own stream goes to the host: its answer, and the
    /// notifications before it, in their order (T-72). What a result says of itself, that input is required or
    /// anything else, is the host's to understand (T-69, T-70). Nothing else, and nothing once the host has cancelled.
    pub(super) fn admit(&self, ticket: &Arc<Ticket>, asks: Asks, message: Vec<u8>) -> Option<Vec<u8>> {
        let why = match Envelope::peek(&message).map(|envelope| envelope.kind()) {
            Ok(Kind::Notification { .. }) if !ticket.is_answered() => return Some(message),
            Ok(Kind::Notification { .. }) => "a notification for a request that is over",
            Ok(Kind::Answer { id }) if id_key(id) != id_key(&ticket.id) => "the answer to another request",
            Ok(Kind::Answer { .. }) if self.pending.take_this(ticket) => {
                return Some(if asks == Asks::Tools { self.remote.tools.admit(message) } else { message });
            }
            Ok(Kind::Answer { .. }) => "an answer that nobody waits for",
            Ok(Kind::Request { .. }) => "a request, which MCP 2026-07-28 forbids (T-58)",
            Ok(Kind::Odd) | Err(_) => "what is no MCP message",
        };
        tracing::warn!("the server sent {why}; dropped");
        None
    }
}

/// Goes on until the host cancels: `None`. A line that has been begun is written to its end first, since
/// whatever is written next would be read as its continuation.
pub(super) async fn unless_cancelled<T>(ticket: &Ticket, conversation: impl Future<Output = T>) -> Option<T> {
    let mut conversation = pin!(conversation);
    let mut cancelled = pin!(ticket.cancelled());
    poll_fn(|context| {
        if !ticket.is_writing() && cancelled.as_mut().poll(context).is_ready() {
            return Poll::Ready(None);
        }
        if let Poll::Ready(outcome) = conversation.as_mut().poll(context) {
            return Poll::Ready(Some(outcome));
        }
        // What was written until now may have kept the first look from happening.
        match !ticket.is_writing() && cancelled.as_mut().poll(context).is_ready() {
            true => Poll::Ready(None),
            false => Poll::Pending,
        }
    })
    .await
}
