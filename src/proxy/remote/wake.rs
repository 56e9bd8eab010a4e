//! The connections to the server, and whether the machine has slept since they were last used.
//!
//! A machine that is suspended does not hear that its connections end, and its own clock of idle times may stand still
//! meanwhile. A request on such a connection fails in a way that leaves open whether the server has got it, and then
//! it must not be sent again (P6). So after a sleep, new connections are made.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::error::Result;
use crate::http::mcp::Client;

/// How far the clock on the wall may be ahead of the machine's own: more means that the latter stood still.
const AHEAD: Duration = Duration::from_secs(5);
/// How long after a sleep the network may still be about to come back.
const DROWSY: Duration = Duration::from_secs(60);
/// The pauses before new tries to connect: as a rule, and after a sleep, in milliseconds.
const PAUSES: (&[u64], &[u64]) = (&[200], &[200, 400, 800, 1600, 3200, 3200, 3200, 3200, 3200]);

/// The connections.
#[derive(Default)]
pub(super) struct Connections(Mutex<State>);

#[derive(Default)]
struct State {
    client: Option<Client>,
    used: Option<(Instant, SystemTime)>,
    woke: Option<Instant>,
}

impl Connections {
    /// Those to use now.
    ///
    /// # Errors
    /// Those of `make`.
    pub(super) fn now(&self, make: impl FnOnce() -> Result<Client>) -> Result<Client> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.look(Instant::now(), SystemTime::now());
        if let Some(client) = &state.client {
            return Ok(client.clone());
        }
        let client = make()?;
        state.client = Some(client.clone());
        Ok(client)
    }

    /// The pauses between tries to connect. A connection that was not made has carried nothing.
    pub(super) fn pauses(&self) -> impl Iterator<Item = Duration> + use<> {
        let woke = self.0.lock().unwrap_or_else(PoisonError::into_inner).woke;
        let drowsy = woke.is_some_and(|woke| woke.elapsed() < DROWSY);
        let pauses = if drowsy { PAUSES.1 } else { PAUSES.0 };
        pauses.iter().copied().map(Duration::from_millis)
    }
}

impl State {
    fn look(&mut self, now: Instant, wall: SystemTime) {
        let Some((then, wall_then)) = self.used.replace((now, wall)) else { return };
        let awake = now.saturating_duration_since(then);
        if wall.duration_since(wall_then).is_ok_and(|passed| passed > awake + AHEAD) {
            tracing::info!("this computer has slept; making new connections");
            self.client = None;
            self.woke = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_a_sleep_makes_new_connections() {
        let url: url::Url = "http://127.0.0.1:1/".parse().unwrap();
        let connections = Connections::default();
        connections.now(|| Client::new(&url, false)).unwrap();
        let kept = |awake: u64, wall: i64| {
            let mut state = connections.0.lock().unwrap();
            let (then, wall_then) = state.used.unwrap();
            let by = Duration::from_secs(wall.unsigned_abs());
            let wall = if wall < 0 { wall_then - by } else { wall_then + by };
            state.look(then + Duration::from_secs(awake), wall);
            let kept = state.client.is_some();
            state.client = Some(Client::new(&url, false).unwrap());
            kept
        };
        assert!(kept(0, 0) && kept(600, 600) && kept(10, 14));
        assert!(kept(10, -3600) && kept(10, 10), "somebody sets the clock back");
        assert_eq!(connections.pauses().count(), 1);
        assert!(!kept(1, 8 * 3600));
        let pauses: Duration = connections.pauses().sum();
        assert!((15..=20).contains(&pauses.as_secs()), "the network needs a moment to come back");
        tokio::time::advance(8 * 3600 * Duration::from_secs(1)).await;
        assert_eq!(connections.pauses().count(), 1);
    }
}
