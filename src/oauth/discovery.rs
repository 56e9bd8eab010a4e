//! Finds the authorization server of an MCP server.
//!
//! | file | step |
//! | --- | --- |
//! | `probe` | the challenge, met or asked for (A-11) |
//! | `resource` | metadata of the resource (RFC 9728) |
//! | `server` | metadata of its authorization server (RFC 8414, OpenID Connect) |
//! | `outdated` | servers of 2025-03-26, where nothing newer answers (A-09) |
//! | `fetch`, `metadata` | documents within bounds (security.md D2, D8), and their members |
//!
//! Where a profile states the issuer, the resource is not asked who that is; where it states endpoints,
//! they serve if the issuer publishes no metadata. Nothing else is guessed, but for servers of 2025-03-26.

mod fetch;
mod metadata;
mod outdated;
mod probe;
mod resource;
mod server;

use std::time::Duration;

use tokio::time::timeout;
use url::Url;

use super::{Endpoints, Provider, ResourceChoice};
use crate::error::{Error, Name, Result, clean};
use crate::http::{self, Reach};
use fetch::Fetch;

pub use server::Issuer;

/// The longest time for a discovery in all.
const LIMIT: Duration = Duration::from_secs(30);

/// What is known before asking.
#[derive(Debug, Clone)]
pub struct Known {
    /// The MCP endpoint.
    pub url: Url,
    /// Its canonical form, as `resource` parameter.
    pub resource: String,
    /// What the user wants as `resource` parameter.
    pub choice: ResourceChoice,
    /// The issuer, where a profile states it.
    pub issuer: Option<String>,
    /// Endpoints that a profile states: then nothing is discovered.
    pub endpoints: Option<Endpoints>,
    /// What the user named besides (D1).
    pub named: Vec<String>,
    /// Endpoints to use where the issuer publishes no metadata.
    pub documented: Option<Endpoints>,
    /// The `WWW-Authenticate` values of a 401 that was met already; without them the server is asked.
    pub challenge: Option<Vec<String>>,
    /// The issuer of the stored sign-in, which is chosen again if the resource names several.
    pub preferred: Option<String>,
    /// Whether a server is believed to support PKCE that does not say so.
    pub pkce_unverified: bool,
    /// Whether a server whose endpoints are stated is to be asked without PKCE, because it refuses the verifier.
    pub pkce_refused: bool,
    /// Whether no authorization request will be made: then neither its endpoint nor PKCE is needed.
    pub machine: bool,
}

impl Known {
    /// An MCP endpoint and its canonical form, and nothing else.
    pub fn new(url: Url, resource: String) -> Self {
        Known {
            url,
            resource,
            choice: ResourceChoice::Auto,
            issuer: None,
            endpoints: None,
            named: Vec::new(),
            documented: None,
            challenge: None,
            preferred: None,
            pkce_unverified: false,
            pkce_refused: false,
            machine: false,
        }
    }

    /// The `resource` parameter, given what the server says of itself.
    fn parameter(&self, found: Option<String>) -> Option<String> {
        match &self.choice {
            ResourceChoice::Auto => found,
            ResourceChoice::Omit => None,
            ResourceChoice::Value(value) => Some(value.clone()),
        }
    }
}

/// Finds the authorization server.
///
/// # Errors
/// `bad-response` if the server publishes nothing usable, `issuer-mismatch`,
/// `wrong-origin` if the metadata is about another resource, `pkce-unsupported`,
/// `redirect-refused` (D2), `unsafe-url` (D1), and failures of the network.
pub async fn discover(known: &Known) -> Result<Provider> {
    bounded(async {
        // The user named these hosts; all others are somebody else's choice (D1).
        let named = [Some(known.url.as_str()), known.issuer.as_deref()].into_iter().flatten();
        let reach = Reach::named(named.chain(known.named.iter().map(String::as_str)));
        if let Some(endpoints) = &known.endpoints {
            return Ok(configured(endpoints, known, reach));
        }
        let mut fetch = Fetch::new(reach);
        match &known.issuer {
            Some(issuer) => stated(issuer, known, &mut fetch).await,
            None => found(known, &mut fetch).await,
        }
    })
    .await
}

/// The token endpoint of a bare issuer that the user named, such as the identity provider of his company
/// . There is no authorization request, so PKCE is no question.
///
/// # Errors
/// As [`discover`], apart from `pkce-unsupported`.
pub async fn issuer(issuer: &str, known: &Known) -> Result<Issuer> {
    bounded(server::issuer(issuer, known)).await
}

async fn bounded<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let late = || Error::new(Name::Timeout, "the authorization server could not be found in time");
    timeout(LIMIT, work).await.unwrap_or_else(|_| Err(late()))
}

/// The endpoints that a profile states. The `resource` parameter is sent only if it is stated too: nobody
/// said that this server knows it.
fn configured(endpoints: &Endpoints, known: &Known, reach: Reach) -> Provider {
    let issuer = known.issuer.clone();
    let origin = || endpoints.token.origin().ascii_serialization();
    Provider {
        issuer_known: issuer.is_some(),
        resource: known.parameter(None),
        pkce: !known.pkce_refused,
        ..Provider::bare(issuer.unwrap_or_else(origin), endpoints.clone(), reach)
    }
}

/// The issuer that a profile states.
async fn stated(issuer: &str, known: &Known, fetch: &mut Fetch) -> Result<Provider> {
    let scope = known.challenge.as_deref().and_then(probe::scope);
    let provider = match server::published(issuer, fetch).await? {
        Some(metadata) => Provider {
            resource: known.parameter(Some(known.resource.clone())),
            ..server::provider(metadata, known, &fetch.reach).await?
        },
        // The documented requests have no `resource` member, and a strict server may refuse one.
        None => Provider {
            resource: known.parameter(None),
            ..documented(issuer, known, &fetch.reach).ok_or_else(|| server::silent(issuer))?
        },
    };
    Ok(Provider { scope, ..provider })
}

/// The documented endpoints, where the issuer publishes nothing.
fn documented(issuer: &str, known: &Known, reach: &Reach) -> Option<Provider> {
    let endpoints = known.documented.clone()?;
    Some(Provider::bare(issuer.to_owned(), endpoints, reach.clone()))
}

/// The issuer that the MCP server names.
async fn found(known: &Known, fetch: &mut Fetch) -> Result<Provider> {
    let answer = probe::challenge(&known.url, known.challenge.as_deref(), &fetch.reach).await?;
    let Some(resource) = resource::find(known, &answer, fetch).await? else {
        let provider = outdated::provider(known, &answer, fetch).await?;
        let resource = known.parameter(Some(known.resource.clone()));
        return Ok(Provider { scope: answer.scope, resource, ..provider });
    };
    if resource.resource != known.resource {
        let (named, ours) = (clean(&resource.resource), clean(&known.resource));
        tracing::debug!("the metadata is about {named}, not only about {ours}; requests name the former");
    }
    let mut failed = None;
    for issuer in resource.servers(known.preferred.as_deref()) {
        match usable(issuer, known, fetch).await {
            Ok(provider) => {
                let scope = answer.scope.or_else(|| resource.scope());
                let resource = known.parameter(Some(resource.resource));
                return Ok(Provider { scope, resource, ..provider });
            }
            Err(error) => {
                tracing::debug!("the authorization server {} cannot be used: {error}", clean(issuer));
                failed = failed.or(Some(error));
            }
        }
    }
    Err(failed.unwrap_or_else(|| {
        Error::new(Name::BadResponse, format!("{} names no authorization server", http::show(&known.url)))
    }))
}

/// One of the authorization servers, if it can be used.
async fn usable(issuer: &str, known: &Known, fetch: &mut Fetch) -> Result<Provider> {
    let metadata = server::published(issuer, fetch).await?.ok_or_else(|| server::silent(issuer))?;
    server::provider(metadata, known, &fetch.reach).await
}
