//! The OS keychain: one item per account, the record's text as its secret.
//!
//! `keyring`'s stores have no time limit of their own, and a Secret Service that is stopped, or that shows a
//! prompt nobody sees, never answers (security.md S3). So all calls go to a thread of ours, in order (Windows
//! asks for that), and the caller stops waiting after a limit. A thread that let a caller down is left behind
//! and the next call gets a new one; it ends when its call returns, and plain threads do not keep a process
//! alive. The risk chosen: a write that timed out may still happen later, so its outcome is unknown to the
//! caller; calls that had not begun are dropped.

mod fault;

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use keyring_core::api::CredentialStore;
use keyring_core::{Entry, Error as Fault};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::oneshot;

use super::Stored;
use crate::credential::Key;
use crate::credential::record::Damage;
use crate::error::{Error, Name, Result};

/// The `service` attribute of our items.
const SERVICE: &str = "chipp-auth";
/// Threads at most that wait for a keychain that does not answer. Then calls fail at once.
const MAX_STUCK: usize = 8;

pub(super) struct Keychain {
    worker: Mutex<Option<Worker>>,
    /// Living threads, the stuck ones included.
    alive: Arc<AtomicUsize>,
    patience: Duration,
}

#[derive(Clone)]
struct Worker {
    id: u64,
    jobs: mpsc::Sender<Job>,
}

type Job = Box<dyn FnOnce(&mut Connection) + Send>;
type Answer<T> = std::result::Result<T, (Fault, Duration)>;

impl Keychain {
    pub(super) fn new(patience: Duration) -> Self {
        Keychain { worker: Mutex::new(None), alive: Arc::default(), patience }
    }

    pub(super) fn patience(&self) -> Duration {
        self.patience
    }

    pub(super) async fn read(&self, key: &Key) -> Result<Stored> {
        let item = Item::of(key);
        match self.call(move |store| item.entry(store)?.get_secret()).await? {
            Ok(secret) => Ok(match String::from_utf8(secret) {
                Ok(text) => Stored::Text(text.into()),
                Err(_) => Stored::Damaged(Damage::Corrupt),
            }),
            Err((Fault::NoEntry, _)) => Ok(Stored::Absent),
            // Two items: somebody else wrote one. Which of them is the sign-in must not be guessed.
            Err((Fault::Ambiguous(_) | Fault::BadEncoding(_) | Fault::BadDataFormat(..), _)) => {
                Ok(Stored::Damaged(Damage::Corrupt))
            }
            Err(fault) => Err(self.error(fault)),
        }
    }

    pub(super) async fn write(&self, key: &Key, text: SecretString) -> Result<()> {
        let item = Item::of(key);
        // Bytes and not a password: Windows would make UTF-16 of that, and half the room.
        let written = self.call(move |store| item.entry(store)?.set_secret(text.expose_secret().as_bytes()));
        written.await?.map_err(|fault| self.error(fault))
    }

    /// Removes all items of the key.
    pub(super) async fn remove(&self, key: &Key) -> Result<bool> {
        let item = Item::of(key);
        let removed = self.call(move |store| match item.entry(store)?.delete_credential() {
            Ok(()) => Ok(true),
            Err(Fault::NoEntry) => Ok(false),
            Err(Fault::Ambiguous(entries)) => {
                entries.iter().try_for_each(Entry::delete_credential).map(|()| true)
            }
            Err(fault) => Err(fault),
        });
        removed.await?.map_err(|fault| self.error(fault))
    }

    fn error(&self, (fault, waited): (Fault, Duration)) -> Error {
        fault::name(&fault, waited)
    }

    /// Runs `work` on the keychain's thread and waits for it, but not for ever.
    async fn call<T: Send + 'static>(
        &self,
        work: impl Fn(&CredentialStore) -> keyring_core::Result<T> + Send + 'static,
    ) -> Result<Answer<T>> {
        let (sender, receiver) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let began = Instant::now();
            let answer = connection.with(|store| match sender.is_closed() {
                // The caller has gone while the keychain kept us waiting: do not write behind its back.
                true => Err(Fault::NoDefaultStore),
                false => work(store),
            });
            let _ = sender.send(answer.map_err(|fault| (fault, began.elapsed())));
        });
        let worker = self.worker()?;
        // A thread that has ended drops the job, which the receiver notices.
        let _ = worker.jobs.send(job);
        match tokio::time::timeout(self.patience, receiver).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) => {
                self.leave(worker.id);
                Err(Error::new(Name::Internal, "the keychain's thread ended"))
            }
            Err(_) => {
                self.leave(worker.id);
                Err(self.silent())
            }
        }
    }

    fn worker(&self) -> Result<Worker> {
        let mut current = self.worker.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(worker) = &*current {
            return Ok(worker.clone());
        }
        let alive = Alive::one_more(&self.alive);
        if self.alive.load(Ordering::Relaxed) > MAX_STUCK {
            return Err(self.silent());
        }
        let worker = Worker::start(alive)?;
        *current = Some(worker.clone());
        Ok(worker)
    }

    /// Gives up a thread, if it is still the current one.
    fn leave(&self, id: u64) {
        let mut current = self.worker.lock().unwrap_or_else(PoisonError::into_inner);
        current.take_if(|worker| worker.id == id);
    }

    fn silent(&self) -> Error {
        let limit = self.patience.as_secs();
        Error::new(Name::KeychainTimeout, format!("the OS keychain did not answer in {limit} s"))
    }
}

impl Worker {
    fn start(alive: Alive) -> Result<Self> {
        static IDS: AtomicUsize = AtomicUsize::new(0);
        let (jobs, queue) = mpsc::channel::<Job>();
        std::thread::Builder::new()
            .name("keychain".into())
            .spawn(move || {
                let _alive = alive;
                let mut connection = Connection::default();
                for job in queue {
                    job(&mut connection);
                }
            })
            .map_err(|error| Error::new(Name::Internal, format!("no thread for the keychain: {error}")))?;
        Ok(Worker { id: IDS.fetch_add(1, Ordering::Relaxed) as u64, jobs })
    }
}

/// Counts a thread for as long as it lives.
struct Alive(Arc<AtomicUsize>);

impl Alive {
    fn one_more(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Alive(count.clone())
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The platform's store, opened at first use and again when it broke: a proxy outlives the daemon's restart.
#[derive(Default)]
struct Connection(Option<Arc<CredentialStore>>);

impl Connection {
    fn with<T>(
        &mut self,
        work: impl Fn(&CredentialStore) -> keyring_core::Result<T>,
    ) -> keyring_core::Result<T> {
        if let Some(store) = &self.0 {
            match work(&**store) {
                // The session with the old daemon is gone. All our calls may be made twice.
                Err(Fault::PlatformFailure(_)) => self.0 = None,
                done => return done,
            }
        }
        let store = connect()?;
        let done = work(&*store);
        if !matches!(done, Err(Fault::PlatformFailure(_))) {
            self.0 = Some(store);
        }
        done
    }
}

/// On Linux the store itself, and not through `keyring`, which keeps its first connection, or the first
/// failure to get one, for the life of the process.
#[cfg(target_os = "linux")]
fn connect() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(zbus_secret_service_keyring_store::Store::new()?)
}

#[cfg(not(target_os = "linux"))]
fn connect() -> keyring_core::Result<Arc<CredentialStore>> {
    // Asked first, since only here `keyring` says why there is no store.
    if let Err(fault) = keyring::Entry::store_status() {
        return Err(Fault::NotSupportedByStore(fault.to_string()));
    }
    keyring_core::get_default_store().ok_or(Fault::NoDefaultStore)
}

/// How an account's item is found and shown.
struct Item {
    user: String,
    label: String,
}

impl Item {
    fn of(key: &Key) -> Self {
        Item { user: key.user(), label: format!("{SERVICE}: {} at {}", key.account, key.server) }
    }

    fn entry(&self, store: &CredentialStore) -> keyring_core::Result<Entry> {
        // Modifiers differ by store; an unknown one is an error. `Local` keeps a sign-in from roaming with
        // a Windows profile to machines where nobody signed in.
        let modifiers = if cfg!(windows) {
            HashMap::from([("persistence", "Local")])
        } else if cfg!(target_os = "macos") {
            HashMap::new()
        } else {
            HashMap::from([("label", self.label.as_str())])
        };
        store.build(SERVICE, &self.user, Some(&modifiers))
    }
}
