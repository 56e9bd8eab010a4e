//! One request of a machine: its grant, presented. What is in files is read anew each time.

use std::io::Read;
use std::path::Path;

use secrecy::SecretString;
use url::Url;

use super::asking::Request;
use crate::credential::{Client, Grant};
use crate::error::{Error, Name, Result};
use crate::oauth::answer::Issued;
use crate::oauth::discovery::{self, Known};
use crate::oauth::machine;
use crate::oauth::wire::{Cause, Endpoint, Refusal};

/// The largest file with a JWT, in bytes.
const JWT_LIMIT: u64 = 64 * 1024;

/// Presents the grant once.
pub(super) async fn present(request: &Request<'_>) -> Result<Issued, Refusal> {
    let Request { endpoint, grant, scope, .. } = *request;
    match grant {
        Grant::ClientCredentials => machine::client_credentials(endpoint, scope).await,
        Grant::JwtBearer { assertion } => machine::jwt_bearer(endpoint, &jwt(assertion)?, scope).await,
        Grant::Enterprise { idp, idp_client, id_token } => {
            let assertion = exchanged(request, (idp, idp_client), id_token).await?;
            machine::jwt_bearer(endpoint, &assertion, scope).await
        }
        Grant::User | Grant::Static => {
            Err(Error::new(Name::Internal, "a person's grant was repeated").into())
        }
    }
}

/// Has the identity provider make an assertion of the ID token.
async fn exchanged(
    request: &Request<'_>,
    (idp, id): (&String, &String),
    id_token: &Path,
) -> Result<SecretString, Refusal> {
    let Request { endpoint, scope, .. } = *request;
    let subject = jwt(id_token)?;
    // The user named this one, and it has nothing to do with the MCP server (D1).
    let url = Url::parse(idp).map_err(|_| {
        Error::new(Name::ConfigBad, "the issuer of the identity provider is not a URL")
            .hinted("give it with --idp as your organization publishes it, such as https://login.example.com")
    })?;
    let found = discovery::issuer(idp, &Known::new(url, idp.clone())).await.map_err(at_idp)?;
    let secret = endpoint.client.idp_secret.clone();
    let style = machine::style(found.auth_methods.as_deref(), secret.is_some());
    let client = Client { id: id.clone(), secret, style, ..Client::default() };
    let at = Endpoint {
        url: &found.token,
        issuer: idp,
        client: &client,
        resource: endpoint.resource,
        reach: &found.reach,
        dpop: None,
    };
    let exchange = machine::Exchange { id_token: &subject, audience: endpoint.issuer, scope };
    machine::exchange(at, exchange).await.map_err(|refusal| {
        if refusal.cause != Cause::InvalidGrant {
            return Refusal { error: at_idp(refusal.error), ..refusal };
        }
        let what = format!("your identity provider does not accept the ID token: {}", refusal.said);
        let hint = format!("have a fresh ID token written into {}", id_token.display());
        // Not the verdict on the grant of the authorization server, which has not been asked.
        Error::new(Name::LoginDenied, what).hinted(hint).into()
    })
}

fn at_idp(error: Error) -> Error {
    error.context("at your identity provider")
}

/// Reads a JWT from a file. Anew each time: the platform writes a fresh one before the old one ends.
fn jwt(path: &Path) -> Result<SecretString> {
    let unusable = |why: String| {
        Error::new(Name::ConfigBad, format!("the file {} cannot be used: {why}", path.display()))
            .hinted("give the path of a file that contains one JWT")
    };
    let file = std::fs::File::open(path).map_err(|error| unusable(error.to_string()))?;
    let mut text = String::new();
    file.take(JWT_LIMIT + 1).read_to_string(&mut text).map_err(|error| unusable(error.to_string()))?;
    let jwt = text.trim();
    if jwt.len() as u64 > JWT_LIMIT || jwt.is_empty() || !jwt.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(unusable("it does not contain a JWT and nothing else".to_owned()));
    }
    Ok(jwt.into())
}
