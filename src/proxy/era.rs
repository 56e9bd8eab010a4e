//! Which of the two eras of MCP a server speaks, and what of it is remembered (T-80 to T-82).
//!
//! Nothing here decides what happens to a message that says itself what it is. The era is asked for in two
//! places only: where a host probes for the newer one, and where it opens a session.

mod ask;
mod introduce;
mod note;
mod older;
mod probe;
pub(super) mod verdict;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use tokio::sync::OnceCell;

/// The newest revision without sessions that this program knows.
pub(super) const NEWEST: &str = "2026-07-28";

/// Where what is known of a server is kept from one run to the next. It holds no secret, and to lose it costs
/// one request.
pub trait Notes: fmt::Debug + Send + Sync {
    /// The note about this server, if there is one.
    fn read(&self) -> Option<Vec<u8>>;
    /// Puts a note in place of the present one, or takes that away. A failure is nobody's trouble.
    fn write(&self, note: Option<&[u8]>);
}

/// What is known of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Known {
    /// It answers the newer era's requests as servers did that never heard of it.
    Legacy,
    /// It opens no sessions, and speaks this revision.
    Modern(String),
}

/// The memory of one server.
pub(super) struct Era {
    notes: Option<Arc<dyn Notes>>,
    /// `None` until the note was looked at.
    known: Mutex<Option<Option<Known>>>,
    /// The revision in which the server opens sessions, once that was asked.
    older: OnceCell<Option<String>>,
}

impl Era {
    pub(super) fn new(notes: Option<Arc<dyn Notes>>) -> Self {
        Era { notes, known: Mutex::default(), older: OnceCell::new() }
    }

    fn known(&self) -> MutexGuard<'_, Option<Option<Known>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known. Nothing is read before this is asked for the first time.
    pub(super) fn recall(&self) -> Option<Known> {
        let mut known = self.known();
        let read = || note::decode(&self.notes.as_ref()?.read()?, SystemTime::now());
        known.get_or_insert_with(read).clone()
    }

    /// Remembers what an answer has shown. Never call it for what a wall, a gateway or the network said (T-82).
    pub(super) fn learn(&self, new: Known) {
        if self.recall().as_ref() == Some(&new) {
            return;
        }
        tracing::debug!("the server's era: {new:?}");
        if let Some(notes) = &self.notes {
            notes.write(Some(&note::encode(&new, SystemTime::now())));
        }
        *self.known() = Some(Some(new));
    }

    /// What was assumed does not hold (T-81).
    pub(super) fn forget(&self) {
        if self.recall().is_none() {
            return;
        }
        if let Some(notes) = &self.notes {
            notes.write(None);
        }
        *self.known() = Some(None);
    }
}
