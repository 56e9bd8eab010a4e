//! What the host is asked on a server's behalf, and who waits for the answer.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::oneshot;

use crate::proxy::Bearer;
use crate::proxy::bridge::Bridge;
use crate::proxy::envelope::id_key;
use crate::proxy::message;
use crate::proxy::pending::Ticket;

/// The questions that are open. Their ids are strings of our own: a server of sessions, whose requests could
/// have the same, is never asked for on the host's behalf at the same time, and the host's own ids are another
/// space.
#[derive(Debug, Default)]
pub(in crate::proxy) struct Questions {
    count: AtomicU64,
    open: Mutex<HashMap<String, Question>>,
}

#[derive(Debug)]
struct Question {
    /// The host's request that cannot be answered before.
    ticket: Arc<Ticket>,
    answer: oneshot::Sender<Bytes>,
}

impl Questions {
    fn open(&self) -> MutexGuard<'_, HashMap<String, Question>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number that was not given before.
    pub(super) fn number(&self) -> u64 {
        self.count.fetch_add(1, Ordering::Relaxed)
    }

    /// Writes a question down: its id, without quotes, and where the answer comes.
    pub(super) fn put(&self, ticket: &Arc<Ticket>) -> (String, oneshot::Receiver<Bytes>) {
        let id = format!("chipp-auth-ask-{}", self.number());
        let (answer, receiver) = oneshot::channel();
        self.open().insert(format!("\"{id}\""), Question { ticket: Arc::clone(ticket), answer });
        (id, receiver)
    }

    /// Takes an answer of the host; false if it is to no question of ours. `id` is JSON text.
    pub(in crate::proxy) fn take(&self, id: &str, message: &Bytes) -> bool {
        let Some(question) = self.open().remove(&*id_key(id)) else { return false };
        // Nobody waits any more only if the host has cancelled in the same moment.
        let _ = question.answer.send(message.clone());
        true
    }

    /// Takes back what was asked for a request. The ids as JSON texts.
    fn withdraw(&self, ticket: &Arc<Ticket>) -> Vec<String> {
        let mut open = self.open();
        let ids = open.iter().filter(|(_, question)| Arc::ptr_eq(&question.ticket, ticket));
        let ids: Vec<_> = ids.map(|(id, _)| id.clone()).collect();
        open.retain(|_, question| !Arc::ptr_eq(&question.ticket, ticket));
        ids
    }
}

impl<B: Bearer> Bridge<B> {
    /// Tells the host that what it was asked for this request is of no use any more.
    pub(in crate::proxy) async fn withdraw(&self, ticket: &Arc<Ticket>, why: &str) {
        for id in self.questions.withdraw(ticket) {
            self.output.write(message::line(message::cancelled(&id, why).into_bytes())).await;
        }
    }
}
