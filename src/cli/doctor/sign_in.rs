//! The store, and what is in it: whether somebody is signed in, and for how long. No token is renewed for it.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::cli::context::Context;
use crate::cli::login::remedy;
use crate::cli::ui::span;
use crate::credential::{Credential, Freshness, Grant, Key, now, now_ms};
use crate::error::{Error, Name, Result};
use crate::paths::Paths;
use crate::profile::{Auth, Target};
use crate::store::{Kind, Store, index};

use super::check::Check;

const STORE: &str = "store";
const ID: &str = "sign-in";
pub(super) const ACCOUNTS: &str = "accounts";

/// The longest time for the store, a prompt included: the report is not to wait for a person.
const LIMIT: Duration = Duration::from_secs(20);

/// What was found, and what kind of sign-in it is, if there is one.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) checks: Vec<Check>,
    pub(super) grant: Option<Grant>,
}

/// Tries the store, then looks for the sign-in of the target in it.
pub(super) async fn look(context: &Context<'_>, target: Option<&Target>) -> Seen {
    let mark = |error: Error| match target {
        Some(target) => target.mark(error),
        None => error,
    };
    let end = Instant::now() + LIMIT;
    let seen = |store, sign_in| Seen { checks: vec![store, sign_in], grant: None };
    if target.is_some_and(|target| target.auth == Auth::None) {
        let why = "the profile says that no sign-in is needed";
        return seen(Check::skipped(STORE, why), Check::skipped(ID, why));
    }
    let (store, choice) = match chosen(context, target) {
        Ok(chosen) => chosen,
        // The list says which store a sign-in is bound to. Without it, none must be guessed.
        Err(error) => {
            let unknown = "unknown, since the list of accounts does not tell where it is kept";
            return seen(Check::fail(STORE, &mark(error)), Check::skipped(ID, unknown));
        }
    };
    if !store.is_shared() {
        let needless = Check::skipped(STORE, "none is needed: tokens are fetched when they are needed");
        return seen(needless, Check::ok(ID, "made without you whenever it is needed"));
    }
    let nobody = Key { server: "chipp-auth doctor".to_owned(), client: None, account: "default".to_owned() };
    let key = target.map_or(nobody, Target::key);
    let began = Instant::now();
    let tried = within(end, context.patiently(&store, store.try_out(&key))).await;
    let took = began.elapsed().as_millis();
    let place = format!("{}{choice}", store.describe());
    if let Err(error) = tried {
        let unknown = Check::skipped(ID, "unknown, since the store cannot be used");
        return seen(Check::fail(STORE, &mark(error.context(place))), unknown);
    }
    let store_check =
        Check::ok(STORE, format!("{place}: wrote, read and removed a trial record in {took} ms"));
    let Some(target) = target else {
        return seen(store_check, Check::skipped(ID, "it is not known which server is meant"));
    };
    match within(end, context.patiently(&store, store.load(&key))).await {
        Ok(found) => Seen {
            checks: vec![store_check, judge(target, found.as_ref())],
            grant: found.map(|found| found.grant),
        },
        Err(error) => seen(store_check, Check::fail(ID, &mark(error))),
    }
}

async fn within<T>(end: Instant, work: impl Future<Output = Result<T>>) -> Result<T> {
    let late = || Error::new(Name::KeychainTimeout, format!("no answer in {} s", LIMIT.as_secs()));
    timeout_at(end, work).await.unwrap_or_else(|_| Err(late()))
}

/// The store that the commands would use, and why.
fn chosen(context: &Context<'_>, target: Option<&Target>) -> Result<(Store, &'static str)> {
    match (context.global.store, target) {
        (Some(kind), _) => Ok((context.open(kind.into()), " (as chosen)")),
        (None, None) => Ok((context.open(Kind::Keychain), "")),
        (None, Some(target)) => {
            let pinned = index::pinned(&context.paths, &target.key())?;
            let why = if pinned.is_some() { " (the sign-in is bound to it)" } else { "" };
            Ok((context.working_store(target)?, why))
        }
    }
}

/// How things stand with a sign-in.
fn judge(target: &Target, found: Option<&Credential>) -> Check {
    let token = target.auth == Auth::Bearer || found.is_some_and(|found| found.grant == Grant::Static);
    let again = target.again().map(|again| format!(" {again}")).unwrap_or_default();
    let login = format!("run `chipp-auth login{again}{}`", if token { " --with-token" } else { "" });
    let Some(found) = found else {
        return match target.grant.is_repeatable() {
            true => Check::ok(ID, "made without you whenever it is needed"),
            false => Check::warn(ID, "you are not signed in", login),
        };
    };
    let origin = target.url.origin().ascii_serialization();
    if !found.origins.contains(&origin) {
        let error = Error::new(Name::WrongOrigin, format!("the stored sign-in is not for {origin}"));
        return Check::fail(ID, &target.mark(error));
    }
    let ended = found.tokens.refresh_expires_at.is_some_and(|end| now() >= end);
    if found.grant.is_repeatable() {
        return Check::ok(ID, format!("{}; repeated without you when it ends", access(found)));
    }
    if found.refused_at.is_some() || found.client_refused_at.is_some() {
        return Check::warn(ID, "the server has ended the sign-in", login);
    }
    let over = found.freshness(now_ms()) == Freshness::Expired;
    match found.refreshable() && !ended {
        true => {
            let end = found
                .tokens
                .refresh_expires_at
                .map(|end| format!(" for {}", span(end.saturating_sub(now()))));
            Check::ok(ID, format!("{}, renewed by itself{}", access(found), end.unwrap_or_default()))
        }
        false if over => Check::warn(ID, "the sign-in has ended and cannot be renewed", login),
        false if found.grant == Grant::Static => {
            Check::ok(ID, "a token of yours, which works until its server ends it")
        }
        // It does not end, as far as is known.
        false if found.expires_at().is_none() => Check::ok(ID, access(found)),
        false => {
            let why = remedy(target, found).map(|why| format!(". {why}")).unwrap_or_default();
            let what = format!("{}, and it cannot be renewed{why}", access(found));
            Check::warn(ID, what, format!("{login} when it ends"))
        }
    }
}

/// The access token's life.
fn access(found: &Credential) -> String {
    match found.expires_at() {
        None => "signed in; access until the server refuses it".to_owned(),
        Some(end) if end > now() => format!("signed in; access for {}", span(end - now())),
        Some(_) => "signed in; access has ended".to_owned(),
    }
}

/// The list of accounts: how many others there are. Their names may be names of people, and are not shown.
pub(super) fn accounts(paths: &Paths, key: Option<&Key>) -> Check {
    let listing = match index::list(paths) {
        Ok(listing) => listing,
        Err(error) => return Check::fail(ACCOUNTS, &error),
    };
    if let [damaged, more @ ..] = listing.damaged.as_slice() {
        let place = damaged.display();
        let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
        let remedy = format!("remove {place}, then sign in to its server again");
        return Check::warn(
            ACCOUNTS,
            format!("{place}{more} is damaged, and says nothing of its account"),
            remedy,
        );
    }
    let others = listing.accounts.iter().filter(|account| Some(&account.key()) != key).count();
    let what = match others {
        0 => "no other account is signed in".to_owned(),
        1 => "one other account is signed in".to_owned(),
        number => format!("{number} other accounts are signed in"),
    };
    Check::ok(ACCOUNTS, what)
}
