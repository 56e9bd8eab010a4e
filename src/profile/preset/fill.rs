//! Fills the names in braces in a preset's addresses.
//!
//! A value is a host name or one label of it, and nothing else: it cannot end the host, begin a path, a
//! query or a port, or smuggle in a user name. Where the filled address may lead is a question of its own,
//! which [`hosts`](crate::profile::hosts) answers.

use std::collections::BTreeMap;

use super::Preset;
use crate::error::{Error, Name, Result, clean};

impl Preset {
    /// Every variable with its value: the one that is given, or the usual one.
    pub(super) fn values(&self, given: &BTreeMap<String, String>) -> Result<BTreeMap<&str, String>> {
        if let Some(unknown) = given.keys().find(|name| !self.variables.contains_key(*name)) {
            let what = format!("the preset {} has no variable `{}`", self.id, clean(unknown));
            let names: Vec<_> = self.variables.keys().map(|name| format!("`{name}`")).collect();
            return Err(Error::new(Name::ConfigBad, what).hinted(match names.as_slice() {
                [] => "leave `variables` out of this profile".to_owned(),
                names => format!("`variables` of this profile may name {}", names.join(", ")),
            }));
        }
        self.variables
            .iter()
            .map(|(name, usual)| self.value(name, given.get(name).unwrap_or(usual)))
            .collect()
    }

    fn value<'a>(&self, name: &'a str, value: &str) -> Result<(&'a str, String)> {
        if value.is_empty() {
            let what = format!("the preset {} needs `{name}`, which is not stated", self.id);
            return Err(Error::new(Name::ConfigBad, what)
                .hinted(format!("add it to the profile, as in `variables = {{ {name} = \"…\" }}`")));
        }
        if !is_host_part(value) {
            let what = format!("`{}` cannot be `{name}` of the preset {}", clean(value), self.id);
            return Err(Error::new(Name::ConfigBad, what).hinted(
                "give a name of letters, digits, dots and hyphens, without https:// and without a path",
            ));
        }
        Ok((name, value.to_owned()))
    }
}

/// Puts the values in their places.
pub(super) fn fill(template: &str, values: &BTreeMap<&str, String>) -> String {
    values.iter().fold(template.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}

/// Whether this is a host name or a part of one: labels (RFC 1123 section 2.1) with dots between them.
pub(in crate::profile) fn is_host_part(value: &str) -> bool {
    let label = |label: &str| {
        let plain = label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        plain && (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
    };
    value.len() <= 253 && value.split('.').all(label)
}
