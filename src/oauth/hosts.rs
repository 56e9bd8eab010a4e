//! The hosts to which a profile lets a sign-in and its tokens go (`hosts`). Pure.
//!
//! Where a profile names hosts, metadata cannot lead anywhere else, nor can a record that was made before. What
//! the browser is redirected to is not ours to judge.

use url::{Host, Url};

use crate::error::{Error, Name, Result, clean};
use crate::http;

/// Whether an address is on one of the allowed hosts: `auth.example.com` is that host and no other,
/// `*.example.com` any host below it, but not itself. Loopback hosts count like all others.
pub fn allows(allowed: &[String], url: &Url) -> bool {
    url.host().is_some_and(|host| allowed.iter().any(|pattern| is_on(pattern, &host.to_owned())))
}

/// Checks that every address is on one of the allowed hosts. Without a list, everything is allowed.
///
/// # Errors
/// `wrong-origin`, naming the first address that is elsewhere.
pub fn check<'a>(allowed: Option<&[String]>, addresses: impl IntoIterator<Item = &'a Url>) -> Result<()> {
    let Some(allowed) = allowed else { return Ok(()) };
    for url in addresses {
        if !allows(allowed, url) {
            let host = clean(url.host_str().unwrap_or_default());
            let list = clean(&allowed.join(", "));
            let what =
                format!("{} is on none of the hosts that the profile allows ({list})", http::show(url));
            return Err(Error::new(Name::WrongOrigin, what).hinted(format!(
                "if it belongs to this provider, add {host} to `hosts` of the profile; otherwise do not continue"
            )));
        }
    }
    Ok(())
}

fn is_on(pattern: &str, host: &Host) -> bool {
    match (pattern.strip_prefix("*."), host) {
        (None, host) => Host::parse(pattern).is_ok_and(|pattern| pattern == *host),
        // Whole labels only: `*.example.com` is no name for evil-example.com.
        (Some(suffix), Host::Domain(name)) => match Host::parse(suffix) {
            Ok(Host::Domain(suffix)) => {
                name.strip_suffix(&suffix).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
            }
            _ => false,
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(hosts: &[&str], url: &str) -> bool {
        let hosts: Vec<_> = hosts.iter().map(|host| (*host).to_owned()).collect();
        check(Some(&hosts), [&Url::parse(url).unwrap()]).is_ok()
    }

    #[test]
    fn a_host_is_itself_and_a_star_is_what_lies_below() {
        let hosts = ["login.example.com", "*.my.example.com", "127.0.0.1", "[::1]", "B\u{fc}cher.example"];
        for good in [
            "https://login.example.com/token",
            "https://LOGIN.example.com:8443/token",
            "https://a.my.example.com/",
            "https://a.b.my.example.com/",
            "http://127.0.0.1:9/token",
            "http://[::1]:9/token",
            "https://xn--bcher-kva.example/",
        ] {
            assert!(on(&hosts, good), "{good}");
        }
        for bad in [
            "https://example.com/",
            "https://x.login.example.com/",
            "https://my.example.com/",
            "https://evilmy.example.com/",
            "https://login.example.com.evil.example/",
            "https://login.example.com@evil.example/",
            "https://login.example.com./",
            "http://localhost:9/token",
            "http://127.0.0.2/",
            "https://evil.example/?login.example.com",
        ] {
            assert!(!on(&hosts, bad), "{bad}");
        }
    }

    #[test]
    fn a_pattern_that_is_no_host_allows_nothing_and_no_list_allows_all() {
        for pattern in ["*", "*.", "", ".com", "https://e.com", "e.com/x", "e.com:443", "*.0.0.1", "**.e.com"]
        {
            assert!(!on(&[pattern], "https://e.com/"), "{pattern}");
            assert!(!on(&[pattern], "https://127.0.0.1/"), "{pattern}");
            assert!(!on(&[pattern], "https://a.e.com/"), "{pattern}");
        }
        assert!(!on(&[], "https://e.com/"));
        let urls = ["https://e.com/", "https://other.example/"].map(|url| Url::parse(url).unwrap());
        assert!(check(None, &urls).is_ok());
        let error = check(Some(&["e.com".to_owned()]), &urls).unwrap_err();
        assert_eq!(error.name(), Name::WrongOrigin);
        assert!(error.what().contains("other.example") && error.hint().contains("other.example"), "{error}");
    }
}
