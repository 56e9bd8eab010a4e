//! `logout`: the server is told first, then everything here is forgotten, whatever the server said.

use std::time::Duration;

use super::TargetArgs;
use super::context::Context;
use super::ui::{Tone, paint, span};
use crate::credential::now;
use crate::error::{Error, Name, Result};
use crate::profile::{self, Target, titled, words};
use crate::session::Revocation;
use crate::store::{index, lock};

/// How long a renewal of the same sign-in is waited for.
const PATIENCE: Duration = Duration::from_secs(45);

#[derive(clap::Args)]
pub(super) struct LogoutArgs {
    #[command(flatten)]
    pub(super) target: TargetArgs,
    /// Only forget the tokens here; they stay valid at the server
    #[arg(long)]
    pub(super) local: bool,
    /// Every account of TARGET; without TARGET, every account of every server
    #[arg(long)]
    pub(super) all: bool,
}

pub(super) async fn run(context: &Context<'_>, args: LogoutArgs) -> Result<u8> {
    if !args.all {
        let target = context.target(&args.target)?;
        return one(context, &target, args.local).await.map(|()| 0);
    }
    if context.global.account.is_some() {
        return Err(Error::new(Name::Usage, "`--all` and `--account` contradict each other")
            .hinted("leave out one of them"));
    }
    if !args.local {
        // In a file that cannot be read every profile seems to be gone, and no server would be told.
        profile::load(&context.paths.config)?;
    }
    let (accounts, whose) = match &args.target.target {
        None => (index::list(&context.paths)?.accounts, "anywhere".to_owned()),
        Some(_) => {
            let target = context.target(&args.target)?;
            (index::siblings(&context.paths, &target.key())?, format!("to {}", target.title()))
        }
    };
    if accounts.is_empty() {
        context.ui.note(&format!("You are not signed in {whose}."));
    }
    let mut worst = Ok(0);
    for entry in accounts {
        let words = words(entry.target.as_deref(), &entry.account);
        if let Err(error) = listed(context, args.local, entry).await {
            // The last one is what this command ends with.
            let error = error.for_target(words.as_deref());
            if let Err(earlier) = std::mem::replace(&mut worst, Err(error)) {
                context.ui.note(&format!("chipp-auth: {earlier}."));
            }
        }
    }
    worst
}

/// Signs an account of the list out.
async fn listed(context: &Context<'_>, local: bool, entry: index::Account) -> Result<()> {
    let key = entry.key();
    let typed =
        TargetArgs { target: entry.target.clone(), client_id: entry.client.clone(), ..TargetArgs::default() };
    if let Ok(mut target) = context.target(&typed) {
        target.account.clone_from(&entry.account);
        if target.key() == key {
            return one(context, &target, local).await;
        }
    }
    // The profile is gone, or leads elsewhere now: that must not keep the tokens here.
    let store = context.open(context.global.store.map_or(entry.store, Into::into));
    // A renewal that is under way would bring the record back (C8).
    let path = context.paths.private("locks")?.join(format!("{}.lock", key.slug()));
    let _lock = lock::acquire(&path, PATIENCE).await?;
    context.patiently(&store, store.forget(&key)).await?;
    index::forget(&context.paths, &key)?;
    let name = titled(entry.target.as_deref(), entry.provider.as_deref());
    let whom = key.whom(entry.identity.as_deref());
    let what = format!(
        "signed out of {name}{whom} here, but its profile is not what it was, so the server was not told"
    );
    Err(Error::new(Name::ConfigBad, what)
        .hinted("end the connection in the settings of your account at the server"))
}

pub(super) async fn one(context: &Context<'_>, target: &Target, local: bool) -> Result<()> {
    let store = context.store(target)?;
    let session = context.session(target, store.clone())?;
    let identity = index::find(&context.paths, &target.key()).ok().flatten().and_then(|entry| entry.identity);
    let ended = context.patiently(&store, session.end(!local)).await?;
    index::forget(&context.paths, &target.key())?;
    let (ui, whom) = (context.ui, target.key().whom(identity.as_deref()));
    let done =
        format!("{} Signed out of {}{whom}", paint(Tone::Good, "✓"), paint(Tone::Strong, &target.title()));
    let (sentence, revoked) = match ended {
        None => (format!("You were not signed in to {}{whom}.", target.title()), None),
        Some(Revocation::Done) => (format!("{done}; the server revoked the tokens."), Some(true)),
        Some(Revocation::NotAsked) => {
            (format!("{done} here; the tokens stay valid at the server."), Some(false))
        }
        Some(Revocation::Unsupported) => {
            (format!("{done} here; the server has no way to revoke tokens."), Some(false))
        }
        Some(Revocation::Unreadable) => {
            (format!("{done} here; the stored tokens were damaged, so none could be revoked."), Some(false))
        }
        Some(Revocation::Failed(error, end)) => {
            let until =
                end.map(|end| format!("; the sign-in ends there in {}", span(end.saturating_sub(now()))));
            let what = format!(
                "signed out here{whom}, but the server could not be told: {}{}",
                error.what(),
                until.unwrap_or_default()
            );
            return Err(Error::new(Name::ServerError, what).hinted(settings(target)));
        }
    };
    if ui.json() {
        ui.object(&serde_json::json!({
            "target": target.name(),
            "account": target.account,
            "identity": identity,
            "signed_out": revoked.is_some(),
            "revoked": revoked,
        }));
    } else {
        ui.note(&sentence);
    }
    Ok(())
}

/// Where a person ends the connection.
fn settings(target: &Target) -> String {
    match target.preset.and_then(|preset| preset.settings_url.as_deref()) {
        Some(url) => format!("end the connection in your account's settings: {url}"),
        None => "end the connection in the settings of your account at the server".to_owned(),
    }
}
