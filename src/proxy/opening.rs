//! Where a session begins: the one place where it is decided, after what the server answers to the host's
//! `initialize`, in which way it can be spoken to (T-80, T-83).

use http::StatusCode;

use super::Bearer;
use super::bridge::Bridge;
use super::call::{Call, Patience, Watch};
use super::era::Known;
use super::era::verdict::{Verdict, verdict};
use super::remote::{Outgoing, Reply};
use crate::error::Result;

impl<B: Bearer> Bridge<B> {
    /// Carries an `initialize` out. The host gets its answer, or the caller the reason why there is none.
    ///
    /// # Errors
    /// As any request.
    pub(super) async fn open(&self, call: &mut Call, outgoing: Outgoing, patience: &Patience) -> Result<()> {
        if self.desk.now().is_some() {
            self.desk.set(None);
            self.stop_listening();
        }
        if self.remote.sse.is_on() {
            return self.over_sse(call, &outgoing, patience).await;
        }
        if let Some(Known::Modern(version)) = self.remote.era.recall() {
            if self.introduce(call, &[version], patience).await? {
                return Ok(());
            }
            // It has learned to open sessions (T-81).
            self.remote.era.forget();
        }
        call.watch = Some(Watch::opening());
        let reply = patience.within(self.limits.silence, self.remote.post(&outgoing)).await;
        let refusal = match reply.ok_or_else(|| self.late())?? {
            Reply::Refused(refusal) => refusal,
            Reply::Accepted(response) => {
                self.read(call, response, patience).await?;
                let Some(answer) = call.refused() else { return Ok(()) };
                if let Verdict::Modern { supported, .. } = verdict(StatusCode::OK, &answer)
                    && self.introduce(call, &supported, patience).await?
                {
                    return Ok(());
                }
                call.watch = None;
                self.pass_on(call, answer).await;
                return Ok(());
            }
        };
        match verdict(refusal.status, &refusal.body) {
            Verdict::Modern { supported, .. } => {
                if self.introduce(call, &supported, patience).await? {
                    return Ok(());
                }
            }
            // T-83
            Verdict::Unknown4xx => {
                call.watch = None;
                if let Some(outcome) = self.fall_back(call, &outgoing, patience, refusal.status).await {
                    return outcome;
                }
            }
            Verdict::Legacy | Verdict::Auth | Verdict::Other => {}
        }
        call.watch = None;
        self.pass_refusal(call, refusal).await
    }
}
