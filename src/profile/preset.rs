//! Presets: what is known of well-known providers. Data, not code: one file each in `presets/`.
//!
//! Each says from which pages it was read, and when. What no page of the provider's says is marked so in the
//! file. A preset only stands behind a profile: whatever the profile states itself counts.
//!
//! Where a provider compares redirect URIs with their port, its preset fixes one: 14721, the same everywhere,
//! so that one line serves all apps that somebody registers. It lies below the ports that systems hand out
//! by themselves (from 32768 on Linux, from 49152 elsewhere), so it is rarely taken.

mod fill;
mod under;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::Entry;
use crate::error::{Error, Name, Result, clean};
pub(super) use fill::is_host_part;

/// What is known of a provider.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// The name in `preset = "…"`: that of the file.
    #[serde(skip)]
    pub id: &'static str,
    /// The provider's name, for people.
    pub name: String,
    /// The page that it was read from.
    pub source: String,
    /// Further pages.
    #[serde(default)]
    pub also: Vec<String>,
    /// The day they were read, as YYYY-MM-DD.
    pub checked: String,
    /// Where an OAuth application is registered.
    pub console_url: Option<String>,
    /// Where a person takes the access back.
    pub settings_url: Option<String>,
    /// What to do where no refresh token came: one sentence, no full stop.
    pub no_refresh: Option<String>,
    /// What else one should know, in whole sentences.
    #[serde(default)]
    pub notes: Vec<String>,
    /// The names that stand in braces in the addresses, with their usual values; an empty one must be given.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    /// The keys of a profile, where the profile does not state them itself.
    pub defaults: Entry,
}

macro_rules! files {
    ($($id:literal)*) => { &[$(($id, include_str!(concat!("presets/", $id, ".toml")))),*] };
}

const FILES: &[(&str, &str)] = files! {
    "atlassian" "entra" "github" "google" "hubspot" "linear" "linkedin" "notion" "salesforce"
    "salesforce-sandbox" "slack" "stripe"
};

// A file that cannot be read is left out here, and found by a test.
static PRESETS: LazyLock<Vec<Preset>> = LazyLock::new(|| {
    let read = |(id, text): &(&'static str, &str)| toml::from_str(text).map(|preset| Preset { id, ..preset });
    FILES.iter().filter_map(|file| read(file).ok()).collect()
});

/// All presets, by name.
pub fn all() -> &'static [Preset] {
    &PRESETS
}

/// The preset of this name.
///
/// # Errors
/// `config-bad` if there is none.
pub fn find(id: &str) -> Result<&'static Preset> {
    all().iter().find(|preset| preset.id == id).ok_or_else(|| {
        let known: Vec<_> = all().iter().map(|preset| preset.id).collect();
        Error::new(Name::ConfigBad, format!("there is no preset named {}", clean(id)))
            .hinted(format!("choose one of {}, or leave `preset` out", known.join(", ")))
    })
}

#[cfg(test)]
mod tests;
