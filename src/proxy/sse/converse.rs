//! A request of the host over HTTP+SSE: POSTed to the endpoint, answered on the stream.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use tokio::select;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::Line;
use super::line::Expected;
use crate::error::{Error, Result};
use crate::proxy::bridge::Bridge;
use crate::proxy::call::{Call, Patience};
use crate::proxy::events::Stop;
use crate::proxy::remote::{Draft, Outgoing, Remote, Reply};
use crate::proxy::{Bearer, Transport};

/// How long a POST may last on after its answer has come on the stream, so that its connection can be used
/// again; and how long the rest of its own answer is read, and how much of it.
const AFTER: Duration = Duration::from_secs(5);
const REST: (Duration, usize) = (Duration::from_secs(1), 64 << 10);

impl<B: Bearer> Bridge<B> {
    /// Carries `initialize` out by HTTP+SSE after it was refused with `status` (T-83). `None`: the server does
    /// not offer that either, and what it said first is what counts.
    pub(in crate::proxy) async fn fall_back(
        &self,
        call: &mut Call,
        outgoing: &Outgoing,
        patience: &Patience,
        status: StatusCode,
    ) -> Option<Result<()>> {
        let sse = &self.remote.sse;
        if self.remote.upstream.transport != Transport::Auto || !matches!(status.as_u16(), 400 | 404 | 405) {
            return None;
        }
        tracing::debug!("initialize was refused with {status}; trying HTTP+SSE");
        self.start_keeping();
        let opened = timeout_at(patience.next(), sse.line(false)).await;
        match opened.map_err(|_| self.late()).and_then(|line| line) {
            Ok(_) => {
                sse.turn(true);
                Some(self.over_sse(call, outgoing, patience).await)
            }
            // A sign-in is missing, or the server wants the messages elsewhere: that has to be said.
            Err(error) if matches!(error.name().row().code, -31001 | -31004) => Some(Err(error)),
            Err(error) => {
                tracing::debug!("no HTTP+SSE either: {error}");
                self.stop_listening();
                None
            }
        }
    }

    /// Carries a call out by HTTP+SSE.
    ///
    /// # Errors
    /// `stream-lost` if the stream ends before the answer; otherwise as any request.
    pub(in crate::proxy) async fn over_sse(
        &self,
        call: &mut Call,
        outgoing: &Outgoing,
        patience: &Patience,
    ) -> Result<()> {
        self.start_keeping();
        let mut again = false;
        loop {
            let opened = timeout_at(patience.next(), self.remote.sse.line(call.hello.is_some())).await;
            let line = opened.map_err(|_| self.late())??;
            let mut expected: Vec<_> =
                call.asked.iter().map(|ticket| line.expect(&ticket.id, call.hello.clone())).collect();
            let session = if outgoing.hello { Arc::default() } else { self.remote.sessions.current() };
            let draft = Draft { line: Some(&line), ..Draft::post(outgoing, &session) };
            let posting = self.remote.exchange(&draft);
            tokio::pin!(posting);
            let reply = select! {
                biased;
                reply = &mut posting => reply?,
                // The answer may overtake that of the POST.
                outcome = all(&mut expected) => {
                    let _ = timeout(AFTER, posting).await;
                    return outcome.map_err(|stop| self.stopped(stop));
                }
                () = sleep_until(patience.next()) => return Err(self.late()),
            };
            match reply {
                Reply::Accepted(answer) => {
                    let _ = timeout(REST.0, answer.whole(REST.1, self.remote.host())).await;
                    return self.wait(call, &line, &mut expected, patience).await;
                }
                // The address is the session: where it is not known, nobody has acted (P6).
                Reply::Refused(refusal) if refusal.is_session_gone() && !again => {
                    again = true;
                    line.close(Stop::Ended);
                }
                Reply::Refused(refusal) => return self.pass_refusal(call, refusal).await,
            }
        }
    }

    /// Waits for the answers to a call that the server has taken.
    async fn wait(
        &self,
        call: &Call,
        line: &Line,
        expected: &mut [Expected],
        patience: &Patience,
    ) -> Result<()> {
        let begun = Instant::now();
        let cancelled = async {
            for ticket in &call.asked {
                ticket.cancelled().await;
            }
        };
        tokio::pin!(cancelled);
        loop {
            select! {
                biased;
                outcome = all(expected) => return outcome.map_err(|stop| self.stopped(stop)),
                () = &mut cancelled => return Ok(()),
                // A comment shows that the server lives, but not beyond the limit (T-10, row 132).
                () = sleep_until(patience.after(line.heard().max(begun))) => {}
            }
            if Instant::now() >= patience.after(line.heard().max(begun)) {
                return Err(self.late());
            }
        }
    }

    /// The error of a stream that gives no more messages.
    pub(super) fn stopped(&self, stop: Stop) -> Error {
        match stop {
            Stop::Ended => self.lost(),
            Stop::TooLarge => self.too_large(),
        }
    }
}

impl<B: Bearer> Remote<B> {
    /// Posts what wants no answer to the endpoint.
    pub(in crate::proxy) async fn post_over_sse(&self, message: &Outgoing) -> Result<Reply> {
        let mut again = false;
        loop {
            let line = self.sse.line(false).await?;
            let session = self.sessions.current();
            match self.exchange(&Draft { line: Some(&line), ..Draft::post(message, &session) }).await? {
                Reply::Refused(refusal) if refusal.is_session_gone() && !again => {
                    again = true;
                    line.close(Stop::Ended);
                }
                reply => return Ok(reply),
            }
        }
    }
}

/// Waits for all answers. May be dropped and called again.
async fn all(expected: &mut [Expected]) -> Result<(), Stop> {
    for one in expected {
        one.wait().await?;
    }
    Ok(())
}
