//! Directories, the file of profiles, and the lock.

use std::path::Path;

use crate::credential::Key;
use crate::error::Error;
use crate::paths::Paths;
use crate::profile::{self, Choices, Target};
use crate::store::lock;

use super::check::Check;

pub(super) const DATA: &str = "data-dir";
pub(super) const LOCKS: &str = "locks";

/// The data directory. Looked at before anything else may make it.
pub(super) fn data(paths: &Paths) -> Check {
    let place = paths.data.display();
    match paths.look() {
        Err(error) => Check::fail(DATA, &error),
        Ok(false) => Check::ok(DATA, format!("{place} is not there yet; it is made when it is needed")),
        Ok(true) => Check::ok(DATA, format!("{place} is yours alone{}", home())),
    }
}

/// Says where the place comes from, if it is not the usual one.
fn home() -> &'static str {
    match std::env::var_os("CHIPP_AUTH_HOME").is_some_and(|home| !home.is_empty()) {
        true => ", as CHIPP_AUTH_HOME says",
        false => "",
    }
}

/// `profiles.toml`: whether it can be read, and whether each profile in it can be used.
pub(super) fn profiles(config: &Path) -> Vec<Check> {
    const ID: &str = "profiles";
    let place = config.join("profiles.toml");
    let entries = match profile::load(config) {
        Ok(entries) => entries,
        Err(error) => return vec![Check::fail(ID, &error)],
    };
    if !place.exists() {
        return vec![Check::ok(ID, format!("there is no {}, and none is needed", place.display()))];
    }
    let unusable = |name: &String| {
        let error = Target::resolve(Some(name), config, Choices::default()).err()?;
        Some(Check::warn(ID, format!("the profile {name} cannot be used: {}", error.what()), error.hint()))
    };
    let checks: Vec<_> = entries.keys().filter_map(unusable).collect();
    if !checks.is_empty() {
        return checks;
    }
    let many = match entries.len() {
        1 => "one profile".to_owned(),
        number => format!("{number} profiles"),
    };
    vec![Check::ok(ID, format!("{} is in order, with {many}", place.display()))]
}

/// Whether a lock can be had here at all, and whether somebody holds that of the sign-in.
pub(super) fn locks(paths: &Paths, key: Option<&Key>) -> Check {
    match trial(paths, key) {
        Ok(None) => Check::ok(LOCKS, "a lock can be taken, and nobody holds that of the sign-in"),
        Ok(Some(holder)) => Check::warn(
            LOCKS,
            format!("another chipp-auth process{holder} holds the lock of the sign-in at this moment"),
            "look for a stopped chipp-auth process and end it, if this stays so",
        ),
        Err(error) => Check::fail(LOCKS, &error),
    }
}

/// Takes and removes a lock of its own, then looks at that of the sign-in. Who holds that one, if somebody
/// does.
fn trial(paths: &Paths, key: Option<&Key>) -> Result<Option<String>, Error> {
    let locks = paths.private("locks")?;
    // Of this process alone, so nobody else can have it.
    let path = locks.join(format!("doctor-{}.lock", std::process::id()));
    let taken = lock::try_acquire(&path).map(drop);
    let _ = std::fs::remove_file(&path);
    taken?;
    let Some(key) = key else { return Ok(None) };
    let path = locks.join(format!("{}.lock", key.slug()));
    if !path.exists() || lock::try_acquire(&path)?.is_some() {
        return Ok(None);
    }
    let holder = lock::holder(&path).map(|process| format!(" (process {process})")).unwrap_or_default();
    Ok(Some(holder))
}
