//! The rate limit: a fixed window, counted as Chipp's headers describe it.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use http::{HeaderName, Response};
use serde_json::json;

use super::options::RateLimit;
use super::reply::{self, Body};

/// The current window.
#[derive(Debug, Default)]
pub(super) struct Window {
    since: Option<Instant>,
    used: u32,
}

/// What one request comes to.
pub(super) struct Verdict {
    pub(super) allowed: bool,
    limit: RateLimit,
    remaining: u32,
    left: Duration,
}

impl Window {
    /// Counts one request.
    pub(super) fn count(&mut self, limit: &RateLimit, now: Instant) -> Verdict {
        let since = match self.since {
            Some(since) if now.duration_since(since) < limit.window => since,
            _ => {
                self.used = 0;
                *self.since.insert(now)
            }
        };
        let allowed = self.used < limit.limit;
        self.used += u32::from(allowed);
        let left = limit.window.saturating_sub(now.duration_since(since));
        Verdict { allowed, limit: limit.clone(), remaining: limit.limit.saturating_sub(self.used), left }
    }
}

impl Verdict {
    /// The 429 answer.
    pub(super) fn refusal(&self) -> Response<Body> {
        let mut response = reply::json(
            429,
            &json!({"error": {
                "code": "rate_limit_exceeded",
                "message": format!("Rate limit of {} requests exceeded", self.limit.limit),
                "tier": self.limit.tier,
                "limit": self.limit.limit,
                "reset": self.reset(),
            }}),
        );
        let wait = self.left.as_secs() + 1;
        reply::set(&mut response, http::header::RETRY_AFTER, &wait.to_string());
        response
    }

    /// Adds the `X-RateLimit-*` headers.
    pub(super) fn mark(&self, response: &mut Response<Body>) {
        let headers = [
            ("x-ratelimit-tier", self.limit.tier.clone()),
            ("x-ratelimit-limit", self.limit.limit.to_string()),
            ("x-ratelimit-remaining", self.remaining.to_string()),
            ("x-ratelimit-reset", self.reset().to_string()),
        ];
        for (name, value) in headers {
            reply::set(response, HeaderName::from_static(name), &value);
        }
    }

    /// The end of the window as Unix time, rounded up so that a client that waits for it has waited enough.
    fn reset(&self) -> u64 {
        SystemTime::now()
            .checked_add(self.left)
            .unwrap_or(UNIX_EPOCH)
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs()
            + 1
    }
}
