//! Where a sign-in comes back to: the redirect URI in its parts (RFC 8252 section 7.3).
//!
//! Most servers compare it byte by byte, so it is put together at one place, from what the profile states
//! and the port that was bound, before the browser opens.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::Url;

/// The host of a redirect URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Host {
    /// `localhost`.
    #[default]
    Name,
    /// `127.0.0.1`.
    V4,
    /// `[::1]`.
    V6,
}

impl Host {
    /// Every host.
    pub const ALL: [Host; 3] = [Host::Name, Host::V4, Host::V6];

    /// As it stands in the URI.
    pub const fn text(self) -> &'static str {
        match self {
            Host::Name => "localhost",
            Host::V4 => "127.0.0.1",
            Host::V6 => "[::1]",
        }
    }

    /// The addresses to which a browser goes that is sent there, so that nobody else may have them. The
    /// name may lead to either. A literal leads to itself and is never looked up: whoever has its port on the
    /// other address gets nothing by that (L1).
    pub(super) fn addresses(self) -> &'static [IpAddr] {
        const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
        const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);
        match self {
            Host::Name => &[V4, V6],
            Host::V4 => &[V4],
            Host::V6 => &[V6],
        }
    }
}

/// A redirect URI that is wished for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The host.
    pub host: Host,
    /// The path, byte for byte as it is registered; it may be empty.
    pub path: String,
    /// The port; any that is free without one.
    pub port: Option<u16>,
}

impl Default for Place {
    fn default() -> Self {
        Place { host: Host::Name, path: "/callback".to_owned(), port: None }
    }
}

impl Place {
    /// The parts of a redirect URI with a port; `None` for what is none of ours.
    pub fn of(uri: &str) -> Option<Place> {
        let rest = uri.strip_prefix("http://")?;
        let host = Host::ALL.into_iter().find(|host| rest.starts_with(&format!("{}:", host.text())))?;
        let rest = &rest[host.text().len() + 1..];
        let (port, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let place = Place { host, path: path.to_owned(), port: Some(port.parse().ok()?) };
        (place.is_plain() && place.port != Some(0)).then_some(place)
    }

    /// Whether a browser asks for the path exactly as it is written: what it would change on its way (`..`,
    /// blanks), or cut off (`?`, `#`), would never come back as it was registered.
    pub fn is_plain(&self) -> bool {
        let url = Url::parse(&self.uri(1)).ok();
        let same = |url: Url| url.path() == self.requested() && url.as_str().ends_with(self.requested());
        url.is_some_and(same)
    }

    /// The redirect URI with this port.
    pub(super) fn uri(&self, port: u16) -> String {
        format!("http://{}:{port}{}", self.host.text(), self.path)
    }

    /// The path that a browser asks for.
    pub(super) fn requested(&self) -> &str {
        if self.path.is_empty() { "/" } else { &self.path }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_uri_comes_apart_and_together_again() {
        for uri in [
            "http://localhost:8976/callback",
            "http://127.0.0.1:1/oauth/callback",
            "http://[::1]:65535/",
            "http://localhost:80",
            "http://localhost:8080/a%20b/c;d=1",
        ] {
            let place = Place::of(uri).unwrap();
            assert_eq!(place.uri(place.port.unwrap()), uri);
        }
        for other in [
            "https://localhost:1/callback",
            "http://localhost/callback",
            "http://localhost:0/callback",
            "http://localhost:65536/callback",
            "http://localhost.evil.example:1/callback",
            "http://evil.example:1/callback",
            "http://127.0.0.2:1/callback",
            "http://localhost:1/callback?x=1",
            "http://localhost:1/callback#x",
            "http://localhost:1/a/../callback",
            "localhost:1/callback",
            "",
        ] {
            assert_eq!(Place::of(other), None, "{other}");
        }
    }

    #[test]
    fn only_a_path_that_stays_as_it_is_will_do() {
        let plain = |path: &str| Place { path: path.to_owned(), ..Place::default() }.is_plain();
        for good in ["/callback", "/", "", "/oauth2/callback.html", "/%41", "/a//b", "/done"] {
            assert!(plain(good), "{good}");
        }
        for bad in
            ["callback", "/a b", "/x?y", "/x#y", "/./x", "/x/..", "/\u{e9}", "/x\n", "\\x", "@evil.example/"]
        {
            assert!(!plain(bad), "{bad}");
        }
    }
}
