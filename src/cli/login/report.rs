//! What a finished sign-in looks like.

use super::SignIn;
use crate::cli::ui::{Tone, paint, span, table};
use crate::credential::{Credential, Grant, now};

impl SignIn<'_> {
    /// Tells of a new sign-in; `accepted`: whether the MCP server took its token, if it was asked.
    pub(super) fn tell(&self, credential: &Credential, accepted: Option<bool>) {
        let ui = self.context.ui;
        let tokens = &credential.tokens;
        if ui.json() {
            let mut object = serde_json::json!({
                "signed_in": true,
                "target": self.target.name(),
                "issuer": credential.issuer,
                "scope": credential.scope(),
                "store": self.store.kind().to_string(),
                "access_expires_at": credential.expires_at(),
                "refresh_expires_at": tokens.refresh_expires_at,
                "refreshable": credential.refreshable(),
            });
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
        ui.note(&format!(
            "{} Signed in to {}.",
            paint(Tone::Good, "✓"),
            paint(Tone::Strong, &self.target.name())
        ));
        let mut rows = vec![("kept in", self.store.describe())];
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
        if let Some(end) = credential.expires_at() {
            let renewed = if credential.refreshable() { ", then renewed by itself" } else { "" };
            rows.push(("access", format!("for {}{renewed}", left(end))));
        }
        if let Some(end) = tokens.refresh_expires_at {
            rows.push(("sign-in", format!("for {}", left(end))));
        }
        ui.note(&table(&rows));
        // Nobody promised one.
        if !credential.refreshable() && !credential.grant.is_repeatable() {
            ui.note(&format!(
                "{} The server issued no refresh token: you will have to sign in again when the access ends.\n  \
                 Some servers issue one only for the scope `offline_access`, or only at the first sign-in.",
                paint(Tone::Warn, "!")
            ));
        }
    }
}
