//! The hosts to which a profile pins its sign-in (`hosts`), and the addresses that stand in the profile itself.
//!
//! A profile that names its hosts wants nothing else asked for the user's consent, and no code, secret or
//! token sent anywhere else, whoever writes an address into it, or a value into an address. The MCP server is
//! not meant: it is the user's own, and the token is for it. What is discovered later is compared with the
//! same list where it is used ([`oauth::hosts`](crate::oauth::hosts)).

use url::Url;

use super::Entry;
use crate::error::{Error, Name, Result, clean};
use crate::oauth::hosts::allows;

/// The addresses of an entry that are not on its hosts: their keys, and the hosts that they lead to. None, if it
/// names no hosts.
pub(super) fn astray(entry: &Entry) -> impl Iterator<Item = (&'static str, String)> {
    let addresses = [
        ("authorization_server", &entry.authorization_server),
        ("authorize_url", &entry.authorize_url),
        ("token_url", &entry.token_url),
        ("revoke_url", &entry.revoke_url),
        ("userinfo_url", &entry.userinfo_url),
    ];
    addresses.into_iter().filter_map(|(key, address)| {
        let url = Url::parse(address.as_deref()?).ok()?;
        let astray = entry.hosts.as_ref().is_some_and(|hosts| !allows(hosts, &url));
        astray.then(|| (key, clean(url.host_str().unwrap_or_default())))
    })
}

/// Whether every address of an entry lies on its hosts. The file is checked as a whole when it is read; this is
/// for an entry from anywhere, before it becomes a target.
///
/// # Errors
/// `config-bad` for one that does not.
pub fn check(entry: &Entry) -> Result<()> {
    match astray(entry).next() {
        None => Ok(()),
        Some((key, host)) => {
            let what = format!("`{key}` leads to {host}, which is not among its `hosts`");
            Err(Error::new(Name::ConfigBad, what)
                .hinted("correct the address, or add its host to `hosts` if the sign-in may go there"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_of_an_entry_must_lie_on_its_hosts() {
        let entry = |key: &str, host: &str| -> Entry {
            toml::from_str(&format!("hosts = [\"a.example\"]\n{key} = \"https://{host}/x\"")).unwrap()
        };
        for key in ["authorization_server", "authorize_url", "token_url", "revoke_url", "userinfo_url"] {
            assert!(check(&entry(key, "a.example")).is_ok(), "{key}");
            let error = check(&entry(key, "b.example")).unwrap_err();
            assert_eq!(error.name(), Name::ConfigBad);
            assert!(error.what().starts_with(&format!("`{key}` leads to b.example")), "{}", error.what());
        }
        // The MCP server is the user's own, and without a list everything is allowed.
        assert!(check(&entry("url", "b.example")).is_ok());
        assert!(check(&Entry { hosts: None, ..entry("token_url", "b.example") }).is_ok());
    }
}
