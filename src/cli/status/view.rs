//! One sign-in, told in full: as rows for people, or as an object.

use serde_json::json;

use super::super::context::Context;
use super::super::login::remedy;
use super::super::probe::Verdict;
use super::super::ui::{Tone, paint, span, table};
use super::{login_command, usable};
use crate::credential::{Credential, Grant, now};
use crate::http::{self, rate_limit::RateLimit};
use crate::profile::{Style, Target};
use crate::store::Store;
use crate::store::tools::Offer;

/// From this many seconds before its end the sign-in is announced to end.
const SOON: u64 = 5 * 24 * 3600;

/// What there is to tell.
pub(super) struct Seen<'a> {
    pub(super) target: &'a Target,
    pub(super) store: &'a Store,
    pub(super) credential: Option<&'a Credential>,
    /// What the server said, if it was asked.
    pub(super) verdict: Option<&'a Verdict>,
    /// What it said last about the rate limit.
    pub(super) limit: Option<&'a RateLimit>,
    /// The tools that it offered when it was last tested.
    pub(super) offer: Option<&'a Offer>,
}

/// The rate limit for people: what is left of it, and when that was so.
fn limit_row(limit: &RateLimit, now: u64) -> String {
    let whole = limit.limit.map(|limit| format!(" of {limit}")).unwrap_or_default();
    let mut row = match limit.remaining {
        Some(remaining) => format!("{remaining}{whole} requests left"),
        None => format!("{} requests", limit.limit.unwrap_or_default()),
    };
    row.extend(limit.tier.as_ref().map(|tier| format!(" ({tier})")));
    row.push_str(&format!(", as of {} ago", span(now.saturating_sub(limit.as_of))));
    match limit.reset {
        Some(reset) if reset > now => {
            row.push_str(&format!("; a new window begins in {}", span(reset - now)));
        }
        Some(_) => row.push_str("; a new window has begun since"),
        None => {}
    }
    row
}

impl Seen<'_> {
    pub(super) fn signed_in(&self) -> bool {
        self.credential.is_some_and(usable) && self.verdict != Some(&Verdict::Refused)
    }

    pub(super) fn object(&self, asked: bool) -> serde_json::Value {
        let Seen { target, store, .. } = self;
        let mut object = json!({
            "target": target.name(),
            "url": http::show(&target.url),
            "account": target.account,
            "signed_in": self.signed_in(),
            "store": store.kind().to_string(),
            "login_command": login_command(target, self.credential),
            "provider": target.provider(),
        });
        if asked {
            object["checked"] = match self.verdict {
                None | Some(Verdict::Refused) => json!({"accepted": false}),
                Some(Verdict::Accepted) => json!({"accepted": true}),
                Some(Verdict::LacksScope(scope)) => json!({"accepted": true, "missing_scope": scope}),
            };
        }
        if let Some(limit) = self.limit {
            object["rate_limit"] = json!(limit);
        }
        if let Some(offer) = self.offer {
            object["tools"] = json!({"count": offer.count, "as_of": offer.as_of});
        }
        let (Some(credential), Some(members)) = (self.credential, object.as_object_mut()) else {
            return object;
        };
        let tokens = &credential.tokens;
        for (name, value) in [
            ("identity", json!(credential.identity)),
            ("instance_url", json!(credential.instance)),
            ("issuer", json!(credential.issuer)),
            ("client_id", json!(credential.client.id)),
            ("token_style", json!(style(credential))),
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
        if let Some(remedy) = remedy(target, credential) {
            members.insert("remedy".to_owned(), json!(remedy));
        }
        object
    }

    pub(super) fn show(&self, context: &Context<'_>) {
        let ui = context.ui;
        let name = paint(Tone::Strong, &self.target.label());
        let command = login_command(self.target, self.credential);
        let Some(credential) = self.credential else {
            ui.answer(&format!("{name}: {}. Run `{command}`.", paint(Tone::Warn, "not signed in")));
            return;
        };
        let headline = match self.signed_in() {
            false => format!("{}. Run `{command}`.", paint(Tone::Bad, "sign-in ended")),
            true => format!("{}.", paint(Tone::Good, "signed in")),
        };
        ui.answer(&format!("{name}: {headline}"));
        ui.answer(&table(&self.rows(credential)));
        let end = credential.tokens.refresh_expires_at.filter(|end| *end < now() + SOON);
        if let Some(end) = end.filter(|end| self.signed_in() && *end > now()) {
            let left = span(end - now());
            ui.answer(&format!(
                "  {} The sign-in ends in {left}. Run `{command}` to begin a new one.",
                paint(Tone::Warn, "!")
            ));
        }
    }

    fn rows(&self, credential: &Credential) -> Vec<(&'static str, String)> {
        let now = now();
        let mut rows = vec![
            ("server", http::show(&self.target.url)),
            ("signed in at", credential.issuer.clone()),
            ("account", account(&self.target.account, credential)),
            ("scope", credential.scope().unwrap_or("(the server's default)").to_owned()),
            ("access", until(credential.expires_at(), "until the server refuses it")),
            ("sign-in", sign_in(credential)),
            ("last renewed", ago(credential.tokens.received_at_ms / 1000)),
            ("kept in", self.store.describe()),
        ];
        rows.extend(credential.instance.clone().map(|instance| ("instance", instance)));
        rows.extend(remedy(self.target, credential).map(|remedy| ("remedy", remedy)));
        rows.extend(self.limit.map(|limit| ("rate limit", limit_row(limit, now))));
        let offered = |offer: &Offer| format!("{}, as of {}", offer.count, ago(offer.as_of));
        rows.extend(self.offer.map(|offer| ("tools", offered(offer))));
        rows.extend(self.verdict.map(|verdict| {
            let said = match verdict {
                Verdict::Accepted => "the server accepts it".to_owned(),
                Verdict::LacksScope(None) => "the server accepts it, for a part of what it offers".to_owned(),
                Verdict::LacksScope(Some(scope)) => {
                    format!("the server accepts it, but wants the scope {scope} for more")
                }
                Verdict::Refused => "the server refuses it".to_owned(),
            };
            ("checked", said)
        }));
        rows
    }
}

/// How the client talks to the token endpoint; nothing for a token that was given.
fn style(credential: &Credential) -> Option<&'static str> {
    (credential.grant != Grant::Static).then(|| Style::Named(credential.client.style).name())
}

/// The account by its name at the provider, and by the one that it has here.
fn account(account: &str, credential: &Credential) -> String {
    match &credential.identity {
        Some(identity) if account == "default" || account == identity => identity.clone(),
        Some(identity) => format!("{identity} (account {account})"),
        None => account.to_owned(),
    }
}

fn ago(moment: u64) -> String {
    format!("{} ago", span(now().saturating_sub(moment)))
}

/// Until when something lasts.
pub(super) fn until(end: Option<u64>, unknown: &str) -> String {
    match end {
        Some(end) if end > now() => format!("for {}", span(end - now())),
        Some(end) => format!("ended {}", ago(end)),
        None => unknown.to_owned(),
    }
}

/// What becomes of a sign-in.
pub(super) fn sign_in(credential: &Credential) -> String {
    match credential.refused_at {
        Some(moment) => format!("refused by the server {}", ago(moment)),
        None if credential.grant == Grant::Static => "a token of yours; not renewable".to_owned(),
        None if credential.grant.is_repeatable() => "repeated without you when it ends".to_owned(),
        None if credential.tokens.refresh.is_none() => {
            "not renewable: the server issued no refresh token".to_owned()
        }
        None => until(credential.tokens.refresh_expires_at, "renewable, end unknown"),
    }
}
