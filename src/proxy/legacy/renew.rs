//! Opens a session again that the server has forgotten, without the host noticing (T-23, T-24, row 131).

use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, Name, Result};
use crate::proxy::Bearer;
use crate::proxy::envelope::Envelope;
use crate::proxy::legacy::session::Session;
use crate::proxy::message;
use crate::proxy::remote::{Draft, Outgoing, Remote, Reply};

/// The id of the `initialize` request. The server cannot mix it up with the host's: it is a new session.
const ID: &str = "chipp-auth-renew";
/// For the whole handshake.
const LIMIT: Duration = Duration::from_secs(30);

impl<B: Bearer> Remote<B> {
    /// A session in place of `lost`. Of many requests that find it lost, one opens the new one.
    ///
    /// # Errors
    /// `session-lost` if the new one would not be what the host was told; otherwise as any request.
    pub(in crate::proxy) async fn renew(&self, lost: &Session) -> Result<Arc<Session>> {
        let _one = self.renewing.acquire().await;
        let now = self.sessions.current();
        if now.epoch != lost.epoch {
            return Ok(now);
        }
        tracing::info!("the server has forgotten the session; opening a new one");
        let late = |_| Error::new(Name::Timeout, format!("{} did not open a session in time", self.host()));
        tokio::time::timeout(LIMIT, self.handshake()).await.map_err(late)?
    }

    async fn handshake(&self) -> Result<Arc<Session>> {
        let gone = |why: &str| {
            Error::new(Name::SessionLost, format!("{} has forgotten the session{why}", self.host()))
        };
        let Some(mut hello) = self.sessions.hello() else { return Err(gone("")) };
        let initialize = Outgoing::own(message::request(ID, "initialize", &hello.params));
        let (id, answer) = self.ask(&initialize, &Session::default()).await?;
        let envelope = Envelope::peek(&answer).unwrap_or_default();
        match envelope.result {
            Some(result) if hello.still_holds(result) => {}
            Some(_) => return Err(gone(", and now speaks another version or offers less")),
            None => return Err(gone(", and does not open another")),
        }
        hello.id = id;
        let session = self.sessions.next(&hello);
        let initialized = Outgoing::own(message::INITIALIZED);
        let draft = Draft::post(&initialized, &session);
        if let Reply::Refused(refusal) = self.exchange(&draft).await? {
            return Err(refusal.into_error(self.host()));
        }
        self.replay(&session).await;
        Ok(self.sessions.set(session))
    }

    /// Asks again for what the host had set in the lost session. A failure here is not worth losing the
    /// session again: the host would have to restart for it.
    async fn replay(&self, session: &Session) {
        for (number, (method, params)) in self.sessions.kept().into_iter().enumerate() {
            let again = Outgoing::own(message::request(&format!("{ID}-{number}"), &method, &params));
            if let Err(error) = self.ask(&again, session).await {
                tracing::warn!("could not repeat {method} in the new session: {error}");
            }
        }
    }
}
