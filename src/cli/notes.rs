//! What the proxy remembers of a server from one run to the next: one small file for each address.

use std::fs;
use std::io::Read;
use std::path::PathBuf;

use sha2::{Digest, Sha256};
use url::Url;

use crate::credential::hex;
use crate::error::Result;
use crate::paths::Paths;
use crate::proxy::Notes;

/// The longest file that is read, in bytes.
const LONGEST: u64 = 4096;

/// The file about one server. Nothing is touched before it is read or written.
#[derive(Debug)]
pub(super) struct File {
    paths: Paths,
    name: String,
}

impl File {
    pub(super) fn about(paths: &Paths, server: &Url) -> Self {
        // An address may hold a secret in its query; its digest does not.
        let name = format!("{}.json", hex(&Sha256::digest(server.as_str())[..16]));
        File { paths: paths.clone(), name }
    }

    /// Where it is, whether or not it is there.
    ///
    /// # Errors
    /// `state-dir-unsafe`, `disk-full`.
    pub(super) fn path(&self) -> Result<PathBuf> {
        Ok(self.paths.private("eras")?.join(&self.name))
    }
}

impl Notes for File {
    fn read(&self) -> Option<Vec<u8>> {
        // Where there is no data directory yet, none is made for the sake of looking into it.
        let path = self.paths.data.join("eras").join(&self.name);
        path.exists().then(|| self.path().ok()).flatten()?;
        let mut bytes = Vec::new();
        fs::File::open(path).ok()?.take(LONGEST + 1).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    fn write(&self, note: Option<&[u8]>) {
        let Ok(path) = self.path() else { return };
        let Some(note) = note else { return drop(fs::remove_file(path)) };
        // Never a part of it under its name. What a power loss leaves of it is damaged and says nothing, so
        // nobody waits for the disk.
        let unfinished = path.with_extension(format!("{}.tmp", std::process::id()));
        if fs::write(&unfinished, note).and_then(|()| fs::rename(&unfinished, &path)).is_err() {
            let _ = fs::remove_file(unfinished);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_kept_for_each_address_and_can_be_taken_away() {
        let home = tempfile::tempdir().unwrap();
        let paths = Paths { config: home.path().into(), data: home.path().join("data") };
        let about = |url: &str| File::about(&paths, &url.parse().unwrap());
        let (one, other) = (about("https://a.example/mcp?key=secret"), about("https://a.example/sse"));
        assert_eq!(one.read(), None);
        assert!(!paths.data.exists(), "nothing is made by looking");
        one.write(None);
        one.write(Some(b"first"));
        one.write(Some(b"second"));
        assert_eq!(one.read().as_deref(), Some(&b"second"[..]));
        assert_eq!(other.read(), None);
        let names: Vec<_> = fs::read_dir(paths.data.join("eras")).unwrap().flatten().collect();
        assert_eq!(names.len(), 1, "{names:?}");
        fs::write(one.path().unwrap(), vec![b' '; 100_000]).unwrap();
        assert_eq!(one.read().unwrap().len(), 4097);
        one.write(None);
        assert_eq!(one.read(), None);
    }
}
