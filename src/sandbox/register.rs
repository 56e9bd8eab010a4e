//! Dynamic client registration (RFC 7591), off unless [`Options::registration`](super::Options) says
//! so: it is how a client meets an MCP server that is not Chipp.

use std::time::{SystemTime, UNIX_EPOCH};

use http::Response;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::client::{Client, ClientAuth, Redirects, is_loopback_http};
use super::device;
use super::options::Options;
use super::params::media_type;
use super::reply::{self, Body};
use super::secret;
use super::server::Call;
use super::state::{PENDING, Record};

#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    redirect_uris: Vec<String>,
    client_name: Option<String>,
    application_type: Option<String>,
    token_endpoint_auth_method: Option<String>,
    grant_types: Option<Vec<String>>,
    response_types: Option<Vec<String>>,
}

pub(super) fn serve(call: &Call, record: &mut Record) -> Response<Body> {
    let mut state = call.shared.state();
    if !state.options.registration {
        return reply::http_error(404, "not_found", "there is nothing here");
    }
    let parsed = match media_type(&call.parts.headers) {
        "application/json" => serde_json::from_slice::<Metadata>(&call.body).ok(),
        _ => None,
    };
    let checked = parsed.ok_or(("invalid_client_metadata", "the body is not client metadata in JSON"));
    let metadata = match checked.and_then(|metadata| check(&metadata, &state.options).map(|()| metadata)) {
        Ok(metadata) if state.registered.len() < PENDING => metadata,
        Ok(_) => return reply::oauth_error(503, "temporarily_unavailable", "too many clients"),
        Err((error, what)) => {
            record.entry.note = Some(error);
            return reply::oauth_error(400, error, what);
        }
    };
    let method = metadata.token_endpoint_auth_method.as_deref().unwrap_or("client_secret_basic");
    let secret = secret::fresh("chipp_cs_");
    let auth = match method {
        "none" => ClientAuth::None,
        "client_secret_post" => ClientAuth::Post(SecretString::from(secret.clone())),
        _ => ClientAuth::Basic(SecretString::from(secret.clone())),
    };
    let client = Client {
        id: secret::fresh("client-"),
        name: metadata.client_name.unwrap_or_else(|| "An application without a name".to_owned()),
        redirects: Redirects::Exact(metadata.redirect_uris),
        auth,
    };
    let Redirects::Exact(redirects) = &client.redirects else { return reply::empty(500) };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let mut answer = json!({
        "client_id": client.id,
        "client_id_issued_at": now,
        "client_name": client.name,
        "redirect_uris": redirects,
        "application_type": metadata.application_type.as_deref().unwrap_or("web"),
        "token_endpoint_auth_method": method,
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
    });
    if !matches!(client.auth, ClientAuth::None) {
        answer["client_secret"] = json!(secret);
        answer["client_secret_expires_at"] = json!(0);
    }
    record.entry.client = Some(client.id.clone());
    state.log.counts.registrations += 1;
    state.registered.push(client);
    reply::json(201, &answer)
}

fn check(metadata: &Metadata, options: &Options) -> Result<(), (&'static str, &'static str)> {
    let bad_redirect = |what| Err(("invalid_redirect_uri", what));
    let bad = |what| Err(("invalid_client_metadata", what));
    if metadata.redirect_uris.is_empty() || metadata.redirect_uris.len() > 10 {
        return bad_redirect("one to ten redirect URIs are needed");
    }
    let native = metadata.application_type.as_deref() == Some("native");
    for redirect in &metadata.redirect_uris {
        match Url::parse(redirect) {
            // OpenID Connect Registration section 2: loopback is for native applications, and the
            // type is `web` where nothing is said.
            Ok(url) if url.domain() == Some("localhost") && !options.localhost_redirects => {
                return bad_redirect("loopback redirects need the address and not the name");
            }
            Ok(url) if is_loopback_http(&url) && native => {}
            Ok(url) if is_loopback_http(&url) => {
                return bad_redirect("loopback redirects need application_type native");
            }
            Ok(url) if url.scheme() == "https" && url.fragment().is_none() => {}
            _ => return bad_redirect("only https and loopback http are allowed"),
        }
    }
    let known = [None, Some("none"), Some("client_secret_basic"), Some("client_secret_post")];
    if !known.contains(&metadata.token_endpoint_auth_method.as_deref()) {
        return bad("the token endpoint authentication method is not supported");
    }
    let grants = ["authorization_code", "refresh_token"];
    let supported = |grant: &str| grants.contains(&grant) || (options.device && grant == device::GRANT);
    if metadata.grant_types.iter().flatten().any(|grant| !supported(grant)) {
        return bad("a grant type is not supported");
    }
    if metadata.response_types.iter().flatten().any(|kind| kind != "code") {
        return bad("a response type is not supported");
    }
    if metadata.client_name.as_ref().is_some_and(|name| name.len() > 200) {
        return bad("the client name is too long");
    }
    Ok(())
}
