//! A bound for every wait: a thread that kills the bridge when its time is up. Whoever reads from it then sees
//! the end of its output. So no read needs a look at the clock, which would be a cost of its own.

use std::sync::{Condvar, Mutex, Once, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

struct State {
    armed: Option<(Pid, Instant)>,
    has_bitten: bool,
}

static STATE: Mutex<State> = Mutex::new(State { armed: None, has_bitten: false });
static CHANGED: Condvar = Condvar::new();
static THREAD: Once = Once::new();

/// As long as this lives, the clock runs.
pub(crate) struct Armed(());

/// The process group of `leader` has so much time from now on. There is one watch at a time.
pub(crate) fn arm(leader: u32, bound: Duration) -> Armed {
    THREAD.call_once(|| drop(std::thread::spawn(watch)));
    let pid = i32::try_from(leader).ok().and_then(Pid::from_raw);
    set(pid.map(|pid| (pid, Instant::now() + bound)));
    Armed(())
}

impl Armed {
    /// Whether the time was up.
    pub(crate) fn has_bitten(&self) -> bool {
        STATE.lock().unwrap_or_else(PoisonError::into_inner).has_bitten
    }
}

impl Drop for Armed {
    fn drop(&mut self) {
        set(None);
    }
}

fn set(armed: Option<(Pid, Instant)>) {
    *STATE.lock().unwrap_or_else(PoisonError::into_inner) = State { armed, has_bitten: false };
    CHANGED.notify_one();
}

fn watch() {
    let mut state = STATE.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        let Some((pid, at)) = state.armed else {
            state = CHANGED.wait(state).unwrap_or_else(PoisonError::into_inner);
            continue;
        };
        let left = at.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let _ = kill_process_group(pid, Signal::KILL);
            *state = State { armed: None, has_bitten: true };
        } else {
            state = CHANGED.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
