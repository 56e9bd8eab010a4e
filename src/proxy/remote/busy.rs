//! A server that has had too many requests (429, row 132). It has not acted on the one that it refused, so
//! that may be sent again (P6): after a short wait here, where nobody notices; a long one is told.
//!
//! The limit is the account's and not the request's, so the pause holds for all requests of this pipe: those
//! that would only be refused too are not sent.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::time::{Instant, sleep};

use super::refusal::Refusal;
use super::{Draft, Remote};
use crate::error::{Error, Name, Result};
use crate::proxy::Bearer;

/// The longest wait that a request makes instead of failing.
const SHORT: Duration = Duration::from_secs(5);
/// How often a request is sent again.
pub(super) const AGAIN: u8 = 2;
/// The longest time for which one answer holds all requests back. Beyond that, one of them may find out
/// whether the server still means it.
const HELD: Duration = Duration::from_secs(60);
/// How soon a waiting request notices that the host has cancelled it.
const STEP: Duration = Duration::from_millis(100);

/// The pause that the server asked for last.
#[derive(Debug)]
pub(super) struct Busy {
    /// The longest wait; shorter where the user has little patience.
    most: Duration,
    /// Whether there may be a pause: asked for each request, and nearly always not.
    paused: AtomicBool,
    pause: Mutex<Option<Pause>>,
}

#[derive(Debug, Clone, Copy)]
struct Pause {
    /// Until then no request leaves.
    held: Instant,
    /// When the server may be asked, by its own words.
    until: SystemTime,
}

impl Busy {
    pub(super) fn new(patience: Duration) -> Self {
        Busy { most: SHORT.min(patience), paused: AtomicBool::new(false), pause: Mutex::default() }
    }

    fn begin(&self, wait: Duration) {
        let pause = Pause { held: Instant::now() + wait.min(HELD), until: SystemTime::now() + wait };
        *self.pause.lock().unwrap_or_else(PoisonError::into_inner) = Some(pause);
        self.paused.store(true, Ordering::Relaxed);
    }

    /// The pause, and what is left of it.
    fn left(&self) -> Option<(Pause, Duration)> {
        if !self.paused.load(Ordering::Relaxed) {
            return None;
        }
        let mut place = self.pause.lock().unwrap_or_else(PoisonError::into_inner);
        let pause = (*place)?;
        let left = pause.held.saturating_duration_since(Instant::now());
        if left.is_zero() {
            *place = None;
            self.paused.store(false, Ordering::Relaxed);
            return None;
        }
        Some((pause, left))
    }
}

impl<B: Bearer> Remote<B> {
    /// Returns when the server may be asked.
    ///
    /// # Errors
    /// `server-busy` if that is not soon.
    pub(super) async fn turn(&self, draft: &Draft<'_>) -> Result<()> {
        while let Some((pause, left)) = self.busy.left() {
            if left > self.busy.most {
                let wait = pause.until.duration_since(SystemTime::now()).unwrap_or(left);
                return Err(busy(self.host(), Some(wait), SystemTime::now()));
            }
            self.pass(left, draft).await?;
        }
        Ok(())
    }

    /// Whether a request that was refused with a 429 is to be sent again, after a wait that all others share.
    ///
    /// # Errors
    /// `server-busy` if the host has cancelled it meanwhile.
    pub(super) async fn again_after(&self, refusal: &Refusal, draft: &Draft<'_>, tries: u8) -> Result<bool> {
        let Some(wait) = refusal.wait(SystemTime::now()) else { return Ok(false) };
        self.busy.begin(wait);
        if wait > self.busy.most || tries >= AGAIN {
            return Ok(false);
        }
        tracing::debug!("the server asks to wait {wait:?}");
        self.pass(wait, draft).await?;
        Ok(true)
    }

    async fn pass(&self, wait: Duration, draft: &Draft<'_>) -> Result<()> {
        let end = Instant::now() + wait;
        let ticket = draft.body.and_then(|message| message.ticket.as_ref());
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            // Nobody reads this: the request has no answer any more.
            if ticket.is_some_and(|ticket| ticket.is_cancelled()) {
                return Err(Error::new(Name::ServerBusy, "the request was cancelled while it waited"));
            }
            sleep(left.min(STEP)).await;
        }
    }
}

/// Says that a server has had too many requests, and until when it wants to be left alone.
pub(super) fn busy(host: &str, wait: Option<Duration>, now: SystemTime) -> Error {
    let what = format!("{host} has had too many requests");
    let Some(wait) = wait else { return Error::new(Name::ServerBusy, what) };
    let seconds = rounded(wait);
    let unit = if seconds == 1 { "second" } else { "seconds" };
    let what = format!("{what}; it asks to wait {seconds} {unit}, until {}", at(seconds, now));
    Error::new(Name::ServerBusy, what).hinted(format!("try again {}", after(wait, now)))
}

/// "after 14:32:10".
pub(super) fn after(wait: Duration, now: SystemTime) -> String {
    format!("after {}", at(rounded(wait), now))
}

/// The time on the wall.
fn at(seconds: u64, now: SystemTime) -> String {
    let then = chrono::DateTime::<chrono::Local>::from(now + Duration::from_secs(seconds));
    then.format("%H:%M:%S").to_string()
}

/// Up, so that who waits for it has waited enough.
fn rounded(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_pause_holds_for_all_and_ends_in_a_minute_at_the_latest() {
        let busy = Busy::new(Duration::from_secs(300));
        assert!(busy.left().is_none());
        busy.begin(Duration::from_secs(3600));
        assert_eq!(busy.left().unwrap().1, HELD);
        tokio::time::advance(HELD).await;
        assert!(busy.left().is_none());
        assert_eq!(Busy::new(Duration::from_secs(2)).most, Duration::from_secs(2));
    }

    // Rows 82 and 132.
    #[test]
    fn the_error_says_until_when_by_the_clock_on_the_wall() {
        let now = SystemTime::now();
        let error = super::busy("e.com", Some(Duration::from_millis(40_200)), now);
        let at = chrono::DateTime::<chrono::Local>::from(now + Duration::from_secs(41)).format("%H:%M:%S");
        assert_eq!(
            error.what(),
            format!("e.com has had too many requests; it asks to wait 41 seconds, until {at}")
        );
        assert_eq!(error.hint(), format!("try again after {at}"));
        assert!(super::busy("e.com", Some(Duration::from_secs(1)), now).what().contains("wait 1 second,"));
        assert_eq!(super::busy("e.com", None, now).what(), "e.com has had too many requests");
        assert!(error.name().row().retryable);
    }
}
