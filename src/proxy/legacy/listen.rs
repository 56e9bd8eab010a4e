//! The stream on which a server speaks without being asked: changed lists, log lines, requests of its
//! own (T-26, T-28). Open from `initialized` to the end.

use std::sync::Arc;
use std::time::Duration;

use tokio::select;
use tokio::time::{Instant, sleep, timeout};

use crate::proxy::Bearer;
use crate::proxy::bridge::Bridge;
use crate::proxy::events::{Cursor, Events};
use crate::proxy::legacy::session::Session;
use crate::proxy::remote::Reply;
use crate::proxy::remote::refusal::is_media;

/// Failures in a row until nothing is tried any more, and the pause between two, which doubles.
const TRIES: u32 = 8;
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// A stream that lived this long was a good one, even if it brought nothing.
const STEADY: Duration = Duration::from_secs(30);
/// For the head of the answer. Servers may send it with their first event only, so it is long.
const HEAD: Duration = Duration::from_secs(300);

enum Heard {
    Stream(Box<Events>),
    /// The server offers none (405), or not in this session (404).
    None,
    Failed,
}

impl<B: Bearer> Bridge<B> {
    /// Relays what the server says until the proxy ends. Writing is never raced against anything: a
    /// line must not be left half-written.
    pub(in crate::proxy) async fn listen(self: Arc<Self>) {
        let mut sessions = self.remote.sessions.subscribe();
        loop {
            let session = Arc::clone(&sessions.borrow_and_update());
            let mut cursor = Cursor::default();
            let mut failures = 0;
            let mut offered = true;
            'session: loop {
                let heard = select! {
                    heard = self.hear(&session, &cursor) => heard,
                    _ = sessions.changed() => break 'session,
                };
                match heard {
                    Heard::None => offered = false,
                    Heard::Failed => failures += 1,
                    Heard::Stream(mut events) => {
                        let begun = Instant::now();
                        let mut brought = false;
                        loop {
                            self.output.ready().await;
                            let message = select! {
                                message = events.next(&mut cursor) => message,
                                _ = sessions.changed() => break 'session,
                            };
                            let Ok(message) = message else { break };
                            brought = true;
                            self.deliver(message).await;
                        }
                        failures = if brought || begun.elapsed() > STEADY { 0 } else { failures + 1 };
                    }
                }
                let pause = async {
                    if !offered {
                        return std::future::pending().await;
                    }
                    if failures >= TRIES {
                        // Each try costs the user a request. The next call that succeeds shows that
                        // the server can be reached again.
                        tracing::warn!("the server's own messages cannot be received at present");
                        self.remote.reached.notified().await;
                        failures = TRIES - 1;
                    }
                    sleep(pause(failures).max(cursor.retry.unwrap_or_default())).await;
                };
                select! {
                    () = pause => {}
                    changed = sessions.changed() => match changed {
                        Ok(()) => break 'session,
                        Err(_) => return,
                    },
                }
            }
        }
    }

    async fn hear(&self, session: &Session, cursor: &Cursor) -> Heard {
        let reply = timeout(HEAD, self.remote.get(session, cursor.last_id.as_ref())).await;
        match reply {
            Ok(Ok(Reply::Accepted(response))) if is_media(response.headers(), "text/event-stream") => {
                Heard::Stream(Box::new(Events::new(response)))
            }
            Ok(Ok(Reply::Accepted(_))) => Heard::None,
            Ok(Ok(Reply::Refused(refusal))) if matches!(refusal.status.as_u16(), 404 | 405 | 501) => {
                Heard::None
            }
            Ok(Ok(Reply::Refused(refusal))) => {
                tracing::debug!("no stream for the server's own messages: HTTP {}", refusal.status);
                Heard::Failed
            }
            Ok(Err(error)) => {
                tracing::debug!("no stream for the server's own messages: {error}");
                Heard::Failed
            }
            Err(_) => Heard::Failed,
        }
    }
}

/// 1 s, 2 s, 4 s … 60 s.
fn pause(failures: u32) -> Duration {
    PAUSE.1.min(PAUSE.0 * 2u32.saturating_pow(failures.saturating_sub(1)))
}
