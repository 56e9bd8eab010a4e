//! An answer that is looked at before the host gets it, because the host may be better served with another.

use std::sync::Arc;

use http::StatusCode;

use super::Call;
use crate::proxy::envelope::{Envelope, Kind, id_key};
use crate::proxy::era::verdict::{Verdict, verdict};
use crate::proxy::translate::splice::with;
use crate::proxy::translate::{self, Translation};

/// What is looked for, and what was found.
pub(in crate::proxy) struct Watch {
    what: What,
    /// The id under which the request has gone, where it is not the host's; as JSON text.
    alias: Option<String>,
    held: Option<Vec<u8>>,
}

enum What {
    /// The answer to `initialize` of a server that opens no sessions.
    Refusal,
    /// A list of tools, as an older host can take it.
    Tools,
    /// A result that asks for something first.
    Question(Arc<Translation>),
}

impl Watch {
    /// For `initialize`.
    pub(in crate::proxy) fn opening() -> Self {
        Watch { what: What::Refusal, alias: None, held: None }
    }

    /// For a translated request.
    pub(in crate::proxy) fn over(method: &str, translation: &Arc<Translation>) -> Option<Self> {
        let what = match method {
            "tools/list" => What::Tools,
            // No other results may ask for something first.
            "tools/call" | "prompts/get" | "resources/read" => What::Question(Arc::clone(translation)),
            _ => return None,
        };
        Some(Watch { what, alias: None, held: None })
    }

    /// The message, as the host gets it; `None` if it is kept here instead.
    pub(super) fn look(&mut self, id: &str, message: Vec<u8>) -> Option<Vec<u8>> {
        let Ok(seen) = Envelope::peek(&message) else { return Some(message) };
        let own = self.alias.as_deref().unwrap_or(id);
        if !matches!(seen.kind(), Kind::Answer { id } if id_key(id) == id_key(own)) {
            return Some(message);
        }
        let kept = match &self.what {
            What::Refusal => matches!(verdict(StatusCode::OK, &message), Verdict::Modern { .. }),
            What::Tools => false,
            What::Question(_) => seen.result.is_some_and(translate::is_required),
        };
        if kept {
            self.held = Some(message);
            return None;
        }
        let plain = match &self.what {
            What::Refusal => None,
            What::Tools => seen.result.and_then(translate::plain_tools),
            What::Question(_) => seen.result.and_then(translate::plain_result),
        };
        let changes = [("id", self.alias.as_ref().map(|_| id)), ("result", plain.as_deref())];
        let changes: Vec<_> = changes.into_iter().filter(|(_, change)| change.is_some()).collect();
        if changes.is_empty() {
            return Some(message);
        }
        let changed = std::str::from_utf8(&message).ok().and_then(|text| with(text, &changes));
        Some(changed.map_or(message, String::into_bytes))
    }
}

impl Call {
    /// Whether there is an answer that the host does not get.
    pub(super) fn is_holding(&self) -> bool {
        self.watch.as_ref().is_some_and(|watch| watch.held.is_some())
    }

    /// Takes the answer to `initialize` that was kept.
    pub(in crate::proxy) fn refused(&mut self) -> Option<Vec<u8>> {
        self.watch.as_mut()?.held.take()
    }

    /// Takes the result that asks for something first.
    pub(in crate::proxy) fn held(&mut self) -> Option<(Arc<Translation>, Vec<u8>)> {
        let watch = self.watch.as_mut()?;
        let What::Question(translation) = &watch.what else { return None };
        Some((Arc::clone(translation), watch.held.take()?))
    }

    /// The next request has this id.
    pub(in crate::proxy) fn goes_as(&mut self, id: String) {
        if let Some(watch) = &mut self.watch {
            watch.alias = Some(id);
        }
    }
}
