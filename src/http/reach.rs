//! Where OAuth requests may go (security.md D1, A-10).
//!
//! An MCP server chooses the addresses of its metadata and of its authorization server, and must not
//! make this program knock at doors of the user's own network. So a request goes to a public address, or
//! to one of the kind that a host has which the user named himself: a server in the company's network may
//! have its authorization server there too, and one on this computer on this computer.
//!
//! The judging happens where the connection is made, on the very addresses that it will use: a name that
//! is looked up once to be judged and once more to be used can answer differently the second time.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use reqwest::dns::{Addrs, Resolve, Resolving};
use tokio::sync::OnceCell;
use url::{Host, Url};

use super::kind::Kind;
use crate::error::{Error, Name, Result, clean};

/// Looks up the addresses of a host.
pub type Lookup = dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> + Send + Sync;

/// Where OAuth requests may go. Cheap to clone.
#[derive(Clone)]
pub struct Reach(Arc<Inner>);

struct Inner {
    named: Vec<Named>,
    lookup: Box<Lookup>,
}

/// A host that the user named, and its addresses, looked up when they are first needed.
struct Named {
    host: Host,
    addresses: OnceCell<Vec<IpAddr>>,
}

impl Reach {
    /// What is reachable beside the internet because the user named these URLs or origins: the MCP server,
    /// and an issuer, where a profile states one. What is not a URL is passed over.
    pub fn named(named: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        Self::with_lookup(named, |host| Box::pin(system(host)))
    }

    /// As [`Reach::named`], with another way to look up names than the system's.
    pub fn with_lookup(
        named: impl IntoIterator<Item = impl AsRef<str>>,
        lookup: impl Fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> + Send + Sync + 'static,
    ) -> Self {
        let hosts =
            named.into_iter().filter_map(|text| Some(Url::parse(text.as_ref()).ok()?.host()?.to_owned()));
        let named = hosts.map(|host| Named { host, addresses: OnceCell::new() }).collect();
        Reach(Arc::new(Inner { named, lookup: Box::new(lookup) }))
    }

    /// Refuses a URL whose host is written as an address that must not be reached. Names are judged when
    /// they are looked up, by [`Guard`]; the connector never asks it about addresses.
    ///
    /// # Errors
    /// `unsafe-url`.
    pub async fn check(&self, url: &Url) -> Result<()> {
        let address = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            _ => return Ok(()),
        };
        if self.allows(address.into()).await { Ok(()) } else { Err(refused(&super::show(url), address)) }
    }

    /// The resolver for a client that talks to this URL's host alone.
    pub(super) fn guard(&self, url: &Url) -> Guard {
        let host = url.host_str().unwrap_or_default().to_owned();
        Guard { reach: self.clone(), host, unencrypted: url.scheme() == "http" }
    }

    /// Whether addresses of this kind may be reached.
    async fn allows(&self, kind: Kind) -> bool {
        if kind == Kind::Public {
            return true;
        }
        for named in &self.0.named {
            let kinds = self.addresses(named).await.iter().map(|address| Kind::from(*address));
            // A server that is on the internet too gets no way into the network beside it: the owner of a
            // name can let it point anywhere.
            if kinds.clone().any(|found| found == kind) && kinds.clone().all(|found| found != Kind::Public) {
                return true;
            }
        }
        false
    }

    /// The addresses of a host that the user named; none if they cannot be found. Looked up once, and the
    /// requests to this host go there too: the answer that opens the way into a network is then the one by
    /// which the server had to be found itself.
    async fn addresses<'a>(&self, named: &'a Named) -> &'a [IpAddr] {
        let host = match &named.host {
            Host::Ipv4(address) => {
                return named.addresses.get_or_init(async || vec![(*address).into()]).await;
            }
            Host::Ipv6(address) => {
                return named.addresses.get_or_init(async || vec![(*address).into()]).await;
            }
            Host::Domain(host) => host,
        };
        let found = named.addresses.get_or_try_init(|| (self.0.lookup)(host.clone())).await;
        found.map_or(&[], Vec::as_slice)
    }

    async fn look_up(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let named = |named: &&Named| matches!(&named.host, Host::Domain(host) if host == name);
        if let Some(named) = self.0.named.iter().find(named) {
            return named.addresses.get_or_try_init(|| (self.0.lookup)(name.to_owned())).await.cloned();
        }
        (self.0.lookup)(name.to_owned()).await
    }
}

impl Default for Reach {
    fn default() -> Self {
        Self::named([""; 0])
    }
}

impl fmt::Debug for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.named.iter().map(|named| named.host.to_string())).finish()
    }
}

/// Looks up the host of one URL, and keeps back the addresses that must not be reached.
#[derive(Clone)]
pub(super) struct Guard {
    reach: Reach,
    host: String,
    /// Without encryption, only this computer is reachable, whatever `localhost` is said to be.
    unencrypted: bool,
}

impl Guard {
    async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, Box<dyn std::error::Error + Send + Sync>> {
        let found = self.reach.look_up(name).await?;
        // A client has one host to talk to. Any other name is that of the system's proxy, which may well be
        // in the private network. Behind a proxy, names are looked up by the proxy and never here: it alone
        // then decides what can be reached, and of the rules above only that about written addresses holds.
        // Whoever runs a proxy that lets strangers into its network has to mend it there.
        if name != self.host {
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

impl Resolve for Guard {
    fn resolve(&self, name: reqwest::dns::Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let addresses = guard.addresses(name.as_str()).await?;
            let sockets = addresses.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(sockets.collect::<Vec<_>>().into_iter()) as Addrs)
        })
    }
}

/// The system's own way.
async fn system(host: String) -> io::Result<Vec<IpAddr>> {
    Ok(tokio::net::lookup_host((host, 0)).await?.map(|socket| socket.ip()).collect())
}

fn refused(shown: &str, address: IpAddr) -> Error {
    let what = format!("{shown} leads to {} ({address}), where the MCP server is not", Kind::from(address));
    Error::new(Name::UnsafeUrl, what).hinted(
        "if this is your own network, name the authorization server in a profile (`authorization_server`)",
    )
}
