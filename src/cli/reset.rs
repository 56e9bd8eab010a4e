//! `reset`: for credentials that are damaged or stale. Shows everything it would remove, asks, and
//! removes it. Works where `logout` cannot: it never has to understand what it removes.

use std::path::PathBuf;

use super::context::Context;
use super::ui::{Tone, Ui, paint};
use super::{TargetArgs, notes};
use crate::credential::record::Damage;
use crate::error::{Error, Name, Result};
use crate::paths::io_error;
use crate::profile::{DEFAULT, Target};
use crate::store::{Found, Kind, Store, allowance, index, lock, style, tools};

#[derive(clap::Args)]
pub(super) struct ResetArgs {
    #[command(flatten)]
    pub(super) target: TargetArgs,
    /// Do not ask
    #[arg(long, short)]
    pub(super) yes: bool,
}

/// One thing to remove.
enum Item {
    Record(Store),
    Entry,
    Lock(PathBuf),
    /// A file without secrets.
    Note(PathBuf),
    Leftover(PathBuf),
}

pub(super) async fn run(context: &Context<'_>, args: ResetArgs) -> Result<u8> {
    let target = context.target(&args.target)?;
    let (ui, name) = (context.ui, target.label());
    let items = find(context, &target).await?;
    if items.is_empty() {
        ui.note(&format!("There is nothing to remove for {name}."));
    } else {
        ui.note(&format!("To be removed for {}:", paint(Tone::Strong, &name)));
        for (_, words) in &items {
            ui.note(&format!("  {words}"));
        }
        if !args.yes {
            if !Ui::interactive() {
                return Err(Error::new(
                    Name::Usage,
                    "reset asks before it removes, and nobody can answer here",
                )
                .hinted("run it with `--yes`"));
            }
            if !ui.confirm("Remove all of it?") {
                ui.note("Nothing was removed.");
                return Ok(0);
            }
        }
        for (item, _) in &items {
            remove(context, &target, item).await?;
        }
        let command = target.again().map(|t| format!(" {t}")).unwrap_or_default();
        ui.note(&format!(
            "{} Removed. Run `chipp-auth login{command}` to sign in again.",
            paint(Tone::Good, "✓")
        ));
    }
    if ui.json() {
        let removed: Vec<_> = items.iter().map(|(_, words)| words).collect();
        ui.object(&serde_json::json!({"target": target.name(), "removed": removed}));
    }
    Ok(0)
}

/// Everything that belongs to the target, with words for it.
async fn find(context: &Context<'_>, target: &Target) -> Result<Vec<(Item, String)>> {
    let mut items = Vec::new();
    let wanted = context.global.store.map(Kind::from);
    for kind in [Kind::Keychain, Kind::File] {
        let store = context.open(kind);
        let place = store.describe();
        let words = match store.inspect(&target.key()).await {
            Ok(Found::Absent) => continue,
            Ok(Found::Sound) => format!("the sign-in in the {place}"),
            Ok(Found::Damaged(Damage::Newer(_))) => format!("the sign-in of a newer version in the {place}"),
            Ok(Found::Damaged(Damage::Corrupt)) => format!("the damaged sign-in in the {place}"),
            // A sealed file whose passphrase is lost can be removed all the same.
            Err(error) if kind == Kind::File && error.name() == Name::StoreSealed => {
                format!("the sign-in in the {place}, which cannot be opened with this passphrase")
            }
            // A store that nobody asked for and that is not there holds nothing of ours.
            Err(error) if error.name() == Name::KeychainMissing && wanted != Some(kind) => {
                context.ui.note(&format!("The keychain was not looked at: {}.", error.what()));
                continue;
            }
            Err(error) => return Err(target.mark(error)),
        };
        items.push((Item::Record(store), words));
    }
    match index::find(&context.paths, &target.key()) {
        Ok(None) => {}
        Ok(Some(_)) => items.push((Item::Entry, "the entry in the account list".to_owned())),
        Err(_) => items.push((Item::Entry, "the damaged entry in the account list".to_owned())),
    }
    let (locks, slug) = (context.paths.private("locks")?, target.key().slug());
    for name in ["lock", "login.lock", "signin.lock", "pause"] {
        let path = locks.join(format!("{slug}.{name}"));
        if path.exists() {
            items.push((Item::Lock(path.clone()), format!("the lock file {}", path.display())));
        }
    }
    let note = notes::File::about(&context.paths, &target.url).path()?;
    if note.exists() {
        let words = format!("what is remembered of the server, in {}", note.display());
        items.push((Item::Note(note), words));
    }
    let limits = allowance::path(&context.paths, &target.key(), &target.canonical());
    if limits.exists() {
        items.push((Item::Note(limits.clone()), format!("the note on the rate limit, {}", limits.display())));
    }
    items.extend(style::of_target(&context.paths, &target.key()).into_iter().map(|note| {
        let words = format!("the note on the token request style, {}", note.display());
        (Item::Note(note), words)
    }));
    let offer = tools::path(&context.paths, &target.key(), &target.canonical());
    if offer.exists() {
        items.push((Item::Note(offer.clone()), format!("the list of tools, {}", offer.display())));
    }
    if target.name() == DEFAULT {
        let found = leftovers().into_iter().map(|path| {
            let words = format!("{}, left by another client", path.display());
            (Item::Leftover(path), words)
        });
        items.extend(found);
    }
    Ok(items)
}

/// What Chipp's troubleshooting page tells to remove by hand: `~/.claude/mcp-auth/chipp*`.
pub(super) fn leftovers() -> Vec<PathBuf> {
    let Some(directories) = directories::BaseDirs::new() else { return Vec::new() };
    let entries = std::fs::read_dir(directories.home_dir().join(".claude/mcp-auth"));
    let paths = entries
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.file_name().to_str().is_some_and(|name| name.starts_with("chipp")));
    let mut paths: Vec<_> = paths.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

async fn remove(context: &Context<'_>, target: &Target, item: &Item) -> Result<()> {
    match item {
        Item::Record(store) => {
            store.forget(&target.key()).await.map(|_| ()).map_err(|error| target.mark(error))
        }
        Item::Entry => index::forget(&context.paths, &target.key()).map(|_| ()),
        // A lock that somebody holds is in use, and will be there again at once.
        Item::Lock(path) => match lock::try_acquire(path)? {
            Some(_held) => std::fs::remove_file(path).map_err(|error| io_error("remove", path, &error)),
            None => Ok(()),
        },
        Item::Note(path) => std::fs::remove_file(path).map_err(|error| io_error("remove", path, &error)),
        Item::Leftover(path) => {
            let is_directory = std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir());
            let removed =
                if is_directory { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
            removed.map_err(|error| io_error("remove", path, &error))
        }
    }
}
