//! What a profile with each preset comes to, all of it: a change of the data is a change of this page.

use std::fmt::Write;

use super::*;
use crate::profile::{Pkce, RedirectHost, ResourceChoice};

fn facts(target: &Target) -> String {
    let mut out = String::new();
    let mut line = |key: &str, value: &str| {
        if !value.is_empty() {
            writeln!(out, "  {key}: {value}").unwrap();
        }
    };
    let endpoints = target.endpoints.as_ref().unwrap();
    line("authorize", endpoints.authorization.as_str());
    line("token", endpoints.token.as_str());
    line("revoke", endpoints.revocation.as_ref().map(Url::as_str).unwrap_or_default());
    line("userinfo", target.userinfo.as_ref().map(Url::as_str).unwrap_or_default());
    line("style", target.style.unwrap().name());
    line("scope", target.scope.as_deref().unwrap_or_default());
    let host = match target.redirect.host {
        Some(RedirectHost::Name) => "localhost",
        Some(RedirectHost::V4) => "127.0.0.1",
        Some(RedirectHost::V6) => "[::1]",
        None => "?",
    };
    let port = target.redirect.port.map_or_else(|| "*".to_owned(), |port| port.to_string());
    line(
        "redirect",
        &format!("http://{host}:{port}{}", target.redirect.path.as_deref().unwrap_or("/callback")),
    );
    assert_eq!(target.resource, ResourceChoice::Omit);
    line("refresh scope", &format!("{:?}", target.refresh_scope).to_lowercase());
    let params = |params: &BTreeMap<String, String>| {
        params.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
    };
    line("authorize with", &params(&target.authorize_params));
    line("token with", &params(&target.token_params));
    line("headers", &params(&target.headers));
    line("hosts", &target.hosts.as_ref().unwrap().join(" "));
    line("token types", &target.token_types.join(" "));
    line("account", &target.account_from.join(" "));
    line("pkce", if target.pkce == Pkce::Omit { "omit" } else { "" });
    assert!(target.issuer.is_none() && !target.dpop && !target.pkce_unverified);
    out
}

#[test]
fn each_preset_comes_to_these_facts() {
    let mut found = String::new();
    for preset in all() {
        write!(found, "{}\n{}\n", preset.id, facts(&with(preset, GIVEN).unwrap())).unwrap();
    }
    snapbox::assert_data_eq!(found, snapbox::file!["facts.txt"].raw());
}
