//! One request from the host, from its POST to its one answer.
//!
//! Whatever happens on the way, the host gets exactly one answer: the server's, or an error that says
//! what happened. The function [`Bridge::call`] is that promise; everything below it may fail.

mod follow;
mod manner;
mod patience;
mod resume;
mod stream;
mod watch;
mod whole;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::Bearer;
use super::bridge::Bridge;
use super::envelope::{Envelope, Kind, id_key};
use super::events::Events;
use super::latch::Opener;
use super::legacy::session::{Hello, Session, session_id};
use super::message;
use super::modern::Asks;
use super::pending::Ticket;
use super::remote::refusal::{Refusal, is_media, media};
use super::remote::{Outgoing, Reply};
use crate::error::{Error, Name, Result};
use crate::http::mcp::Answer;

pub(super) use manner::Manner;
pub(super) use patience::Patience;
pub(super) use watch::Watch;

/// How long the server may take to hear that nobody waits any more.
const GIVE_UP: Duration = Duration::from_secs(5);

/// A request of the host, or a batch of them.
pub(super) struct Call {
    /// What has to be answered.
    pub(super) asked: Vec<Arc<Ticket>>,
    /// Set for `initialize`.
    pub(super) hello: Option<Hello>,
    /// What later messages wait for.
    pub(super) opener: Option<Opener>,
    /// By which rules it is answered.
    pub(super) manner: Manner,
    /// The session that it was sent in; set when it has been.
    pub(super) session: Arc<Session>,
    /// Its answer may be large, and is passed on as it is.
    pub(super) large: bool,
    /// Set where an answer must be looked at before the host gets it.
    pub(super) watch: Option<Watch>,
}

impl Call {
    /// Requests that go in one message.
    pub(super) fn new(asked: Vec<Arc<Ticket>>, manner: Manner) -> Self {
        let session = Arc::default();
        Call { asked, hello: None, opener: None, manner, session, large: false, watch: None }
    }

    /// One request of a session.
    pub(super) fn of(ticket: Arc<Ticket>) -> Self {
        Call::new(vec![ticket], Manner::Session)
    }

    fn is_answered(&self) -> bool {
        self.asked.iter().all(|ticket| ticket.is_answered())
    }

    fn is_over(&self) -> bool {
        self.is_holding() || self.asked.iter().all(|ticket| ticket.is_answered() || ticket.is_cancelled())
    }

    /// The InitializeResult, if `message` is the answer to this `initialize` (T-21).
    fn opens<'a>(&self, message: &'a [u8]) -> Option<&'a str> {
        let own = self.hello.as_ref().and(self.asked.first())?;
        let envelope = Envelope::peek(message).ok()?;
        match envelope.kind() {
            Kind::Answer { id } if id_key(id) == id_key(&own.id) => envelope.result,
            _ => None,
        }
    }
}

impl<B: Bearer> Bridge<B> {
    /// Carries one call out and answers it.
    pub(super) async fn call(&self, mut call: Call, outgoing: Outgoing) {
        let stateless = call.manner.is_stateless();
        let only = call.asked.first().filter(|_| stateless).map(Arc::clone);
        let conversation = self.converse(&mut call, outgoing);
        let outcome = match only {
            None => conversation.await,
            Some(ticket) => match manner::unless_cancelled(&ticket, conversation).await {
                Some(outcome) => outcome,
                // The exchange is dropped, and with it its stream closed: so the server learns of it (T-59).
                None => Ok(()),
            },
        };
        let error = outcome.err().unwrap_or_else(|| {
            Error::new(
                Name::BadResponse,
                format!("{} ended its answer without the answer", self.remote.host()),
            )
        });
        let error = error.for_target(self.remote.upstream.target.as_deref());
        for ticket in &call.asked {
            if !self.pending.take_this(ticket) {
                continue;
            }
            // The host no longer waits for a cancelled one, and the server was right not to answer.
            if !ticket.is_cancelled() {
                self.output.write(message::error(Some(&ticket.id), &error.to_rpc())).await;
            }
            if error.name() == Name::Timeout && !ticket.is_cancelled() && !ticket.hello && !stateless {
                self.give_up(&ticket.id).await;
            }
        }
    }

    /// Tells the server that we have stopped waiting (T-10).
    async fn give_up(&self, id: &str) {
        let cancelled = Outgoing::own(message::cancelled(id, "timeout"));
        let _ = timeout(GIVE_UP, self.remote.post(&cancelled)).await;
    }

    async fn converse(&self, call: &mut Call, outgoing: Outgoing) -> Result<()> {
        let patience = self.patience(&call.asked);
        if call.hello.is_some() {
            return self.open(call, outgoing, &patience).await;
        }
        if call.manner == Manner::Stateless(Asks::Changes) {
            return self.attend(call, outgoing).await;
        }
        if call.watch.is_some() {
            return self.in_rounds(call, outgoing, &patience).await;
        }
        if self.remote.sse.is_on() && !call.manner.is_stateless() {
            return self.over_sse(call, &outgoing, &patience).await;
        }
        self.post_and_read(call, outgoing, &patience).await
    }

    /// One exchange.
    pub(super) async fn post_and_read(
        &self,
        call: &mut Call,
        mut outgoing: Outgoing,
        patience: &Patience,
    ) -> Result<()> {
        let (mut reply, mut session) = self.post(&outgoing, patience).await?;
        if let Reply::Refused(refusal) = &reply
            && self.remote.heal(&mut outgoing, refusal).await
        {
            (reply, session) = self.post(&outgoing, patience).await?;
        }
        let version = outgoing.modern.as_ref().map(|modern| modern.version.clone());
        drop(outgoing);
        call.session = session;
        match reply {
            Reply::Accepted(response) => self.read(call, response, patience).await,
            Reply::Refused(refusal) => match version {
                Some(version) if self.too_new(call, &refusal, &version).await => Ok(()),
                _ => self.pass_refusal(call, refusal).await,
            },
        }
    }

    /// How long a request waits that begins now and asks for these.
    pub(super) fn patience(&self, asked: &[Arc<Ticket>]) -> Patience {
        Patience::new(&self.limits, asked)
    }

    pub(super) async fn post(
        &self,
        outgoing: &Outgoing,
        patience: &Patience,
    ) -> Result<(Reply, Arc<Session>)> {
        let reply = patience.within(self.limits.silence, self.remote.post_in_session(outgoing)).await;
        reply.ok_or_else(|| self.late())?
    }

    /// Gives the host the server's answer in a refusal, or the caller the error that it means (T-08).
    pub(super) async fn pass_refusal(&self, call: &mut Call, refusal: Refusal) -> Result<()> {
        if refusal.is_answer() {
            self.pass_on(call, refusal.body.to_vec()).await;
        } else if let Some(ticket) = call.asked.first().filter(|_| call.manner.is_stateless())
            && let Some(answer) = refusal.as_answer_to(&ticket.id)
        {
            self.pass_on(call, answer).await;
        }
        if call.is_answered() || call.is_holding() {
            Ok(())
        } else {
            Err(refusal.into_error(self.remote.host()))
        }
    }

    pub(super) async fn read(&self, call: &mut Call, response: Answer, patience: &Patience) -> Result<()> {
        if let Some(hello) = &mut call.hello {
            hello.id = session_id(response.headers());
        }
        let host = self.remote.host();
        if is_media(response.headers(), "text/event-stream") {
            return self.follow(call, Events::new(response, &self.remote.budget), patience).await;
        }
        if response.status() == http::StatusCode::ACCEPTED || response.content_length() == Some(0) {
            return Err(Error::new(Name::BadResponse, format!("{host} took the request but gave no answer")));
        }
        match media(response.headers()) {
            None | Some("application/json") => {}
            Some(other) if other.eq_ignore_ascii_case("application/json") => {}
            Some(other) => {
                let what =
                    format!("{host} answered with {}, not with an MCP message", crate::error::clean(other));
                return Err(Error::new(Name::BadResponse, what));
            }
        }
        self.whole(call, response, patience).await
    }

    /// Passes a message of this call's stream on, and learns from it what opens the session.
    pub(super) async fn pass_on(&self, call: &mut Call, mut message: Vec<u8>) {
        if let (Some(watch), Some(ticket)) = (&mut call.watch, call.asked.first()) {
            let Some(seen) = watch.look(&ticket.id, message) else { return };
            message = seen;
        }
        if let Some(result) = call.opens(&message)
            && let Some(hello) = call.hello.take()
        {
            self.remote.sessions.open(hello, result);
        }
        match (call.manner, call.asked.first().map(Arc::clone)) {
            (Manner::Stateless(asks), Some(ticket)) => {
                if let Some(message) = self.admit(&ticket, asks, message) {
                    ticket.write(self.emit(message::line(message))).await;
                }
            }
            _ => self.deliver(message).await,
        }
        if call.is_answered() {
            call.opener = None;
        }
    }

    pub(super) fn late(&self) -> Error {
        Error::new(Name::Timeout, format!("{} did not answer in time", self.remote.host()))
    }

    pub(super) fn lost(&self) -> Error {
        Error::new(Name::StreamLost, format!("{} broke off its answer", self.remote.host()))
    }

    pub(super) fn too_large(&self) -> Error {
        let what =
            format!("the answer of {} is larger than {} MiB", self.remote.host(), whole::LARGEST >> 20);
        Error::new(Name::TooLarge, what)
    }
}
