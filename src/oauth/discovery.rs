//! Finds the authorization server of an MCP server: RFC 9728 metadata of the resource,
//! then RFC 8414 or OpenID Connect metadata of the issuer.
//!
//! Nothing is guessed. Where a profile states the issuer, the resource's metadata is not asked who
//! that is; where it states endpoints, they serve if the issuer publishes no metadata.

use reqwest::header::{ACCEPT, WWW_AUTHENTICATE};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;

use super::{Endpoints, Provider, challenge};
use crate::error::{Error, Name, Result, clean};
use crate::http;

/// What is known before asking.
#[derive(Debug, Clone)]
pub struct Known {
    /// The MCP endpoint.
    pub url: Url,
    /// Its canonical form, as `resource` parameter.
    pub resource: String,
    /// The issuer, where a profile states it.
    pub issuer: Option<String>,
    /// Endpoints, where a profile states them.
    pub documented: Option<Endpoints>,
    /// The `WWW-Authenticate` values of a 401 that was met already; without them the server is asked.
    pub challenge: Option<Vec<String>>,
    /// Whether a server is believed to support PKCE that does not say so.
    pub pkce_unverified: bool,
}

/// Protected resource metadata (RFC 9728 section 2), the members that matter here.
#[derive(Debug, Deserialize)]
struct Resource {
    resource: String,
    #[serde(default)]
    authorization_servers: Vec<String>,
    scopes_supported: Option<Vec<String>>,
}

/// Authorization server metadata (RFC 8414 section 2), the members that matter here.
#[derive(Debug, Deserialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: Option<Url>,
    token_endpoint: Option<Url>,
    revocation_endpoint: Option<Url>,
    registration_endpoint: Option<Url>,
    code_challenge_methods_supported: Option<Vec<String>>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    device_authorization_endpoint: Option<Url>,
    #[serde(default)]
    scopes_supported: Vec<String>,
    grant_types_supported: Option<Vec<String>>,
    #[serde(default)]
    dpop_signing_alg_values_supported: Vec<String>,
    #[serde(default)]
    client_id_metadata_document_supported: bool,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

/// Finds the authorization server.
///
/// # Errors
/// `bad-response` if the server publishes nothing usable, `issuer-mismatch`,
/// `wrong-origin` if the metadata is about another resource, `pkce-unsupported`,
/// `unsafe-url`, and failures of the network.
pub async fn discover(known: &Known) -> Result<Provider> {
    if let Some(issuer) = &known.issuer {
        return match metadata(issuer, known).await? {
            Some(found) => provider(issuer, found, known, None),
            None => documented(issuer, known),
        };
    }
    let (resource, challenged) = resource(known).await?;
    let issuer = resource.authorization_servers.first().ok_or_else(|| {
        Error::new(Name::BadResponse, format!("{} names no authorization server", http::show(&known.url)))
    })?;
    let scope = challenged.or_else(|| resource.scopes_supported.as_ref().map(|scopes| scopes.join(" ")));
    let found = metadata(issuer, known).await?.ok_or_else(|| {
        Error::new(
            Name::BadResponse,
            format!("the authorization server {} publishes no metadata", clean(issuer)),
        )
    })?;
    let provider = provider(issuer, found, known, scope)?;
    Ok(Provider { resource: Some(resource.resource), ..provider })
}

/// The documented endpoints, where the issuer publishes nothing.
fn documented(issuer: &str, known: &Known) -> Result<Provider> {
    let endpoints = known.documented.clone().ok_or_else(|| {
        Error::new(
            Name::BadResponse,
            format!("the authorization server {} publishes no metadata", clean(issuer)),
        )
    })?;
    Ok(Provider {
        issuer: issuer.to_owned(),
        endpoints,
        registration: None,
        issuer_in_response: false,
        auth_methods: None,
        scopes: Vec::new(),
        grants: None,
        dpop_algorithms: Vec::new(),
        client_metadata_documents: false,
        scope: None,
        // The documented requests have no `resource` member, and a strict server may refuse one.
        resource: None,
    })
}

/// Checks the metadata of the issuer and takes what is needed from it.
fn provider(issuer: &str, found: Metadata, known: &Known, scope: Option<String>) -> Result<Provider> {
    let missing = |what: &str| {
        Error::new(Name::BadResponse, format!("the metadata of {} has no {what}", clean(issuer)))
    };
    let pkce = found.code_challenge_methods_supported.as_deref().unwrap_or_default();
    if !pkce.iter().any(|method| method == "S256") {
        let what = format!("the authorization server {} does not promise PKCE with S256", clean(issuer));
        return Err(Error::new(Name::PkceUnsupported, what));
    }
    let endpoints = Endpoints {
        authorization: found.authorization_endpoint.ok_or_else(|| missing("authorization_endpoint"))?,
        token: found.token_endpoint.ok_or_else(|| missing("token_endpoint"))?,
        revocation: found.revocation_endpoint,
        device: found.device_authorization_endpoint,
    };
    let all = [Some(&endpoints.authorization), Some(&endpoints.token)];
    for url in all
        .into_iter()
        .chain([
            endpoints.revocation.as_ref(),
            endpoints.device.as_ref(),
            found.registration_endpoint.as_ref(),
        ])
        .flatten()
    {
        reachable(url, known)?;
        // A profile that states its issuer pins its origin too (D5).
        let pinned = known.issuer.as_deref().and_then(|issuer| Url::parse(issuer).ok());
        if pinned.is_some_and(|pinned| known.documented.is_some() && pinned.origin() != url.origin()) {
            let what =
                format!("the metadata of {} names {}, which is elsewhere", clean(issuer), http::show(url));
            return Err(Error::new(Name::WrongOrigin, what));
        }
    }
    Ok(Provider {
        issuer: issuer.to_owned(),
        endpoints,
        registration: found.registration_endpoint,
        issuer_in_response: found.authorization_response_iss_parameter_supported,
        auth_methods: found.token_endpoint_auth_methods_supported,
        scopes: found.scopes_supported,
        grants: found.grant_types_supported,
        dpop_algorithms: found.dpop_signing_alg_values_supported,
        client_metadata_documents: found.client_id_metadata_document_supported,
        scope,
        resource: Some(known.resource.clone()),
    })
}

/// The resource's metadata, and the scope of its challenge.
async fn resource(known: &Known) -> Result<(Resource, Option<String>)> {
    let challenge = match &known.challenge {
        Some(values) => challenge::bearer(values),
        None => probe(&known.url).await?,
    };
    let scope = challenge.as_ref().and_then(|c| c.get("scope")).map(str::to_owned);
    let mut candidates = Vec::new();
    // A challenge with a URL is the only candidate.
    if let Some(url) = challenge.as_ref().and_then(|c| c.get("resource_metadata")) {
        let url =
            Url::parse(url).map_err(|_| Error::new(Name::BadResponse, "resource_metadata is not a URL"))?;
        candidates.push(url);
    } else {
        candidates.extend(well_known(&known.url, "oauth-protected-resource"));
    }
    for url in candidates {
        reachable(&url, known)?;
        let Some(found) = fetch::<Resource>(&url).await? else { continue };
        if !covers(&found.resource, &known.url) {
            let what = format!("{} describes another server, {}", http::show(&url), clean(&found.resource));
            return Err(Error::new(Name::WrongOrigin, what));
        }
        return Ok((found, scope));
    }
    let what = format!("{} does not say who signs users in (RFC 9728)", http::show(&known.url));
    Err(Error::new(Name::BadResponse, what)
        .hinted("check the address; or give a token with --header 'Authorization: Bearer …'"))
}

/// Asks the MCP endpoint without a token, to be challenged.
async fn probe(url: &Url) -> Result<Option<challenge::Challenge>> {
    let request = http::oauth(url)?.get(url.clone()).header(ACCEPT, "text/event-stream");
    let host = url.host_str().unwrap_or_default();
    let response = request.send().await.map_err(|error| http::transport(&error, host))?;
    let values = response.headers().get_all(WWW_AUTHENTICATE);
    let values: Vec<_> = values.iter().filter_map(|value| value.to_str().ok()).collect();
    Ok(challenge::bearer(&values))
}

/// Whether metadata of `resource` is about `url`: the same origin, and the same path or one above it
/// (A-04; a server may describe all its endpoints at its root).
fn covers(resource: &str, url: &Url) -> bool {
    let Ok(resource) = Url::parse(resource) else { return false };
    let prefix = resource.path().trim_end_matches('/');
    let rest = url.path().strip_prefix(prefix);
    resource.origin() == url.origin() && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The metadata of an issuer, in the order of A-06; `None` if it publishes none.
async fn metadata(issuer: &str, known: &Known) -> Result<Option<Metadata>> {
    let base = Url::parse(issuer)
        .map_err(|_| Error::new(Name::BadResponse, format!("the issuer {} is not a URL", clean(issuer))))?;
    reachable(&base, known)?;
    let path = base.path().trim_end_matches('/').to_owned();
    let mut candidates = vec![
        format!("/.well-known/oauth-authorization-server{path}"),
        format!("/.well-known/openid-configuration{path}"),
    ];
    if !path.is_empty() {
        candidates.push(format!("{path}/.well-known/openid-configuration"));
    }
    for candidate in candidates {
        let mut url = base.clone();
        url.set_path(&candidate);
        let Some(found) = fetch::<Metadata>(&url).await? else { continue };
        // Compared as strings and verbatim: a URL type would normalize.
        if found.issuer != issuer {
            let what = format!("{} says it is {}", clean(issuer), clean(&found.issuer));
            return Err(Error::new(Name::IssuerMismatch, what));
        }
        return Ok(Some(found));
    }
    Ok(None)
}

/// The well-known URLs of a resource: with its path, then at the root.
fn well_known(url: &Url, name: &str) -> Vec<Url> {
    let path = url.path().trim_end_matches('/');
    let mut paths = vec![format!("/.well-known/{name}{path}"), format!("/.well-known/{name}")];
    paths.dedup();
    let at = |path: &String| {
        let mut url = url.clone();
        url.set_query(None);
        url.set_fragment(None);
        url.set_path(path);
        url
    };
    paths.iter().map(at).collect()
}

/// Refuses addresses on this computer, unless the MCP server is here too (D1).
fn reachable(url: &Url, known: &Known) -> Result<()> {
    http::check(url)?;
    if http::is_loopback(url) && !http::is_loopback(&known.url) {
        let what = format!("{} points back to this computer", http::show(url));
        return Err(Error::new(Name::UnsafeUrl, what));
    }
    Ok(())
}

/// Fetches a JSON document; `None` where there is none (4xx, or a page in its place).
async fn fetch<T: DeserializeOwned>(url: &Url) -> Result<Option<T>> {
    let host = url.host_str().unwrap_or_default().to_owned();
    let request = http::oauth(url)?.get(url.clone()).header(ACCEPT, "application/json");
    let request = request.header("MCP-Protocol-Version", "2025-11-25");
    let response = request.send().await.map_err(|error| http::transport(&error, &host))?;
    let status = response.status();
    if status.is_server_error() {
        return Err(Error::new(Name::ServerError, format!("{host} answered {}", status.as_u16())));
    }
    if status != 200 {
        return Ok(None);
    }
    let body = http::read(response, http::METADATA_LIMIT).await?;
    if body.trim_ascii_start().starts_with(b"<") {
        return Ok(None);
    }
    serde_json::from_slice(&body)
        .map(Some)
        .map_err(|_| Error::new(Name::BadResponse, format!("{} is not valid metadata", http::show(url))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_must_be_about_this_server() {
        let url = Url::parse("https://e.com/a/mcp").unwrap();
        for good in ["https://e.com/a/mcp", "https://e.com", "https://e.com/", "https://e.com/a"] {
            assert!(covers(good, &url), "{good}");
        }
        for bad in
            ["https://f.com/a/mcp", "http://e.com", "https://e.com/a/m", "https://e.com/a/mcp/x", "nonsense"]
        {
            assert!(!covers(bad, &url), "{bad}");
        }
    }

    #[test]
    fn well_known_addresses_come_in_the_order_of_the_specification() {
        let urls = well_known(&Url::parse("https://e.com/a/mcp?x=1").unwrap(), "oauth-protected-resource");
        let urls: Vec<_> = urls.iter().map(Url::as_str).collect();
        assert_eq!(
            urls,
            [
                "https://e.com/.well-known/oauth-protected-resource/a/mcp",
                "https://e.com/.well-known/oauth-protected-resource",
            ]
        );
        assert_eq!(well_known(&Url::parse("https://e.com/").unwrap(), "x").len(), 1);
    }
}
