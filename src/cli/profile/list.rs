//! `profile list`: all of them, with who is signed in. Asks nobody and opens no keychain.

use serde_json::json;

use super::commit::target;
use super::{present, signins};
use crate::cli::context::Context;
use crate::cli::ui::{Tone, paint};
use crate::error::Result;
use crate::profile::{Auth, DEFAULT, Target};

pub(super) fn run(context: &Context<'_>) -> Result<u8> {
    let profiles = present(context)?.profiles;
    let own = profiles.keys().map(String::as_str).filter(|name| *name != DEFAULT);
    let mut rows = vec![["PROFILE", "PROVIDER", "MCP SERVER", "AUTH", "SIGNED IN"].map(str::to_owned)];
    let mut objects = Vec::new();
    for name in std::iter::once(DEFAULT).chain(own) {
        let target = target(name, &profiles)?;
        let accounts = signins::of(context, &target);
        let signed_in: Vec<_> = accounts.iter().map(signins::named).collect();
        let signed_in = if signed_in.is_empty() { "-".to_owned() } else { signed_in.join(", ") };
        let accounts: Vec<_> = accounts.iter().map(signins::object).collect();
        let server = target.url.host_str().unwrap_or_default().to_owned();
        let (provider, auth) = (provider(name, &target), word(target.auth));
        objects.push(json!({"name": name, "provider": provider, "url": crate::http::show(&target.url), "auth": auth, "accounts": accounts}));
        rows.push([name.to_owned(), provider, server, auth.to_owned(), signed_in]);
    }
    if context.ui.json() {
        context.ui.object(&json!({"profiles": objects}));
    } else {
        aligned(context, &rows);
    }
    Ok(0)
}

/// The name of the provider: that of the preset, else the host at which one signs in, as far as it is stated.
pub(super) fn provider(name: &str, target: &Target) -> String {
    let host = |text: &str| url::Url::parse(text).ok()?.host_str().map(str::to_owned);
    let issuer = target.issuer.as_deref().and_then(host);
    let endpoint = target.endpoints.as_ref().and_then(|endpoints| host(endpoints.authorization.as_str()));
    match target.preset {
        Some(preset) => preset.name.clone(),
        None if name == DEFAULT => "Chipp".to_owned(),
        None => issuer.or(endpoint).unwrap_or_else(|| "-".to_owned()),
    }
}

/// The way of authorizing, as it stands in the file.
pub(super) fn word(auth: Auth) -> &'static str {
    match auth {
        Auth::Oauth => "oauth",
        Auth::Bearer => "bearer",
        Auth::None => "none",
    }
}

/// Shows rows in columns; the first one is their head.
pub(super) fn aligned<const N: usize>(context: &Context<'_>, rows: &[[String; N]]) {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..N).map(width).collect();
    for (number, row) in rows.iter().enumerate() {
        let cells: Vec<_> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        let line = cells.join("  ");
        let line = line.trim_end();
        context.ui.answer(&if number == 0 { paint(Tone::Dim, line) } else { line.to_owned() });
    }
}
