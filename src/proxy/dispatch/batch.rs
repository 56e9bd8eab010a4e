//! Batches, which one revision of MCP has (T-40).

use std::sync::Arc;

use bytes::Bytes;

use super::Dispatch;
use super::request::MOST;
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
            let (ids, sound) = requests_of(&text);
            if !allowed || !sound {
                // Each of them waits for an answer of its own.
                let refused = ids.into_iter().map(Some).collect::<Vec<_>>();
                for id in if refused.is_empty() { vec![None] } else { refused } {
                    let refusal = message::refusal(id, INVALID_REQUEST, "a batch is not allowed here");
                    bridge.output.write(refusal).await;
                }
                return;
            }
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

/// The ids of a batch's requests, and whether it is one that may be sent.
fn requests_of(text: &[u8]) -> (Vec<&str>, bool) {
    let members = envelope::members(text).unwrap_or_default();
    let mut sound = !members.is_empty();
    let mut ids = Vec::new();
    for member in members {
        match Envelope::peek(member.as_bytes()).map(|envelope| envelope.kind()) {
            Ok(Kind::Request { id, method }) => {
                sound &= method != "initialize";
                ids.push(id);
            }
            Ok(Kind::Notification { .. } | Kind::Answer { .. }) => {}
            Ok(Kind::Odd) | Err(_) => sound = false,
        }
    }
    sound &= ids.len() <= MOST;
    (ids, sound)
}
