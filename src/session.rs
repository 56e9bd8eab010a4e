//! The heart: a usable access token at any moment, whatever the clock, the server and the other
//! processes of this user are doing.
//!
//! Reuse what is good; otherwise lock, read again, decide, refresh, save, read back ([`renewal`]).
//! Two rules stand above all: a refresh token is spent by one process at a time (I2), and no failure
//! ever deletes one (I1). This is the only room that knows both OAuth and storage.

mod bearer;
mod ending;
mod renewal;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use secrecy::SecretString;

use crate::credential::{Credential, Freshness, Key, now, now_ms};
use crate::error::{Error, Name, Result};
use crate::store::Store;
use crate::store::lock;

pub use ending::Revocation;

/// How long to wait for another process that is renewing the same sign-in (security.md C3).
const LOCK_LIMIT: Duration = Duration::from_secs(45);

/// What a session has to know about its sign-in besides the stored record.
#[derive(Debug, Clone)]
pub struct Account {
    /// Which record.
    pub key: Key,
    /// The lock file of this record.
    pub lock: PathBuf,
    /// The origin of the MCP server that will receive the tokens (I7).
    pub origin: String,
    /// The target as typed, for hints.
    pub typed: Option<String>,
    /// The target's name, for sentences.
    pub name: String,
    /// Documented lifetime of refresh tokens, in seconds.
    pub refresh_lifetime: Option<u64>,
    /// Whether an answer without `token_type` is refused.
    pub names_token_type: bool,
}

/// One sign-in in use by this process. Cheap to clone; all clones share one cache and one renewal.
#[derive(Clone)]
pub struct Session(Arc<Inner>);

struct Inner {
    account: Account,
    store: Store,
    cached: Mutex<Option<Credential>>,
    /// Held by the one renewal of this process.
    flight: tokio::sync::Mutex<()>,
    /// The cached record could not be saved yet.
    unsaved: AtomicBool,
    /// Unix seconds before which an early renewal that just failed is not tried again.
    rest_until: AtomicU64,
}

impl Session {
    /// A session over a store. Nothing is read yet.
    pub fn new(account: Account, store: Store) -> Self {
        Session(Arc::new(Inner {
            account,
            store,
            cached: Mutex::new(None),
            flight: tokio::sync::Mutex::new(()),
            unsaved: AtomicBool::new(false),
            rest_until: AtomicU64::new(0),
        }))
    }

    /// An access token that is good now, renewed if need be.
    ///
    /// # Errors
    /// `login-required` if only a sign-in helps; storage and network errors if the present token
    /// cannot be used any more either; `wrong-origin`.
    pub async fn token(&self) -> Result<SecretString> {
        let credential = match self.0.cached() {
            Some(credential) => credential,
            None => self.0.first().await?.ok_or_else(|| self.0.signed_out())?,
        };
        self.0.check_origin(&credential)?;
        match credential.freshness(now_ms()) {
            Freshness::Fresh | Freshness::Unknown => Ok(credential.tokens.access),
            Freshness::Early if now() < self.0.rest_until.load(Ordering::Relaxed) => {
                Ok(credential.tokens.access)
            }
            Freshness::Early | Freshness::Expired => self.renew(renewal::Need::Time).await,
        }
    }

    /// Another access token than `used`, which the server refused, whatever the clock says of it.
    ///
    /// # Errors
    /// As [`Session::token`].
    pub async fn another(&self, used: SecretString) -> Result<SecretString> {
        self.renew(renewal::Need::Other(used)).await
    }

    /// The stored record, read anew.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn load(&self) -> Result<Option<Credential>> {
        self.0.reload().await
    }

    /// Stores a new sign-in in the place of the old one. Excludes a renewal of the old one, which
    /// would otherwise overwrite the new one when it ends.
    ///
    /// # Errors
    /// Those of the store; then the old sign-in is still there.
    pub async fn begin(&self, mut credential: Credential) -> Result<()> {
        let _flight = self.0.flight.lock().await;
        let _lock = self.0.lock().await?;
        // Damage in the old record is no reason to refuse a new one.
        let old = self.0.store.load(&self.0.account.key).await.ok().flatten();
        credential.generation = old.map_or(1, |old| old.generation.saturating_add(1));
        self.0.store.save(&self.0.account.key, &credential).await.map_err(|e| self.0.mark(e))?;
        self.0.keep(Some(credential));
        Ok(())
    }

    /// Waits until no renewal is under way, at most `limit`: ending a process between the server's
    /// rotation and our writing it down would cost the sign-in.
    pub async fn settle(&self, limit: Duration) {
        let _ = tokio::time::timeout(limit, self.0.flight.lock()).await;
    }

    /// Renews in a task of its own: a caller that goes away must not take the rotation with it (C4).
    async fn renew(&self, need: renewal::Need) -> Result<SecretString> {
        let inner = Arc::clone(&self.0);
        let task = tokio::spawn(async move { renewal::run(&inner, need).await });
        task.await.unwrap_or_else(|_| Err(Error::new(Name::Internal, "the renewal was interrupted")))
    }
}

impl Inner {
    fn cached(&self) -> Option<Credential> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the cached record by one that is stored as well.
    fn keep(&self, credential: Option<Credential>) {
        self.unsaved.store(false, Ordering::Relaxed);
        *self.cached.lock().unwrap_or_else(PoisonError::into_inner) = credential;
    }

    /// Reads the record once, however many callers wait for it.
    async fn first(&self) -> Result<Option<Credential>> {
        let _flight = self.flight.lock().await;
        match self.cached() {
            Some(cached) => Ok(Some(cached)),
            None => self.reload().await,
        }
    }

    async fn reload(&self) -> Result<Option<Credential>> {
        let found = self.store.load(&self.account.key).await.map_err(|error| self.mark(error))?;
        if !self.unsaved.load(Ordering::Relaxed) {
            self.keep(found.clone());
        }
        Ok(found)
    }

    async fn lock(&self) -> Result<lock::Lock> {
        lock::acquire(&self.account.lock, LOCK_LIMIT).await.map_err(|error| self.mark(error))
    }

    /// The token goes only to an origin it was issued for, also if the configuration changed since.
    fn check_origin(&self, credential: &Credential) -> Result<()> {
        if credential.origins.contains(&self.account.origin) {
            return Ok(());
        }
        let what = format!("the stored sign-in is not for {}", self.account.origin);
        Err(self.mark(Error::new(Name::WrongOrigin, what)))
    }

    fn signed_out(&self) -> Error {
        self.mark(Error::new(Name::LoginRequired, format!("you are not signed in to {}", self.account.name)))
    }

    fn mark(&self, error: Error) -> Error {
        error.for_target(self.account.typed.as_deref())
    }
}
