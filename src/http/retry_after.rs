//! Reads `Retry-After` (RFC 9110 section 10.2.3): a number of seconds, or a date. A pure function.
//!
//! Whatever stands there, the result is bounded on both sides (row 83): at least a second, so that a
//! date in the past or a negative number makes no storm, and at most an hour, so that a server which
//! means 30 years, or was misled about its own clock, is asked again within the day.

use std::time::{Duration, SystemTime};

/// Up to here waiting is better than failing.
const SOON: Duration = Duration::from_secs(60);
/// The longest wait believed.
const LONGEST: Duration = Duration::from_secs(3600);
/// Where something stands that is neither a number nor a date: the server wants patience.
const UNREADABLE: Duration = Duration::from_secs(5);

/// How long a server wants to be left alone, counted from its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// 1 to 60 seconds: wait, then ask once more.
    Soon(Duration),
    /// More than a minute, at most an hour: fail at once and say when to come back. Until then no
    /// process asks (row 82).
    Later(Duration),
}

impl Wait {
    /// Bounds a duration.
    pub fn of(duration: Duration) -> Self {
        match duration.clamp(Duration::from_secs(1), LONGEST) {
            soon if soon <= SOON => Wait::Soon(soon),
            later => Wait::Later(later),
        }
    }

    /// The wait itself: 1 second to 1 hour.
    pub fn duration(self) -> Duration {
        let (Wait::Soon(duration) | Wait::Later(duration)) = self;
        duration
    }
}

/// Reads a header value that arrived at `now`. Total.
pub fn read(value: &str, now: SystemTime) -> Wait {
    let value = value.trim();
    if let Some(seconds) = seconds(value) {
        return Wait::of(Duration::from_secs(seconds));
    }
    match httpdate::parse_http_date(value) {
        // A date in the past is no wait at all, which is bounded to the shortest one.
        Ok(date) => Wait::of(date.duration_since(now).unwrap_or_default()),
        Err(_) => Wait::Soon(UNREADABLE),
    }
}

/// A number in any shape that servers write. More digits than fit count as very long.
fn seconds(value: &str) -> Option<u64> {
    let (negative, digits) = match value.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, value.strip_prefix('+').unwrap_or(value)),
    };
    let whole = digits.split_once('.').map_or(digits, |(whole, _)| whole);
    if whole.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return None;
    }
    Some(if negative { 0 } else { whole.parse().unwrap_or(u64::MAX) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Sun, 06 Nov 1994 08:49:37 GMT, the date of the RFC's examples.
    fn then() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777)
    }

    fn soon(seconds: u64) -> Wait {
        Wait::Soon(Duration::from_secs(seconds))
    }

    fn later(seconds: u64) -> Wait {
        Wait::Later(Duration::from_secs(seconds))
    }

    // Rows 82 and 83.
    #[test]
    fn every_value_becomes_a_bounded_wait() {
        for (value, expected) in [
            ("5", soon(5)),
            (" 60 ", soon(60)),
            ("61", later(61)),
            ("0", soon(1)),
            ("-1", soon(1)),
            ("1.9", soon(1)),
            ("1000000000", later(3600)),
            ("99999999999999999999999999", later(3600)),
            ("Sun, 06 Nov 1994 08:50:07 GMT", soon(30)),
            ("Sunday, 06-Nov-94 08:50:07 GMT", soon(30)),
            ("Sun Nov  6 08:50:07 1994", soon(30)),
            ("Sun, 06 Nov 1994 08:54:37 GMT", later(300)),
            ("Sun, 06 Nov 1994 08:49:36 GMT", soon(1)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", later(3600)),
            ("Thu, 01 Jan 1970 00:00:00 GMT", soon(1)),
            ("", soon(5)),
            ("soon", soon(5)),
            ("5 minutes", soon(5)),
            ("1e9", soon(5)),
            (".", soon(5)),
            ("-", soon(5)),
            ("1994-11-06T08:50:07Z", soon(5)),
        ] {
            assert_eq!(read(value, then()), expected, "{value}");
        }
    }

    proptest! {
        // Fuzz target `retry_after` (security.md 6.4).
        #[test]
        fn a_wait_is_a_second_to_a_minute_or_later(value in ".{0,40}", now in 0u64..1 << 40) {
            let wait = read(&value, SystemTime::UNIX_EPOCH + Duration::from_secs(now));
            prop_assert!(wait.duration() >= Duration::from_secs(1) && wait.duration() <= LONGEST);
            prop_assert_eq!(matches!(wait, Wait::Soon(_)), wait.duration() <= SOON);
        }

        /// A server's date, read at any moment, is the distance to it.
        #[test]
        fn a_date_is_the_distance_to_it(now in 0u64..4_000_000_000, ahead in 0u64..10_000) {
            let now = SystemTime::UNIX_EPOCH + Duration::from_secs(now);
            let date = httpdate::fmt_http_date(now + Duration::from_secs(ahead));
            prop_assert_eq!(read(&date, now), Wait::of(Duration::from_secs(ahead)));
            prop_assert_eq!(read(&ahead.to_string(), now), Wait::of(Duration::from_secs(ahead)));
        }
    }
}
