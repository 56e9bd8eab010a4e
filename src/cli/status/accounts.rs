//! Every account: those of one profile in a table, and a line about each of the others, so that nothing stays
//! signed in unnoticed.

use serde_json::json;

use super::super::context::Context;
use super::super::login::remedy;
use super::super::ui::{Tone, columns, paint};
use super::view::{Seen, sign_in, until};
use super::{login_command, usable};
use crate::credential::Credential;
use crate::error::{Name, Result};
use crate::profile::{Target, titled, words};
use crate::store::index;

/// An account of a profile.
pub(super) struct Row {
    account: String,
    /// As the provider tells it.
    identity: Option<String>,
    /// Its sign-in; or why that cannot be read.
    record: Result<Credential, Name>,
}

/// All accounts of the target that are signed in, its own included.
///
/// # Errors
/// `state-dir-unsafe`.
pub(super) async fn of(context: &Context<'_>, seen: &Seen<'_>) -> Result<Vec<Row>> {
    let key = seen.target.key();
    let mut rows = Vec::new();
    if let Some(credential) = seen.credential {
        let (account, identity) = (key.account.clone(), credential.identity.clone());
        rows.push(Row { account, identity, record: Ok(credential.clone()) });
    }
    for entry in index::siblings(&context.paths, &key)? {
        if entry.account == key.account {
            continue;
        }
        // The store that is asked for holds what it holds; the others are looked for where they are.
        let kind = context.global.store.map_or(entry.store, Into::into);
        let store = context.open(kind);
        let record = match context.patiently(&store, store.load(&entry.key())).await {
            Ok(Some(credential)) => Ok(credential),
            Ok(None) => continue,
            Err(error) => Err(error.name()),
        };
        rows.push(Row { account: entry.account, identity: entry.identity, record });
    }
    Ok(rows)
}

/// Whether there is more to show than the one account that is used without `--account`.
pub(super) fn are_several(rows: &[Row], target: &Target) -> bool {
    rows.iter().any(|row| row.account != target.account)
}

/// The table.
pub(super) fn show(context: &Context<'_>, seen: &Seen<'_>, rows: &[Row]) {
    let (ui, target) = (context.ui, seen.target);
    let count = match rows.len() {
        1 => "1 account".to_owned(),
        count => format!("{count} accounts"),
    };
    ui.answer(&format!("{}: {count}.", paint(Tone::Strong, &target.title())));
    let cells: Vec<_> = rows.iter().map(Row::cells).collect();
    ui.answer(&columns(["account", "signed in as", "scope", "access", "sign-in"], &cells));
    let lacking = |row: &Row| row.record.as_ref().ok().and_then(|record| remedy(target, record));
    if let Some(remedy) = rows.iter().find_map(lacking) {
        ui.answer(&format!("  {} {remedy}.", paint(Tone::Warn, "!")));
    }
    if !seen.signed_in() {
        let command = login_command(target, seen.credential);
        ui.answer(&format!(
            "  Without `--account` you are not signed in. Run `{command}`, or name an account."
        ));
    }
    let typed = target.typed.as_deref().map(|typed| format!(" {typed}")).unwrap_or_default();
    ui.note(&paint(Tone::Dim, &format!("More of one of them: chipp-auth status{typed} --account NAME")));
}

impl Row {
    fn cells(&self) -> [String; 5] {
        let identity = self.identity.clone().unwrap_or_else(|| "(not known)".to_owned());
        let [scope, access, sign_in] = match &self.record {
            Ok(record) => [
                record.scope().unwrap_or("(the server's default)").to_owned(),
                until(record.expires_at(), "until refused"),
                sign_in(record),
            ],
            Err(name) => [String::new(), String::new(), format!("cannot be read: {name}")],
        };
        [self.account.clone(), identity, scope, access, sign_in]
    }

    pub(super) fn object(&self) -> serde_json::Value {
        let mut object = json!({
            "account": self.account,
            "identity": self.identity,
            "signed_in": self.record.as_ref().is_ok_and(usable),
        });
        match &self.record {
            Ok(record) => {
                object["scope"] = json!(record.scope());
                object["access_expires_at"] = json!(record.expires_at());
                object["refreshable"] = json!(record.refreshable());
                object["refresh_expires_at"] = json!(record.tokens.refresh_expires_at);
                object["refused_at"] = json!(record.refused_at);
            }
            Err(name) => object["error"] = json!(name.row().text),
        }
        object
    }
}

/// A line about each other account; `shown`: those of the target's profile have been shown already.
pub(super) fn of_others(context: &Context<'_>, target: &Target, shown: bool) {
    let Ok(listing) = index::list(&context.paths) else { return };
    let key = target.key();
    for other in listing.accounts.into_iter().filter(|other| other.key() != key) {
        if shown && (&other.server, &other.client) == (&key.server, &key.client) {
            continue;
        }
        let typed = other.target.as_deref();
        let words = words(typed, &other.account).map(|words| format!(" {words}")).unwrap_or_default();
        let name = titled(typed, other.provider.as_deref());
        let whom = other.key().whom(other.identity.as_deref());
        let command = paint(Tone::Dim, &format!("chipp-auth status{words}"));
        context.ui.note(&format!("Also signed in to {name}{whom}: {command}"));
    }
}
