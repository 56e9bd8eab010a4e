//! Decides which callback is the answer, once.
//!
//! The order is the security: `state` first and alone, then whether an answer was taken already,
//! then the form of the rest, then the issuer, and only then what the server says (L2, A-28, A-29).

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;

use super::notice::Notice;
use super::page::Page;
use super::query::{self, Answer};
use super::{Expected, Ignored, refusal};
use crate::error::{Error, Name, Result};

/// How long the browser waits for the outcome before it is told to look elsewhere (L9).
const HOLD: Duration = Duration::from_secs(10);

/// What the accepted callback says: a code, or an error and the page that goes with it.
pub(super) type Outcome = Result<SecretString, (Error, Page)>;

/// Where the browser of the accepted callback is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// It waits for its answer, or has not come yet.
    Holding,
    /// It was sent to `/done`.
    Redirected,
    /// It hung up while it was waiting (row 35).
    Gone,
    /// It has a page in full.
    Shown,
}

/// The one decision of a sign-in, shared by all connections.
pub(super) struct Gate {
    pub(super) port: u16,
    expected: Expected,
    ignored: Ignored,
    /// Taken by the first right callback, which makes the state good for one use.
    answer: Mutex<Option<oneshot::Sender<Outcome>>>,
    /// Whether a callback with the right state had neither code nor error (row 18).
    empty: watch::Sender<bool>,
    page: watch::Sender<Option<Page>>,
    pub(super) stage: watch::Sender<Stage>,
}

impl Gate {
    /// A closed gate, and the place where the answer will arrive.
    pub(super) fn new(port: u16, expected: Expected, ignored: Ignored) -> (Gate, oneshot::Receiver<Outcome>) {
        let (answer, outcome) = oneshot::channel();
        let gate = Gate {
            port,
            expected,
            ignored,
            answer: Mutex::new(Some(answer)),
            empty: watch::Sender::new(false),
            page: watch::Sender::new(None),
            stage: watch::Sender::new(Stage::Holding),
        };
        (gate, outcome)
    }

    /// Judges one callback. `Ok` means that it is the answer, and that nobody else's will be.
    pub(super) fn admit(&self, query: &str) -> Result<(), Notice> {
        if !query::state(query).is_some_and(|state| same(&state, &self.expected.state)) {
            self.ignored.add();
            return Err(Notice::NotOurs);
        }
        let mut answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
        if answer.is_none() {
            return Err(Notice::Taken);
        }
        let outcome = self.outcome(query::answer(query).map_err(|_| Notice::NotOurs)?)?;
        if let Some(answer) = answer.take() {
            // Nobody listens any more: the time is up. The browser then sees a closed connection.
            let _ = answer.send(outcome);
        }
        Ok(())
    }

    fn outcome(&self, answer: Answer) -> Result<Outcome, Notice> {
        if let Some(error) = self.issuer_mismatch(answer.iss.as_deref()) {
            return Ok(Err((error, Page::Failed)));
        }
        match (answer.code, answer.error) {
            (Some(code), None) => Ok(Ok(code)),
            (None, Some(error)) => Ok(Err(refusal::named(&error, answer.description.as_deref()))),
            (Some(_), Some(_)) => Err(Notice::NotOurs),
            (None, None) => {
                self.empty.send_replace(true);
                Err(Notice::NotOurs)
            }
        }
    }

    /// RFC 9207 section 2.4: a plain comparison of strings, without any normalisation.
    fn issuer_mismatch(&self, iss: Option<&str>) -> Option<Error> {
        let what = match (iss, self.expected.issuer.as_deref()) {
            (Some(iss), Some(issuer)) if iss != issuer => {
                format!("the answer does not come from {}", crate::error::clean(issuer))
            }
            (None, _) if self.expected.issuer_required => {
                "the server promises to name itself in its answer, and this answer does not".to_owned()
            }
            _ => return None,
        };
        Some(Error::new(Name::IssuerMismatch, what))
    }

    /// Whether the accepted callback has come.
    pub(super) fn taken(&self) -> bool {
        self.answer.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// Whether the server came back with nothing (row 18).
    pub(super) fn came_back_empty(&self) -> bool {
        *self.empty.borrow()
    }

    /// Settles what `/done` shows.
    pub(super) fn settle(&self, page: Page) {
        self.page.send_replace(Some(page));
    }

    /// What `/done` shows now; nothing before the accepted callback has come.
    pub(super) fn page(&self) -> Option<Page> {
        let page = *self.page.borrow();
        page.or_else(|| self.taken().then_some(Page::Pending))
    }

    /// Notes that `/done` was sent in full. Before the browser was sent there, it was somebody else
    /// who looked, and the browser is still owed its page.
    pub(super) fn arrived(&self) {
        self.stage.send_if_modified(|stage| {
            let arrived = *stage == Stage::Redirected;
            if arrived {
                *stage = Stage::Shown;
            }
            arrived
        });
    }

    /// Waits until the outcome is known, but not for ever, and marks where the browser is.
    pub(super) async fn hold(&self) {
        let waiting = Waiting(self);
        let mut page = self.page.subscribe();
        let _ = timeout(HOLD, page.wait_for(Option::is_some)).await;
        self.stage.send_replace(Stage::Redirected);
        drop(waiting);
    }
}

/// Notices a browser that hangs up: its connection ends, and with it this value.
struct Waiting<'a>(&'a Gate);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.stage.send_if_modified(|stage| {
            let gone = *stage == Stage::Holding;
            if gone {
                *stage = Stage::Gone;
            }
            gone
        });
    }
}

/// Compares digests, whose bytes tell nothing about the state, whatever the time taken.
fn same(a: &SecretString, b: &SecretString) -> bool {
    Sha256::digest(a.expose_secret()) == Sha256::digest(b.expose_secret())
}

#[cfg(test)]
mod tests;
