//! The hosts to which a profile pins its sign-in (`hosts`).
//!
//! A profile that names its hosts wants nothing else asked for the user's consent, and no code, secret or
//! token sent anywhere else, whoever writes an address into it, or a value into an address. The MCP server is
//! not meant: it is the user's own, and the token is for it.

use url::Url;

use super::Entry;
use crate::error::{Error, Name, Result, clean};

/// Whether this host is one of them. `*.example.com` stands for all hosts below `example.com`, and not for
/// itself.
pub fn allows(hosts: &[String], host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    hosts.iter().map(|pattern| pattern.to_ascii_lowercase()).any(|pattern| match pattern.strip_prefix("*.") {
        Some(parent) => {
            let label = host.strip_suffix(&parent).and_then(|label| label.strip_suffix('.'));
            !parent.is_empty() && label.is_some_and(|label| !label.is_empty())
        }
        None => pattern == host,
    })
}

/// Whether every address of an entry lies on its hosts, if it names any.
///
/// # Errors
/// `config-bad` for one that does not.
pub fn check(entry: &Entry) -> Result<()> {
    let Some(hosts) = &entry.hosts else { return Ok(()) };
    let addresses = [
        ("authorization_server", &entry.authorization_server),
        ("authorize_url", &entry.authorize_url),
        ("token_url", &entry.token_url),
        ("revoke_url", &entry.revoke_url),
        ("userinfo_url", &entry.userinfo_url),
    ];
    for (key, address) in addresses {
        let Some(url) = address.as_deref().and_then(|address| Url::parse(address).ok()) else { continue };
        let host = url.host_str().unwrap_or_default();
        if !allows(hosts, host) {
            let what = format!("`{key}` leads to {}, which is not among its `hosts`", clean(host));
            return Err(Error::new(Name::ConfigBad, what)
                .hinted("correct the address, or add its host to `hosts` if the sign-in may go there"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_allowed_by_its_name_or_by_what_is_above_it() {
        let hosts = ["login.example.com", "*.My.Example.com", "*", "*.", "[::1]"].map(String::from);
        for host in
            ["login.example.com", "LOGIN.example.com", "a.my.example.com", "a.b.my.example.com", "[::1]"]
        {
            assert!(allows(&hosts, host), "{host}");
        }
        for host in [
            "example.com",
            "my.example.com",
            ".my.example.com",
            "amy.example.com",
            "login.example.com.",
            "login.example.com.evil.example",
            "a.my.example.com.evil.example",
            "xlogin.example.com",
            "evil.example",
            "",
        ] {
            assert!(!allows(&hosts, host), "{host}");
        }
        assert!(!allows(&[], "example.com"));
    }

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
