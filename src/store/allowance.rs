//! What the server said last about the rate limit of a sign-in: a small file for each, beside the locks.
//! Nothing in it is secret. Written by `proxy` now and then, read by `status`; worth nothing if it cannot be
//! read.

use std::path::{Path, PathBuf};

use super::files;
use crate::credential::Key;
use crate::error::Result;
use crate::http::rate_limit::RateLimit;
use crate::paths::Paths;

/// The largest file, in bytes.
const LIMIT: usize = 1024;

/// The directory of these files, below that of the data.
const PLACE: &str = "limits";

/// The file for the MCP server at `url` and the account of `key`. One sign-in may serve several servers, and
/// each of them may count for itself.
pub fn path(paths: &Paths, key: &Key, url: &str) -> PathBuf {
    let place = Key { server: format!("{} at {url}", key.server), ..key.clone() };
    paths.data.join(PLACE).join(format!("{}.json", place.slug()))
}

/// What was said last. What cannot be read was never said.
pub fn read(path: &Path) -> Option<RateLimit> {
    let text = files::read(path, LIMIT).ok()??;
    serde_json::from_slice(&text).ok()
}

/// Notes what was said.
///
/// # Errors
/// `state-dir-unsafe`, `disk-full`.
pub fn write(paths: &Paths, path: &Path, limit: &RateLimit) -> Result<()> {
    paths.private(PLACE)?;
    files::replace(path, serde_json::json!(limit).to_string().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_server_and_account_has_its_own_and_rubbish_is_nothing() {
        let home = tempfile::tempdir().unwrap();
        let paths = Paths { config: home.path().into(), data: home.path().join("data") };
        let key = |account: &str| Key {
            server: "https://auth.example".to_owned(),
            client: None,
            account: account.to_owned(),
        };
        let mine = path(&paths, &key("default"), "https://a.example/mcp");
        assert_ne!(mine, path(&paths, &key("other"), "https://a.example/mcp"));
        assert_ne!(mine, path(&paths, &key("default"), "https://b.example/mcp"));
        assert_eq!(read(&mine), None);
        let limit = RateLimit { tier: None, limit: Some(30), remaining: Some(3), reset: Some(9), as_of: 5 };
        write(&paths, &mine, &limit).unwrap();
        assert_eq!(read(&mine), Some(limit));
        for rubbish in ["", "{", "[]", "{\"as_of\":-1}", &"x".repeat(LIMIT * 2)] {
            std::fs::write(&mine, rubbish).unwrap();
            assert_eq!(read(&mine), None, "{rubbish}");
        }
    }
}
