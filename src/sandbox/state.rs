//! Everything the sandbox knows, behind one lock. The lock is held for moments only and never
//! across an await, so each request sees and leaves a consistent world.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::authorize::Asked;
use super::client::Client;
use super::device::Waiting;
use super::family::{Ledger, Place};
use super::fault::Faults;
use super::log::{Entry, Kind, Log};
use super::options::Options;
use super::rate::Window;
use super::secret::Print;
use super::session::Sessions;
use super::tools::Apps;

/// Open consents, codes and registered clients kept; beyond it the endpoint that adds them refuses.
pub(super) const PENDING: usize = 10_000;

/// What all connections share.
pub(super) struct Shared {
    /// The origin, and the issuer: `http://127.0.0.1:PORT`, without a slash at its end.
    pub(super) base: String,
    started: Instant,
    state: Mutex<State>,
}

pub(super) struct State {
    pub(super) options: Options,
    pub(super) faults: Faults,
    pub(super) log: Log,
    pub(super) registered: Vec<Client>,
    /// Consent pages that wait for their button, by the page's one-time number.
    pub(super) consents: HashMap<Print, (Asked, Instant)>,
    pub(super) codes: HashMap<Print, Code>,
    pub(super) devices: HashMap<Print, Waiting>,
    pub(super) ledger: Ledger,
    pub(super) sessions: Sessions,
    pub(super) apps: Apps,
    pub(super) window: Window,
}

/// An authorization code.
pub(super) struct Code {
    pub(super) asked: Asked,
    pub(super) issued: Instant,
    /// The sign-in that it began, once it is spent.
    pub(super) spent: Option<Place>,
}

impl Shared {
    pub(super) fn new(base: String, options: Options) -> Self {
        let state = State {
            options,
            faults: Faults::default(),
            log: Log::default(),
            registered: Vec::new(),
            consents: HashMap::new(),
            codes: HashMap::new(),
            devices: HashMap::new(),
            ledger: Ledger::default(),
            sessions: Sessions::default(),
            apps: Apps::default(),
            window: Window::default(),
        };
        Shared { base, started: Instant::now(), state: Mutex::new(state) }
    }

    /// A test that panics inside `set` must not take the sandbox with it.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The clients known now.
    pub(super) fn clients(&self) -> Vec<Client> {
        self.options.clients.iter().chain(&self.registered).cloned().collect()
    }

    /// Ends a sign-in and counts it.
    pub(super) fn revoke_family(&mut self, family: u64) -> bool {
        let ended = self.ledger.revoke(family);
        self.log.counts.families_revoked += u64::from(ended);
        ended
    }
}

/// The entry of one request. It is written when this is dropped, so a request whose caller left
/// while it was served is in the log too.
pub(super) struct Record {
    shared: Arc<Shared>,
    pub(super) entry: Entry,
}

impl Record {
    pub(super) fn new(shared: &Arc<Shared>, kind: Kind, path: &'static str) -> Self {
        let entry = Entry { at: shared.started.elapsed(), kind, path, ..Entry::default() };
        Record { shared: Arc::clone(shared), entry }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        self.shared.state().log.push(std::mem::take(&mut self.entry));
    }
}
