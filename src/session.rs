//! The heart: a usable access token at any moment, whatever the clock, the server and the other
//! processes of this user are doing.
//!
//! Reuse what is good; otherwise lock, read again, decide, refresh, save, read back ([`renewal`]).
//! Two rules stand above all: a refresh token is spent by one process at a time (I2), and no failure
//! ever deletes one (I1). This is the only room that knows both OAuth and storage.

mod asking;
mod bearer;
mod ending;
mod grant;
mod machine;
mod proof;
mod renewal;
mod secret;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use secrecy::SecretString;

use crate::credential::{Credential, Freshness, Key, now, now_ms};
use crate::error::{Error, Name, Result};
use crate::http::Reach;
use crate::oauth::dpop;
use crate::store::Store;
use crate::store::lock;

pub use ending::Revocation;
pub use machine::Machine;

/// How long to wait for another process that is renewing the same sign-in (security.md C3).
const LOCK_LIMIT: Duration = Duration::from_secs(45);

/// What a session has to know about its sign-in besides the stored record.
#[derive(Debug, Clone)]
pub struct Account {
    /// Which record.
    pub key: Key,
    /// The lock file of this record; none if no other process can have it, as in memory.
    pub lock: Option<PathBuf>,
    /// The origin of the MCP server that will receive the tokens (I7).
    pub origin: String,
    /// The addresses that the user named: requests may go there wherever they lie (D1).
    pub named: Vec<String>,
    /// The only hosts that may see the tokens at a renewal or a revocation, if the profile names any.
    pub hosts: Option<Vec<String>>,
    /// Token types that are taken besides `Bearer`.
    pub token_types: Vec<String>,
    /// The target as typed, for hints.
    pub typed: Option<String>,
    /// The target's name with its provider, for sentences.
    pub name: String,
    /// The provider's name alone, if it is known: whose account a person is asked for.
    pub provider: Option<String>,
    /// What helps where that provider gives no refresh token.
    pub no_refresh: Option<String>,
    /// Documented lifetime of refresh tokens, in seconds.
    pub refresh_lifetime: Option<u64>,
    /// Whether an answer without `token_type` is refused.
    pub names_token_type: bool,
    /// How to sign in without a person, if that is how this account does it.
    pub machine: Option<Machine>,
}

/// What became of a new sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// It is stored.
    Stored,
    /// It is not: in its place is that of another account, of this name.
    Taken(String),
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
    /// Unix seconds before which the server is not asked at all.
    pause: AtomicU64,
    /// What the server refused, and the Unix seconds before which it is not asked the same again.
    refused: Mutex<Option<(u64, Error)>>,
    /// The record's key, with the nonces that it has learned.
    key: Mutex<Option<(SecretString, dpop::Key)>>,
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
            pause: AtomicU64::new(0),
            refused: Mutex::new(None),
            key: Mutex::new(None),
        }))
    }

    /// An access token that is good now, renewed if need be, or had without a person if there is none.
    ///
    /// # Errors
    /// `login-required` if only a sign-in helps; storage and network errors if the present token
    /// cannot be used any more either; `wrong-origin`; those of [`Session::sign_in_alone`].
    pub async fn token(&self) -> Result<SecretString> {
        self.credential().await.map(|credential| credential.tokens.access)
    }

    /// Another access token than `used`, which the server refused, whatever the clock says of it.
    ///
    /// # Errors
    /// As [`Session::token`].
    pub async fn another(&self, used: SecretString) -> Result<SecretString> {
        self.another_credential(used).await.map(|credential| credential.tokens.access)
    }

    /// Renews the sign-in before its time, to see whether that works. What cannot be renewed stays as it is, its
    /// access token included.
    ///
    /// # Errors
    /// As [`Session::token`].
    pub async fn try_renewal(&self) -> Result<Credential> {
        let present = self.credential().await?;
        self.renew(renewal::Need::Trial(present.tokens.access)).await
    }

    async fn credential(&self) -> Result<Credential> {
        let found = match self.0.cached() {
            Some(credential) => Some(credential),
            None => self.0.first().await?,
        };
        let Some(credential) = found else {
            return match self.0.account.machine {
                Some(_) => self.renew(renewal::Need::Time).await,
                None => Err(self.0.signed_out()),
            };
        };
        self.0.check(&credential)?;
        match credential.freshness(now_ms()) {
            Freshness::Fresh | Freshness::Unknown => Ok(credential),
            Freshness::Early if now() < self.0.rest_until.load(Ordering::Relaxed) => Ok(credential),
            Freshness::Early | Freshness::Expired => self.renew(renewal::Need::Time).await,
        }
    }

    async fn another_credential(&self, used: SecretString) -> Result<Credential> {
        self.renew(renewal::Need::Other(used)).await
    }

    /// The stored record, read anew.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn load(&self) -> Result<Option<Credential>> {
        self.0.reload().await
    }

    /// Stores a new sign-in in the place of the old one, unless that is known to be of another account. Excludes
    /// a renewal of the old one, which would otherwise overwrite the new one when it ends; and another sign-in,
    /// which may have brought another account since somebody last looked.
    ///
    /// # Errors
    /// Those of the store; then the old sign-in is still there.
    pub async fn begin(&self, mut credential: Credential) -> Result<Begun> {
        let _flight = self.0.flight.lock().await;
        let _lock = self.0.lock().await?;
        // Damage in the old record is no reason to refuse a new one.
        // What cannot be looked at may be another account's.
        let old = match self.0.store.load(&self.0.account.key).await {
            Err(error) if error.name() == Name::StoreCorrupt => None,
            old => old.map_err(|error| self.0.mark(error))?,
        };
        if let Some(old) = old.as_ref().filter(|old| old.is_of_another(&credential)) {
            return Ok(Begun::Taken(old.identity.clone().unwrap_or_default()));
        }
        credential.generation = old.map_or(1, |old| old.generation.saturating_add(1));
        self.0.store.save(&self.0.account.key, &credential).await.map_err(|e| self.0.mark(e))?;
        self.0.keep(Some(credential));
        Ok(Begun::Stored)
    }

    /// Waits until no renewal is under way, at most `limit`: ending a process between the server's
    /// rotation and our writing it down would cost the sign-in.
    pub async fn settle(&self, limit: Duration) {
        let _ = tokio::time::timeout(limit, self.0.flight.lock()).await;
    }

    /// Renews in a task of its own: a caller that goes away must not take the rotation with it (C4).
    async fn renew(&self, need: renewal::Need) -> Result<Credential> {
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

    async fn lock(&self) -> Result<Option<lock::Lock>> {
        let Some(path) = &self.account.lock else { return Ok(None) };
        lock::acquire(path, LOCK_LIMIT).await.map(Some).map_err(|error| self.mark(error))
    }

    /// The token goes only to an origin it was issued for, also if the configuration changed since. And a
    /// machine does not go on with a person's sign-in, which may be allowed more, nor does it replace it,
    /// unless it is told to.
    fn check(&self, credential: &Credential) -> Result<()> {
        // a token is for one server, also where two share an authorization server.
        if !credential.origins.contains(&self.account.origin) {
            let what =
                format!("the stored sign-in to {} is not for {}", self.account.name, self.account.origin);
            return Err(self.mark(Error::new(Name::WrongOrigin, what)));
        }
        match &self.account.machine {
            Some(machine) if machine.grant != credential.grant => {
                let what = format!("the stored sign-in to {} was made in another way", self.account.name);
                Err(self.mark(
                    Error::new(Name::Usage, what)
                        .hinted("choose another name for this one with `--account`, or leave out `--store`"),
                ))
            }
            _ => Ok(()),
        }
    }

    /// What was refused and is not to be asked again yet.
    fn refused(&self) -> Option<Error> {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.as_ref().filter(|(until, _)| now() < *until).map(|(_, error)| error.clone())
    }

    /// Remembers a refusal until a moment, or forgets it.
    fn refusal(&self, refusal: Option<(u64, Error)>) {
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = refusal;
    }

    /// Where requests about this sign-in may go (D1): the user named the MCP server, and the authorization
    /// server where a profile states it.
    fn reach(&self, credential: &Credential) -> Reach {
        Reach::named(credential.origins.iter().chain(&self.account.named))
    }

    fn signed_out(&self) -> Error {
        let Account { key, name, .. } = &self.account;
        self.mark(Error::new(
            Name::LoginRequired,
            format!("you are not signed in to {name}{}", key.whom(None)),
        ))
    }

    fn mark(&self, error: Error) -> Error {
        error.for_target(self.account.typed.as_deref())
    }
}
