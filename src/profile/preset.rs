//! Presets: what is known of well-known providers. Data, not code: one file each in `presets/`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::Entry;
use crate::error::{Error, Name, Result, clean};

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
    /// The day it was read, as YYYY-MM-DD.
    pub checked: String,
    /// Where an OAuth application is registered.
    pub console_url: Option<String>,
    /// Where a person takes the access back.
    pub settings_url: Option<String>,
    /// What to do where no refresh token came.
    pub no_refresh: Option<String>,
    /// What else one should know.
    #[serde(default)]
    pub notes: Vec<String>,
    /// The names that stand in braces in the addresses, with their usual values; an empty one must be given.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    /// The keys of a profile, where the profile does not state them itself.
    pub defaults: Entry,
}

const FILES: &[(&str, &str)] = &[("salesforce", include_str!("presets/salesforce.toml"))];

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

impl Preset {
    /// An entry with everything that this preset knows and the entry does not state itself.
    ///
    /// # Errors
    /// `config-bad` for a variable that the preset does not have, or that must be given and is not.
    pub fn under(&self, entry: &Entry) -> Result<Entry> {
        let mut entry = entry.clone();
        let usual = &self.defaults;
        let fill = |own: &mut Option<String>, usual: &Option<String>| -> Result<()> {
            if let (None, Some(usual)) = (&own, usual) {
                *own = Some(self.filled(usual, &entry.variables)?);
            }
            Ok(())
        };
        fill(&mut entry.url, &usual.url)?;
        fill(&mut entry.authorization_server, &usual.authorization_server)?;
        fill(&mut entry.authorize_url, &usual.authorize_url)?;
        fill(&mut entry.token_url, &usual.token_url)?;
        fill(&mut entry.revoke_url, &usual.revoke_url)?;
        fill(&mut entry.userinfo_url, &usual.userinfo_url)?;
        entry.auth = entry.auth.or(usual.auth);
        entry.scope = entry.scope.or_else(|| usual.scope.clone());
        entry.token_style = entry.token_style.or(usual.token_style);
        entry.basic_encoding = entry.basic_encoding.or(usual.basic_encoding);
        entry.redirect_host = entry.redirect_host.or(usual.redirect_host);
        entry.redirect_path = entry.redirect_path.or_else(|| usual.redirect_path.clone());
        entry.redirect_port = entry.redirect_port.or(usual.redirect_port);
        entry.resource = entry.resource.or_else(|| usual.resource.clone());
        entry.refresh_scope = entry.refresh_scope.or(usual.refresh_scope);
        entry.hosts = entry.hosts.or_else(|| usual.hosts.clone());
        entry.token_types = entry.token_types.or_else(|| usual.token_types.clone());
        entry.account_from = entry.account_from.or_else(|| usual.account_from.clone());
        entry.pkce_unverified |= usual.pkce_unverified;
        let merge = |own: &mut BTreeMap<String, String>, usual: &BTreeMap<String, String>| {
            for (name, value) in usual {
                own.entry(name.clone()).or_insert_with(|| value.clone());
            }
        };
        merge(&mut entry.authorize_params, &usual.authorize_params);
        merge(&mut entry.token_params, &usual.token_params);
        merge(&mut entry.headers, &usual.headers);
        Ok(entry)
    }

    /// An address with its variables filled in.
    fn filled(&self, text: &str, given: &BTreeMap<String, String>) -> Result<String> {
        let mut text = text.to_owned();
        for (name, usual) in &self.variables {
            let value = given.get(name).unwrap_or(usual);
            text = text.replace(&format!("{{{name}}}"), value);
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_a_preset() {
        assert_eq!(all().len(), FILES.len());
    }
}
