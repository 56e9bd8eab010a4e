//! Ends a sign-in: the server is told (RFC 7009), then the record is removed. One lock around both, so
//! that a renewal in another process either comes before, and its newest token is revoked, or finds
//! nothing any more (C8).

use super::Session;
use crate::credential::Credential;
use crate::error::{Error, Name, Result};
use crate::http::Reach;
use crate::oauth::hosts;
use crate::oauth::revoke::revoke;
use crate::oauth::wire::Endpoint;

/// What the server was told.
#[derive(Debug)]
pub enum Revocation {
    /// It revoked the tokens.
    Done,
    /// The user did not want it told.
    NotAsked,
    /// It has no way to be told.
    Unsupported,
    /// The stored record is damaged, so there was nothing to revoke.
    Unreadable,
    /// It could not be told. The Unix seconds at which the sign-in ends there by itself, if known.
    Failed(Error, Option<u64>),
}

impl Session {
    /// Ends the sign-in; `None` if there was none. The record is removed whatever the server says.
    ///
    /// # Errors
    /// Those of the store; then nothing was removed.
    pub async fn end(&self, tell_server: bool) -> Result<Option<Revocation>> {
        let inner = &self.0;
        let _flight = inner.flight.lock().await;
        let _lock = inner.lock().await?;
        let stored = match inner.store.load(&inner.account.key).await {
            Ok(None) => return Ok(None),
            Ok(Some(stored)) => Some(stored),
            Err(error) if error.name() == Name::StoreCorrupt => None,
            Err(error) => return Err(inner.mark(error)),
        };
        let revocation = match &stored {
            None => Revocation::Unreadable,
            Some(_) if !tell_server => Revocation::NotAsked,
            Some(stored) => match hosts::check(inner.account.hosts.as_deref(), &stored.revocation_endpoint) {
                Ok(()) => tell(stored, &inner.reach(stored)).await,
                Err(error) => {
                    Revocation::Failed(error, stored.tokens.refresh_expires_at.or(stored.expires_at()))
                }
            },
        };
        inner.store.forget(&inner.account.key).await.map_err(|error| inner.mark(error))?;
        inner.keep(None);
        Ok(Some(revocation))
    }
}

/// Revokes both tokens, the refresh token first: with it gone, nothing new can come of the other.
async fn tell(credential: &Credential, reach: &Reach) -> Revocation {
    let Some(url) = &credential.revocation_endpoint else { return Revocation::Unsupported };
    let endpoint = Endpoint {
        url,
        issuer: &credential.issuer,
        client: &credential.client,
        resource: None,
        reach,
        dpop: None,
    };
    let tokens = [
        (credential.tokens.refresh.as_ref(), "refresh_token"),
        (Some(&credential.tokens.access), "access_token"),
    ];
    for (token, hint) in tokens {
        if let Some(token) = token
            && let Err(error) = revoke(endpoint, token, hint).await
        {
            let end = credential.tokens.refresh_expires_at.or(credential.expires_at());
            return Revocation::Failed(error, end);
        }
    }
    Revocation::Done
}
