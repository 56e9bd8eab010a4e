//! The change of the file.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Change, Changed, change};
use crate::error::{Error, Name, Result};
use crate::paths::{Paths, io_error, make_private};
use crate::profile::{file, schema};
use crate::store::{files, lock};

/// How long to wait for other processes that change the file: each needs only a moment.
const LOCK_LIMIT: Duration = Duration::from_secs(60);

/// Makes a change in the file. A reader sees the file of before or that of after, and so does everybody after
/// a crash; the older one stays whatever fails.
///
/// # Errors
/// As [`change`]; `config-untrusted` if others may write the file, `lock-timeout`, `state-dir-unsafe`,
/// `disk-full`.
pub async fn write(paths: &Paths, wanted: &Change) -> Result<Changed> {
    let lock = paths.private("locks")?.join("profiles.lock");
    let _lock = lock::acquire(&lock, LOCK_LIMIT).await?;
    let path = file::path(&paths.config);
    let text = file::read(&path)?.unwrap_or_default();
    let changed = change(&path, &text, wanted)?;
    if changed.text != text {
        let path = real(&path)?;
        files::replace(&path, changed.text.as_bytes())?;
        // For editors only: what cannot be written is not missed.
        if changed.text.starts_with(schema::LINE) {
            let beside = path.with_file_name(schema::FILE);
            if fs::read_to_string(&beside).ok().as_deref() != Some(schema::SCHEMA) {
                let _ = files::replace(&beside, schema::SCHEMA.as_bytes());
            }
        }
    }
    Ok(changed)
}

/// Where the file really is: many keep theirs in a repository of their own and have a link to it here, which
/// has to stay a link. Its target was trusted when it was read.
fn real(path: &Path) -> Result<PathBuf> {
    match fs::canonicalize(path) {
        Ok(real) => Ok(real),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            if fs::symlink_metadata(path).is_ok() {
                let what = format!("{} is a link to a file that is not there", path.display());
                return Err(Error::new(Name::ConfigBad, what)
                    .hinted("create the file that it leads to, or remove the link"));
            }
            let directory =
                path.parent().ok_or_else(|| Error::new(Name::Internal, "a file without a directory"))?;
            match fs::canonicalize(directory) {
                Ok(real) => make_private(&real, 0o022)?,
                Err(_) => make_private(directory, 0o022)?,
            }
            Ok(path.to_owned())
        }
        Err(error) => Err(io_error("look at", path, &error)),
    }
}
