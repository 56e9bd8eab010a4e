//! Where a session begins: the one place where it is decided, after what the server answers to the host's
//! `initialize`, in which way it can be spoken to (T-80, T-83).

use tokio::time::timeout_at;

use super::Bearer;
use super::bridge::Bridge;
use super::call::{Call, Patience};
use super::era::verdict::{Verdict, verdict};
use super::remote::{Outgoing, Reply};
use crate::error::Result;

impl<B: Bearer> Bridge<B> {
    /// Carries an `initialize` out. The host gets its answer, or the caller the reason why there is none.
    ///
    /// # Errors
    /// As any request.
    pub(super) async fn open(&self, call: &mut Call, outgoing: Outgoing, patience: Patience) -> Result<()> {
        if self.remote.sse.is_on() {
            return self.over_sse(call, &outgoing, patience).await;
        }
        let reply = timeout_at(patience.next(), self.remote.post(&outgoing)).await;
        let refusal = match reply.map_err(|_| self.late())?? {
            Reply::Accepted(response) => return self.read(call, response, patience).await,
            Reply::Refused(refusal) => refusal,
        };
        match verdict(refusal.status, &refusal.body) {
            Verdict::Modern { .. } => {}
            // T-83
            Verdict::Unknown4xx => {
                if let Some(outcome) = self.fall_back(call, &outgoing, patience, refusal.status).await {
                    return outcome;
                }
            }
            Verdict::Legacy | Verdict::Auth | Verdict::Other => {}
        }
        self.pass_refusal(call, refusal).await
    }
}
