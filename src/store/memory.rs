//! A store in memory: for sign-ins that a machine can repeat at any time, so that nothing needs to be kept
//! . It also fails on demand, for tests of everything above the store.
//!
//! It keeps the text form and not the value, so that records really go through it, and so that a test can
//! put damage in.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use secrecy::{ExposeSecret, SecretString};

use super::Stored;
use crate::credential::Key;
use crate::error::{Error, Result};

/// The faults and counts of a [`super::Store::memory`]. Clones are the same store.
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    items: HashMap<Key, SecretString>,
    load_faults: VecDeque<Error>,
    save_faults: VecDeque<Error>,
    tear_save: bool,
    loads: usize,
    saves: usize,
}

impl Memory {
    /// The next load that has no fault before it fails with this.
    pub fn fail_next_load(&self, error: Error) {
        self.state().load_faults.push_back(error);
    }

    /// The next save that has no fault before it fails with this, and changes nothing.
    pub fn fail_next_save(&self, error: Error) {
        self.state().save_faults.push_back(error);
    }

    /// The next save that does not fail loses the end of its text, as a full disk or a size limit would.
    pub fn tear_next_save(&self) {
        self.state().tear_save = true;
    }

    /// Loads so far: failed ones count, the reading back of a save does not.
    pub fn loads(&self) -> usize {
        self.state().loads
    }

    /// Saves so far, failed ones too.
    pub fn saves(&self) -> usize {
        self.state().saves
    }

    /// Puts any text in the place of a record.
    pub fn put_text(&self, key: &Key, text: &str) {
        self.state().items.insert(key.clone(), text.into());
    }

    pub(super) fn load(&self, key: &Key) -> Result<Stored> {
        let mut state = self.state();
        state.loads += 1;
        match state.load_faults.pop_front() {
            Some(error) => Err(error),
            None => Ok(state.read(key)),
        }
    }

    /// Writes, and returns what is there now.
    pub(super) fn save(&self, key: &Key, text: &SecretString) -> Result<Stored> {
        let mut state = self.state();
        state.saves += 1;
        if let Some(error) = state.save_faults.pop_front() {
            return Err(error);
        }
        let text = text.expose_secret();
        let kept = if std::mem::take(&mut state.tear_save) { text.len() / 2 } else { text.len() };
        let kept: String = text.chars().take(kept).collect();
        state.items.insert(key.clone(), kept.into());
        Ok(state.read(key))
    }

    pub(super) fn remove(&self, key: &Key) -> bool {
        self.state().items.remove(key).is_some()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn read(&self, key: &Key) -> Stored {
        match self.items.get(key) {
            Some(text) => Stored::Text(text.expose_secret().into()),
            None => Stored::Absent,
        }
    }
}
