//! `profile show`: everything that holds for a profile, and where each value comes from. Never a secret.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::commit::{place, target};
use super::done::redirect_uri;
use super::{list, present, signins};
use crate::cli::context::Context;
use crate::cli::ui::{Tone, paint, table};
use crate::error::{Result, clean};
use crate::profile::edit::unknown;
use crate::profile::keys::KEYS;
use crate::profile::{DEFAULT, Entry, Target};
use crate::store::Kind;

pub(super) async fn run(context: &Context<'_>, name: &str) -> Result<u8> {
    let profiles = present(context)?.profiles;
    if name != DEFAULT && !profiles.contains_key(name) {
        return Err(unknown(name, profiles.keys()));
    }
    let target = target(name, &profiles)?;
    let secret = match place(context, &target) {
        Some(place) => match place.read(context).await {
            Ok(Some(_)) => kept(&target).to_owned(),
            Ok(None) => "none".to_owned(),
            Err(error) => format!("cannot be looked at ({})", error.name()),
        },
        None => "none".to_owned(),
    };
    if context.ui.json() {
        let mut object = object(context, name, &profiles)?;
        object["client_secret"] = secret.into();
        context.ui.object(&object);
        return Ok(0);
    }
    context.ui.answer(&format!("{}: {}", paint(Tone::Strong, name), list::provider(name, &target)));
    let values = values(name, &profiles, &target);
    let mut rows: Vec<(&str, String)> = values
        .iter()
        .map(|(key, value, from)| {
            let from = if *from == PROFILE { String::new() } else { format!("  ({from})") };
            (key.as_str(), format!("{}{}", plain(value), paint(Tone::Dim, &from)))
        })
        .collect();
    rows.push(("client secret", secret));
    rows.extend(redirect_uri(&target).map(|uri| ("redirect URI", uri)));
    let accounts: Vec<_> = signins::of(context, &target).iter().map(signins::named).collect();
    let signed_in = if accounts.is_empty() { "nobody".to_owned() } else { accounts.join(", ") };
    rows.push(("signed in", signed_in));
    context.ui.answer(&table(&rows));
    Ok(0)
}

/// Where the secret is, in words.
pub(super) fn kept(target: &Target) -> &'static str {
    match target.store {
        Some(Kind::File) => "in the encrypted file",
        _ => "in the keychain",
    }
}

/// The profile as one object, without what only a store knows.
pub(super) fn object(context: &Context<'_>, name: &str, profiles: &BTreeMap<String, Entry>) -> Result<Value> {
    let target = target(name, profiles)?;
    let values = values(name, profiles, &target).into_iter();
    let values: serde_json::Map<_, _> =
        values.map(|(key, value, from)| (key, json!({"value": value, "from": from}))).collect();
    let accounts: Vec<_> = signins::of(context, &target).iter().map(signins::object).collect();
    Ok(json!({
        "name": name,
        "provider": list::provider(name, &target),
        "values": values,
        "redirect_uri": redirect_uri(&target),
        "console_url": target.preset.and_then(|preset| preset.console_url.clone()),
        "accounts": accounts,
    }))
}

const PROFILE: &str = "profile";

/// Each value that holds, and where it comes from. Tables have a row for each member.
fn values(name: &str, profiles: &BTreeMap<String, Entry>, target: &Target) -> Vec<(String, Value, String)> {
    let own = profiles.get(name).cloned().unwrap_or_default();
    let whole = target.preset.and_then(|preset| preset.under(&own).ok()).unwrap_or_else(|| own.clone());
    let (own, mut whole) = (own.members(), whole.members());
    let mut preset = target.preset.map(|preset| format!("preset {}", preset.id)).unwrap_or_default();
    if name == DEFAULT {
        preset = "built in".to_owned();
        let scope = target.scope.clone();
        for (key, value) in [
            ("url", Some(target.url.to_string())),
            ("authorization_server", target.issuer.clone()),
            ("client_id", target.client_id.clone()),
            ("scope", scope),
        ] {
            whole.insert(key.to_owned(), value.into());
        }
    }
    whole.entry("auth").or_insert_with(|| list::word(target.auth).into());
    let mut rows = Vec::new();
    for key in KEYS {
        let Some(value) = whole.get(key.name) else { continue };
        match value {
            Value::Object(members) => {
                for (member, value) in members {
                    let ours = own.get(key.name).is_some_and(|own| own.get(member).is_some());
                    let from = if ours { PROFILE } else { &preset };
                    let hidden =
                        key.name == "headers" && !value.as_str().is_some_and(|text| text.contains("${"));
                    let value = if hidden { "(set; not shown)".into() } else { value.clone() };
                    rows.push((format!("{}.{member}", key.name), value, from.to_owned()));
                }
            }
            value => {
                let usual =
                    key.name == "auth" && target.preset.is_none_or(|preset| preset.defaults.auth.is_none());
                let from = match () {
                    () if own.contains_key(key.name) => PROFILE,
                    () if usual => "default",
                    () => &preset,
                };
                rows.push((key.name.to_owned(), value.clone(), from.to_owned()));
            }
        }
    }
    rows
}

/// A value for people.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => clean(text),
        Value::Array(list) => list.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
