//! A new secret for the client of a sign-in: the old one ended at the provider, the sign-in did not.

use secrecy::SecretString;

use super::Session;
use crate::credential::Credential;
use crate::error::Result;

impl Session {
    /// Puts the secret into the stored record, if it is one of this client. Under the lock of renewals: one that
    /// is under way ends first, and no newer tokens are overwritten. What the server refused because of the old
    /// secret may be asked again.
    ///
    /// # Errors
    /// Those of the store; then the record is as it was.
    pub async fn renew_client_secret(&self, client: &str, secret: &SecretString) -> Result<bool> {
        let inner = &self.0;
        let _flight = inner.flight.lock().await;
        let _lock = inner.lock().await?;
        let stored = inner.store.load(&inner.account.key).await.map_err(|error| inner.mark(error))?;
        let Some(stored) = stored.filter(|stored| stored.client.id == client) else { return Ok(false) };
        let mut client = stored.client.clone();
        client.secret = Some(secret.clone());
        let renewed = Credential { client, client_refused_at: None, ..stored };
        inner.store.save(&inner.account.key, &renewed).await.map_err(|error| inner.mark(error))?;
        inner.refusal(None);
        inner.keep(Some(renewed));
        Ok(true)
    }
}
