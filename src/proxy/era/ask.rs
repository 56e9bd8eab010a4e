//! One answer to one request of `server/discover`, read to its end whichever way it comes.

use http::StatusCode;

use super::verdict::{Verdict, verdict};
use crate::error::Result;
use crate::proxy::Bearer;
use crate::proxy::remote::{Outgoing, Remote, Reply};

/// The largest answer that is read, in bytes.
const LARGEST: usize = 1 << 20;

/// What came, and with which status.
pub(in crate::proxy) struct Answer {
    pub(in crate::proxy) status: StatusCode,
    /// The JSON-RPC message; whatever was there instead where it is none.
    pub(in crate::proxy) message: Vec<u8>,
}

impl<B: Bearer> Remote<B> {
    /// Asks, with all that is done for a request of the host: a sign-in too, if that is needed.
    ///
    /// # Errors
    /// As any request; what says nothing about the era is one.
    pub(in crate::proxy) async fn ask_era(&self, request: &Outgoing) -> Result<Answer> {
        match self.post(request).await? {
            Reply::Accepted(response) => self.discovery(response).await,
            Reply::Refused(refusal) => match verdict(refusal.status, &refusal.body) {
                Verdict::Auth | Verdict::Other => Err(refusal.into_error(self.host())),
                _ => Ok(Answer { status: refusal.status, message: refusal.body.to_vec() }),
            },
        }
    }

    /// The answer in a response, and its status.
    ///
    /// # Errors
    /// `stream-lost`, `bad-response`.
    pub(super) async fn discovery(&self, response: crate::http::mcp::Answer) -> Result<Answer> {
        let status = response.status();
        Ok(Answer { status, message: self.answer(response, LARGEST).await? })
    }
}
