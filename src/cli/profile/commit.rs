//! Makes a change: the secret into its store, then the file. The file comes last, because it is the one step that
//! is done at once or not at all; whatever fails before it is undone.
//!
//! A secret belongs to a client at an authorization server, and lies under a key of both
//! ([`Target::secret_key`]). If either changes, the old secret is not carried over: it would be shown to a server
//! that it is not for.

use std::collections::BTreeMap;

use secrecy::SecretString;

use super::add::preview;
use super::secret::Place;
use super::{interrupted, present, signins};
use crate::cli::context::Context;
use crate::cli::login::ended;
use crate::credential::same_secret;
use crate::error::{Error, Name, Result};
use crate::profile::edit::{Change, write};
use crate::profile::{Choices, DEFAULT, Entry, Target};
use crate::store::Kind;

/// What is to be done.
pub(super) struct Plan {
    pub(super) change: Change,
    /// The client secret, if a new one was given.
    pub(super) secret: Option<SecretString>,
    /// Whether the one that is there is to go.
    pub(super) forget: bool,
}

/// What has been done, besides the change itself.
#[derive(Default)]
pub(super) struct Outcome {
    /// Sign-ins that have the new secret now.
    pub(super) renewed: usize,
    /// The secret of before belonged to another client, or to another server, and is not used any more.
    pub(super) left_behind: bool,
    /// Whether there is a secret now.
    pub(super) secret: bool,
}

/// The target that a profile means.
pub(super) fn target(name: &str, profiles: &BTreeMap<String, Entry>) -> Result<Target> {
    Target::among(Some(name), profiles, Choices::default())
}

/// Where the client secret of a profile is, if it can have one.
pub(super) fn place(context: &Context<'_>, target: &Target) -> Option<Place> {
    let kind = target.store.unwrap_or(Kind::Keychain);
    Some(Place { key: target.secret_key()?, store: context.open(kind) })
}

pub(super) async fn commit(context: &Context<'_>, plan: Plan) -> Result<Outcome> {
    let Plan { change, secret, forget } = plan;
    let name = change.profile.clone();
    let before = present(context)?;
    let after = preview(context, &before, &change)?;
    let new = target(&name, &after.profiles)?;
    let there = place(context, &new);
    let old = before.profiles.get(&name).and_then(|_| target(&name, &before.profiles).ok());
    let was = old.as_ref().and_then(|old| place(context, old));
    if secret.is_some() && there.is_none() {
        let error = match name.as_str() {
            DEFAULT => Error::new(Name::Usage, "chipp has a client of its own, which has no secret")
                .hinted("make a profile of your own with another name"),
            _ => Error::new(Name::Usage, "a client secret belongs to a client id, and the profile has none")
                .hinted("give `--client-id`, too"),
        };
        return Err(error);
    }
    if let (Some(there), Some(secret), false) = (&there, &secret, before.profiles.contains_key(&name)) {
        unshared(context, &before.profiles, (there, secret)).await?;
    }
    let mut outcome = Outcome::default();
    // What has to lie at the new place: the new secret, or the one of before if only its store is another.
    let moved = was.as_ref().zip(there.as_ref()).is_some_and(|(was, there)| !was.is(there));
    let mut keep = secret.clone();
    if let (Some(was), true, None, false) = (&was, moved || there.is_none(), &secret, forget) {
        let there_is = match was.read(context).await {
            // Where there is no keychain there is no secret in it either.
            Err(error) if error.name() == Name::KeychainMissing => None,
            found => found?,
        };
        let same = there.as_ref().is_some_and(|there| there.key == was.key);
        outcome.left_behind = there_is.is_some() && !same;
        keep = there_is.filter(|_| same);
    }
    let mut undo = None;
    if let (Some(there), Some(secret)) = (&there, &keep) {
        // What cannot be looked at could not be put back either. Damage is what a new secret mends.
        let older = match there.read(context).await {
            Err(error) if error.name() == Name::StoreCorrupt => None,
            older => older?,
        };
        let kept = tokio::select! {
            biased;
            code = ended() => Err(interrupted(code)),
            kept = there.keep(context, secret) => kept,
        };
        if let Err(error) = kept {
            there.restore(older.as_ref()).await;
            return Err(error);
        }
        undo = Some((there, older));
    }
    let changed = match write(&context.paths, &change).await {
        Ok(changed) => changed,
        Err(error) => {
            if let Some((there, older)) = undo {
                there.restore(older.as_ref()).await;
            }
            return Err(error);
        }
    };
    // From here on nothing can be lost: what fails leaves at most a secret that nobody uses.
    if let Some(was) = was.filter(|_| moved || forget || there.is_none()) {
        let mut users = changed.profiles.clone();
        if forget {
            users.remove(&name);
        }
        drop_secret(context, &was, &users).await;
    }
    if let Some(secret) = &secret {
        outcome.renewed = renew(context, &changed.profiles, &new, secret).await?;
    }
    outcome.secret = match (&there, &keep) {
        (Some(_), Some(_)) => true,
        (Some(there), None) => there.read(context).await.ok().flatten().is_some(),
        (None, _) => false,
    };
    Ok(outcome)
}

/// Refuses a new profile with another secret for a client that a profile has already: that one, and its
/// sign-ins, would have the wrong one from then on.
async fn unshared(
    context: &Context<'_>,
    profiles: &BTreeMap<String, Entry>,
    (there, secret): (&Place, &SecretString),
) -> Result<()> {
    let same = |name: &&String| {
        let target = target(name, profiles).ok();
        target.and_then(|target| place(context, &target)).is_some_and(|used| used.is(there))
    };
    let Some(other) = profiles.keys().find(same) else { return Ok(()) };
    match there.read(context).await? {
        Some(kept) if !same_secret(&kept, secret) => {
            let what = format!("the profile {other} has the same client, and another secret is kept for it");
            Err(Error::new(Name::Usage, what).hinted(format!(
                "leave the secret out to use that one; or give both a new one with `chipp-auth profile edit {other} --client-secret-stdin`"
            )))
        }
        _ => Ok(()),
    }
}

/// Removes a secret that no profile uses any more. Whether it was there.
pub(super) async fn drop_secret(
    context: &Context<'_>,
    place: &Place,
    profiles: &BTreeMap<String, Entry>,
) -> bool {
    let used = profiles
        .keys()
        .filter_map(|name| target(name, profiles).ok())
        .filter_map(|target| self::place(context, &target));
    if used.into_iter().any(|used| used.is(place)) {
        return false;
    }
    match context.patiently(&place.store, place.store.forget(&place.key)).await {
        Ok(was_there) => was_there,
        Err(error) if error.name() == Name::KeychainMissing => false,
        Err(error) => {
            context.ui.note(&format!(
                "The client secret that is not used any more could not be removed: {}.",
                error.what()
            ));
            false
        }
    }
}

/// Gives the new secret to the sign-ins of every profile with this client.
async fn renew(
    context: &Context<'_>,
    profiles: &BTreeMap<String, Entry>,
    new: &Target,
    secret: &SecretString,
) -> Result<usize> {
    let mut renewed = 0;
    let mut seen = Vec::new();
    for target in profiles.keys().filter_map(|name| target(name, profiles).ok()) {
        let key = target.key();
        if target.secret_key() == new.secret_key() && !seen.contains(&key) {
            renewed += signins::renew_secret(context, &target, secret).await?;
            seen.push(key);
        }
    }
    Ok(renewed)
}
