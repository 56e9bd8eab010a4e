//! What a finished sign-in looks like.

use super::SignIn;
use crate::cli::ui::{Tone, paint, span, table};
use crate::credential::{Credential, Grant, now};
use crate::profile::Target;

impl SignIn<'_> {
    /// Tells of a new sign-in; `accepted`: whether the MCP server took its token, if it was asked.
    pub(super) fn tell(&self, credential: &Credential, accepted: Option<bool>) {
        let ui = self.context.ui;
        let tokens = &credential.tokens;
        let (target, store) = self.kept();
        if ui.json() {
            let mut object = serde_json::json!({
                "signed_in": true,
                "target": target.name(),
                "account": target.account,
                "identity": credential.identity,
                "provider": target.provider(),
                "instance_url": credential.instance,
                "issuer": credential.issuer,
                "scope": credential.scope(),
                "store": store.kind().to_string(),
                "access_expires_at": credential.expires_at(),
                "refresh_expires_at": tokens.refresh_expires_at,
                "refreshable": credential.refreshable(),
            });
            if let Some(remedy) = remedy(target, credential) {
                object["remedy"] = remedy.into();
            }
            if credential.grant == Grant::User {
                object["token_style"] = credential.client.style.name().into();
            }
            if credential.grant == Grant::Static {
                object["accepted"] = accepted.into();
            }
            ui.object(&object);
            return;
        }
        let left = |end: u64| span(end.saturating_sub(now()));
        ui.note(&headline(target, credential));
        self.tell_of_others(credential);
        let mut rows = vec![("kept in", store.describe())];
        if credential.grant == Grant::Static {
            rows.push(("token", "yours; it works until its server ends it".to_owned()));
            ui.note(&table(&rows));
            if accepted.is_none() {
                let warn = paint(Tone::Warn, "!");
                ui.note(&format!("{warn} The server could not be asked whether it accepts the token."));
            }
            return;
        }
        rows.push(("scope", credential.scope().unwrap_or("(the server's default)").to_owned()));
        rows.extend(credential.instance.clone().map(|instance| ("instance", instance)));
        if let Some(end) = credential.expires_at() {
            let renewed = if credential.refreshable() { ", then renewed by itself" } else { "" };
            rows.push(("access", format!("for {}{renewed}", left(end))));
        }
        if let Some(end) = tokens.refresh_expires_at {
            rows.push(("sign-in", format!("for {}", left(end))));
        }
        ui.note(&table(&rows));
        // Nobody promised one.
        if let Some(remedy) = remedy(target, credential) {
            ui.note(&format!(
                "{} The server issued no refresh token: you will have to sign in again when the access ends.\n  \
                 {remedy}.",
                paint(Tone::Warn, "!")
            ));
        }
    }

    /// Tells what it means for other accounts, if anything.
    fn tell_of_others(&self, credential: &Credential) {
        let ui = self.context.ui;
        let warn = paint(Tone::Warn, "!");
        let identity = credential.identity.as_deref().unwrap_or("the new sign-in");
        let Some(elsewhere) = self.elsewhere.get() else {
            for account in self.doubles(credential) {
                ui.note(&format!(
                    "{warn} {identity} is signed in as the account {account} too. If another account was meant: \
                     your browser chose this one, so sign out there first, and run the command again."
                ));
            }
            return;
        };
        let (stays, account) = (&elsewhere.stays, &elsewhere.target.account);
        let how = match account.as_str() {
            "default" => "without `--account`".to_owned(),
            account => format!("with `--account {account}`"),
        };
        ui.note(&format!(
            "{warn} {identity} is another account than {stays}, which stays as it is; use the new one {how}."
        ));
    }
}

/// The sentence that says it is done.
fn headline(target: &Target, credential: &Credential) -> String {
    let done = paint(Tone::Good, "✓");
    let title = target.provider().map_or_else(|| target.title(), str::to_owned);
    let (title, whom) = match &credential.identity {
        Some(identity) => (title, target.key().whom(Some(identity))),
        None => (target.title(), target.key().whom(None)),
    };
    let verb = if credential.identity.is_some() { "Connected" } else { "Signed in" };
    format!("{done} {verb} to {}{whom}.", paint(Tone::Strong, &title))
}

/// What helps to get a refresh token, if a sign-in of a person lacks one: one sentence, no full stop.
pub(in crate::cli) fn remedy(target: &Target, credential: &Credential) -> Option<String> {
    let lacks = credential.grant == Grant::User && credential.tokens.refresh.is_none();
    let usual = || {
        "Some servers issue one only for the scope `offline_access`, or only at the first sign-in".to_owned()
    };
    lacks.then(|| target.preset.and_then(|preset| preset.no_refresh.clone()).unwrap_or_else(usual))
}
