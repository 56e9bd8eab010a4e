//! An answer that is looked at before the host gets it, because the host may be better served with another.

use std::sync::Arc;

use http::StatusCode;

use super::Call;
use crate::proxy::envelope::{Envelope, Kind, id_key};
use crate::proxy::era::verdict::{Verdict, verdict};
use crate::proxy::translate::splice::with;
use crate::proxy::translate::{Translation, is_required};

/// What is looked for, and what was found.
pub(in crate::proxy) struct Watch {
    /// `None` for an `initialize`.
    translation: Option<Arc<Translation>>,
    /// The id under which the request has gone, where it is not the host's; as JSON text.
    alias: Option<String>,
    held: Option<Vec<u8>>,
}

impl Watch {
    /// For the answer to `initialize` of a server that opens no sessions.
    pub(in crate::proxy) fn opening() -> Self {
        Watch { translation: None, alias: None, held: None }
    }

    /// For a result that asks for something first.
    pub(in crate::proxy) fn rounds(translation: Arc<Translation>) -> Self {
        Watch { translation: Some(translation), alias: None, held: None }
    }

    /// The message, under the host's id; `None` if it is kept here instead.
    pub(super) fn look(&mut self, id: &str, message: Vec<u8>) -> Option<Vec<u8>> {
        let Ok(seen) = Envelope::peek(&message) else { return Some(message) };
        let own = self.alias.as_deref().unwrap_or(id);
        if !matches!(seen.kind(), Kind::Answer { id } if id_key(id) == id_key(own)) {
            return Some(message);
        }
        let keep = match &self.translation {
            Some(_) => seen.result.is_some_and(is_required),
            None => {
                seen.error.is_some() && matches!(verdict(StatusCode::OK, &message), Verdict::Modern { .. })
            }
        };
        if keep {
            self.held = Some(message);
            return None;
        }
        match &self.alias {
            None => Some(message),
            Some(_) => {
                let renamed =
                    std::str::from_utf8(&message).ok().and_then(|text| with(text, &[("id", Some(id))]));
                Some(renamed.map_or(message, String::into_bytes))
            }
        }
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
        Some((Arc::clone(watch.translation.as_ref()?), watch.held.take()?))
    }

    /// The next request has this id.
    pub(in crate::proxy) fn goes_as(&mut self, id: String) {
        if let Some(watch) = &mut self.watch {
            watch.alias = Some(id);
        }
    }
}
