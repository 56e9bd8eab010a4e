//! What the host wants to hear of: the lists that the server offers to watch, and the resources that the host
//! subscribes to one by one.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use super::Translation;
use super::splice::quoted;
use crate::proxy::Bearer;
use crate::proxy::bridge::Bridge;
use crate::proxy::envelope::member;
use crate::proxy::message::{INTERNAL_ERROR, INVALID_PARAMS, METHOD_NOT_FOUND};

/// For a subscription to be in force, a sign-in in between included.
pub(super) const OPENING: Duration = Duration::from_secs(30);
/// The most resources, and the longest name of one in bytes.
const MOST: (usize, usize) = (1024, 8192);

/// What the host wants, and what it has.
#[derive(Debug, Default)]
pub(super) struct Wishes {
    pub(super) wanted: watch::Sender<Wanted>,
    /// The number of the last wish that was carried out or refused, and whether it was carried out.
    pub(super) done: watch::Sender<(u64, bool)>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    /// Grows with each wish.
    pub(super) number: u64,
    /// The resources, as JSON texts.
    uris: BTreeSet<String>,
}

impl Translation {
    /// What to subscribe to, as JSON text; nothing if there is nothing to hear of.
    pub(super) fn filter(&self, wanted: &Wanted) -> Option<String> {
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
    pub(super) fn doubts(&self, wanted: &Wanted) -> Vec<String> {
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
        let mut done = translation.wishes.done.subscribe();
        let (mut number, mut full) = (0, false);
        translation.wishes.wanted.send_if_modified(|wanted| {
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
        translation.wishes.wanted.send_if_modified(|wanted| wanted.uris.remove(&uri));
        Err((INTERNAL_ERROR, "the server does not take the subscription"))
    }
}
