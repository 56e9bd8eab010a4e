//! An authorization server for one sign-in that asks nobody, so that there is a token to keep in a keychain.

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::{Request, Response};
use url::form_urlencoded;

use super::body::{self, Reply};
use crate::messages::TOKEN;

fn origin(request: &Request<Incoming>) -> String {
    let host = request.headers().get("host").and_then(|value| value.to_str().ok()).unwrap_or_default();
    format!("http://{host}")
}

/// What a request without the right token gets (RFC 9728 section 5.1).
pub(super) fn challenge(request: &Request<Incoming>) -> Response<Reply> {
    let metadata = format!("{}/.well-known/oauth-protected-resource/mcp", origin(request));
    let header = format!(r#"Bearer resource_metadata="{metadata}""#);
    Response::builder().status(401).header("www-authenticate", header).body(Reply::default()).unwrap()
}

pub(super) async fn answer(request: Request<Incoming>) -> Response<Reply> {
    let origin = origin(&request);
    let query = request.uri().query().unwrap_or_default().to_owned();
    match request.uri().path() {
        "/.well-known/oauth-protected-resource/mcp" => {
            json(format!(r#"{{"resource":"{origin}/mcp","authorization_servers":["{origin}"]}}"#))
        }
        "/.well-known/oauth-authorization-server" => json(metadata(&origin)),
        "/register" => match request.into_body().collect().await {
            // RFC 7591 section 3.2.1: what was asked for, with an id.
            Ok(body) => created(&String::from_utf8_lossy(&body.to_bytes())),
            Err(_) => body::status(400),
        },
        "/authorize" => authorize(&origin, &query),
        "/token" => json(format!(
            r#"{{"access_token":"{TOKEN}","token_type":"Bearer","expires_in":86400,"refresh_token":"again"}}"#
        )),
        _ => body::status(404),
    }
}

fn json(text: String) -> Response<Reply> {
    body::json([Bytes::from(text)])
}

fn metadata(origin: &str) -> String {
    let endpoints =
        ["authorization_endpoint:authorize", "token_endpoint:token", "registration_endpoint:register"]
            .map(|pair| {
                let (name, path) = pair.split_once(':').unwrap();
                format!(r#""{name}":"{origin}/{path}","#)
            })
            .concat();
    format!(
        r#"{{"issuer":"{origin}",{endpoints}"response_types_supported":["code"],"grant_types_supported":["authorization_code","refresh_token"],"token_endpoint_auth_methods_supported":["none"],"code_challenge_methods_supported":["S256"]}}"#
    )
}

fn created(registration: &str) -> Response<Reply> {
    let text = registration.trim_start().strip_prefix('{').unwrap_or("}");
    let mut response = json(format!(r#"{{"client_id":"bench",{text}"#));
    *response.status_mut() = hyper::StatusCode::CREATED;
    response
}

/// Sends the browser straight back with a code (RFC 6749 section 4.1.2).
fn authorize(origin: &str, query: &str) -> Response<Reply> {
    let get = |name: &str| {
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
    };
    let answer = form_urlencoded::Serializer::new(String::new())
        .append_pair("code", "bench")
        .append_pair("state", &get("state"))
        .append_pair("iss", origin)
        .finish();
    let location = format!("{}?{answer}", get("redirect_uri"));
    Response::builder().status(302).header("location", location).body(Reply::default()).unwrap()
}
