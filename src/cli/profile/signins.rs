//! The sign-ins of a profile.

use secrecy::SecretString;

use crate::cli::context::Context;
use crate::error::Result;
use crate::profile::Target;
use crate::store::index;

/// Those that were made with this profile, or with another that is the same to the server.
pub(super) fn of(context: &Context<'_>, target: &Target) -> Vec<index::Account> {
    let key = target.key();
    let accounts = index::list(&context.paths).map(|listing| listing.accounts).unwrap_or_default();
    accounts
        .into_iter()
        .filter(|account| account.server == key.server && account.client == key.client)
        .collect()
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
    for account in of(context, target) {
        let store = context.open(account.store);
        let mut target = target.clone();
        target.account = account.account;
        let Some(id) = target.client_id.clone() else { continue };
        let session = context.session(&target, store.clone())?;
        if context.patiently(&store, session.renew_client_secret(&id, secret)).await? {
            renewed += 1;
        }
    }
    Ok(renewed)
}
