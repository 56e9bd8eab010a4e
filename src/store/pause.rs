//! When a server may be asked again: one moment beside the lock of a sign-in, for all processes of this user
//! (rows 62, 82). Read and written by whoever holds the lock.

use std::path::{Path, PathBuf};

use super::files;
use crate::error::Result;

/// The longest text of a moment, in bytes.
const LIMIT: usize = 20;

/// The moment that is noted beside a lock, in Unix seconds. What cannot be read is no reason to wait.
pub fn read(lock: &Path) -> Option<u64> {
    let text = files::read(&path(lock), LIMIT).ok()??;
    std::str::from_utf8(&text).ok()?.parse().ok()
}

/// Notes a moment, in Unix seconds.
///
/// # Errors
/// `disk-full`, `state-dir-unsafe`.
pub fn write(lock: &Path, until: u64) -> Result<()> {
    files::replace(&path(lock), until.to_string().as_bytes())
}

fn path(lock: &Path) -> PathBuf {
    lock.with_extension("pause")
}
