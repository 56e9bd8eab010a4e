//! The tools that an MCP server offered when it was last tested: a small file for each, beside the rate limits.
//! Nothing in it is secret, and nothing but people reads it: a client asks the server itself.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::files;
use crate::credential::Key;
use crate::error::{Result, clean};
use crate::paths::Paths;

/// The largest file, in bytes.
const LIMIT: usize = 1024 * 1024;
/// How many tools are written down.
const TOOLS: usize = 1000;
/// The longest name or title, and the longest description, in characters.
const LONGEST: (usize, usize) = (128, 300);

/// The directory of these files, below that of the data.
const PLACE: &str = "tools";

/// One tool, as its server describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// Its name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

impl Tool {
    /// A tool out of the words of a server: cleaned, and cut where they are too long.
    pub fn of(name: &str, title: Option<&str>, description: Option<&str>) -> Tool {
        let cut = |text: &str, longest| clean(text).chars().take(longest).collect::<String>();
        Tool {
            name: cut(name, LONGEST.0),
            title: title.map(|title| cut(title, LONGEST.0)),
            description: description.map(|description| cut(description, LONGEST.1)),
        }
    }
}

/// What was offered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// When, in Unix seconds.
    pub as_of: u64,
    /// How many tools there were.
    pub count: usize,
    /// The tools, or the first of very many.
    pub tools: Vec<Tool>,
}

impl Offer {
    /// An offer of these tools at a moment.
    pub fn new(tools: &[Tool], as_of: u64) -> Offer {
        Offer { as_of, count: tools.len(), tools: tools.iter().take(TOOLS).cloned().collect() }
    }
}

/// The file for the MCP server at `url` and the account of `key`: what is offered may differ from one to the
/// other.
pub fn path(paths: &Paths, key: &Key, url: &str) -> PathBuf {
    let place = Key { server: format!("{} at {url}", key.server), ..key.clone() };
    paths.data.join(PLACE).join(format!("{}.json", place.slug()))
}

/// What was offered last. What cannot be read was never offered.
pub fn read(path: &Path) -> Option<Offer> {
    let text = files::read(path, LIMIT).ok()??;
    serde_json::from_slice(&text).ok()
}

/// Notes what is offered.
///
/// # Errors
/// `state-dir-unsafe`, `disk-full`.
pub fn write(paths: &Paths, path: &Path, offer: &Offer) -> Result<()> {
    paths.private(PLACE)?;
    files::replace(path, serde_json::json!(offer).to_string().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offer_is_kept_and_rubbish_is_none() {
        let home = tempfile::tempdir().unwrap();
        let paths = Paths { config: home.path().into(), data: home.path().join("data") };
        let key = Key { server: "https://auth.example".into(), client: None, account: "default".into() };
        let mine = path(&paths, &key, "https://a.example/mcp");
        assert_ne!(mine, path(&paths, &key, "https://b.example/mcp"));
        assert_eq!(read(&mine), None);
        let long = "\u{1b}[31mx".repeat(400);
        let tools: Vec<_> =
            (0..TOOLS + 5).map(|n| Tool::of(&format!("t{n}"), Some(&long), Some(&long))).collect();
        let offer = Offer::new(&tools, 7);
        assert_eq!((offer.count, offer.tools.len()), (TOOLS + 5, TOOLS));
        assert!(!offer.tools[0].title.as_ref().unwrap().contains('\u{1b}'));
        write(&paths, &mine, &offer).unwrap();
        assert_eq!(read(&mine), Some(offer));
        for rubbish in ["", "{", "[]", "{\"as_of\":-1}"] {
            std::fs::write(&mine, rubbish).unwrap();
            assert_eq!(read(&mine), None, "{rubbish}");
        }
    }
}
