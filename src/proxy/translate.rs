//! A host of the older revisions at a server that speaks only the newer ones (checklist 1.6-A).
//!
//! The host has a session, the server none: what a session holds is held here, and each request is sent as one
//! that stands for itself. From there on it is a request of 2026-07-28 like any other. Whether there is a
//! translation is decided anew with each `initialize`; what says itself that it is of the newer era is never
//! translated.
//!
//! | file | what happens there |
//! | --- | --- |
//! | `greeting` | `initialize` from `server/discover` |
//! | `meta`, [`splice`] | what a request says of itself, put into its text |
//! | `serve` | what becomes of each request and notification |
//! | `rounds`, `dialogue`, `questions` | a result that asks for something first |
//! | `older` | results as an older host can take them |
//! | `wishes`, `changes` | one subscription for all that the host wants to hear of |

mod changes;
mod dialogue;
mod greeting;
mod meta;
mod older;
mod questions;
mod rounds;
mod serve;
pub(super) mod splice;
mod wishes;

use std::sync::{Arc, Mutex, PoisonError};

use greeting::Offers;
use wishes::Wishes;

pub(super) use greeting::{Guest, result};
pub(super) use meta::request as with_meta;
pub(super) use older::{called as plain_result, tools as plain_tools};
pub(super) use questions::Questions;
pub(super) use rounds::is_required;

/// What the host and the server have said of themselves, and what the host has set.
#[derive(Debug)]
pub(super) struct Translation {
    /// The revision that the server speaks.
    version: String,
    /// The revision that the host was told.
    told: String,
    guest: Guest,
    offers: Offers,
    level: Mutex<Option<String>>,
    wishes: Wishes,
}

impl Translation {
    /// Between the host that sent these parameters with `initialize`, and the server that has this to say of
    /// itself.
    pub(super) fn new(version: String, params: &str, discovered: &str) -> Self {
        Translation {
            version,
            told: greeting::version(params),
            guest: Guest::of(params),
            offers: Offers::of(discovered),
            level: Mutex::default(),
            wishes: Wishes::default(),
        }
    }

    /// The revision that the host was told.
    pub(super) fn told(&self) -> &str {
        &self.told
    }

    fn level(&self) -> Option<String> {
        self.level.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The translation in force, if there is one.
#[derive(Debug, Default)]
pub(super) struct Desk(Mutex<Option<Arc<Translation>>>);

impl Desk {
    pub(super) fn now(&self) -> Option<Arc<Translation>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set(&self, translation: Option<Translation>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = translation.map(Arc::new);
    }
}
