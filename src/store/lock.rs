//! A lock between processes: at most one holder of a path on this machine (I2).
//!
//! The system's own file lock (`flock`, `LockFileEx`), because it ends with its holder: a killed process
//! leaves nothing to clean up, so nobody ever has to guess whether a lock is stale, and no lock is ever
//! stolen. It lies on a file of its own, never on data that is replaced by renaming. It is polled and not
//! waited for in a thread, so that waiting can be cancelled and has an end.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::Instant;

use super::files;
use crate::error::{Error, Name, Result};
use crate::paths::io_error;

/// How often a held lock is tried again: the low end; up to twice as long, so that waiting processes do
/// not march in step.
const POLL: Duration = Duration::from_millis(25);

/// A held lock. Dropping it gives it back.
#[derive(Debug)]
pub struct Lock {
    file: File,
    path: PathBuf,
}

/// Waits for the lock at `path`, which is created if it is missing, until `limit` has passed.
///
/// # Errors
/// `lock-timeout` if another process holds it for longer; `state-dir-unsafe` if the file is not ours
/// alone, or its file system has no locks: we never go on without one.
pub async fn acquire(path: &Path, limit: Duration) -> Result<Lock> {
    let started = Instant::now();
    loop {
        if let Some(lock) = try_acquire(path)? {
            return Ok(lock);
        }
        let left = limit.saturating_sub(started.elapsed());
        if left.is_zero() {
            return Err(timed_out(path, limit));
        }
        tokio::time::sleep(left.min(POLL + jitter())).await;
    }
}

/// Takes the lock at `path` if it is free. `None`: another process (or another [`Lock`]) has it.
///
/// # Errors
/// As [`acquire`], without the timeout.
pub fn try_acquire(path: &Path) -> Result<Option<Lock>> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    let file = files::open_private(&mut options, path).map_err(|error| files::open_error(path, &error))?;
    files::check(path, &file)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => {
            return Err(Error::new(Name::StateDirUnsafe, format!("cannot lock {}: {error}", path.display()))
                .hinted("set CHIPP_AUTH_HOME to a directory on a local disk"));
        }
    }
    // Somebody may have deleted the file between our opening and our locking; then we hold a lock that
    // nobody else can see, and the next process would lock a new file (row 65).
    if !still_there(path, &file)? {
        return Ok(None);
    }
    let mut lock = Lock { file, path: path.into() };
    lock.sign();
    Ok(Some(lock))
}

impl Lock {
    /// Whether the lock file is still where others look for it. If somebody deleted it, another process may
    /// hold a new one: ask right before what must happen once only, and acquire again if not (row 65). A
    /// deletion after this answer cannot be noticed.
    ///
    /// # Errors
    /// `state-dir-unsafe` if our own open file cannot be looked at.
    pub fn intact(&self) -> Result<bool> {
        still_there(&self.path, &self.file)
    }

    /// Leaves our process id for a reader of `lock-timeout`. Only information: who holds the lock is
    /// decided by the system alone, so a failure here (a full disk) does not matter.
    fn sign(&mut self) {
        let text = std::process::id().to_string();
        let _ = self.file.set_len(0).and_then(|()| self.file.rewind());
        let _ = self.file.write_all(text.as_bytes());
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing alone would leave it locked while a child between fork and exec has the descriptor.
        let _ = self.file.unlock();
    }
}

#[cfg(unix)]
fn still_there(path: &Path, file: &File) -> Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let ours = file.metadata().map_err(|error| io_error("look at", path, &error))?;
    Ok(fs::symlink_metadata(path).is_ok_and(|there| there.ino() == ours.ino() && there.dev() == ours.dev()))
}

// Windows does not delete the name of an open file away from under us in a way that lets it be made
// again: creating it fails until the last handle is closed.
#[cfg(not(unix))]
fn still_there(path: &Path, _: &File) -> Result<bool> {
    Ok(fs::symlink_metadata(path).is_ok())
}

fn timed_out(path: &Path, waited: Duration) -> Error {
    let holder = holder(path).map(|pid| format!(" (process {pid})")).unwrap_or_default();
    Error::new(
        Name::LockTimeout,
        format!(
            "another chipp-auth process{holder} has held {} for more than {} s",
            path.display(),
            waited.as_secs()
        ),
    )
}

/// The process that took the lock at `path` last, if it could write that down. Only information.
pub fn holder(path: &Path) -> Option<u32> {
    let mut text = String::new();
    let file = files::open_private(OpenOptions::new().read(true), path).ok()?;
    file.take(16).read_to_string(&mut text).ok()?;
    text.parse().ok()
}

fn jitter() -> Duration {
    let mut random = [0; 2];
    // Without randomness all wait the same time, which is only less elegant.
    let _ = getrandom::fill(&mut random);
    POLL.mul_f64(f64::from(u16::from_le_bytes(random)) / f64::from(u16::MAX))
}
