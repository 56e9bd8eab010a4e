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
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::sync::OnceCell;
use url::{Host, Url};

use super::kind::Kind;
use crate::error::{Error, Name, Result};

/// Looks up the addresses of a host.
type Lookup = dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> + Send + Sync;

/// Where OAuth requests may go. Cheap to clone.
#[derive(Clone)]
pub struct Reach(Arc<Inner>);

struct Inner {
    named: Vec<Named>,
    lookup: Arc<Lookup>,
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
        Reach(Arc::new(Inner { named, lookup: Arc::new(lookup) }))
    }

    /// The same hosts, to be looked up again: the network may be another one when the person comes back from
    /// the browser.
    #[must_use]
    pub fn anew(&self) -> Self {
        let hosts = self.0.named.iter().map(|named| named.host.clone());
        let named = hosts.map(|host| Named { host, addresses: OnceCell::new() }).collect();
        Reach(Arc::new(Inner { named, lookup: Arc::clone(&self.0.lookup) }))
    }

    /// Refuses a URL whose host is written as an address that must not be reached, or is `localhost`. Other
    /// names are judged when they are looked up, by the resolver, which the connector never asks about
    /// addresses.
    ///
    /// # Errors
    /// `unsafe-url`.
    pub async fn check(&self, url: &Url) -> Result<()> {
        let address = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            Some(Host::Domain(name)) if is_local(name) => Ipv4Addr::LOCALHOST.into(),
            _ => return Ok(()),
        };
        if self.allows(address.into()).await { Ok(()) } else { Err(refused(&super::show(url), address)) }
    }

    /// Whether addresses of this kind may be reached.
    pub(super) async fn allows(&self, kind: Kind) -> bool {
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

    /// Looks up any host.
    pub(super) async fn look_up(&self, name: &str) -> io::Result<Vec<IpAddr>> {
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

/// Names that mean this computer by their form (RFC 6761 section 6.3). They are the only ones that plain
/// http is allowed for, and a browser opens them without asking anybody.
fn is_local(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name == "localhost" || name.ends_with(".localhost")
}

/// The system's own way.
async fn system(host: String) -> io::Result<Vec<IpAddr>> {
    Ok(tokio::net::lookup_host((host, 0)).await?.map(|socket| socket.ip()).collect())
}

/// The refusal of an address to which `shown` leads.
pub(super) fn refused(shown: &str, address: IpAddr) -> Error {
    let what = format!("{shown} leads to {} ({address}), where the MCP server is not", Kind::from(address));
    Error::new(Name::UnsafeUrl, what).hinted(
        "if this is your own network, name the authorization server in a profile (`authorization_server`)",
    )
}
