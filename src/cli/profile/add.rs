//! `profile add` and `profile edit`: the same flags and the same questions, once for what is not there yet and once
//! for what is.

use secrecy::SecretString;

use super::commit::{Plan, commit};
use super::dialog::Dialog;
use super::facts::Facts;
use super::flags::{Flags, Values, unset};
use super::{check_name, done, interruptible, present, secret};
use crate::cli::context::Context;
use crate::cli::ui::Ui;
use crate::error::{Error, Name, Result};
use crate::profile::edit::{Change, Changed, Deed, Value, change};
use crate::profile::{DEFAULT, Entry, file};
use crate::store::Kind;

pub(super) const EXAMPLES: &str = "\
A provider that is known, with the secret in a file:
  chipp-auth profile add crm --preset salesforce --url https://mcp.example.com/mcp \\
    --client-id 3MVG9… --client-secret-stdin < secret

A server with a token that everybody shares:
  chipp-auth profile add wiki --url https://mcp.example.com/mcp --auth bearer";

/// The name that stands for the secret, which is no key of the file.
const SECRET: &str = "client_secret";

#[derive(clap::Args)]
pub(super) struct AddArgs {
    /// The name of the new profile
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    flags: Flags,
}

#[derive(clap::Args)]
pub(super) struct EditArgs {
    /// The profile
    #[arg(value_name = "NAME")]
    name: String,
    /// Take a key out, such as scope, headers.X-Team or client_secret
    #[arg(long, value_name = "KEY")]
    unset: Vec<String>,
    #[command(flatten)]
    flags: Flags,
}

pub(super) async fn add(context: &Context<'_>, args: AddArgs) -> Result<u8> {
    check_name(&args.name)?;
    let before = present(context)?;
    let path = file::path(&context.paths.config);
    // Before any question: that the name is taken.
    if before.profiles.contains_key(&args.name) {
        let empty = Change { profile: args.name, deed: Deed::Add, values: Vec::new() };
        return change(&path, &before.text, &empty).map(|_| 0);
    }
    let given = Given { name: &args.name, flags: &args.flags, before: None };
    let Some(said) = given.complete(context, &[]).await? else { return Ok(0) };
    let change = Change { profile: args.name.clone(), deed: Deed::Add, values: said.values };
    let outcome = commit(context, Plan { change, secret: said.secret, forget: false }).await?;
    done::tell(context, &args.name, &outcome)?;
    Ok(0)
}

pub(super) async fn edit(context: &Context<'_>, args: EditArgs) -> Result<u8> {
    let before = present(context)?;
    let mut keys = Vec::new();
    for key in args.unset.iter().filter(|key| *key != SECRET) {
        keys.push(unset(key)?);
    }
    let entry = match before.profiles.get(&args.name) {
        Some(entry) => entry.clone(),
        None if args.name == DEFAULT => Entry::default(),
        None => {
            let nothing = Change { profile: args.name, deed: Deed::Edit(Vec::new()), values: Vec::new() };
            return change(&file::path(&context.paths.config), &before.text, &nothing).map(|_| 0);
        }
    };
    let given = Given { name: &args.name, flags: &args.flags, before: Some(&entry) };
    let Some(said) = given.complete(context, &args.unset).await? else { return Ok(0) };
    keys.extend(said.unset);
    let change = Change { profile: args.name.clone(), deed: Deed::Edit(keys), values: said.values };
    let forget = args.unset.iter().any(|key| key == SECRET);
    let outcome = commit(context, Plan { change, secret: said.secret, forget }).await?;
    done::tell(context, &args.name, &outcome)?;
    Ok(0)
}

/// What the command line says.
struct Given<'a> {
    name: &'a str,
    flags: &'a Flags,
    before: Option<&'a Entry>,
}

/// Everything that has been said, by flags or in the dialog.
struct Said {
    values: Values,
    unset: Vec<String>,
    secret: Option<SecretString>,
}

impl Given<'_> {
    /// The store to be remembered with the profile. That of the environment is meant for what is new only: it
    /// must not move the secrets of profiles that are changed in passing.
    fn store(&self, context: &Context<'_>) -> Option<Kind> {
        let kind = context.global.store.map(Kind::from)?;
        let usual = std::env::var("CHIPP_AUTH_STORE").is_ok_and(|usual| usual == kind.to_string());
        let kept = self.before.is_some_and(|entry| entry.store.is_some() || !self.flags.secret);
        (!usual || !kept).then_some(kind)
    }

    /// Asks for what is missing, if somebody can answer. `None`: nothing is to be done.
    async fn complete(&self, context: &Context<'_>, unset: &[String]) -> Result<Option<Said>> {
        let mut values = self.flags.values(self.name)?;
        let store = self.store(context);
        let missing = Facts { name: self.name, values: &values, before: self.before }.missing();
        let silent = self.flags.is_empty() && unset.is_empty();
        let nothing = silent && self.before.is_some() && store.is_none();
        let asks = Ui::interactive() && !context.ui.json();
        if !asks && !missing.is_empty() {
            let what = format!("the profile {} needs {}", self.name, missing.join(" and "));
            return Err(Error::new(Name::Usage, what)
                .hinted("give what is missing, or run the command in a terminal to be asked for it"));
        }
        if !asks && nothing {
            let what = format!("nothing is to be changed in the profile {}", self.name);
            return Err(Error::new(Name::Usage, what).hinted(
                "give the flags of what is to change, or run the command in a terminal to be asked",
            ));
        }
        // On a terminal the secret is typed: after the questions, so that there is one order of things.
        let mut secret = None;
        if self.flags.secret && !asks {
            secret = Some(interruptible(secret::from_stdin(context)).await?);
        }
        let mut unset = Vec::new();
        let dialog = asks && (!missing.is_empty() || nothing || (silent && self.before.is_none()));
        if dialog {
            let mut dialog = Dialog {
                ui: context.ui,
                name: self.name,
                before: self.before,
                values,
                unset: Vec::new(),
                secret: None,
                has_secret: self.flags.secret,
            };
            interruptible(dialog.run()).await?;
            (values, unset) = (dialog.values, dialog.unset);
            secret = dialog.secret.or(secret);
        }
        if self.flags.secret && secret.is_none() {
            secret = Some(interruptible(secret::from_stdin(context)).await?);
        }
        if let Some(kind) = store {
            values.push(("store", Value::Text(kind.to_string())));
        }
        let unchanged = values.is_empty() && unset.is_empty() && secret.is_none();
        if dialog && unchanged && self.before.is_some() {
            context.ui.note("Nothing was changed.");
            return Ok(None);
        }
        Ok(Some(Said { values, unset, secret }))
    }
}

/// The profiles after a change that is not made yet.
pub(super) fn preview(context: &Context<'_>, before: &Changed, wanted: &Change) -> Result<Changed> {
    change(&file::path(&context.paths.config), &before.text, wanted)
}
