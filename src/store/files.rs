//! Small private files: read without following links, replaced in one step.
//!
//! A reader sees the old file or the new one, never a part: the text goes to a new file in the same
//! directory, is synced, and takes the old one's name. The directory is synced too, since a rename
//! that a power loss undoes would bring back a spent refresh token (security.md rows 60, 116, S9).

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::credential::hex;
use crate::error::{Error, Name, Result};
use crate::paths::io_error;

/// Unfinished files of killed writers are removed after this time: no live writer needs it.
const LEFTOVER: Duration = Duration::from_secs(3600);

/// Reads a file of at most `limit` bytes. A longer one comes back cut at `limit + 1` bytes, so that the
/// caller's own check of its form refuses it. `None`: there is no such file.
///
/// # Errors
/// `state-dir-unsafe` if it is a link, not a regular file, not ours, or open to others.
pub(super) fn read(path: &Path, limit: usize) -> Result<Option<Vec<u8>>> {
    let mut options = OpenOptions::new();
    options.read(true);
    let file = match open_private(&mut options, path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(open_error(path, &error)),
    };
    check(path, &file)?;
    let mut bytes = Vec::new();
    file.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(|error| io_error("read", path, &error))?;
    Ok(Some(bytes))
}

/// Puts a file in place in one step, readable by its owner only.
///
/// # Errors
/// `disk-full` (also for a failed sync: row 122), `state-dir-unsafe`. The old file is untouched then.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let (directory, name) = split(path)?;
    sweep(directory, name, LEFTOVER);
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|error| Error::new(Name::Internal, error.to_string()))?;
    let temporary = directory.join(format!(".{name}.{}.tmp", hex(&random)));
    let written = write_new(&temporary, bytes).and_then(|()| fs::rename(&temporary, path));
    if let Err(error) = written {
        // Removing is a courtesy; `sweep` is behind it.
        let _ = fs::remove_file(&temporary);
        return Err(write_error("write", path, &error));
    }
    sync_directory(directory).map_err(|error| write_error("write", path, &error))
}

/// Removes a file, or a link of that name, and unfinished ones. Whether it was there.
///
/// # Errors
/// `state-dir-unsafe` if it cannot be removed.
pub(super) fn remove(path: &Path) -> Result<bool> {
    let (directory, name) = split(path)?;
    sweep(directory, name, Duration::ZERO);
    match fs::remove_file(path) {
        Ok(()) => {
            sync_directory(directory).map_err(|error| write_error("remove", path, &error))?;
            Ok(true)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(write_error("remove", path, &error)),
    }
}

/// Opens without following a link in the last component, and without waiting for a pipe's other end.
/// Rust's files are closed in children (close-on-exec) on every system.
pub(super) fn open_private(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600).custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32);
    }
    options.open(path)
}

/// Names a failure of [`open_private`].
pub(super) fn open_error(path: &Path, error: &io::Error) -> Error {
    #[cfg(unix)]
    if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) {
        return unsafe_file(path, "is a link");
    }
    write_error("open", path, error)
}

/// Refuses an opened file that others could have prepared or could read (S9). The open file is asked
/// and not the path, so that nothing can be exchanged in between.
pub(super) fn check(path: &Path, file: &File) -> Result<()> {
    let metadata = file.metadata().map_err(|error| io_error("look at", path, &error))?;
    if !metadata.is_file() {
        return Err(unsafe_file(path, "is not a regular file"));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        if metadata.uid() != rustix::process::geteuid().as_raw() {
            return Err(unsafe_file(path, "belongs to another user"));
        }
        if metadata.mode() & 0o077 != 0 {
            return Err(unsafe_file(path, "is open to other users"));
        }
    }
    Ok(())
}

fn unsafe_file(path: &Path, why: &str) -> Error {
    Error::new(Name::StateDirUnsafe, format!("the file {} {why}", path.display()))
        .hinted("find out who made it; then remove it, or make it yours alone (chmod 600)")
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = open_private(OpenOptions::new().write(true).create_new(true), path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(unix)]
fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

// Windows has no such call; NTFS journals the rename.
#[cfg(not(unix))]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}

/// A device error is treated like a full disk: nothing was kept, and trying later may work (row 122).
fn write_error(action: &str, path: &Path, error: &io::Error) -> Error {
    #[cfg(unix)]
    if error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) {
        return Error::new(Name::DiskFull, format!("could not {action} {}: {error}", path.display()))
            .hinted("check the disk, then try again; nothing was lost");
    }
    io_error(action, path, error)
}

fn split(path: &Path) -> Result<(&Path, &str)> {
    path.parent()
        .zip(path.file_name().and_then(|name| name.to_str()))
        .ok_or_else(|| Error::new(Name::Internal, "a state file without a directory"))
}

/// Removes unfinished files of `name` that are older than `age`. Whatever fails is left for next time.
fn sweep(directory: &Path, name: &str, age: Duration) {
    let old = |path: &PathBuf| {
        let modified = fs::symlink_metadata(path).and_then(|metadata| metadata.modified());
        modified.is_ok_and(|at| SystemTime::now().duration_since(at).is_ok_and(|past| past >= age))
    };
    let prefix = format!(".{name}.");
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let ours = entry.file_name().to_str().is_some_and(|n| n.starts_with(&prefix) && n.ends_with(".tmp"));
        if ours && old(&entry.path()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}
