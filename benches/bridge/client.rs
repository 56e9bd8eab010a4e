//! The client, in its two forms: one speaks HTTP itself, the other speaks through a bridge's stdin and stdout.
//! Both judge all that comes back, at the same cost.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::check::{self, Faults, Waiting, note};
use super::messages::Tool;

pub(crate) mod direct;
pub(crate) mod lines;
pub(crate) mod piped;

/// A value, or why this way to the server cannot give it.
pub(crate) type Outcome<T> = Result<T, String>;

/// What ends a series of calls, whichever comes first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit {
    pub(crate) calls: usize,
    /// After this time nothing more is sent; what is open is waited for.
    pub(crate) time: Duration,
    /// For all of it, answers included. What has not come then is lost.
    pub(crate) bound: Duration,
}

impl Limit {
    pub(crate) fn calls(calls: usize, time: Duration) -> Self {
        Limit { calls, time, bound: time + Duration::from_secs(10) }
    }

    pub(crate) fn one() -> Self {
        Limit { calls: 1, time: Duration::MAX, bound: Duration::from_secs(15) }
    }
}

/// A series of calls that came to its end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Done {
    pub(crate) calls: usize,
    pub(crate) seconds: f64,
}

/// Something that makes calls.
pub(crate) trait Client {
    /// One call after the other.
    fn sequence(&mut self, tool: Tool, limit: Limit) -> Outcome<Done>;
    /// So many at a time.
    fn flood(&mut self, tool: Tool, in_flight: usize, limit: Limit) -> Outcome<Done>;
    /// The bridge between, if there is one.
    fn bridge(&self) -> Option<u32>;
    /// How often the server may have executed a tool at most.
    fn executions(&self) -> usize;
    /// Ends the session: the time until the bridge is gone, in milliseconds.
    fn finish(self: Box<Self>) -> Outcome<f64>;

    /// One call, in milliseconds.
    fn one(&mut self, tool: Tool) -> Outcome<f64> {
        Ok(self.sequence(tool, Limit::one())?.seconds * 1e3)
    }
}

/// The calls that are open, by their ids.
pub(crate) struct Open {
    calls: Vec<Waiting>,
    next: u64,
    executions: usize,
    refusal: Option<String>,
    faults: Arc<Faults>,
}

impl Open {
    pub(crate) fn new(faults: Arc<Faults>) -> Self {
        Open { calls: Vec::new(), next: 1, executions: 0, refusal: None, faults }
    }

    /// Opens a call: its id.
    pub(crate) fn call(&mut self, tool: Tool) -> u64 {
        let id = self.next;
        self.next += 1;
        self.executions += usize::from(tool != Tool::List);
        self.calls.push(Waiting::new(id, tool));
        id
    }

    /// How often the server may have executed a tool at most.
    pub(crate) fn executions(&self) -> usize {
        self.executions
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    pub(crate) fn waits_for(&self, id: u64) -> bool {
        self.calls.iter().any(|call| call.id == id)
    }

    /// Judges a message; whether a call is done with it.
    pub(crate) fn take(&mut self, message: &[u8]) -> bool {
        if check::is_progress(message) {
            match self.calls.first_mut() {
                Some(call) => call.take_progress(message, &self.faults),
                None => note(&self.faults.duplicated, 1),
            }
        } else if check::string(message, "method").is_some() {
            // The bridge's own words, like a log message.
            return false;
        } else {
            let id = check::id(message).or_else(|| check::id(&check::plain(message)));
            match self.calls.iter_mut().find(|call| Some(call.id) == id) {
                Some(call) => call.take_answer(message, &self.faults),
                None if id.is_some_and(|id| id < self.next) => note(&self.faults.duplicated, 1),
                None => note(&self.faults.wrong, 1),
            }
        }
        let Some(done) = self.calls.iter().position(Waiting::is_done) else { return false };
        let done = self.calls.swap_remove(done);
        if let Some(refusal) = done.refusal() {
            self.refusal.get_or_insert_with(|| format!("answers {}", refusal.trim_end()));
        }
        true
    }

    /// Whether all was answered with a result.
    pub(crate) fn outcome(&mut self) -> Outcome<()> {
        self.refusal.take().map_or(Ok(()), Err)
    }

    /// What is still open is lost.
    pub(crate) fn lose(&mut self) -> usize {
        let lost = self.calls.drain(..).map(|call| call.missing()).sum();
        note(&self.faults.lost, lost);
        lost
    }
}

pub(crate) fn seconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64()
}
