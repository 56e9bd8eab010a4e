//! `profile remove`: the profile, its client secret and its sign-ins. The sign-ins go with it, because without the
//! profile no command could name them any more.

use serde_json::json;

use super::commit::{drop_secret, place, target};
use super::{present, signins};
use crate::cli::context::Context;
use crate::cli::logout;
use crate::cli::ui::{Tone, Ui, paint};
use crate::error::{Error, Name, Result};
use crate::profile::edit::{Change, Deed, unknown, write};

#[derive(clap::Args)]
pub(super) struct RemoveArgs {
    /// The profile
    #[arg(value_name = "NAME")]
    name: String,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// Only forget the tokens here; they stay valid at the server
    #[arg(long)]
    local: bool,
}

pub(super) async fn run(context: &Context<'_>, args: RemoveArgs) -> Result<u8> {
    let name = &args.name;
    let profiles = present(context)?.profiles;
    if !profiles.contains_key(name) {
        return Err(unknown(name, profiles.keys()));
    }
    let ui = context.ui;
    // A profile whose key file is gone can be removed all the same.
    let target = target(name, &profiles).ok();
    let shares = |other: &String| {
        other != name
            && self::target(other, &profiles)
                .is_ok_and(|other| target.as_ref().is_some_and(|target| target.key() == other.key()))
    };
    let sharing = profiles.keys().find(|other| shares(other));
    let accounts = target
        .as_ref()
        .filter(|_| sharing.is_none())
        .map(|target| signins::of(context, target))
        .unwrap_or_default();
    // Those that were made by the server's address can still be named by it.
    let accounts: Vec<_> =
        accounts.into_iter().filter(|account| account.target.as_ref() == Some(name)).collect();
    ui.note(&format!(
        "To be removed: the profile {}, with its client secret, if it has one.",
        paint(Tone::Strong, name)
    ));
    for account in &accounts {
        ui.note(&format!("  the sign-in as {} (as `chipp-auth logout {name}` does)", account.account));
    }
    if let Some(other) = sharing {
        ui.note(&format!("Its sign-ins are those of the profile {other}, too, and stay."));
    }
    if !args.yes {
        if !Ui::interactive() {
            return Err(Error::new(Name::Usage, "remove asks first, and nobody can answer here")
                .hinted("run it with `--yes`"));
        }
        if !ui.confirm("Remove all of it?") {
            ui.note("Nothing was removed.");
            return Ok(0);
        }
    }
    let mut signed_out = Vec::new();
    for account in accounts {
        let Some(mut target) = target.clone() else { continue };
        target.account.clone_from(&account.account);
        // What the server cannot be told is no reason to keep the profile; what the store cannot forget is.
        match logout::one(context, &target, args.local).await {
            Err(error) if error.name() == Name::ServerError => {
                ui.note(&format!("{} {}.", paint(Tone::Warn, "!"), error.what()));
            }
            done => done?,
        }
        signed_out.push(account.account);
    }
    let removal = Change { profile: name.clone(), deed: Deed::Remove, values: Vec::new() };
    let left = write(&context.paths, &removal).await?.profiles;
    let secret = match target.as_ref().and_then(|target| place(context, target)) {
        Some(place) => drop_secret(context, &place, &left).await,
        None => false,
    };
    if ui.json() {
        ui.object(&json!({"removed": name, "client_secret_removed": secret, "signed_out": signed_out}));
    } else {
        ui.note(&format!("{} The profile {} is removed.", paint(Tone::Good, "✓"), paint(Tone::Strong, name)));
    }
    Ok(0)
}
