//! The encrypted file store, `--store file`: one sealed file per account.
//!
//! For machines without a keychain (servers, containers), and only if the user asked for it: nothing in
//! this house falls back to it (DESIGN decision 2). The bytes are the business of [`super::seal`], their
//! safe place that of [`super::files`].

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use super::seal::{Opened, Sealer};
use super::{Stored, files};
use crate::credential::Key;
use crate::credential::record::Damage;
use crate::error::{Error, Name, Result};
use crate::paths::Paths;

/// The longest sealed file that is looked at, in bytes. A record has a few kilobytes.
const MAX_FILE: usize = 1024 * 1024;
/// A local disk answers in milliseconds. A network home that hangs must not hang us (I5).
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Clone)]
pub(super) struct Sealed {
    paths: Arc<Paths>,
    sealer: Arc<Sealer>,
}

impl Sealed {
    pub(super) fn new(passphrase: Option<SecretString>, paths: &Paths) -> Self {
        Sealed { paths: Arc::new(paths.clone()), sealer: Arc::new(Sealer::new(passphrase)) }
    }

    /// Where the files are, for people.
    pub(super) fn place(&self) -> PathBuf {
        self.paths.data.join("sealed")
    }

    pub(super) async fn read(&self, key: &Key) -> Result<Stored> {
        let (this, key) = (self.clone(), key.clone());
        off_thread(move || {
            let Some(bytes) = files::read(&this.file(&key)?, MAX_FILE)? else { return Ok(Stored::Absent) };
            if bytes.len() > MAX_FILE {
                return Ok(Stored::Damaged(Damage::Corrupt));
            }
            Ok(match this.sealer.open(&key.user(), &bytes)? {
                Opened::Text(text) => Stored::Text(text),
                Opened::Damaged(damage) => Stored::Damaged(damage),
            })
        })
        .await
    }

    pub(super) async fn write(&self, key: &Key, text: SecretString) -> Result<()> {
        let (this, key) = (self.clone(), key.clone());
        off_thread(move || {
            let sealed = this.sealer.seal(&key.user(), &text)?;
            if sealed.len() > MAX_FILE {
                return Err(Error::new(Name::TooLarge, "the record is larger than the store takes"));
            }
            files::replace(&this.file(&key)?, &sealed)
        })
        .await
    }

    /// Needs no passphrase: whoever forgot it must be able to start anew.
    pub(super) async fn remove(&self, key: &Key) -> Result<bool> {
        let (this, key) = (self.clone(), key.clone());
        off_thread(move || files::remove(&this.file(&key)?)).await
    }

    fn file(&self, key: &Key) -> Result<PathBuf> {
        Ok(self.paths.private("sealed")?.join(key.slug()))
    }
}

/// Disks and key derivation would stall the proxy's only thread.
async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    match tokio::time::timeout(PATIENCE, tokio::task::spawn_blocking(work)).await {
        Ok(Ok(result)) => result,
        Ok(Err(error)) => Err(Error::new(Name::Internal, format!("the file store stopped: {error}"))),
        Err(_) => Err(Error::new(
            Name::Timeout,
            format!("the disk of the encrypted store did not answer in {} s", PATIENCE.as_secs()),
        )),
    }
}
