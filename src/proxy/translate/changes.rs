//! What the host wants to hear of: one `subscriptions/listen` in place of a session's own stream and of each
//! `resources/subscribe` (T-66 to T-68, 1.6-A).
//!
//! A subscription cannot be changed, so another one takes its place; the old one is read until the new one is
//! acknowledged, so that nothing falls between them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::select;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::Translation;
use super::meta;
use super::splice::quoted;
use crate::error::{Error, Name, Result};
use crate::proxy::Bearer;
use crate::proxy::bridge::Bridge;
use crate::proxy::envelope::{Envelope, Kind, member};
use crate::proxy::events::{Cursor, Events};
use crate::proxy::message::{self, INTERNAL_ERROR, INVALID_PARAMS, METHOD_NOT_FOUND};
use crate::proxy::modern::Modern;
use crate::proxy::remote::refusal::is_media;
use crate::proxy::remote::{Outgoing, Reply};

/// For a subscription to be acknowledged, a sign-in in between included.
const OPENING: Duration = Duration::from_secs(30);
/// Failures in a row until nothing is tried before something else succeeds, and the pause between two.
const TRIES: u32 = 8;
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// A stream that lived this long was a good one.
const STEADY: Duration = Duration::from_secs(30);
/// The most resources, and the longest name of one in bytes.
const MOST: (usize, usize) = (1024, 8192);

/// What the host wants, and what it has.
#[derive(Debug, Default)]
pub(super) struct Changes {
    wanted: watch::Sender<Wanted>,
    /// The number of the last wish that was carried out or refused, and whether it was carried out.
    done: watch::Sender<(u64, bool)>,
}

#[derive(Debug, Clone, Default)]
struct Wanted {
    /// Grows with each wish.
    number: u64,
    /// The resources, as JSON texts.
    uris: BTreeSet<String>,
}

impl Translation {
    /// What to subscribe to, as JSON text; nothing if there is nothing to hear of.
    fn filter(&self, wanted: &Wanted) -> Option<String> {
        let lists = [
            ("toolsListChanged", self.offers.tools),
            ("promptsListChanged", self.offers.prompts),
            ("resourcesListChanged", self.offers.resources),
        ];
        let lists = lists.iter().filter(|(_, offered)| *offered).map(|(name, _)| format!("\"{name}\":true"));
        let uris: Vec<_> = wanted.uris.iter().map(String::as_str).collect();
        let uris = (!uris.is_empty()).then(|| format!("\"resourceSubscriptions\":[{}]", uris.join(",")));
        let all: Vec<_> = lists.chain(uris).collect();
        (!all.is_empty()).then(|| format!("{{{}}}", all.join(",")))
    }

    /// What may have changed while nobody listened: for all the host knows, everything (T-68).
    fn doubts(&self, wanted: &Wanted) -> Vec<String> {
        let lists = [
            ("tools", self.offers.tools),
            ("prompts", self.offers.prompts),
            ("resources", self.offers.resources),
        ];
        let lists = lists
            .iter()
            .filter(|(_, offered)| *offered)
            .map(|(list, _)| format!(r#"{{"jsonrpc":"2.0","method":"notifications/{list}/list_changed"}}"#));
        let updated = wanted.uris.iter().map(|uri| {
            format!(
                r#"{{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{{"uri":{uri}}}}}"#
            )
        });
        lists.chain(updated).collect()
    }
}

impl<B: Bearer> Bridge<B> {
    /// Carries `resources/subscribe` and `resources/unsubscribe` out.
    pub(super) async fn subscribe(
        self: &Arc<Self>,
        translation: &Translation,
        method: &str,
        params: Option<&str>,
    ) -> std::result::Result<(), (i32, &'static str)> {
        if !translation.offers.subscribe {
            return Err((METHOD_NOT_FOUND, "the server offers no subscriptions to resources"));
        }
        let uri = params.and_then(|params| member(params, "uri")).filter(|uri| uri.starts_with('"'));
        let uri = uri.filter(|uri| uri.len() <= MOST.1).ok_or((INVALID_PARAMS, "there is no uri"))?;
        // One spelling, so that what was subscribed to can be given up in another.
        let uri =
            quoted(&serde_json::from_str::<String>(uri).map_err(|_| (INVALID_PARAMS, "the uri is no text"))?);
        let mut done = translation.changes.done.subscribe();
        let (mut number, mut full) = (0, false);
        translation.changes.wanted.send_if_modified(|wanted| {
            full =
                wanted.uris.len() >= MOST.0 && method == "resources/subscribe" && !wanted.uris.contains(&uri);
            let changed = match method {
                "resources/subscribe" => !full && wanted.uris.insert(uri.clone()),
                _ => wanted.uris.remove(&uri),
            };
            wanted.number += u64::from(changed);
            number = wanted.number;
            changed
        });
        if full {
            return Err((INTERNAL_ERROR, "there are too many subscriptions"));
        }
        self.start_listening();
        if method == "resources/unsubscribe" {
            return Ok(());
        }
        let taken = timeout(OPENING, done.wait_for(|(last, _)| *last >= number)).await;
        if taken.is_ok_and(|done| done.is_ok_and(|done| done.1)) {
            return Ok(());
        }
        translation.changes.wanted.send_if_modified(|wanted| wanted.uris.remove(&uri));
        Err((INTERNAL_ERROR, "the server does not take the subscription"))
    }

    /// Relays what the server says unasked, until the proxy ends.
    pub(in crate::proxy) async fn listen_for(self: Arc<Self>, translation: Arc<Translation>) {
        let mut wishes = translation.changes.wanted.subscribe();
        let (mut present, mut failures, mut lost) = (None::<Events>, 0_u32, false);
        loop {
            let wanted = wishes.borrow_and_update().clone();
            let Some(filter) = translation.filter(&wanted) else {
                present = None;
                translation.changes.done.send_replace((wanted.number, true));
                if wishes.changed().await.is_err() {
                    return;
                }
                continue;
            };
            let opened = self.replace(&translation, &filter, &mut present).await;
            translation.changes.done.send_replace((wanted.number, opened.is_ok()));
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
                    Ok(message) if !is_end(&message) => self.relay(message).await,
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
                Ok(message) if !is_end(&message) => self.relay(message).await,
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
        let mut events = Events::new(response);
        let first = events.next(&mut Cursor::default()).await.map_err(|_| self.lost())?;
        match Envelope::peek(&first).map(|seen| seen.kind()) {
            Ok(Kind::Notification { method }) if method == "notifications/subscriptions/acknowledged" => {}
            // It has to come first; from a server that forgets it, nothing is lost.
            Ok(Kind::Notification { .. }) => self.relay(first).await,
            _ => return Err(Error::new(Name::BadResponse, format!("{host} refuses the subscription"))),
        }
        Ok(events)
    }

    async fn relay(&self, message: Vec<u8>) {
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
