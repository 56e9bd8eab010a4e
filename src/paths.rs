//! Where things live.
//!
//! Only the user's own directories are ever looked at: no `.env`, no project files, no upward search
//! (DESIGN decision 8). `CHIPP_AUTH_HOME` moves everything, which is also how tests isolate themselves,
//! since nothing else redirects these directories on Windows.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, Name, Result};

/// The directories of this program.
#[derive(Debug, Clone)]
pub struct Paths {
    /// `profiles.toml` is here.
    pub config: PathBuf,
    /// Locks, the account index and the sealed store are here. 0700.
    pub data: PathBuf,
}

impl Paths {
    /// Finds the directories; nothing is created.
    ///
    /// # Errors
    /// `state-dir-unsafe` where the system knows no home directory, or `CHIPP_AUTH_HOME` is relative
    /// (it would mean another place in each project).
    pub fn find() -> Result<Self> {
        if let Some(home) = std::env::var_os("CHIPP_AUTH_HOME").filter(|home| !home.is_empty()) {
            let home = PathBuf::from(home);
            if !home.is_absolute() {
                return Err(Error::new(Name::StateDirUnsafe, "CHIPP_AUTH_HOME is not an absolute path")
                    .hinted("set CHIPP_AUTH_HOME to an absolute path"));
            }
            return Ok(Paths { config: home.clone(), data: home });
        }
        let dirs = directories::ProjectDirs::from("", "", "chipp-auth").ok_or_else(|| {
            Error::new(Name::StateDirUnsafe, "this account has no home directory")
                .hinted("set CHIPP_AUTH_HOME to a directory of your own")
        })?;
        Ok(Paths { config: dirs.config_dir().into(), data: dirs.data_local_dir().into() })
    }

    /// A directory below the data directory, created private if it is missing, and checked. The data
    /// directory itself may be readable, since the user may have made it, but nobody else may write there.
    ///
    /// # Errors
    /// `state-dir-unsafe` if either is a link or belongs to somebody else, if others may write to the
    /// data directory, or enter the one below it; `disk-full` if it cannot be created.
    pub fn private(&self, name: &str) -> Result<PathBuf> {
        make_private(&self.data, 0o022)?;
        let path = self.data.join(name);
        make_private(&path, 0o077)?;
        Ok(path)
    }
}

impl Paths {
    /// Looks at the data directory and at what is directly below it, as [`Paths::private`] would, but makes
    /// nothing. Whether the data directory is there.
    ///
    /// # Errors
    /// As [`Paths::private`].
    pub fn look(&self) -> Result<bool> {
        match fs::symlink_metadata(&self.data) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(io_error("look at", &self.data, &error)),
            Ok(metadata) => check_private(&self.data, &metadata, 0o022)?,
        }
        for name in PRIVATE {
            let path = self.data.join(name);
            if let Ok(metadata) = fs::symlink_metadata(&path) {
                check_private(&path, &metadata, 0o077)?;
            }
        }
        Ok(true)
    }
}

/// The directories below the data directory that are asked for with [`Paths::private`].
const PRIVATE: [&str; 5] = ["accounts", "eras", "limits", "locks", "sealed"];

/// A directory, created private if it is missing, and checked. `forbidden`: permission bits that must not be set.
///
/// # Errors
/// As [`Paths::private`].
pub(crate) fn make_private(path: &Path, forbidden: u32) -> Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match fs::symlink_metadata(path) {
        Ok(metadata) => check_private(path, &metadata, forbidden),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            builder.create(path).map_err(|error| io_error("create", path, &error))
        }
        Err(error) => Err(io_error("look at", path, &error)),
    }
}

/// `forbidden`: permission bits that must not be set.
fn check_private(path: &Path, metadata: &fs::Metadata, forbidden: u32) -> Result<()> {
    let unsafe_because =
        |why: &str| Err(Error::new(Name::StateDirUnsafe, format!("the directory {} {why}", path.display())));
    if !metadata.is_dir() {
        return unsafe_because("is not a directory");
    }
    // On Windows the user's profile directory is private by its inherited access list.
    #[cfg(not(unix))]
    let _ = forbidden;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        if metadata.uid() != rustix::process::geteuid().as_raw() {
            return unsafe_because("belongs to another user");
        }
        if metadata.mode() & forbidden != 0 {
            return unsafe_because("is open to other users");
        }
    }
    Ok(())
}

/// Names a failure of the file system. `action` is a verb.
pub fn io_error(action: &str, path: &Path, error: &io::Error) -> Error {
    let what = format!("could not {action} {}: {error}", path.display());
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::Other => {
            Error::new(Name::DiskFull, what)
        }
        _ => Error::new(Name::StateDirUnsafe, what)
            .hinted("check that the directory exists and that you may write there"),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_directory_that_others_may_enter_or_that_is_a_link_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let paths = Paths { config: home.path().into(), data: home.path().join("data") };
        let made = paths.private("locks").unwrap();
        assert_eq!(fs::metadata(&made).unwrap().permissions().mode() & 0o777, 0o700);

        fs::set_permissions(&made, fs::Permissions::from_mode(0o750)).unwrap();
        assert_eq!(paths.private("locks").unwrap_err().name(), Name::StateDirUnsafe);

        symlink("/tmp", paths.data.join("linked")).unwrap();
        assert_eq!(paths.private("linked").unwrap_err().name(), Name::StateDirUnsafe);

        fs::set_permissions(&paths.data, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(paths.private("other").is_ok());
        fs::set_permissions(&paths.data, fs::Permissions::from_mode(0o777)).unwrap();
        assert_eq!(paths.private("other").unwrap_err().name(), Name::StateDirUnsafe);
        fs::set_permissions(&paths.data, fs::Permissions::from_mode(0o700)).unwrap();

        fs::write(paths.data.join("file"), "").unwrap();
        assert_eq!(paths.private("file").unwrap_err().name(), Name::StateDirUnsafe);
    }
}
