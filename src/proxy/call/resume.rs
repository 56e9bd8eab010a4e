//! Takes a broken event stream up again where it stopped (T-30 to T-32, row 130).

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use crate::error::Result;
use crate::proxy::Bearer;
use crate::proxy::bridge::Bridge;
use crate::proxy::call::Patience;
use crate::proxy::events::{Cursor, Events};
use crate::proxy::remote::Reply;
use crate::proxy::remote::refusal::is_media;

/// The most tries in a row that bring nothing new, and for how long.
const MOST: (u32, Duration) = (5, Duration::from_secs(60));
/// The pause before a try, where the server names none.
const PAUSE: Duration = Duration::from_secs(1);

/// Tries since the stream last brought something new. A server that works by polling (2025-11-25) ends
/// each stream early and sends a new event id on the next: such a call goes on as long as it takes.
pub(in crate::proxy) struct Tries {
    made: u32,
    since: Instant,
}

impl Default for Tries {
    fn default() -> Self {
        Tries { made: 0, since: Instant::now() }
    }
}

impl<B: Bearer> Bridge<B> {
    /// The continuation of a call's stream.
    ///
    /// # Errors
    /// `stream-lost` if there is none.
    pub(in crate::proxy) async fn resume(
        &self,
        cursor: &Cursor,
        tries: &mut Tries,
        patience: Patience,
    ) -> Result<Events> {
        let session = self.remote.sessions.current();
        let pause = cursor.retry.unwrap_or(PAUSE);
        let Some(last_id) = cursor.last_id.as_ref().filter(|_| pause <= patience.silence) else {
            return Err(self.lost());
        };
        while tries.made < MOST.0 && tries.since.elapsed() <= MOST.1 && !patience.is_over() {
            tries.made += 1;
            sleep(pause).await;
            match timeout_at(patience.next(), self.remote.get(&session, Some(last_id))).await {
                Ok(Ok(Reply::Accepted(response))) if is_media(response.headers(), "text/event-stream") => {
                    return Ok(Events::new(response));
                }
                // The server knows no continuation: asking again would change nothing.
                Ok(Ok(Reply::Accepted(_))) => break,
                Ok(Ok(Reply::Refused(refusal))) if refusal.status.is_client_error() => break,
                _ => {}
            }
        }
        Err(self.lost())
    }
}
