//! Keeps what the server says about the rate limit, for `status`.
//!
//! Never on the way of a call: the proxy leaves the newest word at a place, and this task writes it down every
//! few seconds, and once more at the end.

use std::time::Duration;

use tokio::sync::watch;

use crate::credential::Key;
use crate::error::Result;
use crate::http::rate_limit::RateLimit;
use crate::paths::Paths;
use crate::store::allowance;

/// The shortest time between two writes.
const SELDOM: Duration = Duration::from_secs(5);

/// The newest word, and where it belongs.
pub(super) struct Keeper {
    pub(super) newest: watch::Receiver<Option<RateLimit>>,
    pub(super) paths: Paths,
    pub(super) key: Key,
    /// The canonical address of the MCP server.
    pub(super) url: String,
}

impl Keeper {
    /// Writes what is new, now and then. Never ends by itself.
    pub(super) async fn run<T>(&mut self) -> T {
        while self.newest.changed().await.is_ok() {
            self.write();
            tokio::time::sleep(SELDOM).await;
        }
        std::future::pending().await
    }

    /// Writes what was not written yet.
    pub(super) fn write(&mut self) {
        let Some(limit) = self.newest.borrow_and_update().clone() else { return };
        if let Err(error) = self.try_write(&limit) {
            tracing::debug!("the rate limit could not be noted: {error}");
        }
    }

    fn try_write(&self, limit: &RateLimit) -> Result<()> {
        let path = allowance::path(&self.paths, &self.key, &self.url);
        allowance::write(&self.paths, &path, limit)
    }
}
