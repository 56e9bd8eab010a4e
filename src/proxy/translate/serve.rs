//! What becomes of a host's messages at a server of the newer era (1.6-A).

use std::sync::{Arc, PoisonError};

use bytes::Bytes;
use futures_util::future::join_all;

use super::splice::with;
use super::{Translation, meta};
use crate::proxy::Bearer;
use crate::proxy::bridge::Bridge;
use crate::proxy::call::{Call, Manner, Watch};
use crate::proxy::envelope::{self, Envelope, Kind, member, string};
use crate::proxy::message::{self, INTERNAL_ERROR, INVALID_PARAMS, METHOD_NOT_FOUND};
use crate::proxy::modern::{Asks, Modern};
use crate::proxy::remote::Outgoing;

/// The levels of a log, as MCP knows them.
const LEVELS: [&str; 8] = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];

/// Why a request is refused here: JSON-RPC's code, and what to say.
type Refused = (i32, &'static str);

impl<B: Bearer> Bridge<B> {
    /// Carries a request out, or answers it here.
    pub(in crate::proxy) async fn translate(
        self: &Arc<Self>,
        translation: Arc<Translation>,
        call: Call,
        outgoing: Outgoing,
    ) {
        let text = outgoing.bytes.clone();
        let envelope = Envelope::peek(&text).unwrap_or_default();
        let method = envelope.method.map(string).unwrap_or_default();
        let done = match &*method {
            // Removed in 2026-07-28: each request shows that the server lives.
            "ping" => Ok(()),
            "logging/setLevel" => translation.set_level(envelope.params),
            "resources/subscribe" | "resources/unsubscribe" => {
                self.subscribe(&translation, &method, envelope.params).await
            }
            // The tasks of 2025-11-25 are no more, and were not offered.
            method if method.starts_with("tasks/") => Err((METHOD_NOT_FOUND, "the server offers no tasks")),
            _ => match self.send_translated(&translation, call, outgoing, (&envelope, &method)).await {
                Ok(()) => return,
                Err((call, refused)) => return self.settle(&call, Err(refused)).await,
            },
        };
        self.settle(&call, done).await;
    }

    /// Sends a request as one that stands for itself.
    ///
    /// # Errors
    /// With the call, if nothing can be sent.
    async fn send_translated(
        &self,
        translation: &Arc<Translation>,
        mut call: Call,
        mut outgoing: Outgoing,
        (envelope, method): (&Envelope<'_>, &str),
    ) -> Result<(), (Call, Refused)> {
        let (version, level) = (&translation.version, translation.level());
        let params = meta::request(envelope.params, version, &translation.guest, level.as_deref());
        let text = params
            .as_deref()
            .and_then(|params| with(std::str::from_utf8(&outgoing.bytes).ok()?, &[("params", Some(params))]));
        let Some((params, text)) = params.zip(text) else {
            return Err((call, (INVALID_PARAMS, "the parameters are no object")));
        };
        let Ok(Some(modern)) = self.headers_for(method, &params) else {
            return Err((call, (INTERNAL_ERROR, "the request does not fit into the headers that it needs")));
        };
        call.manner = Manner::Stateless(modern.asks);
        for ticket in &call.asked {
            ticket.needs_no_session();
        }
        call.watch = Watch::over(method, translation);
        outgoing.bytes = text.into();
        outgoing.modern = Some(modern);
        self.call(call, outgoing).await;
        Ok(())
    }

    /// The headers of a translated request (T-50 to T-54).
    ///
    /// # Errors
    /// `too-large`.
    pub(super) fn headers_for(
        &self,
        method: &str,
        params: &str,
    ) -> crate::error::Result<Option<Box<Modern>>> {
        let mut modern = Modern::of(method, Some(params));
        if let Some(modern) = modern.as_mut().filter(|modern| modern.asks == Asks::Call) {
            modern.mirrored = self.remote.tools.mirror(params)?;
        }
        Ok(modern)
    }

    /// Answers a request here.
    async fn settle(&self, call: &Call, done: Result<(), Refused>) {
        for ticket in call.asked.iter().filter(|ticket| self.pending.take_this(ticket)) {
            self.output
                .write(match done {
                    Ok(()) => message::pong(&ticket.id),
                    Err((code, text)) => message::refusal(Some(&ticket.id), code, text),
                })
                .await;
        }
    }

    /// Passes a notification on, if there is anybody whom it concerns.
    pub(in crate::proxy) async fn translate_note(&self, translation: &Translation, mut outgoing: Outgoing) {
        let text = outgoing.bytes.clone();
        let envelope = Envelope::peek(&text).unwrap_or_default();
        let method = envelope.method.map(string).unwrap_or_default();
        // These are about a session, or about requests of the server, which makes none.
        let of_sessions = [
            "notifications/initialized",
            "notifications/cancelled",
            "notifications/progress",
            "notifications/roots/list_changed",
            "notifications/tasks/status",
        ];
        if of_sessions.contains(&&*method) {
            return;
        }
        let translated = meta::request(envelope.params, &translation.version, &translation.guest, None)
            .and_then(|params| {
                let modern = Modern::of(&method, Some(&params))?;
                Some((modern, with(std::str::from_utf8(&text).ok()?, &[("params", Some(&params))])?))
            });
        if let Some((modern, text)) = translated {
            outgoing.bytes = text.into();
            outgoing.modern = Some(modern);
            self.send_note(outgoing, "a notification").await;
        }
    }

    /// Takes a batch apart (T-40). Each of its requests has its own answer.
    pub(in crate::proxy) async fn translate_batch(
        self: &Arc<Self>,
        translation: Arc<Translation>,
        text: &Bytes,
    ) {
        let each = envelope::members(text).unwrap_or_default().into_iter().map(|member| {
            let (outgoing, translation) = (Outgoing::own(member.to_owned()), Arc::clone(&translation));
            async move {
                match Envelope::peek(member.as_bytes()).unwrap_or_default().kind() {
                    Kind::Request { id, .. } => {
                        let ticket = self.pending.add(id, false, true);
                        let outgoing = Outgoing { sent: Arc::clone(&ticket.sent), ..outgoing };
                        self.translate(translation, Call::of(ticket), outgoing).await;
                    }
                    Kind::Notification { .. } => self.translate_note(&translation, outgoing).await,
                    Kind::Answer { id } => drop(self.questions.take(id, &outgoing.bytes)),
                    Kind::Odd => {}
                }
            }
        });
        join_all(each).await;
    }
}

impl Translation {
    /// Remembers what the host wants to see of the server's log.
    fn set_level(&self, params: Option<&str>) -> Result<(), Refused> {
        if !self.offers.logging {
            return Err((METHOD_NOT_FOUND, "the server keeps no log for its clients"));
        }
        let level = params.and_then(|params| member(params, "level")).map(string).unwrap_or_default();
        let level =
            LEVELS.iter().find(|known| **known == level).ok_or((INVALID_PARAMS, "there is no such level"))?;
        *self.level.lock().unwrap_or_else(PoisonError::into_inner) = Some((*level).to_owned());
        Ok(())
    }
}
