//! Takes a broken event stream up again where it stopped (T-30 to T-32, row 130).

use std::sync::Arc;
use std::time::Duration;

use super::{Call, Patience};
use crate::error::Result;
use crate::proxy::Bearer;
use crate::proxy::bridge::Bridge;
use crate::proxy::events::{Cursor, Events};
use crate::proxy::legacy::session::Session;
use crate::proxy::remote::Reply;
use crate::proxy::remote::refusal::is_media;

/// The most tries in a row that bring nothing new, and for how long.
const MOST: (u32, Duration) = (5, Duration::from_secs(60));
/// The pause before the first try, where the server names none. It doubles, so that a network that comes back within
/// half a minute, as after a sleep of the machine, is not missed.
const PAUSE: Duration = Duration::from_secs(1);

/// Tries since the stream last brought something new. A server that works by polling (2025-11-25) ends
/// each stream early and sends a new event id on the next: such a call goes on as long as it takes.
pub(in crate::proxy) struct Tries {
    made: u32,
    /// What was left of the call's patience.
    since: Duration,
}

impl Tries {
    pub(in crate::proxy) fn new(patience: &Patience) -> Self {
        Tries { made: 0, since: patience.left() }
    }

    fn are_left(&self, patience: &Patience) -> bool {
        let spent = self.since.saturating_sub(patience.left());
        self.made < MOST.0 && spent <= MOST.1 && !patience.is_over()
    }
}

impl<B: Bearer> Bridge<B> {
    /// The continuation of a call's stream.
    ///
    /// # Errors
    /// `stream-lost` if there is none.
    pub(in crate::proxy) async fn resume(
        &self,
        call: &Call,
        cursor: &Cursor,
        tries: &mut Tries,
        patience: &Patience,
    ) -> Result<Events> {
        let longest = self.limits.stream;
        let possible = cursor.last_id.as_ref().filter(|_| cursor.retry.unwrap_or_default() <= longest);
        let (Some(last_id), Some(session)) = (possible, self.session_of(call)) else {
            return Err(self.lost());
        };
        while tries.are_left(patience) {
            let pause = cursor.retry.unwrap_or(PAUSE * 2u32.pow(tries.made));
            tries.made += 1;
            patience.within(pause, std::future::pending::<()>()).await;
            match patience.within(self.limits.silence, self.remote.get(&session, Some(last_id))).await {
                Some(Ok(Reply::Accepted(response))) if is_media(response.headers(), "text/event-stream") => {
                    return Ok(Events::new(response, &self.remote.budget));
                }
                // The server knows no continuation: asking again would change nothing.
                Some(Ok(Reply::Accepted(_))) => break,
                Some(Ok(Reply::Refused(refusal))) if refusal.status.is_client_error() => break,
                _ => {}
            }
        }
        Err(self.lost())
    }

    /// The session that the call's stream belongs to, if it still is the present one: event ids of a session that the
    /// server has forgotten mean nothing in another (T-24).
    fn session_of(&self, call: &Call) -> Option<Arc<Session>> {
        match &call.hello {
            // Its own session begins with its answer; the id was in the head.
            Some(hello) => Some(Arc::new(self.remote.sessions.next(hello))),
            None => Some(Arc::clone(&call.session))
                .filter(|session| session.epoch == self.remote.sessions.current().epoch),
        }
    }
}
