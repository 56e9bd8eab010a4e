//! The refresh transaction (security.md 5.6): lock → read again → decide → refresh → save → read back.
//!
//! The value read before the lock is only a hint; the decision falls inside, on what is read there.
//! Where the outcome of a request is unknown, the old record stays as it is: the next attempt presents
//! the same refresh token, which is the only one that can be good.

use std::sync::atomic::Ordering;
use std::time::Duration;

use secrecy::SecretString;

use super::Inner;
use crate::credential::{Credential, Freshness, now, now_ms, same_secret};
use crate::error::{Error, Name, Result};
use crate::oauth::answer::Issued;
use crate::oauth::wire::{self, Endpoint, Refusal};

/// Seconds during which an early renewal that failed is not tried again: the token still works, and
/// the server may be in trouble.
const REST: u64 = 15;

/// Why another token is wanted.
pub(super) enum Need {
    /// The clock says so.
    Time,
    /// The server refused this one.
    Other(SecretString),
}

impl Need {
    /// Whether a record serves without being renewed.
    fn met_by(&self, credential: &Credential) -> bool {
        let freshness = credential.freshness(now_ms());
        match self {
            Need::Time => matches!(freshness, Freshness::Fresh | Freshness::Unknown),
            Need::Other(used) => {
                freshness != Freshness::Expired && !same_secret(used, &credential.tokens.access)
            }
        }
    }

    /// Whether a record may be used after all if it cannot be renewed.
    fn tolerates(&self, credential: &Credential) -> bool {
        match self {
            Need::Time => credential.freshness(now_ms()) != Freshness::Expired,
            Need::Other(_) => self.met_by(credential),
        }
    }
}

/// Runs the transaction.
pub(super) async fn run(inner: &Inner, need: Need) -> Result<SecretString> {
    let _flight = inner.flight.lock().await;
    let cached = inner.cached();
    if let Some(cached) = cached.as_ref().filter(|cached| need.met_by(cached)) {
        return Ok(cached.tokens.access.clone());
    }
    match locked(inner, &need).await {
        Ok(token) => Ok(token),
        // Any trouble: a token that still works is used (5.6 step 0).
        Err(error) => match cached.filter(|cached| need.tolerates(cached)) {
            Some(cached) => {
                tracing::warn!("could not renew the sign-in yet: {error}");
                inner.rest_until.store(now() + REST, Ordering::Relaxed);
                Ok(cached.tokens.access)
            }
            None => Err(inner.mark(error)),
        },
    }
}

async fn locked(inner: &Inner, need: &Need) -> Result<SecretString> {
    // Never without the lock, and it is never taken from another process: its death frees it (C3).
    let lock = inner.lock().await?;
    let Some(stored) = current(inner).await? else {
        inner.keep(None);
        return Err(inner.signed_out());
    };
    inner.check_origin(&stored)?;
    if need.met_by(&stored) {
        inner.keep(Some(stored.clone()));
        return Ok(stored.tokens.access);
    }
    let Some(refresh) = stored.tokens.refresh.clone().filter(|_| stored.refreshable()) else {
        return Err(match need {
            Need::Other(_) if stored.tokens.expires_in != Some(0) => dead(inner, need, stored).await,
            _ => {
                let error = ended(inner, &stored);
                inner.keep(Some(stored));
                error
            }
        });
    };
    // Somebody deleted the lock file under us: another process may hold a new one (row 65).
    if !lock.intact()? {
        let what = "the lock file was deleted while the sign-in was being renewed";
        return Err(Error::new(Name::LockTimeout, what).hinted("try again"));
    }
    let endpoint = Endpoint {
        url: &stored.token_endpoint,
        client: &stored.client,
        resource: stored.resource.as_deref(),
    };
    match endpoint.refresh(&refresh).await {
        Ok(issued) => renewed(inner, stored, issued).await,
        Err(Refusal::InvalidGrant(said)) => {
            tracing::debug!("the refresh token was refused: {said}");
            refused(inner, need, (stored, refresh)).await
        }
        Err(Refusal::Failed(error)) => Err(error),
    }
}

/// The record in force: the stored one, or a newer one that could not be stored before.
pub(super) async fn current(inner: &Inner) -> Result<Option<Credential>> {
    let stored = inner.store.load(&inner.account.key).await?;
    let Some(unsaved) = inner.cached().filter(|_| inner.unsaved.load(Ordering::Relaxed)) else {
        return Ok(stored);
    };
    let successor = stored.as_ref().is_some_and(|stored| {
        stored.signed_in_at == unsaved.signed_in_at && stored.generation < unsaved.generation
    });
    if successor {
        save(inner, &unsaved).await;
        return Ok(Some(unsaved));
    }
    // Signed out or signed in anew elsewhere in the meantime: that counts.
    inner.keep(stored.clone());
    Ok(stored)
}

/// Writes the successor down, then uses it.
async fn renewed(inner: &Inner, old: Credential, issued: Issued) -> Result<SecretString> {
    let token_type = issued.token_type.clone();
    let mut tokens = wire::tokens(issued, inner.account.refresh_lifetime);
    if tokens.refresh.is_none() {
        // No new one means that the old one stays (RFC 6749 section 6, row 99).
        tokens.refresh = old.tokens.refresh;
        tokens.refresh_expires_at = old.tokens.refresh_expires_at;
    }
    tokens.scope = tokens.scope.or(old.tokens.scope);
    let new = Credential { tokens, generation: old.generation.saturating_add(1), refused_at: None, ..old };
    save(inner, &new).await;
    tracing::debug!(generation = new.generation, "the sign-in was renewed");
    // Only now, when nothing can be lost by it, is the token judged (T8).
    wire::check_type(token_type.as_deref(), inner.account.names_token_type)?;
    Ok(new.tokens.access)
}

/// Saves and caches a record. The old refresh token is spent, so giving up is no choice: what cannot
/// be written is kept in memory and written at the next occasion (row 120).
async fn save(inner: &Inner, credential: &Credential) {
    let mut pauses = [200, 1000].into_iter();
    loop {
        match inner.store.save(&inner.account.key, credential).await {
            Ok(()) => return inner.keep(Some(credential.clone())),
            Err(error) => match pauses.next() {
                Some(pause) => tokio::time::sleep(Duration::from_millis(pause)).await,
                None => {
                    tracing::error!("the renewed sign-in is only in memory: {error}");
                    inner.keep(Some(credential.clone()));
                    inner.unsaved.store(true, Ordering::Relaxed);
                    return;
                }
            },
        }
    }
}

/// `invalid_grant`: believed only if nobody else has renewed in the meantime. The record is marked, not
/// deleted: what looks dead here may be a sibling's success (finding 2, row 77).
async fn refused(
    inner: &Inner,
    need: &Need,
    (sent, refresh): (Credential, SecretString),
) -> Result<SecretString> {
    let stored = inner.store.load(&inner.account.key).await?;
    match stored {
        None => {
            inner.keep(None);
            Err(inner.signed_out())
        }
        Some(stored) if !stored.tokens.refresh.as_ref().is_some_and(|r| same_secret(r, &refresh)) => {
            inner.keep(Some(stored.clone()));
            Ok(stored.tokens.access)
        }
        Some(_) => Err(dead(inner, need, Credential { refused_at: Some(now()), ..sent }).await),
    }
}

/// Notes in the record what the server refuses, so that it is asked once, and `status` knows.
pub(super) async fn dead(inner: &Inner, need: &Need, mut credential: Credential) -> Error {
    if matches!(need, Need::Other(_)) {
        // The resource server does not take the access token either, whatever the clock says of it.
        credential.tokens.expires_in = Some(0);
    }
    if let Err(error) = inner.store.save(&inner.account.key, &credential).await {
        tracing::warn!("the refusal could not be noted: {error}");
    }
    let error = ended(inner, &credential);
    inner.keep(Some(credential));
    error
}

/// Why a sign-in cannot be renewed.
fn ended(inner: &Inner, credential: &Credential) -> Error {
    let name = &inner.account.name;
    let refresh_ended = credential.tokens.refresh_expires_at.is_some_and(|end| now() >= end);
    let what = match credential.refused_at {
        Some(_) if refresh_ended => format!("your sign-in to {name} has reached its end"),
        Some(_) => format!("{name} has ended your sign-in"),
        None => format!("your sign-in to {name} has ended, and the server issued no refresh token"),
    };
    inner.mark(Error::new(Name::LoginRequired, what))
}
