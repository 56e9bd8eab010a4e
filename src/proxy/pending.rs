//! The requests that wait for their answer. Whoever wants to answer one takes it from here, so each is
//! answered once, whichever stream the answer comes on and whoever is first (P8).

use std::collections::HashMap;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::envelope::id_key;
use super::latch::Latch;

/// One request that was read and not yet answered.
#[derive(Debug)]
pub(super) struct Ticket {
    /// The id as it came, as JSON text.
    pub(super) id: String,
    /// Opens when the request's last byte has gone to the server.
    pub(super) sent: Arc<Latch>,
    /// Whether this is the `initialize` request, which must not be cancelled (T-33).
    pub(super) hello: bool,
    /// Whether it knows of no session, so that closing its stream is what cancels it (T-59).
    stateless: AtomicBool,
    answered: AtomicBool,
    cancelled: Arc<Latch>,
    endless: AtomicBool,
    writing: AtomicBool,
}

impl Ticket {
    pub(super) fn is_stateless(&self) -> bool {
        self.stateless.load(Ordering::Relaxed)
    }

    /// It was read as a request of a session, and is sent as one that needs none.
    pub(super) fn needs_no_session(&self) {
        self.stateless.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_answered(&self) -> bool {
        self.answered.load(Ordering::Relaxed)
    }

    /// The host does not want the answer any more.
    pub(super) fn cancel(&self) {
        self.cancelled.open();
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.cancelled.is_open()
    }

    /// Returns when the host has cancelled it.
    pub(super) async fn cancelled(&self) {
        self.cancelled.wait().await;
    }

    /// Its stream stays open: at its own end the proxy does not wait for it.
    pub(super) fn keeps_open(&self) {
        self.endless.store(true, Ordering::Relaxed);
    }

    /// Writes a line for it. Until that is done, nobody may stop it.
    pub(super) async fn write(&self, line: impl Future<Output = ()>) {
        self.writing.store(true, Ordering::Relaxed);
        line.await;
        self.writing.store(false, Ordering::Relaxed);
    }

    pub(super) fn is_writing(&self) -> bool {
        self.writing.load(Ordering::Relaxed)
    }
}

/// All of them. A host that uses one id twice at a time gets two answers, in the order they come.
#[derive(Debug, Default)]
pub(super) struct Pending {
    open: Mutex<HashMap<String, Vec<Arc<Ticket>>>>,
    /// Told when one is answered or cancelled.
    changed: Notify,
}

impl Pending {
    fn open(&self) -> MutexGuard<'_, HashMap<String, Vec<Arc<Ticket>>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a request down.
    pub(super) fn add(&self, id: &str, hello: bool, stateless: bool) -> Arc<Ticket> {
        let ticket = Arc::new(Ticket {
            id: id.to_owned(),
            sent: Latch::new(),
            hello,
            stateless: AtomicBool::new(stateless),
            answered: AtomicBool::new(false),
            cancelled: Latch::new(),
            endless: AtomicBool::new(false),
            writing: AtomicBool::new(false),
        });
        self.open().entry(id_key(id).into_owned()).or_default().push(Arc::clone(&ticket));
        ticket
    }

    /// The host does not want the answer to this one any more.
    pub(super) fn cancel(&self, ticket: &Ticket) {
        ticket.cancel();
        self.changed.notify_waiters();
    }

    /// Returns when nobody waits for any answer.
    pub(super) async fn quiet(&self) {
        loop {
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            if self.open().values().flatten().all(|ticket| ticket.is_cancelled()) {
                return;
            }
            changed.await;
        }
    }

    /// Cancels what would never end by itself.
    pub(super) fn end_endless(&self) {
        let all: Vec<_> = self.open().values().flatten().map(Arc::clone).collect();
        for ticket in all.iter().filter(|ticket| ticket.endless.load(Ordering::Relaxed)) {
            self.take_this(ticket);
            ticket.cancel();
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.open().len()
    }

    /// An id that nobody waits for, as the text of a JSON string without its quotes.
    pub(super) fn nobody(&self) -> String {
        let open = self.open();
        let mut names = (0..=open.len()).map(|number| format!("chipp-auth-torn-{number}"));
        names.find(|name| !open.contains_key(&format!("\"{name}\""))).unwrap_or_default()
    }

    /// The request of this id, left where it is.
    pub(super) fn find(&self, id: &str) -> Option<Arc<Ticket>> {
        self.open().get(&*id_key(id))?.first().cloned()
    }

    /// Takes the request that an answer is for. `None`: nobody waits for it, so it must not go out.
    /// What knows of no session is answered on its own stream only (T-60).
    pub(super) fn take(&self, id: &str) -> Option<Arc<Ticket>> {
        self.remove(id, |ticket| !ticket.is_stateless())
    }

    /// Takes exactly this request; false if it has been answered.
    pub(super) fn take_this(&self, ticket: &Arc<Ticket>) -> bool {
        !ticket.is_answered() && self.remove(&ticket.id, |other| Arc::ptr_eq(ticket, other)).is_some()
    }

    fn remove(&self, id: &str, wanted: impl Fn(&Arc<Ticket>) -> bool) -> Option<Arc<Ticket>> {
        let mut open = self.open();
        let key = id_key(id);
        let tickets = open.get_mut(&*key)?;
        let ticket = tickets.remove(tickets.iter().position(wanted)?);
        if tickets.is_empty() {
            open.remove(&*key);
        }
        ticket.answered.store(true, Ordering::Relaxed);
        self.changed.notify_waiters();
        Some(ticket)
    }
}
