//! What is wrong only in the light of the whole profile: keys that contradict each other, and what is missing.

use super::Finding;
use super::nearest::nearest;
use super::places::Places;
use super::value::Wrong;
use crate::credential::TokenStyle;
use crate::error::clean;
use crate::profile::choice::GrantChoice;
use crate::profile::hosts;
use crate::profile::keys::KEYS;
use crate::profile::preset::{self, Preset};
use crate::profile::{Auth, DEFAULT, Entry, Pkce, Style};

/// The mistakes of one profile.
pub(super) fn check(name: &str, entry: &Entry, places: &Places) -> Vec<Finding> {
    // What is said below stands at the key that it is about.
    let stated = |key: &str| places.has(name, key);
    let mut found = Vec::new();
    let mut say = |key: &str, what: String, hint: &str| {
        found.push(Finding { at: places.of(name, key), what, hint: hint.replace("PROFILE", name) });
    };
    let preset = entry.preset.as_deref().and_then(|id| preset::find(id).ok());
    if let Some((variable, Wrong { what, hint })) = variables(entry, preset) {
        let key = if variable.is_empty() { "preset" } else { "variables" };
        say(key, format!("the profile {name} {what}"), &hint);
        return found;
    }
    let whole = preset.and_then(|preset| preset.under(entry).ok());
    let whole = whole.as_ref().unwrap_or(entry);
    if name != DEFAULT && whole.url.is_none() {
        let hint = "add url = \"https://…\", the address of the MCP server";
        say("", format!("the profile {name} has no `url`"), hint);
    }
    if entry.auth.unwrap_or_default() != Auth::Oauth {
        let auth = if entry.auth == Some(Auth::Bearer) { "bearer" } else { "none" };
        let idle = |key: &&crate::profile::keys::Key| key.oauth && stated(key.name);
        for key in KEYS.iter().filter(idle) {
            let what = format!("`{}` of the profile {name} has no meaning with auth = \"{auth}\"", key.name);
            say(key.name, what, "remove it, or write auth = \"oauth\"");
        }
        return found;
    }
    for (has, lacks) in [("authorize_url", "token_url"), ("token_url", "authorize_url")] {
        let missing = match lacks {
            "token_url" => whole.token_url.is_none(),
            _ => whole.authorize_url.is_none(),
        };
        if stated(has) && missing {
            let what = format!("the profile {name} has `{has}`, but no `{lacks}`");
            say(has, what, &format!("state both, or none of them; write `{lacks}`, too"));
        }
    }
    if stated("revoke_url") && whole.token_url.is_none() {
        let what =
            format!("`revoke_url` of the profile {name} has no meaning where the endpoints are discovered");
        say("revoke_url", what, "state `authorize_url` and `token_url`, too, or remove it");
    }
    let basic = [TokenStyle::FormBasic, TokenStyle::JsonBasic].map(|style| Some(Style::Named(style)));
    let open = [None, Some(Style::Auto)];
    if stated("basic_encoding") && !basic.contains(&whole.token_style) && !open.contains(&whole.token_style) {
        let what = format!("`basic_encoding` of the profile {name} has no meaning with its `token_style`");
        say("basic_encoding", what, "remove it, or write token_style = \"form_basic\" or \"json_basic\"");
    }
    if whole.pkce == Some(Pkce::Omit) && whole.token_url.is_none() {
        let what =
            format!("`pkce` of the profile {name} cannot be left out where the endpoints are discovered");
        say(
            "pkce",
            what,
            "state `authorize_url` and `token_url` of the provider that refuses it, or remove it",
        );
    }
    grants(name, entry, stated, &mut say);
    for (key, host) in hosts::astray(whole) {
        let what = format!("`hosts` of the profile {name} does not have the host of its `{key}` ({host})");
        say(if stated("hosts") { "hosts" } else { key }, what, &format!("add \"{host}\" to `hosts`"));
    }
    found
}

/// A way to sign in without a person, and what belongs to one.
fn grants(
    name: &str,
    entry: &Entry,
    stated: impl Fn(&str) -> bool,
    say: &mut impl FnMut(&str, String, &str),
) {
    for key in ["idp_client_id", "id_token_file"] {
        if stated(key) && entry.idp.is_none() {
            let what = format!("`{key}` of the profile {name} has no meaning without `idp`");
            say(key, what, "add `idp`, the issuer of the identity provider, or remove it");
        }
    }
    let choice = GrantChoice::from(entry);
    let ways = ["idp", "assertion_file", "client_credentials"];
    match choice.grant() {
        Err(why) => {
            let key = ways.into_iter().find(|key| stated(key)).unwrap_or_default();
            say(
                key,
                format!("the profile {name} {why}"),
                "keep one of `client_credentials`, `assertion_file` and `idp` (with `idp_client_id` and `id_token_file`)",
            );
        }
        Ok(Some(_)) => {
            let personal = ["authorize_params", "redirect_host", "redirect_path", "redirect_port"];
            for key in personal.into_iter().filter(|key| stated(key)) {
                let what =
                    format!("`{key}` of the profile {name} has no meaning for a sign-in without a person");
                say(key, what, "remove it");
            }
        }
        Ok(None) => {}
    }
}

/// What is wrong with the values for a preset's variables: which variable, and why.
fn variables<'a>(entry: &'a Entry, preset: Option<&'a Preset>) -> Option<(&'a str, Wrong)> {
    let Some(preset) = preset else {
        let (variable, _) = entry.variables.iter().next()?;
        let what = "has `variables`, but no `preset` whose addresses they could fill".to_owned();
        let hint = "add `preset`, or remove `variables`".to_owned();
        return Some((variable, Wrong { what, hint }));
    };
    let known: Vec<_> = preset.variables.keys().map(String::as_str).collect();
    if let Some(unknown) = entry.variables.keys().find(|name| !known.contains(&name.as_str())) {
        let what =
            format!("has the variable `{}`, which the preset {} does not have", clean(unknown), preset.id);
        let hint = match (nearest(unknown, &known), known.as_slice()) {
            (Some(near), _) => format!("write `{near}`, if that is what you mean"),
            (None, []) => "remove it; this preset has no variables".to_owned(),
            (None, known) => format!("remove it; the preset has {}", known.join(", ")),
        };
        return Some((unknown, Wrong { what, hint }));
    }
    let open =
        |(name, usual): &(&'a String, &String)| usual.is_empty() && !entry.variables.contains_key(*name);
    let (missing, _) = preset.variables.iter().find(open)?;
    let what = format!("needs the variable `{missing}` of the preset {}", preset.id);
    let hint = format!("add variables = {{ {missing} = \"…\" }}");
    Some((if entry.variables.is_empty() { "" } else { missing }, Wrong { what, hint }))
}
