//! Reads what a server says about the caller's rate limit: `X-RateLimit-*` headers, and how long to wait
//! after a 429 (RFC 6585 section 4). Pure functions.
//!
//! The headers are no standard; these are the names that Chipp and most others use. A reset is written as
//! Unix time, in seconds or milliseconds, or as seconds from now: which of them is told by its size.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderMap;
use http::header::RETRY_AFTER;
use serde::{Deserialize, Serialize};

use super::retry_after::{self, Wait};
use crate::error::clean;

/// The longest name of a plan that is believed, in characters.
const TIER: usize = 40;
/// Below this a reset counts from now, and above the other it counts milliseconds.
const MOMENTS: (u64, u64) = (1_000_000_000, 1_000_000_000_000);

/// A rate limit as the server described it last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateLimit {
    /// The name of the plan.
    pub tier: Option<String>,
    /// How many requests a window has.
    pub limit: Option<u64>,
    /// How many of them are left.
    pub remaining: Option<u64>,
    /// When the next window begins, in Unix seconds.
    pub reset: Option<u64>,
    /// When the server said so, in Unix seconds.
    pub as_of: u64,
}

/// The rate limit that an answer describes; `None` if it says nothing of it. Total.
pub fn read(headers: &HeaderMap, now: SystemTime) -> Option<RateLimit> {
    // Most servers send none of these, and this is asked of each answer.
    let remaining = number(headers, "x-ratelimit-remaining");
    let limit = number(headers, "x-ratelimit-limit");
    remaining.or(limit)?;
    let tier = headers.get("x-ratelimit-tier").and_then(|value| value.to_str().ok());
    let tier =
        tier.map(|tier| clean(tier).chars().take(TIER).collect()).filter(|tier: &String| !tier.is_empty());
    let reset = number(headers, "x-ratelimit-reset").map(|reset| moment(reset, now));
    Some(RateLimit { tier, limit, remaining, reset, as_of: unix(now) })
}

/// How long the server of a 429 wants to be left alone: `Retry-After`, else the time of reset from a header,
/// else the one from the body. `None` if it does not say. Total.
pub fn wait(headers: &HeaderMap, in_body: Option<u64>, now: SystemTime) -> Option<Wait> {
    if let Some(value) = headers.get(RETRY_AFTER) {
        return Some(retry_after::read(value.to_str().unwrap_or_default(), now));
    }
    let reset = number(headers, "x-ratelimit-reset").or(in_body)?;
    Some(Wait::of(Duration::from_secs(moment(reset, now).saturating_sub(unix(now)))))
}

/// A reset as Unix seconds.
fn moment(reset: u64, now: SystemTime) -> u64 {
    match reset {
        reset if reset < MOMENTS.0 => unix(now) + reset,
        reset if reset >= MOMENTS.1 => reset / 1000,
        reset => reset,
    }
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

fn unix(now: SystemTime) -> u64 {
    now.duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn now() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(NOW)
    }

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        lines.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    // DESIGN section 1.
    #[test]
    fn the_headers_of_chipp_are_read() {
        let reset = (NOW + 31).to_string();
        let chipp = headers(&[
            ("X-RateLimit-Tier", "PRO"),
            ("X-RateLimit-Limit", "30"),
            ("X-RateLimit-Remaining", "27"),
            ("X-RateLimit-Reset", &reset),
        ]);
        let expected = RateLimit {
            tier: Some("PRO".to_owned()),
            limit: Some(30),
            remaining: Some(27),
            reset: Some(NOW + 31),
            as_of: NOW,
        };
        assert_eq!(read(&chipp, now()), Some(expected));
        assert_eq!(read(&headers(&[("x-ratelimit-tier", "PRO")]), now()), None);
        let odd = [("x-ratelimit-limit", "30, 30;w=60"), ("x-ratelimit-remaining", "-1")];
        assert_eq!(read(&headers(&odd), now()), None);
        let long = headers(&[("x-ratelimit-limit", "1"), ("x-ratelimit-tier", &"x".repeat(1000))]);
        assert_eq!(read(&long, now()).unwrap().tier.unwrap().len(), TIER);
    }

    // Row 132.
    #[test]
    fn the_wait_is_found_in_each_place_and_in_this_order() {
        let (after, millis) = (("retry-after", "7"), ((NOW + 20) * 1000).to_string());
        let date = httpdate::fmt_http_date(now() + Duration::from_secs(9));
        for (lines, in_body, seconds) in [
            (&[after, ("x-ratelimit-reset", "50")][..], Some(NOW + 90), Some(7)),
            (&[("retry-after", &date)], None, Some(9)),
            (&[("x-ratelimit-reset", "50")], Some(NOW + 90), Some(50)),
            (&[("x-ratelimit-reset", &millis)], None, Some(20)),
            (&[], Some(NOW + 90), Some(90)),
            (&[], Some(NOW - 90), Some(1)),
            (&[("x-ratelimit-reset", "soon")], None, None),
            (&[], None, None),
        ] {
            let found = wait(&headers(lines), in_body, now()).map(|wait| wait.duration().as_secs());
            assert_eq!(found, seconds, "{lines:?} {in_body:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_stands_there_is_bounded(value in "[ -~]{0,30}", body: Option<u64>, now in 0u64..1 << 40) {
            let now = UNIX_EPOCH + Duration::from_secs(now);
            for name in ["retry-after", "x-ratelimit-reset", "x-ratelimit-limit", "x-ratelimit-tier"] {
                let headers = headers(&[(name, &value)]);
                let _ = read(&headers, now);
                if let Some(wait) = wait(&headers, body, now) {
                    prop_assert!((1..=3600).contains(&wait.duration().as_secs()));
                }
            }
        }
    }
}
