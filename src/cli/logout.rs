//! `logout`: the server is told first, then everything here is forgotten, whatever the server said.

use super::TargetArgs;
use super::context::Context;
use super::ui::{Tone, paint, span};
use crate::credential::now;
use crate::error::{Error, Name, Result};
use crate::profile::Target;
use crate::session::Revocation;
use crate::store::index;

#[derive(clap::Args)]
pub(super) struct LogoutArgs {
    #[command(flatten)]
    pub(super) target: TargetArgs,
    /// Only forget the tokens here; they stay valid at the server
    #[arg(long)]
    pub(super) local: bool,
    /// Every account of every server
    #[arg(long, conflicts_with = "target")]
    pub(super) all: bool,
}

pub(super) async fn run(context: &Context<'_>, args: LogoutArgs) -> Result<u8> {
    if !args.all {
        let target = context.target(&args.target)?;
        return one(context, &target, args.local).await.map(|()| 0);
    }
    let accounts = index::list(&context.paths)?.accounts;
    if accounts.is_empty() {
        context.ui.note("You are not signed in anywhere.");
    }
    let mut worst = Ok(0);
    for entry in accounts {
        let typed = TargetArgs {
            target: entry.target.clone(),
            client_id: entry.client.clone(),
            ..TargetArgs::default()
        };
        let mut target = context.target(&typed)?;
        target.account = entry.account;
        if let Err(error) = one(context, &target, args.local).await {
            context.ui.note(&format!("chipp-auth: {error}."));
            worst = Err(target.mark(error));
        }
    }
    worst
}

pub(super) async fn one(context: &Context<'_>, target: &Target, local: bool) -> Result<()> {
    let store = context.store(target)?;
    let session = context.session(target, store.clone())?;
    let ended = context.patiently(&store, session.end(!local)).await?;
    index::forget(&context.paths, &target.key())?;
    let (ui, name) = (context.ui, target.name());
    let done = format!("{} Signed out of {}", paint(Tone::Good, "✓"), paint(Tone::Strong, &name));
    let (sentence, revoked) = match ended {
        None => (format!("You were not signed in to {name}."), None),
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
                "signed out here, but the server could not be told: {}{}",
                error.what(),
                until.unwrap_or_default()
            );
            return Err(Error::new(Name::ServerError, what)
                .hinted("end the connection in the settings of your account at the server"));
        }
    };
    if ui.json() {
        ui.object(&serde_json::json!({"target": name, "signed_out": revoked.is_some(), "revoked": revoked}));
    } else {
        ui.note(&sentence);
    }
    Ok(())
}
