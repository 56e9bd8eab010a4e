//! A door that opens once, and that any number may wait for.
//!
//! Order between concurrent requests is made of these: what must come later waits at the door that
//! the earlier one opens.

use std::sync::Arc;

use tokio::sync::Semaphore;

/// The door. Built from a semaphore without permits: closing it lets all waiters go.
#[derive(Debug)]
pub(super) struct Latch(Semaphore);

impl Latch {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Latch(Semaphore::new(0)))
    }

    pub(super) fn open(&self) {
        self.0.close();
    }

    pub(super) fn is_open(&self) -> bool {
        self.0.is_closed()
    }

    pub(super) async fn wait(&self) {
        let _ = self.0.acquire().await;
    }
}

/// Opens a door when it is dropped, so that no failure keeps others waiting.
#[derive(Debug)]
pub(super) struct Opener(pub(super) Arc<Latch>);

impl Drop for Opener {
    fn drop(&mut self) {
        self.0.open();
    }
}
