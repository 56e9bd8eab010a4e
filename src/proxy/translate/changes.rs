//! What the host wants to hear of: one `subscriptions/listen` in place of a session's own stream and of each
//! `resources/subscribe` (T-66 to T-68, 1.6-A).
//!
//! A subscription cannot be changed, so another one takes its place; the old one is read until the new one is
//! acknowledged, so that nothing falls between them.

use std::sync::Arc;
use std::time::Duration;

use tokio::select;
use tokio::time::{Instant, sleep, timeout};

use super::Translation;
use super::meta;
use super::wishes::OPENING;
use crate::error::{Error, Name, Result};
use crate::proxy::Bearer;
use crate::proxy::bridge::Bridge;
use crate::proxy::envelope::{Envelope, Kind};
use crate::proxy::events::{Cursor, Events};
use crate::proxy::message;
use crate::proxy::modern::Modern;
use crate::proxy::remote::refusal::is_media;
use crate::proxy::remote::{Outgoing, Reply};

/// Failures in a row until nothing is tried before something else succeeds, and the pause between two.
const TRIES: u32 = 8;
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// A stream that lived this long was a good one.
const STEADY: Duration = Duration::from_secs(30);

impl<B: Bearer> Bridge<B> {
    /// Relays what the server says unasked, until the proxy ends.
    pub(in crate::proxy) async fn listen_for(self: Arc<Self>, translation: Arc<Translation>) {
        let mut wishes = translation.wishes.wanted.subscribe();
        let (mut present, mut failures, mut lost) = (None::<Events>, 0_u32, false);
        loop {
            let wanted = wishes.borrow_and_update().clone();
            let Some(filter) = translation.filter(&wanted) else {
                present = None;
                translation.wishes.done.send_replace((wanted.number, true));
                if wishes.changed().await.is_err() {
                    return;
                }
                continue;
            };
            let opened = self.replace(&translation, &filter, &mut present).await;
            translation.wishes.done.send_replace((wanted.number, opened.is_ok()));
            match opened {
                Ok(events) => {
                    present = Some(events);
                    if std::mem::take(&mut lost) {
                        for doubt in translation.doubts(&wanted) {
                            self.output.write(message::line(doubt.into_bytes())).await;
                        }
                    }
                }
                Err(error) => {
                    tracing::debug!("no subscription: {error}");
                    (failures, lost) = (failures + 1, true);
                }
            }
            let (begun, mut place) = (Instant::now(), Cursor::default());
            while let Some(events) = &mut present {
                self.output.ready().await;
                let message = select! {
                    message = events.next(&mut place) => message,
                    _ = wishes.changed() => break,
                };
                match message {
                    Ok(message) if !is_end(&message) => self.tell_plainly(message).await,
                    _ => {
                        (present, lost) = (None, true);
                        failures = if begun.elapsed() > STEADY { 1 } else { failures + 1 };
                    }
                }
            }
            if present.is_none() {
                select! {
                    () = self.breath(&mut failures) => {}
                    _ = wishes.changed() => {}
                }
            }
        }
    }

    /// Another subscription in place of the present one, which is read until then.
    async fn replace(
        &self,
        translation: &Translation,
        filter: &str,
        present: &mut Option<Events>,
    ) -> Result<Events> {
        let opening = timeout(OPENING, self.acknowledged(translation, filter));
        let mut opening = std::pin::pin!(opening);
        let (late, mut place) = (|_| self.late(), Cursor::default());
        loop {
            let Some(events) = present.as_mut() else { return opening.await.map_err(late)? };
            let message = select! {
                opened = &mut opening => return opened.map_err(late)?,
                message = events.next(&mut place) => message,
            };
            match message {
                Ok(message) if !is_end(&message) => self.tell_plainly(message).await,
                _ => *present = None,
            }
        }
    }

    async fn acknowledged(&self, translation: &Translation, filter: &str) -> Result<Events> {
        let host = self.remote.host();
        let params = format!("{{\"notifications\":{filter}}}");
        let params = meta::request(Some(&params), &translation.version, &translation.guest, None);
        let params = params.unwrap_or_default();
        let id = format!("chipp-auth-listen-{}", self.questions.number());
        let request = Outgoing {
            modern: Modern::of("subscriptions/listen", Some(&params)),
            ..Outgoing::own(message::request(&id, "subscriptions/listen", &params))
        };
        let response = match self.remote.post(&request).await? {
            Reply::Accepted(response) => response,
            Reply::Refused(refusal) => return Err(refusal.into_error(host)),
        };
        if !is_media(response.headers(), "text/event-stream") {
            return Err(Error::new(Name::BadResponse, format!("{host} opens no stream")));
        }
        let mut events = Events::new(response, &self.remote.budget);
        let first = events.next(&mut Cursor::default()).await.map_err(|_| self.lost())?;
        match Envelope::peek(&first).map(|seen| seen.kind()) {
            Ok(Kind::Notification { method }) if method == "notifications/subscriptions/acknowledged" => {}
            // It has to come first; from a server that forgets it, nothing is lost.
            Ok(Kind::Notification { .. }) => self.tell_plainly(first).await,
            _ => return Err(Error::new(Name::BadResponse, format!("{host} refuses the subscription"))),
        }
        Ok(events)
    }

    async fn tell_plainly(&self, message: Vec<u8>) {
        if matches!(Envelope::peek(&message).map(|seen| seen.kind()), Ok(Kind::Notification { .. })) {
            let plain = meta::without_subscription(&message).map_or(message, String::into_bytes);
            self.output.write(message::line(plain)).await;
        }
    }

    /// The pause before the next try. Each costs the user a request: after some failures in a row, the next
    /// call that succeeds has to show first that the server can be reached.
    async fn breath(&self, failures: &mut u32) {
        if *failures >= TRIES {
            self.remote.reached.notified().await;
            *failures = TRIES - 1;
        }
        sleep(PAUSE.1.min(PAUSE.0 * 2_u32.saturating_pow(failures.saturating_sub(1)))).await;
    }
}

/// Whether the server ends the subscription: the one answer to it.
fn is_end(message: &[u8]) -> bool {
    matches!(Envelope::peek(message).map(|seen| seen.kind()), Ok(Kind::Answer { .. }))
}
