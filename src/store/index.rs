//! The list of accounts: what is signed in where, without any secret.
//!
//! `status` and `logout --all` need to know the accounts without opening each keychain item (macOS asks the
//! user for each), and a keychain cannot be listed on every system. The list also pins the store: an account
//! that was once kept in the keychain is never looked for in a file because of a passing fault, and the other
//! way round (DESIGN decision 2, security.md S1). One file per account, so that writers do not meet.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Kind, files};
use crate::credential::Key;
use crate::error::{Error, Name, Result};
use crate::paths::Paths;

/// The longest entry that is read, in bytes.
const MAX_ENTRY: usize = 64 * 1024;

/// One account, as the list knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// [`Key::server`].
    pub server: String,
    /// [`Key::client`].
    pub client: Option<String>,
    /// [`Key::account`].
    pub account: String,
    /// The target as it was typed at the sign-in, to name it in hints. None for the default one.
    pub target: Option<String>,
    /// [`Credential::identity`](crate::credential::Credential::identity).
    #[serde(default)]
    pub identity: Option<String>,
    /// The name of the provider, if it was known.
    #[serde(default)]
    pub provider: Option<String>,
    /// Where the sign-in is kept.
    pub store: Kind,
    /// Unix seconds of the sign-in.
    pub signed_in_at: u64,
}

impl Account {
    /// The key of the account's record.
    pub fn key(&self) -> Key {
        Key { server: self.server.clone(), client: self.client.clone(), account: self.account.clone() }
    }
}

/// What [`list`] found.
#[derive(Debug, Default)]
pub struct Listing {
    /// The accounts, ordered by server, then account.
    pub accounts: Vec<Account>,
    /// Files that should be entries and are not: for `reset` and `doctor`.
    pub damaged: Vec<PathBuf>,
}

/// Writes an account into the list, in place of its older entry. Call it after the first successful save.
///
/// # Errors
/// `state-dir-unsafe`, `disk-full`.
pub fn record(paths: &Paths, account: &Account) -> Result<()> {
    let text =
        serde_json::to_vec_pretty(account).map_err(|error| Error::new(Name::Internal, error.to_string()))?;
    files::replace(&file(paths, &account.key())?, &text)
}

/// Reads the list. Damaged entries are reported and stop nothing.
///
/// # Errors
/// `state-dir-unsafe` if the directory cannot be trusted or read.
pub fn list(paths: &Paths) -> Result<Listing> {
    let mut listing = Listing::default();
    let directory = paths.private("accounts")?;
    let entries =
        std::fs::read_dir(&directory).map_err(|error| crate::paths::io_error("list", &directory, &error))?;
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        match files::read(&path, MAX_ENTRY).map(|bytes| bytes.map(|bytes| decode(&bytes))) {
            // An entry under another account's name would be listed twice, or pin the wrong store.
            Ok(Some(Some(account))) if path.file_stem().is_some_and(|s| s == &*account.key().slug()) => {
                listing.accounts.push(account);
            }
            Ok(None) => {}
            _ => listing.damaged.push(path),
        }
    }
    listing
        .accounts
        .sort_by(|a, b| (&a.server, &a.account, &a.client).cmp(&(&b.server, &b.account, &b.client)));
    Ok(listing)
}

/// The entry of one account, if it is in the list.
///
/// # Errors
/// `store-corrupt` if the entry is damaged, `state-dir-unsafe`.
pub fn find(paths: &Paths, key: &Key) -> Result<Option<Account>> {
    let path = file(paths, key)?;
    let Some(bytes) = files::read(&path, MAX_ENTRY)? else { return Ok(None) };
    match decode(&bytes) {
        Some(account) if account.key() == *key => Ok(Some(account)),
        _ => Err(Error::new(
            Name::StoreCorrupt,
            format!("the entry {} of the account list is damaged", path.display()),
        )),
    }
}

/// The accounts of the same server and client, the one of this key included.
///
/// # Errors
/// As [`list`].
pub fn siblings(paths: &Paths, key: &Key) -> Result<Vec<Account>> {
    let mut accounts = list(paths)?.accounts;
    accounts.retain(|account| account.server == key.server && account.client == key.client);
    Ok(accounts)
}

/// The account of the same server and client that is known by this name at the provider, if there is exactly
/// one, and none has been given the name here.
///
/// # Errors
/// As [`list`].
pub fn by_identity(paths: &Paths, key: &Key) -> Result<Option<Account>> {
    let siblings = siblings(paths, key)?;
    if siblings.iter().any(|account| account.account == key.account) {
        return Ok(None);
    }
    let is_meant = |account: &Account| {
        account.identity.as_ref().is_some_and(|identity| identity.eq_ignore_ascii_case(&key.account))
    };
    let mut meant = siblings.into_iter().filter(is_meant);
    Ok(meant.next().filter(|_| meant.next().is_none()))
}

/// The store that an account is bound to since its first sign-in; none before.
///
/// # Errors
/// As [`find`]: a damaged entry does not unbind.
pub fn pinned(paths: &Paths, key: &Key) -> Result<Option<Kind>> {
    Ok(find(paths, key)?.map(|account| account.store))
}

/// Takes an account off the list, damaged or not. Whether it was there.
///
/// # Errors
/// `state-dir-unsafe`.
pub fn forget(paths: &Paths, key: &Key) -> Result<bool> {
    files::remove(&file(paths, key)?)
}

fn file(paths: &Paths, key: &Key) -> Result<PathBuf> {
    Ok(paths.private("accounts")?.join(format!("{}.json", key.slug())))
}

fn decode(bytes: &[u8]) -> Option<Account> {
    serde_json::from_slice(bytes).ok().filter(|_| bytes.len() <= MAX_ENTRY)
}
