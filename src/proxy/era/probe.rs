//! A host that asks for the newer era: `server/discover`, sent as it is, with the token that there is.
//!
//! Hosts send it before anything else, often from a process of its own that lives for this one question, and
//! take every answer that no newer server would give for "go on with `initialize`" (checklist 1.5 rows 5 and
//! 6, 1.7). So it never waits for a person and never opens a browser; where it cannot be answered it is refused
//! in a way that leads there. Since that works at whatever server, nobody is kept out by it.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::Known;
use super::ask::Answer;
use super::verdict::{Verdict, is_modern_error, is_unknown_method, verdict};
use crate::error::{Error, Name, Result};
use crate::proxy::Bearer;
use crate::proxy::bridge::Bridge;
use crate::proxy::envelope::{Envelope, Kind, id_key};
use crate::proxy::legacy::session::Session;
use crate::proxy::message::{self, METHOD_NOT_FOUND};
use crate::proxy::pending::Ticket;
use crate::proxy::remote::{Draft, Outgoing};
use crate::proxy::translate::splice;

/// For the whole of it. Hosts wait 10 seconds at the least.
const LIMIT: Duration = Duration::from_secs(3);

impl<B: Bearer> Bridge<B> {
    /// Answers a probe.
    pub(in crate::proxy) async fn probe(&self, ticket: &Arc<Ticket>, outgoing: Outgoing) {
        let discovered = tokio::select! {
            discovered = self.discovered(&ticket.id, outgoing) => discovered,
            // What closes its stream, and says all that there is to say (T-59).
            () = ticket.cancelled() => return,
        };
        let line = match discovered {
            Ok(message) => message::line(message),
            Err(why) => {
                tracing::debug!("no answer for a probe: {why}");
                let text = format!("there is no method server/discover here: {}", why.what());
                message::refusal(Some(&ticket.id), METHOD_NOT_FOUND, &text)
            }
        };
        if self.pending.take_this(ticket) {
            self.output.write(line).await;
        }
    }

    /// What the server says to the probe, if it is something that only a newer server says, or no failure.
    async fn discovered(&self, id: &str, outgoing: Outgoing) -> Result<Vec<u8>> {
        let host = self.remote.host();
        let older = || Error::new(Name::BadResponse, format!("{host} speaks MCP with sessions only"));
        if self.remote.era.recall() == Some(Known::Legacy) {
            return Err(older());
        }
        let late = |_| Error::new(Name::Timeout, format!("{host} did not answer in time"));
        let Answer { status, message } = timeout(LIMIT, self.ask_once(&outgoing)).await.map_err(late)??;
        let seen = Envelope::peek(&message).unwrap_or_default();
        let own = matches!(seen.kind(), Kind::Answer { id: other } if id_key(other) == id_key(id));
        let speaks = status.is_success() || status.is_client_error();
        if let Some(error) = seen.error.filter(|error| speaks && is_modern_error(error)) {
            // What the server could not attribute can only be about this (T-08).
            let named = || splice::with(std::str::from_utf8(&message).ok()?, &[("id", Some(id))]);
            let unnamed = || format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{error}}}"#);
            return Ok(if own { message } else { named().unwrap_or_else(unnamed).into_bytes() });
        }
        if status.is_success() && own && seen.result.is_some() {
            if self.remote.era.recall() == Some(Known::Legacy) {
                self.remote.era.forget();
            }
            return Ok(message);
        }
        let unknown = seen.error.is_some_and(is_unknown_method);
        match verdict(status, &message) {
            // Row 6: neither an error of the newer era nor anything that ends the host's interest.
            Verdict::Unknown4xx => self.remote.era.learn(Known::Legacy),
            Verdict::Modern { .. } if unknown => self.remote.era.learn(Known::Legacy),
            Verdict::Modern { .. } => {}
            Verdict::Other if status.is_success() && own => return Ok(message),
            // T-82: nothing is learned from a wall, a gateway or a failure.
            _ => {
                let what = format!("{host} answered HTTP {}", status.as_u16());
                return Err(Error::new(Name::BadResponse, what));
            }
        }
        Err(older())
    }

    /// The request, once: a refused token is not renewed and nobody is asked for another.
    async fn ask_once(&self, outgoing: &Outgoing) -> Result<Answer> {
        let access = self.remote.bearer.bearer().await?;
        let session = Session::default();
        let draft = Draft::post(outgoing, &session);
        self.remote.discovery(self.remote.send(&draft, access.as_ref()).await?).await
    }
}
