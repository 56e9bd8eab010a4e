//! Servers of the revision 2025-03-26, which are their own authorization server and have no metadata of
//! the resource. Asked only where nothing newer answers: no challenge names metadata, nothing lies
//! at the well-known addresses, no profile states an issuer, and nothing failed on the way.

use super::Known;
use super::fetch::Fetch;
use super::metadata::Metadata;
use super::probe::Answer;
use super::server;
use crate::error::{Error, Name, Result, clean};
use crate::http;
use crate::oauth::{Endpoints, Provider};

/// The authorization server at the origin of the MCP server: by its metadata, or else at the addresses
/// that the revision gives to all.
///
/// # Errors
/// `bad-response` or `server-error` if the server did not ask for a sign-in, `issuer-mismatch`,
/// `pkce-unsupported`, and what [`Fetch::first`] says.
pub(super) async fn provider(known: &Known, answer: &Answer, fetch: &mut Fetch) -> Result<Provider> {
    if !answer.challenged {
        return Err(unasked(known, answer.status.unwrap_or_default()));
    }
    let origin = known.url.origin().ascii_serialization();
    tracing::warn!("{origin} speaks the outdated revision 2025-03-26 of MCP's authorization");
    let at = |path: &str| {
        let mut url = known.url.clone();
        url.set_query(None);
        url.set_fragment(None);
        url.set_path(path);
        url
    };
    let address = at("/.well-known/oauth-authorization-server");
    if let Some(found) = fetch.first(vec![address], |_, found| of_origin(&origin, found)).await? {
        return server::provider(found, known, &fetch.reach).await;
    }
    // PKCE is sent, but nobody promises to check it: the risk that A-25 excludes, taken here because these
    // servers have no place to say it, and because a sign-in without the promise needs both a server that
    // demands one and publishes nothing at all.
    let endpoints =
        Endpoints { authorization: at("/authorize"), token: at("/token"), revocation: None, device: None };
    Ok(Provider {
        registration: Some(at("/register")),
        ..Provider::bare(origin, endpoints, fetch.reach.clone())
    })
}

/// The issuer is the origin. With a slash at its end it leads to the same address, and is how the
/// servers of that time write it; nobody else has stated it to us, so there is nothing to confuse it with.
fn of_origin(origin: &str, found: &Metadata) -> Result<()> {
    if found.issuer.strip_suffix('/').unwrap_or(&found.issuer) == origin {
        return Ok(());
    }
    let what = format!("{origin} says it is {}", clean(&found.issuer));
    Err(Error::new(Name::IssuerMismatch, what))
}

/// A server that did not ask for a sign-in gets no invented endpoints.
fn unasked(known: &Known, status: u16) -> Error {
    let server = http::show(&known.url);
    match status {
        200..300 => {
            let what = format!("{server} answers without a sign-in and does not say who would make one");
            Error::new(Name::BadResponse, what).hinted(
                "use it as it is, with `chipp-auth proxy{target}`; it will say so if a tool needs more",
            )
        }
        500.. => Error::new(Name::ServerError, format!("{server} answered {status}")),
        _ => {
            let what = format!("{server} answered {status} and does not say who signs users in (RFC 9728)");
            Error::new(Name::BadResponse, what)
                .hinted("check the address; or give a token with --header 'Authorization: Bearer …'")
        }
    }
}
