//! `status`: who is signed in where, with which scopes, until when, and where the tokens are kept. Asks
//! nobody but the store, so it works offline and spends no request; with `--check` it asks the server too.

use serde_json::json;

use super::TargetArgs;
use super::context::Context;
use super::probe::{self, Verdict};
use super::ui::{Tone, paint, span, table};
use crate::credential::{Credential, Freshness, Grant, now, now_ms};
use crate::error::{Name, Result};
use crate::http::{self, rate_limit::RateLimit};
use crate::profile::{Auth, Target};
use crate::proxy::{Bearer, Refused};
use crate::session::Session;
use crate::store::{Store, allowance, index};

/// From this many seconds before its end the sign-in is announced to end.
const SOON: u64 = 5 * 24 * 3600;

#[derive(clap::Args)]
pub(super) struct StatusArgs {
    #[command(flatten)]
    pub(super) target: TargetArgs,
    /// Ask the server whether it accepts the sign-in, after renewing it if need be
    #[arg(long)]
    pub(super) check: bool,
}

pub(super) async fn run(context: &Context<'_>, args: StatusArgs) -> Result<u8> {
    let target = context.target(&args.target)?;
    if target.auth == Auth::None {
        return open(context, &target, args.check).await;
    }
    let store = context.store(&target)?;
    let session = context.session(&target, store.clone())?;
    let mut credential = context.patiently(&store, session.load()).await?;
    let mut verdict = None;
    if args.check && credential.as_ref().is_some_and(usable) {
        verdict = Some(check(&session, &target).await.map_err(|error| target.mark(error))?);
        credential = session.load().await?;
    }
    let (credential, verdict) = (credential.as_ref(), verdict.as_ref());
    let limit = allowance::read(&allowance::path(&context.paths, &target.key(), &target.canonical()));
    let seen = Seen { target: &target, store: &store, credential, verdict, limit: limit.as_ref() };
    if context.ui.json() {
        context.ui.object(&seen.object(args.check));
    } else {
        seen.show(context);
        others(context, &target);
    }
    Ok(if seen.signed_in() { 0 } else { Name::LoginRequired.row().exit })
}

/// A server that needs no sign-in.
async fn open(context: &Context<'_>, target: &Target, asked: bool) -> Result<u8> {
    let refused = asked && probe::ask(target, None).await? == Verdict::Refused;
    if context.ui.json() {
        let mut object = json!({"target": target.name(), "url": http::show(&target.url), "auth": "none", "signed_in": false});
        if asked {
            object["checked"] = json!({"accepted": !refused});
        }
        context.ui.object(&object);
    } else {
        let said = if refused { "; but the server asks for a sign-in" } else { "" };
        let name = paint(Tone::Strong, &target.name());
        context.ui.answer(&format!("{name}: needs no sign-in (`auth = \"none\"`){said}."));
    }
    Ok(if refused { Name::LoginRequired.row().exit } else { 0 })
}

/// What the server says to the token of the sign-in. A token that it refuses is renewed once, as in
/// the proxy: what counts is whether the user has to do something.
async fn check(session: &Session, target: &Target) -> Result<Verdict> {
    let Some(access) = session.bearer().await? else { return Ok(Verdict::Refused) };
    match probe::ask(target, Some(&access)).await? {
        Verdict::Refused => {}
        verdict => return Ok(verdict),
    }
    let refused = Refused { used: Some(access.token), ..Refused::default() };
    match session.unauthorized(refused).await {
        Ok(another) => probe::ask(target, Some(&another)).await,
        Err(error) if error.name() == Name::LoginRequired => Ok(Verdict::Refused),
        Err(error) => Err(error),
    }
}

/// What there is to tell.
struct Seen<'a> {
    target: &'a Target,
    store: &'a Store,
    credential: Option<&'a Credential>,
    /// What the server said, if it was asked.
    verdict: Option<&'a Verdict>,
    /// What it said last about the rate limit.
    limit: Option<&'a RateLimit>,
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

/// Whether the sign-in serves without the user.
fn usable(credential: &Credential) -> bool {
    let renewable = credential.refreshable() && !ended(credential);
    renewable || credential.grant.is_repeatable() || credential.freshness(now_ms()) != Freshness::Expired
}

/// Whether the refresh token is past its end, as far as that is known.
fn ended(credential: &Credential) -> bool {
    credential.tokens.refresh_expires_at.is_some_and(|end| now() >= end)
}

/// The command that begins a new sign-in of the same kind.
fn login_command(target: &Target, credential: Option<&Credential>) -> String {
    let typed = target.again().map(|t| format!(" {t}")).unwrap_or_default();
    let token = credential.is_some_and(|credential| credential.grant == Grant::Static);
    format!("chipp-auth login{typed}{}", if token { " --with-token" } else { "" })
}

impl Seen<'_> {
    fn signed_in(&self) -> bool {
        self.credential.is_some_and(usable) && self.verdict != Some(&Verdict::Refused)
    }

    fn object(&self, asked: bool) -> serde_json::Value {
        let Seen { target, store, .. } = self;
        let mut object = json!({
            "target": target.name(),
            "url": http::show(&target.url),
            "account": target.account,
            "signed_in": self.signed_in(),
            "store": store.kind().to_string(),
            "login_command": login_command(target, self.credential),
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
        let (Some(credential), Some(members)) = (self.credential, object.as_object_mut()) else {
            return object;
        };
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

    fn show(&self, context: &Context<'_>) {
        let ui = context.ui;
        let name = paint(Tone::Strong, &self.target.name());
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
        let ago = |moment: u64| format!("{} ago", span(now.saturating_sub(moment)));
        let until = |end: Option<u64>, unknown: &str| match end {
            Some(end) if end > now => format!("for {}", span(end - now)),
            Some(end) => format!("ended {}", ago(end)),
            None => unknown.to_owned(),
        };
        let sign_in = match credential.refused_at {
            Some(moment) => format!("refused by the server {}", ago(moment)),
            None if credential.grant == Grant::Static => "a token of yours; not renewable".to_owned(),
            None if credential.grant.is_repeatable() => "repeated without you when it ends".to_owned(),
            None if credential.tokens.refresh.is_none() => {
                "not renewable: the server issued no refresh token".to_owned()
            }
            None => until(credential.tokens.refresh_expires_at, "renewable, end unknown"),
        };
        let mut rows = vec![
            ("server", http::show(&self.target.url)),
            ("signed in at", credential.issuer.clone()),
            ("account", self.target.account.clone()),
            ("scope", credential.scope().unwrap_or("(the server's default)").to_owned()),
            ("access", until(credential.expires_at(), "until the server refuses it")),
            ("sign-in", sign_in),
            ("last renewed", ago(credential.tokens.received_at_ms / 1000)),
            ("kept in", self.store.describe()),
        ];
        rows.extend(self.limit.map(|limit| ("rate limit", limit_row(limit, now))));
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
