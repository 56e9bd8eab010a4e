//! Where sign-ins are kept: the OS keychain, or an encrypted file if the user chose it.
//!
//! A [`Store`] keeps one record per [`Key`]. It is chosen once and never changes by itself: a keychain that
//! fails gives an error, not a file (DESIGN decision 2). Damage is told from absence everywhere, and no
//! failure deletes or replaces anything (I1). Nothing is ever kept in the clear. [`lock`] and [`index`] are the two companions: one writer at a
//! time, and the list of accounts.

pub mod allowance;
pub(crate) mod files;
pub mod index;
mod keychain;
pub mod lock;
mod memory;
pub mod pause;
pub mod seal;
mod sealed;
mod secret;
pub mod style;
pub mod tools;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

pub use memory::Memory;

use crate::credential::record::{self, Damage};
use crate::credential::{Credential, Key};
use crate::error::{Error, Name, Result};
use crate::paths::Paths;
use keychain::Keychain;
use sealed::Sealed;

/// How long one keychain call may take without a person at a terminal (S3).
const QUIET: Duration = Duration::from_secs(2);
/// The same with a person, who may have to answer an unlock prompt.
const PERSON: Duration = Duration::from_secs(60);

/// The kinds of store that a user can choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The OS keychain.
    Keychain,
    /// Encrypted files.
    File,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Keychain => "keychain",
            Kind::File => "file",
        })
    }
}

/// What a store needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Which store.
    pub kind: Kind,
    /// The passphrase of the encrypted files.
    pub passphrase: Option<SecretString>,
    /// Whether a person is at a terminal and can answer a prompt: the keychain then gets 60 s and not 2 s.
    pub interactive: bool,
}

/// What is under a key, for `reset` and `status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// Nothing.
    Absent,
    /// A record that can be read.
    Sound,
    /// Something else.
    Damaged(Damage),
}

/// A store. Clones are the same store.
#[derive(Clone)]
pub struct Store(Arc<Backend>);

enum Backend {
    Keychain(Keychain),
    Sealed(Sealed),
    Memory(Memory),
}

/// What a backend found: text, or why there is none. Not being able to look is an error instead.
enum Stored {
    Absent,
    Text(SecretString),
    Damaged(Damage),
}

impl Store {
    /// Chooses a store. Touches nothing yet: neither a disk nor a keychain may delay the start.
    pub fn open(settings: Settings, paths: &Paths) -> Store {
        let patience = if settings.interactive { PERSON } else { QUIET };
        Store(Arc::new(match settings.kind {
            Kind::Keychain => Backend::Keychain(Keychain::new(patience)),
            Kind::File => Backend::Sealed(Sealed::new(settings.passphrase, paths)),
        }))
    }

    /// A store in memory: for sign-ins that a machine can repeat and that are kept nowhere, and for tests; see
    /// [`Store::faults`].
    pub fn memory() -> Store {
        Store(Arc::new(Backend::Memory(Memory::default())))
    }

    /// The faults and counts of a store in memory.
    pub fn faults(&self) -> Option<&Memory> {
        match &*self.0 {
            Backend::Memory(memory) => Some(memory),
            _ => None,
        }
    }

    /// Whether other processes can find what is stored.
    pub fn is_shared(&self) -> bool {
        !matches!(&*self.0, Backend::Memory(_))
    }

    /// The kind. A store in memory stands for a keychain.
    pub fn kind(&self) -> Kind {
        match &*self.0 {
            Backend::Keychain(_) | Backend::Memory(_) => Kind::Keychain,
            Backend::Sealed(_) => Kind::File,
        }
    }

    /// The store in words, for `status`.
    pub fn describe(&self) -> String {
        match &*self.0 {
            Backend::Keychain(_) if cfg!(target_os = "macos") => "OS keychain (Keychain Services)".into(),
            Backend::Keychain(_) if cfg!(windows) => "OS keychain (Credential Manager)".into(),
            Backend::Keychain(_) => "OS keychain (Secret Service)".into(),
            Backend::Sealed(sealed) => format!("encrypted file {}", sealed.place().display()),
            Backend::Memory(_) => "memory, for this run only".into(),
        }
    }

    /// How long one keychain call may take. Whoever talks to a person can say, when a call takes longer than
    /// a second or two, that an unlock prompt may be open. `None`: this store never prompts.
    pub fn prompt_limit(&self) -> Option<Duration> {
        match &*self.0 {
            Backend::Keychain(keychain) => Some(keychain.patience()),
            Backend::Sealed(_) | Backend::Memory(_) => None,
        }
    }

    /// Reads a record.
    ///
    /// # Errors
    /// `store-corrupt`, `store-newer`; `keychain-locked`, `keychain-missing`, `keychain-denied`,
    /// `keychain-timeout`; `store-sealed`, `state-dir-unsafe`.
    pub async fn load(&self, key: &Key) -> Result<Option<Credential>> {
        match self.read(key).await? {
            Stored::Absent => Ok(None),
            Stored::Text(text) => record::decode(text.expose_secret()).map(Some).map_err(damaged),
            Stored::Damaged(damage) => Err(damaged(damage)),
        }
    }

    /// Writes a record in place of whatever is there, reads it back and compares (I8).
    ///
    /// # Errors
    /// As [`Store::load`], and `disk-full`. After an error the old record is still there, or, after
    /// `keychain-timeout`, either of the two. `store-corrupt` if something else came back.
    pub async fn save(&self, key: &Key, credential: &Credential) -> Result<()> {
        let text =
            record::encode(credential).map_err(|error| Error::new(Name::Internal, error.to_string()))?;
        self.replace(key, text).await
    }

    /// Writes a text in place of whatever is there, reads it back and compares.
    async fn replace(&self, key: &Key, text: SecretString) -> Result<()> {
        let back = match &*self.0 {
            Backend::Keychain(keychain) => {
                keychain.write(key, text.clone()).await?;
                keychain.read(key).await?
            }
            Backend::Sealed(sealed) => {
                sealed.write(key, text.clone()).await?;
                sealed.read(key).await?
            }
            Backend::Memory(memory) => memory.save(key, &text)?,
        };
        returned(&text, &back)
    }

    /// Finds out whether a first record could be kept, by writing one of no value, reading it back and
    /// removing it. Nothing less tells: a keychain that is locked, or that has no keyring to write to, says of
    /// a missing item only that it is missing.
    ///
    /// # Errors
    /// As [`Store::save`].
    pub async fn try_out(&self, key: &Key) -> Result<()> {
        // Of this process alone: another one may be trying at the same moment. The text says which trial it is,
        // so that what an older one left behind is not taken for this one's.
        let trial = Key { account: format!("{} (trial {})", key.account, std::process::id()), ..key.clone() };
        let text = SecretString::from(format!("trial at {} ms", crate::credential::now_ms()));
        match &*self.0 {
            Backend::Keychain(keychain) => keychain.write(&trial, text.clone()).await?,
            Backend::Sealed(sealed) => sealed.write(&trial, text.clone()).await?,
            Backend::Memory(_) => return Ok(()),
        }
        let back = self.read(&trial).await;
        // Also where it did not come back.
        self.forget(&trial).await?;
        returned(&text, &back?)
    }

    /// Removes what is under a key, damaged or not. Whether there was something.
    ///
    /// # Errors
    /// As [`Store::load`], but neither damage nor a missing passphrase is in the way.
    pub async fn forget(&self, key: &Key) -> Result<bool> {
        match &*self.0 {
            Backend::Keychain(keychain) => keychain.remove(key).await,
            Backend::Sealed(sealed) => sealed.remove(key).await,
            Backend::Memory(memory) => Ok(memory.remove(key)),
        }
    }

    /// Looks at what is under a key.
    ///
    /// # Errors
    /// As [`Store::load`], but damage is an answer and not an error.
    pub async fn inspect(&self, key: &Key) -> Result<Found> {
        Ok(match self.read(key).await? {
            Stored::Absent => Found::Absent,
            Stored::Damaged(damage) => Found::Damaged(damage),
            Stored::Text(text) => match record::decode(text.expose_secret()) {
                Ok(_) => Found::Sound,
                Err(damage) => Found::Damaged(damage),
            },
        })
    }

    async fn read(&self, key: &Key) -> Result<Stored> {
        match &*self.0 {
            Backend::Keychain(keychain) => keychain.read(key).await,
            Backend::Sealed(sealed) => sealed.read(key).await,
            Backend::Memory(memory) => memory.load(key),
        }
    }
}

/// Whether what was read is what was written.
fn returned(text: &SecretString, back: &Stored) -> Result<()> {
    match back {
        Stored::Text(back) if back.expose_secret() == text.expose_secret() => Ok(()),
        _ => Err(Error::new(Name::StoreCorrupt, "the store did not give back what was written")),
    }
}

fn damaged(damage: Damage) -> Error {
    match damage {
        Damage::Corrupt => Error::new(Name::StoreCorrupt, "the stored sign-in is damaged"),
        Damage::Newer(version) => Error::new(
            Name::StoreNewer,
            format!("the stored sign-in was written by a newer chipp-auth (form {version})"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_back_must_be_what_was_written() {
        let text = SecretString::from("trial");
        assert!(returned(&text, &Stored::Text("trial".into())).is_ok());
        for other in
            [Stored::Absent, Stored::Text("trial of another".into()), Stored::Damaged(Damage::Corrupt)]
        {
            assert_eq!(returned(&text, &other).unwrap_err().name(), Name::StoreCorrupt);
        }
    }
}
