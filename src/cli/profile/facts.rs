//! What a profile needs before it can work, and what is known of it already.

use crate::profile::edit::Value;
use crate::profile::preset::{self, Preset};
use crate::profile::{Auth, DEFAULT, Entry};

use super::flags::Values;

/// What was given, and what stood there before.
pub(super) struct Facts<'a> {
    pub(super) name: &'a str,
    pub(super) values: &'a Values,
    pub(super) before: Option<&'a Entry>,
}

/// The text of a key among the values.
pub(super) fn text<'a>(values: &'a Values, key: &str) -> Option<&'a str> {
    values.iter().rev().find(|(name, _)| *name == key).and_then(|(_, value)| match value {
        Value::Text(text) => Some(text.as_str()),
        _ => None,
    })
}

impl Facts<'_> {
    /// The text that will stand there.
    fn text(&self, key: &str, of: impl Fn(&Entry) -> Option<String>) -> Option<String> {
        text(self.values, key).map(str::to_owned).or_else(|| self.before.and_then(of))
    }

    pub(super) fn preset(&self) -> Option<&'static Preset> {
        let id = self.text("preset", |entry| entry.preset.clone())?;
        preset::find(&id).ok()
    }

    pub(super) fn auth(&self) -> Auth {
        match text(self.values, "auth") {
            Some("bearer") => Auth::Bearer,
            Some("none") => Auth::None,
            Some(_) => Auth::Oauth,
            None => self.before.and_then(|entry| entry.auth).unwrap_or_default(),
        }
    }

    pub(super) fn client_id(&self) -> Option<String> {
        self.text("client_id", |entry| entry.client_id.clone())
    }

    /// The variables of the preset that must be given and are not.
    pub(super) fn open_variables(&self) -> Vec<&'static str> {
        let Some(preset) = self.preset() else { return Vec::new() };
        let given = |name: &str| {
            let now = self.values.iter().any(|(key, value)| match value {
                Value::Table(members) => {
                    *key == "variables" && members.iter().any(|(member, _)| member == name)
                }
                _ => false,
            });
            now || self.before.is_some_and(|entry| entry.variables.contains_key(name))
        };
        let open = preset.variables.iter().filter(|(name, usual)| usual.is_empty() && !given(name));
        open.map(|(name, _)| name.as_str()).collect()
    }

    /// Whether the endpoints are stated, so that nothing is discovered and no client can be registered.
    pub(super) fn endpoints(&self) -> bool {
        let of_preset = self.preset().and_then(|preset| preset.defaults.token_url.clone());
        self.text("token_url", |entry| entry.token_url.clone()).or(of_preset).is_some()
    }

    /// The flags without which the profile could not work.
    pub(super) fn missing(&self) -> Vec<String> {
        if self.name == DEFAULT {
            let something = !self.values.is_empty() || self.before.is_some();
            return if something { Vec::new() } else { vec!["--url".to_owned()] };
        }
        let mut missing = Vec::new();
        let of_preset = self.preset().and_then(|preset| preset.defaults.url.clone());
        if self.text("url", |entry| entry.url.clone()).or(of_preset).is_none() {
            missing.push("--url URL".to_owned());
        }
        missing.extend(self.open_variables().into_iter().map(|name| format!("--set {name}=VALUE")));
        if self.auth() == Auth::Oauth && self.endpoints() && self.client_id().is_none() {
            missing.push("--client-id ID".to_owned());
        }
        missing
    }
}
