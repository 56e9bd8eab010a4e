//! How much of large messages is in memory at a time, over all streams together (P5).
//!
//! A limit for one message is none for the memory: sixty streams with half a message each would fill it all the same. So
//! of a message of which more than a small part has come, more is read only by a few at a time. The others are not read
//! meanwhile, and their servers wait.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

/// How many large messages there are at a time.
const AT_A_TIME: usize = 4;
/// What is kept of a message before it counts as large, in bytes.
const LARGE: usize = 1 << 20;

/// What the streams of one proxy share.
#[derive(Debug, Clone)]
pub(super) struct Budget(Arc<Semaphore>);

impl Default for Budget {
    fn default() -> Self {
        Budget(Arc::new(Semaphore::new(AT_A_TIME)))
    }
}

impl Budget {
    /// One reader's share: nothing yet.
    pub(super) fn share(&self) -> Share {
        Share { budget: Arc::clone(&self.0), state: State::None }
    }
}

/// What one reader has of it. Given back with [`Share::keep`], or when it is dropped.
pub(super) struct Share {
    budget: Arc<Semaphore>,
    state: State,
}

enum State {
    None,
    Waiting(Pin<Box<dyn Future<Output = Result<OwnedSemaphorePermit, AcquireError>> + Send>>),
    Held(#[expect(dead_code, reason = "held")] Option<OwnedSemaphorePermit>),
}

impl Share {
    /// To be asked before more is read of a message of which `kept` bytes are kept: ready when that is in order.
    pub(super) fn poll_keep(&mut self, kept: usize, context: &mut Context<'_>) -> Poll<()> {
        if kept <= LARGE {
            self.state = State::None;
            return Poll::Ready(());
        }
        loop {
            match &mut self.state {
                State::Held(_) => return Poll::Ready(()),
                State::None => {
                    self.state = State::Waiting(Box::pin(Arc::clone(&self.budget).acquire_owned()));
                }
                State::Waiting(turn) => {
                    let permit = std::task::ready!(turn.as_mut().poll(context));
                    self.state = State::Held(permit.ok());
                }
            }
        }
    }

    /// As [`Share::poll_keep`]. May be dropped and called again; the place in the queue is kept.
    pub(super) async fn keep(&mut self, kept: usize) {
        std::future::poll_fn(|context| self.poll_keep(kept, context)).await;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    // P5.
    #[tokio::test(start_paused = true)]
    async fn four_large_messages_at_a_time_and_any_number_of_small_ones() {
        let soon = Duration::from_secs(1);
        let budget = Budget::default();
        let mut shares: Vec<_> = (0..6).map(|_| budget.share()).collect();
        for share in &mut shares {
            share.keep(LARGE).await;
        }
        for (n, share) in shares.iter_mut().enumerate() {
            assert_eq!(timeout(soon, share.keep(LARGE + 1)).await.is_ok(), n < AT_A_TIME, "{n}");
        }
        shares[0].keep(LARGE + 2).await;
        // The next message of the same stream is small: another's turn, in the order in which they came.
        shares[0].keep(0).await;
        assert!(timeout(soon, shares[5].keep(LARGE + 1)).await.is_err());
        timeout(soon, shares[4].keep(LARGE + 1)).await.unwrap();
        shares.remove(1);
        timeout(soon, shares[4].keep(LARGE + 1)).await.unwrap();
    }
}
