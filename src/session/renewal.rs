//! The refresh transaction (security.md 5.6): lock → read again → decide → refresh → save → read back.
//!
//! The value read before the lock is only a hint; the decision falls inside, on what is read there.
//! Where the outcome of a request is unknown, the old record stays as it is: the next attempt presents
//! the same refresh token, which is the only one that can be good.

use std::sync::atomic::Ordering;
use std::time::Duration;

use secrecy::SecretString;

use super::asking::{self, Request};
use super::{Inner, machine};
use crate::credential::{Credential, Freshness, Grant, Tokens, now, now_ms, same_secret};
use crate::error::{Error, Name, Result};
use crate::oauth::answer::Issued;
use crate::oauth::wire::{self, Cause, Refusal};

/// Seconds during which an early renewal that failed is not tried again: the token still works, and
/// the server may be in trouble.
const REST: u64 = 15;

/// Why another token is wanted.
pub(super) enum Need {
    /// The clock says so.
    Time,
    /// The server refused this one.
    Other(SecretString),
    /// Somebody wants to see whether it can be renewed. This one is good, whatever comes of it.
    Trial(SecretString),
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
            Need::Trial(used) => !same_secret(used, &credential.tokens.access),
        }
    }

    /// Whether a record may be used after all if it cannot be renewed.
    pub(super) fn tolerates(&self, credential: &Credential) -> bool {
        match self {
            Need::Time => credential.freshness(now_ms()) != Freshness::Expired,
            Need::Other(_) | Need::Trial(_) => self.met_by(credential),
        }
    }
}

/// Runs the transaction.
pub(super) async fn run(inner: &Inner, need: Need) -> Result<Credential> {
    let _flight = inner.flight.lock().await;
    let cached = inner.cached();
    if let Some(cached) = &cached {
        inner.check(cached)?;
        if need.met_by(cached) {
            return Ok(cached.clone());
        }
    }
    match locked(inner, &need).await {
        Ok(credential) => Ok(credential),
        // Any trouble: a token that still works is used (5.6 step 0).
        Err(error) => match cached.filter(|cached| need.tolerates(cached)) {
            Some(cached) => {
                tracing::warn!("could not renew the sign-in yet: {error}");
                inner.rest_until.store(now() + REST, Ordering::Relaxed);
                Ok(cached)
            }
            None => Err(inner.mark(error)),
        },
    }
}

async fn locked(inner: &Inner, need: &Need) -> Result<Credential> {
    // Never without the lock, and it is never taken from another process: its death frees it (C3).
    let lock = inner.lock().await?;
    let stored = current(inner).await?;
    if let Some(stored) = &stored {
        inner.check(stored)?;
        if need.met_by(stored) {
            inner.keep(Some(stored.clone()));
            return Ok(stored.clone());
        }
    }
    // Somebody deleted the lock file under us: another process may hold a new one (row 65).
    if let Some(lock) = &lock
        && !lock.intact()?
    {
        let what = "the lock file was deleted while the sign-in was being renewed";
        return Err(Error::new(Name::LockTimeout, what).hinted("try again"));
    }
    match (stored, &inner.account.machine) {
        (Some(stored), _) if stored.grant.is_repeatable() => machine::again(inner, need, stored).await,
        (Some(stored), _) => refresh(inner, need, stored).await,
        (None, Some(machine)) => machine::first(inner, machine).await,
        (None, None) => {
            inner.keep(None);
            Err(inner.signed_out())
        }
    }
}

/// Spends the refresh token of a person's sign-in.
async fn refresh(inner: &Inner, need: &Need, stored: Credential) -> Result<Credential> {
    let Some(token) = stored.tokens.refresh.clone().filter(|_| stored.refreshable()) else {
        return Err(match need {
            Need::Other(_) if stored.tokens.expires_in != Some(0) => dead(inner, need, stored).await,
            _ => {
                let error = ended(inner, &stored);
                inner.keep(Some(stored));
                error
            }
        });
    };
    let key = inner.key(&stored)?;
    let reach = inner.reach(&stored);
    let request = Request::of(&stored, key.as_ref(), &reach);
    match asking::ask(inner, &request, need.tolerates(&stored)).await {
        Ok(issued) => renewed(inner, stored, issued).await,
        Err(refusal) => unrenewed(inner, need, (stored, token), refusal).await,
    }
}

/// No tokens came. Nothing is deleted, whatever the reason.
async fn unrenewed(
    inner: &Inner,
    need: &Need,
    (sent, refresh): (Credential, SecretString),
    refusal: Refusal,
) -> Result<Credential> {
    if let Some(new) = refusal.salvaged.filter(|new| !same_secret(new, &refresh)) {
        // The rest of the answer is unusable, but the server has rotated: only this one can be good
        // (rows 97 and 98, I1). The next attempt presents it.
        let refresh_expires_at =
            inner.account.refresh_lifetime.map(|lifetime| now().saturating_add(lifetime));
        let tokens = Tokens { refresh: Some(new), refresh_expires_at, ..sent.tokens };
        save(inner, &Credential { tokens, generation: sent.generation.saturating_add(1), ..sent }).await;
        return Err(refusal.error);
    }
    match refusal.cause {
        Cause::InvalidGrant => {
            tracing::debug!("the refresh token was refused: {}", refusal.said);
            refused(inner, need, (sent, refresh)).await
        }
        // The client was registered by us, so the next sign-in can register another one. Only a
        // sign-in can: the registration goes with a callback address.
        Cause::InvalidClient if sent.client.registered_redirect.is_some() => {
            tracing::debug!("the client was refused: {}", refusal.said);
            Err(dead(inner, need, Credential { client_refused_at: Some(now()), ..sent }).await)
        }
        _ => Err(refusal.error),
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
pub(super) async fn renewed(inner: &Inner, old: Credential, issued: Issued) -> Result<Credential> {
    let wrong = wire::check_type(issued.token_type.as_deref(), inner.types(old.dpop_key.is_some()));
    let mut tokens = wire::tokens(issued, inner.account.refresh_lifetime);
    if old.grant.is_repeatable() {
        // Nothing would ever use it, so it is better not kept (RFC 6749 section 4.4.3).
        tokens.refresh = None;
    } else if tokens.refresh.is_none() {
        // No new one means that the old one stays (A-45, RFC 6749 section 6, row 99).
        tokens.refresh = old.tokens.refresh;
        tokens.refresh_expires_at = old.tokens.refresh_expires_at;
    }
    tokens.scope = tokens.scope.or(old.tokens.scope);
    if wrong.is_err() {
        // Never used, by no other call either.
        tokens.expires_in = Some(0);
    }
    let new = Credential { tokens, generation: old.generation.saturating_add(1), refused_at: None, ..old };
    save(inner, &new).await;
    tracing::debug!(generation = new.generation, "the sign-in was renewed");
    // Only now, when nothing can be lost by it, is the token judged (T8).
    wrong.map(|()| new)
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
) -> Result<Credential> {
    let stored = inner.store.load(&inner.account.key).await?;
    match stored {
        None => {
            inner.keep(None);
            Err(inner.signed_out())
        }
        Some(stored) if !stored.tokens.refresh.as_ref().is_some_and(|r| same_secret(r, &refresh)) => {
            inner.keep(Some(stored.clone()));
            Ok(stored)
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
    let whom = inner.account.key.whom(credential.identity.as_deref());
    let name = &inner.account.name;
    let refresh_ended = credential.tokens.refresh_expires_at.is_some_and(|end| now() >= end);
    let what = match credential.grant {
        Grant::Static => {
            let what = format!("the token that you gave for {name}{whom} is not good any more");
            let hint = "get a new one there, and give it to `chipp-auth login{target} --with-token`";
            return inner.mark(Error::new(Name::LoginRequired, what).hinted(hint));
        }
        _ if credential.refused_at.is_some() && refresh_ended => {
            format!("your sign-in to {name}{whom} has reached its end")
        }
        _ if credential.refused_at.is_some() => format!("{name} has ended your sign-in{whom}"),
        _ if credential.client_refused_at.is_some() => {
            format!(
                "your sign-in to {name}{whom} has ended: the server has forgotten the registration of this program"
            )
        }
        _ => {
            let what = format!(
                "your access to {name}{whom} has ended, and it cannot be renewed: the server issued no refresh token"
            );
            let error = Error::new(Name::RefreshMissing, what);
            return inner.mark(match &inner.account.no_refresh {
                Some(remedy) => error.hinted(format!("run `chipp-auth login{{target}}`; {remedy}")),
                None => error,
            });
        }
    };
    inner.mark(Error::new(Name::LoginRequired, what))
}
