//! A host that knows sessions only, at a server that may know none: the server is asked what it is, and if it
//! is of the newer era, the host gets a session all the same (checklist 1.5 row 4).

use tokio::time::timeout_at;

use super::verdict::{Verdict, is_modern, verdict};
use super::{Known, NEWEST};
use crate::error::Result;
use crate::proxy::Bearer;
use crate::proxy::bridge::Bridge;
use crate::proxy::call::{Call, Patience};
use crate::proxy::envelope::{Envelope, member};
use crate::proxy::message;
use crate::proxy::modern::Modern;
use crate::proxy::remote::Outgoing;
use crate::proxy::translate::{self, Guest, Translation};

/// The id of our own question.
const ID: &str = "chipp-auth-discover";
/// How many revisions are proposed.
const PROPOSALS: usize = 3;

/// What a server of the newer era says of itself.
struct Found {
    version: String,
    /// The DiscoverResult, as JSON text.
    result: String,
}

impl<B: Bearer> Bridge<B> {
    /// Answers an `initialize` from `server/discover`; false if the server is of the older era after all.
    /// `named` are revisions that it is known to speak.
    ///
    /// # Errors
    /// As any request: that the server could not be asked says nothing about its era (T-82).
    pub(in crate::proxy) async fn introduce(
        &self,
        call: &mut Call,
        named: &[String],
        patience: &Patience,
    ) -> Result<bool> {
        let Some(params) = call.hello.as_ref().map(|hello| hello.params.clone()) else { return Ok(false) };
        let found = timeout_at(patience.next(), self.discover(&Guest::of(&params), named)).await;
        let Some(found) = found.map_err(|_| self.late())?? else { return Ok(false) };
        tracing::info!("the server knows no sessions; translating for a host that knows nothing else");
        self.remote.era.learn(Known::Modern(found.version.clone()));
        let result = translate::result(&found.result, &params, self.remote.host());
        self.stop_listening();
        self.desk.set(Some(Translation::new(found.version, &params, &found.result)));
        for ticket in call.asked.iter().filter(|ticket| self.pending.take_this(ticket)) {
            let answer = format!("{{\"jsonrpc\":\"2.0\",\"id\":{},\"result\":{result}}}", ticket.id);
            self.output.write(message::line(answer.into_bytes())).await;
        }
        call.opener = None;
        Ok(true)
    }

    async fn discover(&self, guest: &Guest, named: &[String]) -> Result<Option<Found>> {
        let mut tried: Vec<String> = Vec::new();
        let mut next = Some(best(named).unwrap_or_else(|| NEWEST.to_owned()));
        while let Some(version) = next.take().filter(|_| tried.len() < PROPOSALS) {
            let params = translate::with_meta(None, &version, guest, None).unwrap_or_default();
            let request = Outgoing {
                modern: Modern::of("server/discover", Some(&params)),
                ..Outgoing::own(message::request(ID, "server/discover", &params))
            };
            let answer = self.remote.ask_era(&request).await?;
            match verdict(answer.status, &answer.message) {
                Verdict::Legacy => {
                    let result =
                        Envelope::peek(&answer.message).unwrap_or_default().result.unwrap_or_default();
                    let Some(speaks) = speaks(result, &version) else { return Ok(None) };
                    return Ok(Some(Found { version: speaks, result: result.to_owned() }));
                }
                Verdict::Modern { supported, certain: true } => {
                    tried.push(version);
                    let left: Vec<_> =
                        supported.into_iter().filter(|version| !tried.contains(version)).collect();
                    next = best(&left);
                }
                _ => return Ok(None),
            }
        }
        Ok(None)
    }
}

/// The revision to speak with a server that answered `server/discover` in `asked`.
fn speaks(result: &str, asked: &str) -> Option<String> {
    let list = member(result, "supportedVersions")?;
    let list: Vec<String> = serde_json::from_str(list).ok()?;
    if list.iter().any(|version| version == asked) { Some(asked.to_owned()) } else { best(&list) }
}

/// The one that we know, else the newest of those without sessions.
fn best(versions: &[String]) -> Option<String> {
    let known = versions.iter().find(|version| *version == NEWEST);
    known.or_else(|| versions.iter().filter(|version| is_modern(version)).max()).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_revision_is_one_that_both_know_if_there_is_one() {
        let said = |list: &str| speaks(&format!("{{\"supportedVersions\":{list}}}"), NEWEST);
        assert_eq!(said(r#"["2027-01-01","2026-07-28"]"#).as_deref(), Some(NEWEST));
        assert_eq!(said(r#"["2026-09-01","2027-01-01","2025-11-25"]"#).as_deref(), Some("2027-01-01"));
        for none in [r#"["2025-11-25"]"#, "[]", "[1]", "{}", "null"] {
            assert_eq!(said(none), None, "{none}");
        }
        assert_eq!(speaks("{}", NEWEST), None);
    }
}
