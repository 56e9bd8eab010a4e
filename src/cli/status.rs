//! `status`: who is signed in where, with which scopes, until when, and where the tokens are kept. Asks
//! nobody but the store, so it works offline and spends no request; with `--check` it asks the server too.

mod accounts;
mod open;
mod view;

use super::TargetArgs;
use super::context::Context;
use super::probe::{self, Verdict};
use crate::credential::{Credential, Freshness, Grant, now, now_ms};
use crate::error::{Name, Result};
use crate::profile::{Auth, Target};
use crate::proxy::{Bearer, Refused};
use crate::session::Session;
use crate::store::{allowance, tools};
use view::Seen;

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
        return open::show(context, &target, args.check).await;
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
    let offer = tools::read(&tools::path(&context.paths, &target.key(), &target.canonical()));
    let (limit, offer) = (limit.as_ref(), offer.as_ref());
    let seen = Seen { target: &target, store: &store, credential, verdict, limit, offer };
    // Who names an account, or has it checked, wants to know of this one.
    let all = match (&context.global.account, args.check) {
        (None, false) => accounts::of(context, &seen).await?,
        _ => Vec::new(),
    };
    if context.ui.json() {
        let mut object = seen.object(args.check);
        if context.global.account.is_none() && !args.check {
            object["accounts"] = all.iter().map(accounts::Row::object).collect();
        }
        context.ui.object(&object);
    } else if accounts::are_several(&all, &target) {
        accounts::show(context, &seen, &all);
        accounts::of_others(context, &target, true);
    } else {
        seen.show(context);
        accounts::of_others(context, &target, false);
    }
    Ok(if seen.signed_in() { 0 } else { Name::LoginRequired.row().exit })
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
        Err(error) if error.wants_login() => Ok(Verdict::Refused),
        Err(error) => Err(error),
    }
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
