//! `profile`: what to connect to, kept in `profiles.toml`. One file a command.
//!
//! The flags of `add` and `edit` and the steps of their dialog come from one table
//! ([`KEYS`](crate::profile::keys::KEYS)), the same by which the file is read.

mod add;
mod commit;
mod dialog;
mod done;
mod facts;
mod flags;
mod list;
mod presets;
mod remove;
mod secret;
mod show;
mod signins;

use clap::{Args, Subcommand};

use super::context::Context;
use super::login::{INTERRUPTED, ended};
use crate::error::{Error, Name, Result};
use crate::profile::edit::Changed;
use crate::profile::{check, file, schema};

#[derive(Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(super) struct ProfileArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a profile. On a terminal, what is missing is asked for step by step
    #[command(after_help = add::EXAMPLES)]
    Add(add::AddArgs),
    /// List the profiles, with who is signed in
    List,
    /// Show everything that holds for a profile, and where it comes from
    Show {
        /// The profile
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Change a profile. On a terminal, without flags, each answer is asked for again
    Edit(add::EditArgs),
    /// Remove a profile, its client secret and its sign-ins
    Remove(remove::RemoveArgs),
    /// List the providers that are known
    Presets,
    /// Print the JSON schema of profiles.toml
    Schema,
}

pub(super) async fn run(context: &Context<'_>, args: ProfileArgs) -> Result<u8> {
    match args.command {
        Command::Add(args) => add::add(context, args).await,
        Command::Edit(args) => add::edit(context, args).await,
        Command::List => list::run(context),
        Command::Show { name } => show::run(context, &name).await,
        Command::Remove(args) => remove::run(context, args).await,
        Command::Presets => presets::run(context),
        Command::Schema => {
            context.ui.raw(schema::SCHEMA.as_bytes());
            Ok(0)
        }
    }
    .map_err(|error| error.for_target(None))
}

/// Does something that Ctrl-C may end at any point, because it changes nothing yet.
async fn interruptible<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::select! {
        biased;
        code = ended() => Err(interrupted(code)),
        done = work => done,
    }
}

fn interrupted(code: u8) -> Error {
    let what = if code == INTERRUPTED {
        "you ended the dialog; nothing was changed"
    } else {
        "ended from outside; nothing was changed"
    };
    Error::new(Name::LoginCancelled, what).hinted("run the command again when you are ready")
}

/// The file as it is.
fn present(context: &Context<'_>) -> Result<Changed> {
    let path = file::path(&context.paths.config);
    let text = file::read(&path)?.unwrap_or_default();
    Ok(Changed { profiles: file::parse(&path, &text)?, text })
}

/// Refuses what can be no profile's name.
fn check_name(name: &str) -> Result<()> {
    check::profile_name(name).map_err(|wrong| {
        Error::new(Name::Usage, format!("the name of the profile {}", wrong.what)).hinted(wrong.hint)
    })
}
