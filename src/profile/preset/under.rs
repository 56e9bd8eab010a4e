//! Puts a preset behind an entry of `profiles.toml`.

use std::collections::BTreeMap;

use super::Preset;
use super::fill::fill;
use crate::error::Result;
use crate::profile::Entry;

impl Preset {
    /// An entry with everything that this preset knows and the entry does not state itself.
    ///
    /// # Errors
    /// `config-bad` for a variable that the preset does not have, that must be given and is not, or whose
    /// value could change more of an address than its place.
    pub fn under(&self, entry: &Entry) -> Result<Entry> {
        let mut entry = entry.clone();
        let usual = &self.defaults;
        let values = self.values(&entry.variables)?;
        let address = |own: &mut Option<String>, usual: &Option<String>| {
            if own.is_none() {
                *own = usual.as_deref().map(|template| fill(template, &values));
            }
        };
        address(&mut entry.url, &usual.url);
        address(&mut entry.authorization_server, &usual.authorization_server);
        address(&mut entry.authorize_url, &usual.authorize_url);
        address(&mut entry.token_url, &usual.token_url);
        address(&mut entry.revoke_url, &usual.revoke_url);
        address(&mut entry.userinfo_url, &usual.userinfo_url);
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
        entry.pkce = entry.pkce.or(usual.pkce);
        merge(&mut entry.authorize_params, &usual.authorize_params);
        merge(&mut entry.token_params, &usual.token_params);
        merge(&mut entry.headers, &usual.headers);
        Ok(entry)
    }
}

fn merge(own: &mut BTreeMap<String, String>, usual: &BTreeMap<String, String>) {
    for (name, value) in usual {
        own.entry(name.clone()).or_insert_with(|| value.clone());
    }
}
