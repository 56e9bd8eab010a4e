//! Asks for tokens with patience, and without ever being a burden: what a server that is busy or in trouble
//! says holds for all processes of this user (rows 62, 82-86).

use std::sync::atomic::Ordering;
use std::time::Duration;

use secrecy::SecretString;
use tokio::time::Instant;

use super::{Inner, grant};
use crate::credential::{Credential, Grant, RefreshScope, now};
use crate::error::{Error, Name};
use crate::http::Reach;
use crate::http::retry_after::Wait;
use crate::oauth::answer::Issued;
use crate::oauth::wire::{Cause, Endpoint, Refusal, Types};
use crate::oauth::{dpop, hosts};
use crate::store::pause;

/// Seconds before the second and the third attempt where nobody knows what became of the last one.
///
/// The same token again, and soon. If the server has renewed the sign-in and its answer was lost, presenting
/// the old token is all that can be done, now or later: a server with a grace period gives the new tokens
/// again, one without it takes it for a theft at any time (security.md 5.1). If it has not, the second
/// attempt succeeds. Waiting for an attempt that is still on its way (5.5) helps only a server that has a
/// grace period and would be asked for two renewals meanwhile; after a success the next one is due when the
/// access token ends, so nothing is renewed twice here.
const AGAIN: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(4)];
/// No attempt begins later than this after the first: somebody waits for the answer.
const HURRY: Duration = Duration::from_secs(10);
/// The longest time that a request waits because a server asks for it (row 82).
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// How long a server is left alone that asks for patience and does not say for how long.
const USUAL: Duration = Duration::from_secs(5);
/// How long nobody asks a server again that has just failed for each of us.
const TROUBLE: Duration = Duration::from_secs(10);
/// The longest time in seconds that a server can ask to be left alone.
const LONGEST_PAUSE: u64 = 3600;

/// One way to ask for tokens.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request<'a> {
    pub(super) endpoint: Endpoint<'a>,
    pub(super) grant: &'a Grant,
    /// For a person's grant.
    pub(super) refresh: Option<&'a SecretString>,
    /// What to ask for. A person's refresh names none, which means the same one again (RFC 6749 section 6),
    /// unless the client is to.
    pub(super) scope: Option<&'a str>,
}

impl<'a> Request<'a> {
    /// Asks for more tokens of a stored sign-in, at the endpoint that was recorded for it (I7).
    pub(super) fn of(credential: &'a Credential, dpop: Option<&'a dpop::Key>, reach: &'a Reach) -> Self {
        Request {
            endpoint: Endpoint {
                url: &credential.token_endpoint,
                issuer: &credential.issuer,
                client: &credential.client,
                resource: credential.resource.as_deref(),
                reach,
                dpop,
            },
            grant: &credential.grant,
            refresh: credential.tokens.refresh.as_ref(),
            scope: match (&credential.grant, credential.client.refresh_scope) {
                (Grant::User, RefreshScope::Omit) => None,
                (Grant::User, RefreshScope::Granted) => credential.scope(),
                _ => credential.requested_scope.as_deref(),
            },
        }
    }

    async fn once(&self) -> Result<Issued, Refusal> {
        match (self.grant, self.refresh) {
            (Grant::User, Some(refresh)) => self.endpoint.refresh_for(refresh, self.scope).await,
            _ => grant::present(self).await,
        }
    }
}

impl Inner {
    /// Which types of tokens this account takes.
    pub(super) fn types(&self, bound: bool) -> Types<'_> {
        Types { bound, named: self.account.names_token_type, also: &self.account.token_types }
    }
}

/// Asks until there is an answer that counts. `usable`: there is a token that still works, so nobody has to
/// wait for the server. The caller holds the lock.
pub(super) async fn ask(inner: &Inner, request: &Request<'_>, usable: bool) -> Result<Issued, Refusal> {
    // The record, or what was discovered for it, may be older than the profile's word.
    hosts::check(inner.account.hosts.as_deref(), [request.endpoint.url])?;
    if let Some(left) = left(inner) {
        return Err(patience(inner, left));
    }
    let begun = Instant::now();
    let mut again = AGAIN.into_iter();
    let mut waited = false;
    loop {
        let refusal = match request.once().await {
            Err(refusal) => refusal,
            issued => return issued,
        };
        match trouble(&refusal) {
            Some(Trouble::Patience(wait)) => {
                if usable || waited || wait > LONGEST_WAIT {
                    leave_alone(inner, wait);
                    let hint = format!("try again in {}", humantime::format_duration(wait));
                    return Err(Refusal { error: refusal.error.hinted(hint), ..refusal });
                }
                waited = true;
                tokio::time::sleep(wait).await;
            }
            Some(Trouble::Unknown) => {
                let Some(pause) = again.next().filter(|_| !usable && begun.elapsed() < HURRY) else {
                    leave_alone(inner, TROUBLE);
                    return Err(refusal);
                };
                tracing::debug!("asking again in {pause:?}: {}", refusal.error);
                tokio::time::sleep(pause).await;
            }
            None => return Err(refusal),
        }
    }
}

/// What may pass by itself.
enum Trouble {
    /// The server asks to be left alone (429, 503 with `Retry-After`, `slow_down`).
    Patience(Duration),
    /// The server failed, or the connection: nobody knows what became of the request.
    Unknown,
}

fn trouble(refusal: &Refusal) -> Option<Trouble> {
    if refusal.salvaged.is_some() {
        // The server has renewed the sign-in: the presented token must not be seen again (I1).
        return None;
    }
    match (refusal.cause, refusal.error.name()) {
        (Cause::Busy(wait), Name::ServerBusy) => Some(Trouble::Patience(wait.map_or(USUAL, Wait::duration))),
        (Cause::SlowDown, _) => Some(Trouble::Patience(USUAL)),
        (Cause::Busy(_), _) | (Cause::Failed, Name::NetworkDown | Name::Timeout) => Some(Trouble::Unknown),
        _ => None,
    }
}

/// Seconds until the server may be asked again.
fn left(inner: &Inner) -> Option<u64> {
    let noted = inner.account.lock.as_deref().and_then(pause::read);
    let until = noted.unwrap_or(0).max(inner.pause.load(Ordering::Relaxed));
    // A moment that lies too far ahead is none of ours: the clock has been changed, or the file.
    until.checked_sub(now()).filter(|left| (1..=LONGEST_PAUSE).contains(left))
}

/// Notes for all processes that nobody asks for so long.
fn leave_alone(inner: &Inner, time: Duration) {
    let until = now() + time.as_secs();
    inner.pause.store(until, Ordering::Relaxed);
    if let Some(lock) = &inner.account.lock
        && let Err(error) = pause::write(lock, until)
    {
        // Only politeness is lost by it.
        tracing::debug!("the pause could not be noted: {error}");
    }
}

fn patience(inner: &Inner, left: u64) -> Refusal {
    let what = format!("the server of {} asked us to wait, or failed a moment ago", inner.account.name);
    Error::new(Name::ServerBusy, what).hinted(format!("try again in {left}s")).into()
}
