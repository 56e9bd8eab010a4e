//! Batches, which one revision of MCP has (T-40).

use std::sync::Arc;

use bytes::Bytes;

use super::Dispatch;
use crate::proxy::Bearer;
use crate::proxy::call::{Call, Manner};
use crate::proxy::envelope::{self, Envelope, Kind};
use crate::proxy::message::{self, INVALID_REQUEST};

/// The one revision with batches (T-40).
const BATCHES: &str = "2025-03-26";

impl<B: Bearer> Dispatch<'_, B> {
    pub(super) async fn batch(&mut self, text: Bytes) {
        let (gate, outgoing) = (Arc::clone(&self.gate), self.outgoing(text.clone()).await);
        let bridge = Arc::clone(self.bridge);
        self.notes.spawn(async move {
            gate.wait().await;
            let translation = bridge.desk.now();
            let session = bridge.remote.sessions.current();
            let allowed = match &translation {
                Some(translation) => translation.told() == BATCHES,
                None => session.version.as_ref().is_some_and(|version| version == BATCHES),
            };
            let Some(ids) = allowed.then(|| requests_of(&text)).flatten() else {
                let refusal = message::refusal(None, INVALID_REQUEST, "a batch is not allowed here");
                return bridge.output.write(refusal).await;
            };
            if let Some(translation) = translation {
                return bridge.translate_batch(translation, &text).await;
            }
            if ids.is_empty() {
                bridge.send_note(outgoing, "a batch").await;
                return;
            }
            let asked = ids.into_iter().map(|id| bridge.pending.add(id, false, false)).collect();
            bridge.call(Call::new(asked, Manner::Session), outgoing).await;
        });
    }
}

/// The ids of a batch's requests; `None` if it is not one that may be sent.
fn requests_of(text: &[u8]) -> Option<Vec<&str>> {
    let members = envelope::members(text).ok().filter(|members| !members.is_empty())?;
    let mut ids = Vec::new();
    for member in members {
        match Envelope::peek(member.as_bytes()).ok()?.kind() {
            Kind::Request { method, .. } if method == "initialize" => return None,
            Kind::Request { id, .. } => ids.push(id),
            Kind::Odd => return None,
            Kind::Notification { .. } | Kind::Answer { .. } => {}
        }
    }
    Some(ids)
}
