//! A request whose result asks for something first: the host is asked, and the request is sent again with the
//! answers, under an id of its own, until there is a result that the host can have (T-69, 1.6-A).

use std::time::Duration;

use bytes::Bytes;
use tokio::time::{sleep, timeout_at};

use super::Translation;
use super::rounds::{self, Required};
use super::splice::with;
use crate::error::{Error, Name, Result};
use crate::proxy::Bearer;
use crate::proxy::bridge::Bridge;
use crate::proxy::call::{Call, Patience};
use crate::proxy::envelope::{Envelope, string};
use crate::proxy::message;
use crate::proxy::remote::Outgoing;

/// The answers, each with its name as JSON text, and the state.
type Answers = (Vec<(String, String)>, Option<String>);

/// The pause before a request is sent again for which nothing was asked: the server is busy (SEP-2322).
const PAUSE: Duration = Duration::from_millis(250);

impl<B: Bearer> Bridge<B> {
    /// Carries a translated request out.
    ///
    /// # Errors
    /// As any request; `bad-response` if the server asks for what cannot be had, or without end.
    pub(in crate::proxy) async fn in_rounds(
        &self,
        call: &mut Call,
        mut outgoing: Outgoing,
        patience: &Patience,
    ) -> Result<()> {
        let first = outgoing.bytes.clone();
        // As long as the message may be needed again.
        let _share = outgoing._share.take();
        for round in 1..=rounds::MOST {
            self.post_and_read(call, outgoing, patience).await?;
            let Some((translation, answer)) = call.held() else { return Ok(()) };
            let id = format!("\"chipp-auth-round-{round}-{}\"", self.questions.number());
            let outcome = self.ask(call, &translation, &answer, patience).await;
            if let Some(ticket) = call.asked.first() {
                self.withdraw(ticket, "the request that it was for is over").await;
            }
            outgoing = self.again(&first, &id, &outcome?)?;
            call.goes_as(id);
        }
        Err(self.absurd(&format!("asks again and again, {} times by now", rounds::MOST)))
    }

    /// Asks the host for what a result needs. What comes out is the next request's parameters.
    async fn ask(
        &self,
        call: &Call,
        translation: &Translation,
        answer: &[u8],
        patience: &Patience,
    ) -> Result<Answers> {
        let result = Envelope::peek(answer).unwrap_or_default().result.unwrap_or_default();
        let Required { asks, state } = Required::of(result).map_err(|why| self.absurd(&why))?;
        if let Some(ask) = asks.iter().find(|ask| !translation.guest.answers(ask.method)) {
            return Err(
                self.absurd(&format!("asks for {}, which this MCP client does not offer", ask.method))
            );
        }
        let Some(ticket) = call.asked.first() else { return Ok((Vec::new(), None)) };
        if asks.is_empty() {
            sleep(PAUSE).await;
        }
        let mut open = Vec::new();
        for ask in &asks {
            let (id, answer) = self.questions.put(ticket);
            let question = message::request(&id, ask.method, &ask.params);
            ticket.write(self.output.write(message::line(question.into_bytes()))).await;
            open.push((ask, answer));
        }
        let mut answers = Vec::new();
        for (ask, answer) in open {
            // A person may have to think: only the whole request has a limit.
            let answer = timeout_at(patience.end(), answer).await.map_err(|_| self.late())?;
            let answer = answer.map_err(|_| self.lost())?;
            let answer = rounds::answer(ask.method, &answer).map_err(|words| {
                let said = if words.is_empty() { words } else { format!(": {words}") };
                self.absurd(&format!("asks for {}, and the MCP client refused{said}", ask.method))
            })?;
            answers.push((ask.key.to_owned(), answer));
        }
        Ok((answers, state.map(str::to_owned)))
    }

    fn absurd(&self, what: &str) -> Error {
        let what = format!("to finish this request, {} {what}", self.remote.host());
        Error::new(Name::BadResponse, what).hinted("repeat the request only if the server may have meant it")
    }

    /// The request with the answers, under another id.
    fn again(&self, first: &Bytes, id: &str, (answers, state): &Answers) -> Result<Outgoing> {
        let envelope = Envelope::peek(first).unwrap_or_default();
        let (method, params) = (envelope.method.map(string), envelope.params.unwrap_or("{}"));
        let params = rounds::retry(params, answers, state.as_deref()).unwrap_or_default();
        let modern = self.headers_for(&method.unwrap_or_default(), &params)?;
        let text = std::str::from_utf8(first).ok();
        let text = text.and_then(|text| with(text, &[("id", Some(id)), ("params", Some(&params))]));
        Ok(Outgoing { modern, ..Outgoing::own(text.unwrap_or_default()) })
    }
}
