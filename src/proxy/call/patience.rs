//! How long one call waits for the server, counted in time that the machine was awake (T-10, row 132).
//!
//! A laptop that sleeps for a night has not been kept waiting for a night. Some systems' clocks stand still meanwhile,
//! others go on; so the time is counted in short steps, and a step that took much longer than it was meant to counts as
//! what it was meant to take.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::select;
use tokio::time::{Instant, sleep, timeout};

use crate::proxy::bridge::Limits;
use crate::proxy::pending::Ticket;

/// The length of a step, and how much longer it may take on a busy machine.
const STEP: Duration = Duration::from_secs(10);
const SLACK: Duration = Duration::from_secs(30);
/// How long the server may go on with what the host has cancelled. Many never end the stream of such a request
/// (T-34), and then it would keep its connection.
const LINGER: Duration = Duration::from_secs(1);

/// The time that is left for one call, however much the server sends in between.
pub(in crate::proxy) struct Patience {
    left: AtomicU64,
    begun: Instant,
    /// Until when the time has been counted, since then.
    counted: AtomicU64,
    silence: Duration,
    end: Instant,
    asked: Vec<Arc<Ticket>>,
}

impl Patience {
    /// For one call, which has to answer these.
    pub(in crate::proxy) fn new(limits: &Limits, asked: &[Arc<Ticket>]) -> Self {
        let (begun, left) = (Instant::now(), AtomicU64::new(micros(limits.total)));
        let (end, silence, counted) = (begun + limits.total, limits.silence, AtomicU64::new(0));
        Patience { left, begun, counted, silence, end, asked: asked.to_vec() }
    }

    /// Until when to wait by the clock alone, where many calls wait on one stream: from now on …
    pub(in crate::proxy) fn next(&self) -> Instant {
        self.after(Instant::now())
    }

    /// The end of it all by the clock.
    pub(in crate::proxy) fn end(&self) -> Instant {
        self.end
    }

    /// … or from the time when something came.
    pub(in crate::proxy) fn after(&self, heard: Instant) -> Instant {
        self.end.min(heard + self.silence)
    }

    pub(in crate::proxy) fn left(&self) -> Duration {
        Duration::from_micros(self.left.load(Ordering::Relaxed))
    }

    pub(in crate::proxy) fn is_over(&self) -> bool {
        self.left().is_zero()
    }

    /// Whether to go on after a wait without a message: comments show that the server lives (T-10), but not
    /// beyond the limit (row 132). On a runtime with several threads they could come faster than they are
    /// read, and then nothing else would end the call.
    pub(in crate::proxy) fn goes_on(&self, active: bool) -> bool {
        active && !self.is_over()
    }

    /// Waits for something, for `limit` at most and not longer than is left in all. `None`: it did not come, or nobody
    /// wants it any more; then nothing is left.
    pub(in crate::proxy) async fn within<T>(
        &self,
        limit: Duration,
        what: impl Future<Output = T>,
    ) -> Option<T> {
        let mut what = pin!(async {
            select! {
                biased;
                what = what => Some(what),
                () = self.unwanted() => None,
            }
        });
        self.count(STEP);
        let mut limit = limit.min(self.left());
        loop {
            let step = limit.min(STEP);
            let done = timeout(step, what.as_mut()).await;
            let spent = self.count(step);
            limit = limit.saturating_sub(spent);
            match done {
                Ok(Some(done)) => return Some(done),
                Ok(None) => {
                    self.left.store(0, Ordering::Relaxed);
                    return None;
                }
                Err(_) if limit.is_zero() => return None,
                Err(_) => {}
            }
        }
    }
}

impl Patience {
    /// Takes the time since it was last counted from what is left. `step`: what it should have been at most.
    fn count(&self, step: Duration) -> Duration {
        let now = micros(self.begun.elapsed());
        let elapsed = Duration::from_micros(now.saturating_sub(self.counted.swap(now, Ordering::Relaxed)));
        let spent = awake(step, elapsed);
        self.left.store(micros(self.left().saturating_sub(spent)), Ordering::Relaxed);
        spent
    }

    /// Returns a moment after the host has cancelled everything that was asked.
    async fn unwanted(&self) {
        for ticket in &self.asked {
            ticket.cancelled().await;
        }
        sleep(LINGER).await;
    }
}

/// How much of `elapsed` the machine was awake.
fn awake(step: Duration, elapsed: Duration) -> Duration {
    if elapsed > step + SLACK { step } else { elapsed }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy::pending::Pending;

    fn patience(total: u64, asked: &[Arc<Ticket>]) -> Patience {
        Patience::new(&Limits { total: Duration::from_secs(total), ..Limits::default() }, asked)
    }

    fn waiting() -> Arc<Ticket> {
        Pending::default().add("1", false, false)
    }

    // T-10, row 132.
    #[tokio::test(start_paused = true)]
    async fn comments_extend_the_silence_and_not_the_whole() {
        let patience = patience(60, &[waiting()]);
        assert!(patience.goes_on(true) && !patience.goes_on(false));
        let begun = Instant::now();
        for limit in [20, 50] {
            let nothing = std::future::pending::<()>();
            assert!(patience.within(Duration::from_secs(limit), nothing).await.is_none());
        }
        assert_eq!(begun.elapsed().as_secs(), 60);
        assert!(!patience.goes_on(true));
    }

    #[tokio::test(start_paused = true)]
    async fn a_night_of_sleep_counts_as_a_moment() {
        let patience = patience(3600, &[waiting()]);
        let late = async {
            tokio::time::sleep(Duration::from_secs(100)).await;
            tokio::time::advance(Duration::from_secs(8 * 3600)).await;
            tokio::time::sleep(Duration::from_secs(100)).await;
        };
        assert!(patience.within(Duration::from_secs(300), late).await.is_some());
        assert!(patience.left() >= Duration::from_secs(3380), "{:?}", patience.left());
        let nothing = std::future::pending::<()>();
        assert!(patience.within(Duration::from_secs(300), nothing).await.is_none());
    }
    // T-34.
    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_what_is_cancelled() {
        let asked = [waiting(), waiting()];
        let patience = patience(3600, &asked);
        asked[0].cancel();
        let nothing = std::future::pending::<()>;
        assert!(patience.within(Duration::from_secs(60), nothing()).await.is_none() && !patience.is_over());
        asked[1].cancel();
        let begun = Instant::now();
        assert!(patience.within(Duration::from_secs(60), nothing()).await.is_none() && patience.is_over());
        assert_eq!(begun.elapsed(), LINGER);
    }
}
