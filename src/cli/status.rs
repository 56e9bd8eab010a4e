//! `status`: who is signed in where, with which scopes, until when, and where the tokens are kept. Asks
//! nobody but the store, so it works offline and spends no request.

use serde_json::json;

use super::TargetArgs;
use super::context::Context;
use super::ui::{Tone, paint, span, table};
use crate::credential::{Credential, Freshness, now, now_ms};
use crate::error::{Name, Result};
use crate::http;
use crate::profile::Target;
use crate::store::{Store, index};

/// From this many seconds before its end the sign-in is announced to end.
const SOON: u64 = 5 * 24 * 3600;

#[derive(clap::Args)]
pub(super) struct StatusArgs {
    #[command(flatten)]
    pub(super) target: TargetArgs,
}

pub(super) async fn run(context: &Context<'_>, args: StatusArgs) -> Result<u8> {
    let target = context.target(&args.target)?;
    let store = context.store(&target)?;
    let credential = context.patiently(&store, store.load(&target.key())).await;
    let credential = credential.map_err(|error| target.mark(error))?;
    let usable = credential.as_ref().is_some_and(usable);
    if context.ui.json() {
        context.ui.object(&object(&target, &store, credential.as_ref()));
    } else {
        show(context, &target, (&store, credential.as_ref()));
        others(context, &target);
    }
    Ok(if usable { 0 } else { Name::LoginRequired.row().exit })
}

/// Whether the sign-in serves without the user.
fn usable(credential: &Credential) -> bool {
    let renewable = credential.refreshable() && !ended(credential);
    renewable || credential.freshness(now_ms()) != Freshness::Expired
}

/// Whether the refresh token is past its end, as far as that is known.
fn ended(credential: &Credential) -> bool {
    credential.tokens.refresh_expires_at.is_some_and(|end| now() >= end)
}

fn login_command(target: &Target) -> String {
    format!("chipp-auth login{}", target.typed.as_deref().map(|t| format!(" {t}")).unwrap_or_default())
}

fn object(target: &Target, store: &Store, credential: Option<&Credential>) -> serde_json::Value {
    let mut object = json!({
        "target": target.name(),
        "url": http::show(&target.url),
        "account": target.account,
        "signed_in": credential.is_some_and(usable),
        "store": store.kind().to_string(),
        "login_command": login_command(target),
    });
    let (Some(credential), Some(members)) = (credential, object.as_object_mut()) else { return object };
    let tokens = &credential.tokens;
    for (name, value) in [
        ("issuer", json!(credential.issuer)),
        ("client_id", json!(credential.client.id)),
        ("scope", json!(credential.scope())),
        ("signed_in_at", json!(credential.signed_in_at)),
        ("renewed_at", json!(tokens.received_at_ms / 1000)),
        ("renewals", json!(credential.generation)),
        ("access_expires_at", json!(credential.expires_at())),
        ("refreshable", json!(credential.refreshable())),
        ("refresh_expires_at", json!(tokens.refresh_expires_at)),
        ("refused_at", json!(credential.refused_at)),
    ] {
        members.insert(name.to_owned(), value);
    }
    object
}

fn show(context: &Context<'_>, target: &Target, (store, credential): (&Store, Option<&Credential>)) {
    let ui = context.ui;
    let name = paint(Tone::Strong, &target.name());
    let command = login_command(target);
    let Some(credential) = credential else {
        ui.answer(&format!("{name}: {}. Run `{command}`.", paint(Tone::Warn, "not signed in")));
        return;
    };
    let headline = match () {
        () if !usable(credential) => format!("{}. Run `{command}`.", paint(Tone::Bad, "sign-in ended")),
        () => format!("{}.", paint(Tone::Good, "signed in")),
    };
    ui.answer(&format!("{name}: {headline}"));
    ui.answer(&table(&rows(target, store, credential)));
    let end = credential.tokens.refresh_expires_at.filter(|end| *end < now() + SOON);
    if let Some(end) = end.filter(|end| usable(credential) && *end > now()) {
        let left = span(end - now());
        ui.answer(&format!(
            "  {} The sign-in ends in {left}. Run `{command}` to begin a new one.",
            paint(Tone::Warn, "!")
        ));
    }
}

fn rows(target: &Target, store: &Store, credential: &Credential) -> Vec<(&'static str, String)> {
    let now = now();
    let ago = |moment: u64| format!("{} ago", span(now.saturating_sub(moment)));
    let until = |end: Option<u64>, unknown: &str| match end {
        Some(end) if end > now => format!("for {}", span(end - now)),
        Some(end) => format!("ended {}", ago(end)),
        None => unknown.to_owned(),
    };
    let sign_in = match credential.refused_at {
        Some(moment) => format!("refused by the server {}", ago(moment)),
        None if credential.tokens.refresh.is_none() => {
            "not renewable: the server issued no refresh token".to_owned()
        }
        None => until(credential.tokens.refresh_expires_at, "renewable, end unknown"),
    };
    vec![
        ("server", http::show(&target.url)),
        ("signed in at", credential.issuer.clone()),
        ("account", target.account.clone()),
        ("scope", credential.scope().unwrap_or("(the server's default)").to_owned()),
        ("access", until(credential.expires_at(), "until the server refuses it")),
        ("sign-in", sign_in),
        ("last renewed", ago(credential.tokens.received_at_ms / 1000)),
        ("kept in", store.describe()),
    ]
}

/// A line about the other accounts, so that nothing stays signed in unnoticed.
fn others(context: &Context<'_>, target: &Target) {
    let Ok(listing) = index::list(&context.paths) else { return };
    for other in listing.accounts.into_iter().filter(|other| other.key() != target.key()) {
        let typed = other.target.as_deref().map(|t| format!(" {t}")).unwrap_or_default();
        let account =
            if other.account == "default" { String::new() } else { format!(" --account {}", other.account) };
        let command = paint(Tone::Dim, &format!("chipp-auth status{typed}{account}"));
        context.ui.note(&format!("Also signed in at {}: {command}", other.server));
    }
}
