//! The sign-ins of a profile.

use secrecy::SecretString;

use crate::cli::context::Context;
use crate::error::{Result, clean};
use crate::profile::Target;
use crate::store::index;

/// Those that were made with this profile, or with another that is the same to the server.
pub(super) fn of(context: &Context<'_>, target: &Target) -> Vec<index::Account> {
    index::siblings(&context.paths, &target.key()).unwrap_or_default()
}

/// An account for people: as the provider knows it, and as it is named here.
pub(super) fn named(account: &index::Account) -> String {
    match &account.identity {
        Some(identity) if account.account == "default" || account.account == *identity => clean(identity),
        Some(identity) => format!("{} (account {})", clean(identity), account.account),
        None => account.account.clone(),
    }
}

/// An account for programs.
pub(super) fn object(account: &index::Account) -> serde_json::Value {
    serde_json::json!({"account": account.account, "identity": account.identity, "store": account.store})
}

/// Gives the sign-ins of a client its new secret: each has the secret in itself, to be renewed with it. How many
/// have it now.
///
/// # Errors
/// Those of the store.
pub(super) async fn renew_secret(
    context: &Context<'_>,
    target: &Target,
    secret: &SecretString,
) -> Result<usize> {
    let mut renewed = 0;
    // One that cannot be reached is no reason to leave the others with a secret that has ended.
    let mut failed = None;
    for account in of(context, target) {
        let store = context.open(account.store);
        let mut target = target.clone();
        target.account = account.account;
        let Some(id) = target.client_id.clone() else { continue };
        let session = context.session(&target, store.clone())?;
        match context.patiently(&store, session.renew_client_secret(&id, secret)).await {
            Ok(done) => renewed += usize::from(done),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    failed.map_or(Ok(renewed), Err)
}
