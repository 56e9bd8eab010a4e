//! A time limit that a sleeping laptop does not stretch and a corrected clock does not break.
//!
//! Timers count a clock that stands still while the computer sleeps, so a login of five minutes
//! would still wait the next morning (row 42); the calendar clock may jump by hours (row 41). The
//! kernel has a third clock that does neither, and it is looked at once a second.

use std::time::Duration;

const TICK: Duration = Duration::from_secs(1);

/// Returns when `limit` has passed, time asleep included.
pub(super) async fn passed(limit: Duration) {
    passed_by(limit, awake_or_not).await;
}

async fn passed_by(limit: Duration, clock: impl Fn() -> Duration) {
    let start = clock();
    loop {
        let left = limit.saturating_sub(clock().saturating_sub(start));
        if left.is_zero() {
            return;
        }
        tokio::time::sleep(left.min(TICK)).await;
    }
}

/// Time since some fixed moment, time asleep included.
fn awake_or_not() -> Duration {
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    {
        use rustix::time::{ClockId, clock_gettime};
        #[cfg(target_vendor = "apple")]
        let clock = ClockId::Monotonic; // Apple's counts sleep; that of `Instant` does not.
        #[cfg(not(target_vendor = "apple"))]
        let clock = ClockId::Boottime;
        Duration::try_from(clock_gettime(clock)).unwrap_or_default()
    }
    #[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
    {
        use std::{sync::OnceLock, time::Instant};
        static START: OnceLock<Instant> = OnceLock::new();
        START.get_or_init(Instant::now).elapsed()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::time::Instant;

    use super::*;

    fn block_on(future: impl Future<Output = ()>) -> Duration {
        let start = Instant::now();
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future);
        start.elapsed()
    }

    #[test]
    fn a_limit_passes_when_it_has_passed() {
        let took = block_on(passed(Duration::from_millis(150)));
        assert!(took >= Duration::from_millis(150) && took < Duration::from_secs(10), "{took:?}");
    }

    #[test]
    fn a_night_asleep_ends_the_wait_on_waking() {
        let looks = Cell::new(0);
        let clock = || {
            looks.set(looks.get() + 1);
            if looks.get() > 2 { Duration::from_secs(8 * 3600) } else { Duration::ZERO }
        };
        let took = block_on(passed_by(Duration::from_secs(300), clock));
        assert!(took < Duration::from_secs(20), "{took:?}");
    }
}
