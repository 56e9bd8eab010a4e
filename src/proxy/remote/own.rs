//! One request of our own, read to its answer whichever way that comes.

use http::HeaderValue;

use super::refusal::is_media;
use super::{Draft, Outgoing, Remote, Reply};
use crate::error::{Error, Name, Result};
use crate::http::mcp::Answer;
use crate::proxy::Bearer;
use crate::proxy::envelope::{Envelope, Kind};
use crate::proxy::events::{Cursor, Events};
use crate::proxy::legacy::session::{Session, session_id};

/// The largest answer to a request of our own, in bytes.
const LARGEST: usize = 8 << 20;

impl<B: Bearer> Remote<B> {
    /// Asks: the session id that the answer carries, and the answer.
    ///
    /// # Errors
    /// As any request, and those of [`Remote::answer`].
    pub(in crate::proxy) async fn ask(
        &self,
        request: &Outgoing,
        session: &Session,
    ) -> Result<(Option<HeaderValue>, Vec<u8>)> {
        match self.exchange(&Draft::post(request, session)).await? {
            Reply::Accepted(response) => {
                let id = session_id(response.headers());
                Ok((id, self.answer(response, LARGEST).await?))
            }
            Reply::Refused(refusal) => Err(refusal.into_error(self.host())),
        }
    }

    /// The answer in a response: a JSON text of at most `limit` bytes, or the first answer on an event stream.
    ///
    /// # Errors
    /// `stream-lost`, `bad-response`.
    pub(in crate::proxy) async fn answer(&self, response: Answer, limit: usize) -> Result<Vec<u8>> {
        if !is_media(response.headers(), "text/event-stream") {
            return Ok(response.whole(limit, self.host()).await?.to_vec());
        }
        let (mut events, mut cursor) = (Events::new(response, &self.budget), Cursor::default());
        while let Ok(message) = events.next(&mut cursor).await {
            if Envelope::peek(&message).is_ok_and(|seen| matches!(seen.kind(), Kind::Answer { .. })) {
                return Ok(message);
            }
        }
        Err(Error::new(Name::StreamLost, format!("{} did not finish its answer", self.host())))
    }
}
