//! Which token request style a token endpoint took from a client, where it was found by trying: a small file
//! for each. Nothing in it is secret. It outlives the sign-in, so that neither the next one nor that of another
//! account has to try again; worth nothing if it cannot be read.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use url::Url;

use super::files;
use crate::credential::{Key, TokenStyle, hex};
use crate::error::Result;
use crate::paths::Paths;

/// The largest file, in bytes.
const LIMIT: usize = 1024;

/// The directory of these files, below that of the data.
const PLACE: &str = "styles";

/// What is known of a client at a token endpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// The style that worked.
    pub style: Option<TokenStyle>,
    /// Those that were refused although they were the first to show a code, so that it was not spent.
    #[serde(default)]
    pub refused: Vec<TokenStyle>,
}

#[derive(Serialize, Deserialize)]
struct Note {
    #[serde(flatten)]
    known: Known,
    /// The target at which it was found, for `reset`.
    target: String,
}

/// The file about a client at a token endpoint. The address may hold a secret in its query; its digest does
/// not.
pub fn path(paths: &Paths, token_endpoint: &Url, client_id: &str) -> PathBuf {
    let digest = Sha256::digest(format!("{token_endpoint}\n{client_id}"));
    paths.data.join(PLACE).join(format!("{}.json", hex(&digest[..16])))
}

/// What was found. What cannot be read was never found.
pub fn read(path: &Path) -> Known {
    note(path).map(|note| note.known).unwrap_or_default()
}

/// Notes what was found for a target.
///
/// # Errors
/// `state-dir-unsafe`, `disk-full`.
pub fn write(paths: &Paths, path: &Path, key: &Key, known: Known) -> Result<()> {
    paths.private(PLACE)?;
    let note = Note { known, target: mark(key) };
    files::replace(path, serde_json::json!(note).to_string().as_bytes())
}

/// The files that were written for a target, whatever its account.
pub fn of_target(paths: &Paths, key: &Key) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(paths.data.join(PLACE)).into_iter().flatten().flatten();
    let mark = mark(key);
    let mut found: Vec<_> = entries.map(|entry| entry.path()).collect();
    found.retain(|path| note(path).is_some_and(|note| note.target == mark));
    found.sort();
    found
}

fn note(path: &Path) -> Option<Note> {
    let text = files::read(path, LIMIT).ok()??;
    serde_json::from_slice(&text).ok()
}

/// A target's mark: all of its accounts have the same.
fn mark(key: &Key) -> String {
    Key { account: String::new(), ..key.clone() }.slug()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_style_is_noted_for_a_client_at_an_endpoint_and_found_again_by_its_target() {
        let home = tempfile::tempdir().unwrap();
        let paths = Paths { config: home.path().into(), data: home.path().join("data") };
        let url = |text: &str| Url::parse(text).unwrap();
        let key = |server: &str, account: &str| Key {
            server: server.to_owned(),
            client: Some("id".to_owned()),
            account: account.to_owned(),
        };
        let mine = path(&paths, &url("https://as.example/token?key=secret"), "id");
        assert!(!mine.to_string_lossy().contains("secret"));
        assert_ne!(mine, path(&paths, &url("https://as.example/token?key=secret"), "other"));
        assert_ne!(mine, path(&paths, &url("https://as.example/token"), "id"));
        assert_eq!(read(&mine), Known::default());
        assert!(of_target(&paths, &key("a", "default")).is_empty() && !paths.data.exists());
        let known = Known { style: Some(TokenStyle::FormBasic), refused: vec![TokenStyle::Json] };
        write(&paths, &mine, &key("a", "default"), known.clone()).unwrap();
        assert_eq!(read(&mine), known);
        assert_eq!(of_target(&paths, &key("a", "work")), std::slice::from_ref(&mine));
        assert!(of_target(&paths, &key("b", "default")).is_empty());
        for rubbish in ["", "{", "{\"style\":\"soap\",\"target\":\"\"}", &"x".repeat(LIMIT * 2)] {
            std::fs::write(&mine, rubbish).unwrap();
            assert_eq!(read(&mine), Known::default(), "{rubbish}");
        }
    }
}
