//! The resolver of the OAuth client, which keeps back the addresses that must not be reached (security.md
//! D1). Here, and not before the request: what it hands out is what the connection is made to.

use std::error::Error as StdError;
use std::net::{IpAddr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::Url;

use super::kind::Kind;
use super::reach::{Reach, refused};
use crate::error::clean;

/// Looks up the host of one URL, and keeps back the addresses that must not be reached.
#[derive(Clone)]
pub(super) struct Guard {
    reach: Reach,
    host: String,
    /// Without encryption, only this computer is reachable, whatever `localhost` is said to be.
    unencrypted: bool,
}

impl Guard {
    /// For a client that talks to this URL's host alone.
    pub(super) fn new(url: &Url, reach: &Reach) -> Self {
        let host = url.host_str().unwrap_or_default().to_owned();
        Guard { reach: reach.clone(), host, unencrypted: url.scheme() == "http" }
    }

    async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, Box<dyn StdError + Send + Sync>> {
        let found = self.reach.look_up(name).await?;
        // A client has one host to talk to. Any other name is that of the system's proxy, which may well be
        // in the private network. Behind a proxy, names are looked up by the proxy and never here: it alone
        // then decides what can be reached, and of the rules above only that about written addresses holds.
        // Whoever runs a proxy that lets strangers into its network has to mend it there.
        if !same(name, &self.host) {
            return Ok(found);
        }
        let (mut allowed, mut kept_back) = (Vec::new(), None);
        for address in found {
            let kind = Kind::from(address);
            if self.reach.allows(kind).await && (!self.unencrypted || kind == Kind::Loopback) {
                allowed.push(address);
            } else {
                kept_back = Some(address);
            }
        }
        match kept_back {
            Some(address) if allowed.is_empty() => Err(Box::new(refused(&clean(name), address))),
            _ => Ok(allowed),
        }
    }
}

/// Whether two names are one, in whichever form the connector hands it on.
fn same(a: &str, b: &str) -> bool {
    let bare = |name: &str| name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    bare(a) == bare(b)
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let addresses = guard.addresses(name.as_str()).await?;
            let sockets = addresses.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(sockets.collect::<Vec<_>>().into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::error::{Error, Name, Result};

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// A resolver that gives these answers one after the other, the last one for ever.
    fn answering(named: &[&str], answers: &'static [&'static [&'static str]]) -> (Reach, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let reach = Reach::with_lookup(named, move |_| {
            let turn = count.fetch_add(1, Ordering::Relaxed).min(answers.len() - 1);
            Box::pin(async move { Ok(answers[turn].iter().map(|text| ip(text)).collect()) })
        });
        (reach, asked)
    }

    async fn resolve(reach: &Reach, url: &str, name: &str) -> Result<Vec<IpAddr>, Name> {
        let guard = Guard::new(&Url::parse(url).unwrap(), reach);
        let refused = |error: Box<dyn StdError + Send + Sync>| error.downcast_ref::<Error>().unwrap().name();
        guard.addresses(name).await.map_err(refused)
    }

    // D1: each connection is judged by the answer that it uses.
    #[tokio::test]
    async fn a_name_that_turns_inwards_is_refused_the_second_time() {
        let (reach, _) = answering(&["https://8.8.8.8"], &[&["93.184.215.14"], &["127.0.0.1"]]);
        let as_example = async || resolve(&reach, "https://as.example/", "as.example").await;
        assert_eq!(as_example().await, Ok(vec![ip("93.184.215.14")]));
        assert_eq!(as_example().await, Err(Name::UnsafeUrl));
    }

    // D1: the name that the user gave cannot turn inwards to open the way for another one. It keeps the
    // addresses at which it was found.
    #[tokio::test]
    async fn the_mcp_server_cannot_turn_inwards_either() {
        let (reach, _) = answering(&["https://mcp.example"], &[&["93.184.215.14"], &["127.0.0.1"]]);
        for _ in 0..2 {
            let mcp = resolve(&reach, "https://mcp.example/", "mcp.example").await;
            assert_eq!(mcp, Ok(vec![ip("93.184.215.14")]));
            assert_eq!(resolve(&reach, "https://as.example/", "as.example").await, Err(Name::UnsafeUrl));
        }
    }

    #[tokio::test]
    async fn a_network_is_open_only_to_those_who_are_wholly_in_it() {
        for (mcp, other, allowed) in [
            (&["10.0.0.1"] as &[&str], "192.168.7.7", true),
            (&["10.0.0.1"], "fd00::1", true),
            (&["10.0.0.1"], "127.0.0.1", false),
            (&["10.0.0.1"], "169.254.169.254", false),
            (&["127.0.0.1", "::1"], "::1", true),
            (&["127.0.0.1"], "10.0.0.1", false),
            (&["100.64.0.1"], "100.99.0.1", true),
            (&["198.18.0.7"], "198.18.0.8", true),
            (&["93.184.215.14", "10.0.0.1"], "10.0.0.2", false),
            (&["93.184.215.14"], "10.0.0.2", false),
            (&["93.184.215.14"], "1.1.1.1", true),
            (&[], "10.0.0.2", false),
        ] {
            let addresses: Vec<IpAddr> = mcp.iter().map(|text| ip(text)).collect();
            let reach = Reach::with_lookup(["https://mcp.example"], move |host| {
                let found = if host == "mcp.example" { addresses.clone() } else { vec![ip(other)] };
                Box::pin(async move { Ok(found) })
            });
            let found = resolve(&reach, "https://as.example/", "as.example").await;
            assert_eq!(found.is_ok(), allowed, "{mcp:?} {other}");
            let host = if other.contains(':') { format!("[{other}]") } else { other.to_owned() };
            let literal = reach.check(&Url::parse(&format!("https://{host}/")).unwrap()).await;
            assert_eq!(literal.is_ok(), allowed, "{mcp:?} {other}");
        }
    }

    #[tokio::test]
    async fn of_several_addresses_the_public_ones_are_used() {
        let (reach, _) = answering(&[], &[&["10.0.0.1", "93.184.215.14", "::1"]]);
        assert_eq!(resolve(&reach, "https://as.example/", "as.example").await, Ok(vec![ip("93.184.215.14")]));
    }

    // The name of the system's proxy comes through the same resolver.
    #[tokio::test]
    async fn a_proxy_may_be_in_the_private_network() {
        let (reach, _) = answering(&[], &[&["10.0.0.1"]]);
        assert_eq!(resolve(&reach, "https://as.example/", "proxy.corp").await, Ok(vec![ip("10.0.0.1")]));
    }

    // http is for this computer, and not for what somebody calls `localhost`.
    #[tokio::test]
    async fn without_encryption_only_this_computer_is_reached() {
        let (reach, _) = answering(&["http://localhost"], &[&["10.0.0.1"]]);
        assert_eq!(resolve(&reach, "http://localhost/", "localhost").await, Err(Name::UnsafeUrl));
        let (reach, asked) = answering(&["http://localhost"], &[&["127.0.0.1"]]);
        assert_eq!(resolve(&reach, "http://localhost/", "localhost").await, Ok(vec![ip("127.0.0.1")]));
        reach.check(&Url::parse("http://localhost/").unwrap()).await.unwrap();
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        assert!(reach.anew().allows(Kind::Loopback).await);
        assert_eq!(asked.load(Ordering::Relaxed), 2);
    }
}
