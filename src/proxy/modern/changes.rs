//! `subscriptions/listen`: a request whose stream stays open and tells of changes (T-66 to T-68).
//!
//! Nothing limits how long it is silent. A break is not the host's to see: on its pipe there is no stream that
//! could be closed, so the same request is posted again, with the same id, since that is the name of the
//! subscription (T-67). What the server would have told in between is lost, and the host is told instead that
//! everything it wants to hear about may have changed. Each try costs the user a request, so there are few in
//! a row; then the request is answered with an error, and the host can ask anew (D-2).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use tokio::time::{Instant, sleep};

use super::json::elements;
use crate::error::{Error, Name, Result};
use crate::proxy::Bearer;
use crate::proxy::bridge::Bridge;
use crate::proxy::call::Call;
use crate::proxy::envelope::{Envelope, member, string};
use crate::proxy::events::{Cursor, Events, Stop};
use crate::proxy::message;
use crate::proxy::pending::Ticket;
use crate::proxy::remote::refusal::is_media;
use crate::proxy::remote::{Outgoing, Reply};

const ACKNOWLEDGED: &str = "notifications/subscriptions/acknowledged";
/// What can be listened to: its name in the filter, and the notification of it.
const LISTS: [(&str, &str); 3] = [
    ("toolsListChanged", "notifications/tools/list_changed"),
    ("promptsListChanged", "notifications/prompts/list_changed"),
    ("resourcesListChanged", "notifications/resources/list_changed"),
];
/// Streams in a row that brought nothing until the request is given up, and the pause before the next one,
/// which doubles.
const TRIES: u32 = 8;
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// A stream that lived this long was a good one, even if it brought nothing.
const STEADY: Duration = Duration::from_secs(30);

/// What a server has agreed to tell.
#[derive(Debug, Default, PartialEq, Eq)]
struct Filter {
    /// Notifications without any contents.
    lists: Vec<&'static str>,
    /// The resources, as JSON texts.
    resources: BTreeSet<String>,
}

/// How one stream of the subscription ended.
enum Ended {
    /// With the answer, which the host has.
    Answered,
    /// Without; the next one may be better.
    Broken(Error),
}

/// A subscription, as far as it has come.
struct Subscription {
    ticket: Arc<Ticket>,
    /// The request, to be posted again.
    outgoing: Outgoing,
    /// What was acknowledged, once it was.
    filter: Option<Filter>,
    cursor: Cursor,
    /// Whether the present stream has brought anything beyond its acknowledgement.
    brought: bool,
}

impl<B: Bearer> Bridge<B> {
    /// Listens until the server ends the subscription, or does not take it up again.
    ///
    /// # Errors
    /// As any request, and the last try's once there were too many.
    pub(in crate::proxy) async fn attend(&self, call: &mut Call, outgoing: Outgoing) -> Result<()> {
        let Some(ticket) = call.asked.first().map(Arc::clone) else { return Ok(()) };
        ticket.keeps_open();
        let mut subscription =
            Subscription { ticket, outgoing, filter: None, cursor: Cursor::default(), brought: false };
        let mut failures = 0;
        loop {
            let begun = Instant::now();
            subscription.brought = false;
            let error = match self.attend_once(call, &mut subscription).await? {
                Ended::Answered => return Ok(()),
                Ended::Broken(error) => error,
            };
            let was_good = subscription.brought || begun.elapsed() > STEADY;
            failures = if was_good { 0 } else { failures + 1 };
            // What was never agreed to is the host's to ask for again.
            if failures == TRIES || subscription.filter.is_none() {
                return Err(error);
            }
            sleep(pause(failures, subscription.cursor.retry)).await;
        }
    }

    /// One stream of a subscription.
    async fn attend_once(&self, call: &mut Call, subscription: &mut Subscription) -> Result<Ended> {
        let patience = self.patience(&call.asked);
        let again = subscription.filter.is_some();
        let response = match self.post(&subscription.outgoing, &patience).await.map(|(reply, _)| reply) {
            Ok(Reply::Accepted(response)) => response,
            Ok(Reply::Refused(refusal)) if again && may_pass(refusal.status) => {
                return Ok(Ended::Broken(refusal.into_error(self.remote.host())));
            }
            Ok(Reply::Refused(refusal)) => {
                return self.pass_refusal(call, refusal).await.map(|()| Ended::Answered);
            }
            Err(error) if error.name().row().retryable || error.name() == Name::StreamLost => {
                return Ok(Ended::Broken(error));
            }
            Err(error) => return Err(error),
        };
        if !is_media(response.headers(), "text/event-stream") {
            return self.read(call, response, &patience).await.map(|()| Ended::Answered);
        }
        let mut events = Events::new(response, &self.remote.budget);
        loop {
            self.output.ready().await;
            match events.next(&mut subscription.cursor).await {
                Ok(message) => self.tell(call, subscription, message).await,
                Err(Stop::TooLarge) => return Err(self.too_large()),
                Err(Stop::Ended) => return Ok(Ended::Broken(self.lost())),
            }
            if subscription.ticket.is_answered() {
                return Ok(Ended::Answered);
            }
        }
    }

    /// Takes one message of the stream: everything goes to the host, but for what it has been told before.
    async fn tell(&self, call: &mut Call, subscription: &mut Subscription, message: Vec<u8>) {
        let Some(filter) = acknowledged(&message) else {
            subscription.brought = true;
            return self.pass_on(call, message).await;
        };
        let before = subscription.filter.replace(filter);
        if before != subscription.filter {
            self.pass_on(call, message).await;
        }
        let (Some(_), Some(now)) = (before, &subscription.filter) else { return };
        tracing::info!("a subscription was interrupted; telling the host that there may be changes");
        let ticket = &subscription.ticket;
        for line in now.changes(&ticket.id) {
            if !ticket.is_answered() {
                ticket.write(self.output.write(line)).await;
            }
        }
    }
}

/// Whether a refusal is one of the moment.
fn may_pass(status: StatusCode) -> bool {
    status.is_server_error() || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS)
}

/// The pause after so many failures in a row: the server's wish where it has one, doubled each time.
fn pause(failures: u32, wish: Option<Duration>) -> Duration {
    let first = wish.unwrap_or(PAUSE.0);
    // Streams that bring something and break off might otherwise follow each other without end.
    let first = if failures == 0 { first.max(PAUSE.0) } else { first };
    let most = PAUSE.1.max(first);
    first.saturating_mul(2u32.saturating_pow(failures)).min(most)
}

impl Filter {
    /// Lines which say that everything may have changed. `id` is the listening request's.
    fn changes(&self, id: &str) -> Vec<Vec<u8>> {
        let change = |method: &str, more: String| {
            let meta = format!("{{\"io.modelcontextprotocol/subscriptionId\":{id}}}");
            message::line(message::note(method, &format!("{{\"_meta\":{meta}{more}}}")).into_bytes())
        };
        let lists = self.lists.iter().map(|method| change(method, String::new()));
        let updated = |uri| change("notifications/resources/updated", format!(",\"uri\":{uri}"));
        lists.chain(self.resources.iter().map(updated)).collect()
    }
}

/// What the server agrees to, if this message says so.
fn acknowledged(message: &[u8]) -> Option<Filter> {
    let envelope = Envelope::peek(message).ok()?;
    let is_it = envelope.id.is_none() && string(envelope.method?) == ACKNOWLEDGED;
    let agreed = member(envelope.params.filter(|_| is_it)?, "notifications").unwrap_or("{}");
    let wanted = |name: &str| member(agreed, name).is_some_and(|value| value == "true");
    let resources = member(agreed, "resourceSubscriptions").and_then(elements).unwrap_or_default();
    Some(Filter {
        lists: LISTS.iter().filter(|(name, _)| wanted(name)).map(|(_, method)| *method).collect(),
        resources: resources.iter().filter(|uri| uri.starts_with('"')).map(|uri| (*uri).to_owned()).collect(),
    })
}
