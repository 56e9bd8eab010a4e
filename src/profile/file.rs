//! Reads `profiles.toml` from the user's own configuration directory.
//!
//! Strict, because a profile decides where tokens go: unknown keys, control characters and a file that
//! others may write are refused, never skipped (security.md F1-F4).

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::{Entry, check};
use crate::error::{Error, Name, Result};
use crate::paths::io_error;

/// The largest configuration file, in bytes.
const LIMIT: u64 = 256 * 1024;

/// Reads the profiles in `directory`; none if there is no file.
///
/// # Errors
/// `config-bad` if it is not what it should be, `config-untrusted` if others may write it.
pub fn load(directory: &Path) -> Result<BTreeMap<String, Entry>> {
    let path = path(directory);
    read(&path)?.map_or_else(|| Ok(BTreeMap::new()), |text| parse(&path, &text))
}

/// The file of the profiles.
pub fn path(directory: &Path) -> PathBuf {
    directory.join("profiles.toml")
}

/// Its text; none if there is no file.
///
/// # Errors
/// `config-bad` if it is no text, `config-untrusted` if others may write it.
pub fn read(path: &Path) -> Result<Option<String>> {
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(io_error("read", path, &error)),
    };
    trusted(path, &file.metadata().map_err(|error| io_error("look at", path, &error))?)?;
    Ok(Some(text(path, file)?))
}

/// Everything in the file, if it is not too much and text.
fn text(path: &Path, file: fs::File) -> Result<String> {
    let mut bytes = Vec::new();
    file.take(LIMIT + 1).read_to_end(&mut bytes).map_err(|error| io_error("read", path, &error))?;
    if bytes.len() as u64 > LIMIT {
        let what = format!("{} is larger than {} KiB", path.display(), LIMIT / 1024);
        return Err(Error::new(Name::ConfigBad, what).hinted("remove what does not belong there"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let line = error.as_bytes()[..error.utf8_error().valid_up_to()]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count();
        let what = format!("{}, line {}: this is no UTF-8 text", path.display(), line + 1);
        Error::new(Name::ConfigBad, what).hinted("save the file as UTF-8")
    })
}

/// Reads the text of a file strictly.
///
/// # Errors
/// `config-bad` with the line of the first mistake.
pub fn parse(path: &Path, text: &str) -> Result<BTreeMap<String, Entry>> {
    check::read(text).map_err(|mistake| {
        let (line, column) = (mistake.line, mistake.column);
        let what = format!("{}, line {line}, column {column}: {}", path.display(), mistake.what);
        Error::new(Name::ConfigBad, what).hinted(mistake.hint)
    })
}

#[cfg(unix)]
fn trusted(path: &Path, metadata: &fs::Metadata) -> Result<()> {
    use std::os::unix::fs::MetadataExt;
    let me = rustix::process::geteuid().as_raw();
    if metadata.mode() & 0o022 != 0 || (metadata.uid() != me && metadata.uid() != 0) {
        let what = format!("{} can be changed by other users", path.display());
        return Err(Error::new(Name::ConfigUntrusted, what));
    }
    Ok(())
}

// On Windows the user's profile directory is private by its inherited access list.
#[cfg(not(unix))]
fn trusted(_: &Path, _: &fs::Metadata) -> Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_may_write_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("profiles.toml");
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(load(home.path()).unwrap().is_empty());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        assert_eq!(load(home.path()).unwrap_err().name(), Name::ConfigUntrusted);
    }
}
