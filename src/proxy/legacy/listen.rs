//! The stream on which a server speaks without being asked: changed lists, log lines, requests of its
//! own (T-26, T-28). What it says is merged with what comes on the streams of calls (T-29). Open from
//! `initialized` to the end.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

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
/// The longest pause that a server may ask for.
const LONGEST: Duration = Duration::from_secs(3600);
/// How often a session is opened again for the sake of this stream alone.
const RENEW: Duration = Duration::from_secs(300);
/// A stream that lived this long was a good one, even if it brought nothing.
const STEADY: Duration = Duration::from_secs(30);
/// For the head of the answer. Servers may send it with their first event only, so it is long.
const HEAD: Duration = Duration::from_secs(300);

enum Heard {
    Stream(Box<Events>),
    /// The server offers none.
    None,
    /// Nor any more in this session (404).
    Gone,
    /// Perhaps later; not before the server wants it.
    Failed(Duration),
}

impl<B: Bearer> Bridge<B> {
    /// Relays what the server says until the proxy ends. Writing is never raced against anything: a
    /// line must not be left half-written.
    pub(in crate::proxy) async fn listen(self: Arc<Self>) {
        let mut sessions = self.remote.sessions.subscribe();
        let mut renewed: Option<Instant> = None;
        loop {
            let session = Arc::clone(&sessions.borrow_and_update());
            let mut cursor = Cursor::default();
            let mut failures = 0;
            let (mut offered, mut was_good) = (true, false);
            'session: loop {
                let mut at_least = Duration::ZERO;
                let heard = select! {
                    heard = self.hear(&session, &cursor) => heard,
                    _ = sessions.changed() => break 'session,
                };
                match heard {
                    // A server that has kept such a stream in this session does not know the session any more
                    // (T-23). It is opened again now, and not with the host's next call, which may be hours away;
                    // but not again and again, since each time costs a handful of requests.
                    Heard::Gone if was_good && renewed.is_none_or(|then| then.elapsed() > RENEW) => {
                        renewed = Some(Instant::now());
                        match self.remote.renew(&session).await {
                            Ok(_) => break 'session,
                            Err(why) => {
                                tracing::warn!("the server's own messages cannot be received: {why}");
                                offered = false;
                            }
                        }
                    }
                    Heard::None | Heard::Gone => offered = false,
                    Heard::Failed(wait) => {
                        failures += 1;
                        at_least = wait;
                    }
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
                        let good = brought || begun.elapsed() > STEADY;
                        was_good |= good;
                        failures = if good { 0 } else { failures + 1 };
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
                    let wanted = cursor.retry.unwrap_or_default().max(at_least);
                    sleep(pause(failures).max(wanted)).await;
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
                Heard::Stream(Box::new(Events::new(response, &self.remote.budget)))
            }
            Ok(Ok(Reply::Accepted(_))) => Heard::None,
            Ok(Ok(Reply::Refused(refusal))) if refusal.is_session_gone() => Heard::Gone,
            Ok(Ok(Reply::Refused(refusal))) if matches!(refusal.status.as_u16(), 404 | 405 | 501) => {
                Heard::None
            }
            Ok(Ok(Reply::Refused(refusal))) => {
                tracing::debug!("no stream for the server's own messages: HTTP {}", refusal.status);
                Heard::Failed(refusal.wait(SystemTime::now()).unwrap_or_default().min(LONGEST))
            }
            Ok(Err(error)) => {
                tracing::debug!("no stream for the server's own messages: {error}");
                Heard::Failed(Duration::ZERO)
            }
            Err(_) => Heard::Failed(Duration::ZERO),
        }
    }
}

/// 1 s, 2 s, 4 s … 60 s.
fn pause(failures: u32) -> Duration {
    PAUSE.1.min(PAUSE.0 * 2u32.saturating_pow(failures.saturating_sub(1)))
}
