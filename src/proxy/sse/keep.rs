//! Opens the stream, reads it, and opens it again: one task, from the first `initialize` to the end.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::select;
use tokio::time::{Instant, sleep, timeout};

use super::{Line, State, endpoint};
use crate::error::{Error, Name, Result};
use crate::proxy::Bearer;
use crate::proxy::bridge::Bridge;
use crate::proxy::envelope::{self, Envelope, Fault, Kind};
use crate::proxy::events::{Cursor, Events, Stop};
use crate::proxy::legacy::session::Session;
use crate::proxy::message;
use crate::proxy::remote::refusal::{is_media, media};
use crate::proxy::remote::{Draft, Outgoing, Reply};

/// How long the server may take to name its endpoint, once the stream is open.
const ENDPOINT: Duration = Duration::from_secs(10);
/// For opening a session again.
const HANDSHAKE: Duration = Duration::from_secs(30);
/// Failures in a row until a request must come for another try, and the pause between two, which doubles.
const TRIES: u32 = 8;
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// A stream that lived this long was a good one.
const STEADY: Duration = Duration::from_secs(30);
/// How often a silent stream is looked at for comments; more often where there is little patience.
const LOOK: Duration = Duration::from_secs(30);
/// The id of our own `initialize`, and the beginning of the ids of the requests after it. The stream is new,
/// and no request of the host's is on its way there.
const ID: &str = "chipp-auth-renew";

impl<B: Bearer> Bridge<B> {
    /// Keeps the stream as long as the proxy lives.
    pub(in crate::proxy) async fn keep_line(self: Arc<Self>) {
        let sse = &self.remote.sse;
        let (mut failures, mut cursor) = (0, Cursor::default());
        loop {
            let again = async {
                // Where the host has no session there is nothing to hear yet.
                if failures >= TRIES || self.remote.sessions.hello().is_none() {
                    return std::future::pending().await;
                }
                sleep(pause(failures).max(cursor.retry.unwrap_or_default())).await;
            };
            select! {
                () = sse.wanted.notified() => {}
                () = again => {}
            }
            sse.state.send_replace(State::Opening);
            cursor = Cursor::default();
            match self.open_line(&mut cursor).await {
                Err(error) => {
                    tracing::debug!("no stream: {error}");
                    // Another try would change nothing about these, and each costs the user a request.
                    let final_ = error.name() == Name::SessionLost
                        || matches!(error.name().row().code, -31001 | -31004);
                    failures = if final_ { TRIES } else { failures + 1 };
                    sse.state.send_replace(State::Failed(error));
                }
                Ok((line, mut events)) => {
                    sse.state.send_replace(State::Open(Arc::clone(&line)));
                    let begun = Instant::now();
                    let stop = self.relay(&line, &mut events, &mut cursor).await;
                    drop(events);
                    line.close(stop);
                    sse.state.send_replace(State::Closed);
                    failures = if begun.elapsed() > STEADY { 0 } else { failures + 1 };
                }
            }
        }
    }

    /// Opens the stream, and on it the session again that the host has.
    async fn open_line(&self, cursor: &mut Cursor) -> Result<(Arc<Line>, Events)> {
        let host = self.remote.host();
        let bad = |what: String| Error::new(Name::BadResponse, what);
        let mut events = match self.remote.get(&Session::default(), None).await? {
            Reply::Refused(refusal) => return Err(refusal.into_error(host)),
            Reply::Accepted(answer) if is_media(answer.headers(), "text/event-stream") => {
                Events::new(answer, &self.remote.budget)
            }
            Reply::Accepted(answer) => {
                let media = media(answer.headers()).map(crate::error::clean).unwrap_or_default();
                return Err(bad(format!("{host} answered the GET with {media}, not with an event stream")));
            }
        };
        let late = |_| bad(format!("{host} opened a stream, but named no endpoint for messages"));
        let named = timeout(ENDPOINT, events.endpoint()).await.map_err(late)?;
        let named = named.map_err(|_| bad(format!("{host} ended its stream before it named an endpoint")))?;
        let url = endpoint::resolve(&self.remote.upstream.url, &named)?;
        let client = self.remote.client()?.at(&url)?;
        let line = Line::new(url, client);
        if !self.remote.sse.fresh.swap(false, Ordering::Relaxed) {
            let late = |_| Error::new(Name::Timeout, format!("{host} did not open a session in time"));
            timeout(HANDSHAKE, self.reopen(&line, &mut events, cursor)).await.map_err(late)??;
        }
        Ok((line, events))
    }

    /// Opens the host's session again, unseen (T-24).
    async fn reopen(&self, line: &Arc<Line>, events: &mut Events, cursor: &mut Cursor) -> Result<()> {
        let host = self.remote.host();
        let gone = |why: &str| Error::new(Name::SessionLost, format!("{host} has ended the session{why}"));
        let sessions = &self.remote.sessions;
        let Some(hello) = sessions.hello() else { return Ok(()) };
        line.take_fresh();
        tracing::info!("the server has ended its stream; opening the session again");
        let initialize = message::request(ID, "initialize", &hello.params);
        self.post_own(line, &Session::default(), initialize).await?;
        let answer = self.own_answer(line, events, cursor, ID).await?;
        match Envelope::peek(&answer).unwrap_or_default().result {
            Some(result) if hello.still_holds(result) => {}
            Some(_) => return Err(gone(", and now speaks another version or offers less")),
            None => return Err(gone(", and does not open another")),
        }
        let session = sessions.next(&hello);
        self.post_own(line, &session, message::INITIALIZED).await?;
        for (number, (method, params)) in sessions.kept().into_iter().enumerate() {
            let id = format!("{ID}-{number}");
            self.post_own(line, &session, message::request(&id, &method, &params)).await?;
            self.own_answer(line, events, cursor, &id).await?;
        }
        sessions.set(session);
        Ok(())
    }

    /// Posts a message of our own.
    async fn post_own(
        &self,
        line: &Arc<Line>,
        session: &Session,
        text: impl Into<bytes::Bytes>,
    ) -> Result<()> {
        let message = Outgoing::own(text);
        let draft = Draft { line: Some(line), ..Draft::post(&message, session) };
        match self.remote.exchange(&draft).await? {
            Reply::Accepted(_) => Ok(()),
            Reply::Refused(refusal) => Err(refusal.into_error(self.remote.host())),
        }
    }

    /// The answer to a request of our own. What else comes is the host's.
    async fn own_answer(
        &self,
        line: &Line,
        events: &mut Events,
        cursor: &mut Cursor,
        id: &str,
    ) -> Result<Vec<u8>> {
        let id = format!("\"{id}\"");
        loop {
            let message = events.next(cursor).await.map_err(|stop| self.stopped(stop))?;
            match Envelope::peek(&message).map(|envelope| envelope.kind()) {
                Ok(Kind::Answer { id: other }) if other == id => return Ok(message),
                _ => self.take_in(line, message).await,
            }
        }
    }

    /// Reads until nothing comes any more. Writing is never raced against anything.
    async fn relay(&self, line: &Line, events: &mut Events, cursor: &mut Cursor) -> Stop {
        let look = (self.limits.silence / 10).clamp(Duration::from_millis(10), LOOK);
        loop {
            self.output.ready().await;
            let message = select! {
                message = timeout(look, events.next(cursor)) => message,
                () = line.closed() => return Stop::Ended,
            };
            if events.was_active() {
                line.touch();
            }
            match message {
                Ok(Ok(message)) => self.take_in(line, message).await,
                Ok(Err(stop)) => return stop,
                Err(_) => {}
            }
        }
    }

    /// Passes a message on, and tells who waited for it.
    async fn take_in(&self, line: &Line, message: Vec<u8>) {
        match Envelope::peek(&message) {
            // A batch is taken apart (T-40).
            Err(Fault::Array) => {
                for member in envelope::members(&message).unwrap_or_default() {
                    self.take_one(line, member.as_bytes().to_vec()).await;
                }
            }
            _ => self.take_one(line, message).await,
        }
    }

    async fn take_one(&self, line: &Line, message: Vec<u8>) {
        let envelope = Envelope::peek(&message).unwrap_or_default();
        let waiter = match envelope.kind() {
            Kind::Answer { id } => line.take(id),
            _ => None,
        };
        let Some(mut waiter) = waiter else { return self.deliver(message).await };
        if let Some(hello) = waiter.hello.take()
            && let Some(result) = envelope.result
        {
            self.remote.sessions.open(hello, result);
        }
        self.deliver(message).await;
        waiter.done();
    }
}

/// 1 s, 2 s, 4 s … 60 s.
fn pause(failures: u32) -> Duration {
    PAUSE.1.min(PAUSE.0 * 2u32.saturating_pow(failures.saturating_sub(1)))
}
