//! The metadata of one authorization server: found by its issuer, proven to be of that issuer, and
//! judged.

use url::Url;

use super::Known;
use super::fetch::Fetch;
use super::metadata::Metadata;
use crate::error::{Error, Name, Result, clean};
use crate::http::{self, Reach};
use crate::oauth::{Endpoints, Provider};

/// What an issuer publishes about its token endpoint, for grants without an authorization request.
#[derive(Debug, Clone)]
pub struct Issuer {
    /// The issuer identifier, verbatim.
    pub issuer: String,
    /// The token endpoint.
    pub token: Url,
    /// `token_endpoint_auth_methods_supported`, if the server says.
    pub auth_methods: Option<Vec<String>>,
    /// `grant_types_supported`, if the server says.
    pub grants: Option<Vec<String>>,
    /// Where requests to this server may go (D1).
    pub reach: Reach,
}

/// The metadata of an issuer, wherever it publishes it.
pub(super) async fn published(issuer: &str, fetch: &mut Fetch) -> Result<Option<Metadata>> {
    let base = base(issuer)?;
    let path = base.path().trim_end_matches('/');
    let mut paths = vec![
        format!("/.well-known/oauth-authorization-server{path}"),
        format!("/.well-known/openid-configuration{path}"),
    ];
    if !path.is_empty() {
        paths.push(format!("{path}/.well-known/openid-configuration"));
    }
    let at = |path: &String| {
        let mut url = base.clone();
        url.set_path(path);
        url
    };
    fetch.first(paths.iter().map(at).collect(), |_, found: &Metadata| of_issuer(issuer, found)).await
}

/// The issuer as a URL. Only to build others from it: it is compared and kept as the text that it is.
fn base(issuer: &str) -> Result<Url> {
    let refuse = |why| Error::new(Name::BadResponse, format!("the issuer {} {why}", clean(issuer)));
    // The URL type drops blanks, tabs and line ends without a word.
    if !issuer.chars().all(|c| c.is_ascii_graphic()) {
        return Err(refuse("contains characters that no URL has"));
    }
    let base = Url::parse(issuer).map_err(|_| refuse("is not a URL"))?;
    // RFC 8414 section 2.
    if base.query().is_some() || base.fragment().is_some() {
        return Err(refuse("has a query or a fragment"));
    }
    http::check(&base)?;
    Ok(base)
}

/// Identical as strings, or it must not be used (A-08, D4; RFC 8414 section 3.3).
fn of_issuer(issuer: &str, found: &Metadata) -> Result<()> {
    if found.issuer == issuer {
        return Ok(());
    }
    let what = format!("{} says it is {}", clean(issuer), clean(&found.issuer));
    Err(Error::new(Name::IssuerMismatch, what))
}

/// Judges the metadata of an issuer and takes what is needed from it. `resource` and `scope` are left to
/// the caller.
pub(super) async fn provider(found: Metadata, known: &Known, reach: &Reach) -> Result<Provider> {
    let issuer = &found.issuer;
    if !found.promises_pkce() && !known.pkce_unverified && !known.machine {
        let what = format!("the authorization server {} does not promise PKCE with S256", clean(issuer));
        return Err(Error::new(Name::PkceUnsupported, what));
    }
    let addresses = found.addresses()?;
    for url in addresses.all() {
        // A-41, and D1 as far as it can be said without asking. Nothing is looked up here: the authorization
        // endpoint is opened by the browser, and the others are judged when they are connected to.
        http::check(url)?;
        reach.check(url).await?;
        elsewhere(url, issuer, known)?;
    }
    let token = addresses.token.ok_or_else(|| missing(issuer, "token_endpoint"))?;
    // A server for machines may have none; then nothing is sent to it either.
    let unneeded = known.machine.then(|| token.clone());
    let authorization = addresses.authorization.or(unneeded);
    Ok(Provider {
        userinfo: found.userinfo(),
        issuer_known: true,
        pkce: true,
        endpoints: Endpoints {
            authorization: authorization.ok_or_else(|| missing(issuer, "authorization_endpoint"))?,
            token,
            revocation: addresses.revocation,
            device: addresses.device,
        },
        registration: addresses.registration,
        published: true,
        issuer_in_response: found.authorization_response_iss_parameter_supported.unwrap_or_default(),
        auth_methods: found.token_endpoint_auth_methods_supported,
        signing_algorithms: found.token_endpoint_auth_signing_alg_values_supported.unwrap_or_default(),
        scopes: found.scopes_supported.unwrap_or_default(),
        grants: found.grant_types_supported,
        dpop_algorithms: found.dpop_signing_alg_values_supported.unwrap_or_default(),
        client_metadata_documents: found.client_id_metadata_document_supported.unwrap_or_default(),
        scope: None,
        resource: None,
        reach: reach.anew(),
        issuer: found.issuer,
    })
}

/// Whether an endpoint may lie on another origin than its issuer (D5).
///
/// A profile that states endpoints pins their origin with them. Servers that were discovered often have
/// their endpoints elsewhere (Google's issuer is `accounts.google.com`, its token endpoint
/// `oauth2.googleapis.com`), and the issuer's own metadata, fetched over TLS, is as good a witness for one
/// host as for another. What protects the tokens is that the sign-in records the endpoint together with the
/// issuer, and that a refresh goes to the recorded one, whatever the metadata says later.
fn elsewhere(url: &Url, issuer: &str, known: &Known) -> Result<()> {
    let origin = Url::parse(issuer).ok().map(|issuer| issuer.origin());
    if origin.is_some_and(|origin| origin == url.origin()) {
        return Ok(());
    }
    let what = format!("the metadata of {} names {}, which is elsewhere", clean(issuer), http::show(url));
    if known.issuer.is_some() && known.documented.is_some() {
        return Err(Error::new(Name::WrongOrigin, what));
    }
    tracing::debug!("{what}");
    Ok(())
}

/// The token endpoint of a bare issuer that the user named, such as the identity provider of his company
/// . There is no authorization request, so PKCE is no question.
///
/// # Errors
/// As [`discover`](super::discover), apart from `pkce-unsupported`.
pub(super) async fn issuer(issuer: &str, known: &Known) -> Result<Issuer> {
    let reach = Reach::named([known.url.as_str(), issuer]);
    let mut fetch = Fetch::new(reach.clone());
    let found = published(issuer, &mut fetch).await?.ok_or_else(|| silent(issuer))?;
    let token = found.addresses()?.token.ok_or_else(|| missing(issuer, "token_endpoint"))?;
    http::check(&token)?;
    reach.check(&token).await?;
    Ok(Issuer {
        issuer: found.issuer,
        token,
        auth_methods: found.token_endpoint_auth_methods_supported,
        grants: found.grant_types_supported,
        reach,
    })
}

/// The issuer publishes nothing.
pub(super) fn silent(issuer: &str) -> Error {
    let what = format!("the authorization server {} publishes no metadata", clean(issuer));
    Error::new(Name::BadResponse, what)
}

fn missing(issuer: &str, what: &str) -> Error {
    Error::new(Name::BadResponse, format!("the metadata of {} has no {what}", clean(issuer)))
}
