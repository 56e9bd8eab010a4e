//! The token request styles of the seed, byte for byte (A-40, T7), and what every request has.

use std::sync::LazyLock;

use chipp_auth::credential::{Client, TokenStyle};
use chipp_auth::error::Name;
use chipp_auth::http::Reach;
use chipp_auth::oauth::revoke::revoke;
use chipp_auth::oauth::wire::{Code, Endpoint, Refusal};
use http::HeaderMap;
use oauth2::PkceCodeVerifier;
use serde_json::{Value, json};
use url::Url;

use crate::server::{Asked, Page, Server};

pub const ISSUER: &str = "https://issuer.example/tenant";
const VERIFIER: &str = "verifier-verifier-verifier-verifier-verifier-";

fn client(style: TokenStyle, secret: Option<&str>) -> Client {
    Client { id: "cid:/ x".into(), secret: secret.map(Into::into), style, ..Client::default() }
}

/// An endpoint on this computer, where a test has its server.
pub fn at<'a>(url: &'a Url, client: &'a Client, resource: Option<&'a str>) -> Endpoint<'a> {
    static HERE: LazyLock<Reach> = LazyLock::new(|| Reach::named(["http://127.0.0.1"]));
    Endpoint { url, issuer: ISSUER, client, resource, reach: &HERE, dpop: None }
}

/// Exchanges a code in a style; the request that arrived.
async fn exchange(style: TokenStyle, secret: Option<&str>) -> Asked {
    let server = Server::start().await;
    server.page("/token", Page::json(&json!({"access_token": "a", "token_type": "bearer"})));
    let (url, client) = (server.url("/token"), client(style, secret));
    let endpoint = at(&url, &client, Some("https://e.com/mcp"));
    let verifier = PkceCodeVerifier::new(VERIFIER.into());
    let code = Code {
        code: "co de".into(),
        verifier: Some(verifier),
        redirect_uri: "http://localhost:1/callback".into(),
    };
    endpoint.exchange(code).await.unwrap();
    server.asked().remove(0)
}

pub fn header(headers: &HeaderMap, name: &str) -> String {
    headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
}

/// The parameters of a form body, sorted.
pub fn pairs(body: &str) -> Vec<(String, String)> {
    let mut pairs: Vec<_> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    pairs.sort();
    pairs
}

fn parameters(with: &[(&str, &str)]) -> Vec<(String, String)> {
    let common = [
        ("code", "co de"),
        ("code_verifier", VERIFIER),
        ("grant_type", "authorization_code"),
        ("redirect_uri", "http://localhost:1/callback"),
        ("resource", "https://e.com/mcp"),
    ];
    let mut pairs: Vec<_> =
        common.iter().chain(with).map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    pairs.sort();
    pairs
}

/// `cid:/ x` and `s:e/c`, each form-encoded, then base64 (RFC 6749 section 2.3.1).
const BASIC: &str = "Basic Y2lkJTNBJTJGJTIweDpzJTNBZSUyRmM=";

#[tokio::test]
async fn form_post_has_the_credentials_in_a_form_body() {
    let asked = exchange(TokenStyle::FormPost, Some("s:e/c")).await;
    assert_eq!(header(&asked.headers, "content-type"), "application/x-www-form-urlencoded");
    assert_eq!(header(&asked.headers, "accept"), "application/json");
    assert_eq!(header(&asked.headers, "authorization"), "");
    assert_eq!(pairs(&asked.body), parameters(&[("client_id", "cid:/ x"), ("client_secret", "s:e/c")]));
}

#[tokio::test]
async fn form_basic_has_them_in_the_header_alone() {
    let asked = exchange(TokenStyle::FormBasic, Some("s:e/c")).await;
    assert_eq!(header(&asked.headers, "content-type"), "application/x-www-form-urlencoded");
    assert_eq!(header(&asked.headers, "authorization"), BASIC);
    assert_eq!(pairs(&asked.body), parameters(&[]));
}

#[tokio::test]
async fn json_has_every_parameter_as_a_string_member() {
    let asked = exchange(TokenStyle::Json, None).await;
    assert_eq!(header(&asked.headers, "content-type"), "application/json");
    let body: Value = serde_json::from_str(&asked.body).unwrap();
    let mut members: Vec<(String, String)> =
        body.as_object().unwrap().iter().map(|(n, v)| (n.clone(), v.as_str().unwrap().to_owned())).collect();
    members.sort();
    assert_eq!(members, parameters(&[("client_id", "cid:/ x")]));
}

#[tokio::test]
async fn json_basic_has_the_header_and_a_json_body_without_credentials() {
    let asked = exchange(TokenStyle::JsonBasic, Some("s:e/c")).await;
    assert_eq!(header(&asked.headers, "content-type"), "application/json");
    assert_eq!(header(&asked.headers, "authorization"), BASIC);
    assert!(!asked.body.contains("client_"), "{}", asked.body);
}

#[tokio::test]
async fn a_public_client_names_itself_in_the_body_in_every_style() {
    for style in [TokenStyle::FormPost, TokenStyle::FormBasic] {
        let asked = exchange(style, None).await;
        assert_eq!(header(&asked.headers, "authorization"), "");
        assert_eq!(pairs(&asked.body), parameters(&[("client_id", "cid:/ x")]));
    }
}

#[tokio::test]
async fn a_refresh_names_the_resource_again() {
    let server = Server::start().await;
    server.page("/token", Page::json(&json!({"access_token": "a"})));
    let (url, client) = (server.url("/token"), client(TokenStyle::Json, None));
    let endpoint = at(&url, &client, Some("https://e.com/mcp"));
    endpoint.refresh(&"rt".into()).await.unwrap();
    let body: Value = serde_json::from_str(&server.asked()[0].body).unwrap();
    let expected = json!({
        "grant_type": "refresh_token", "refresh_token": "rt", "client_id": "cid:/ x", "resource": "https://e.com/mcp",
    });
    assert_eq!(body, expected);
}

// RFC 7009 section 2.1.
#[tokio::test]
async fn a_revocation_names_the_token_and_its_kind() {
    let server = Server::start().await;
    server.page("/revoke", Page { status: 200, ..Page::default() });
    let (url, client) = (server.url("/revoke"), client(TokenStyle::FormBasic, Some("s:e/c")));
    revoke(at(&url, &client, None), &"rt".into(), "refresh_token").await.unwrap();
    let asked = server.asked().remove(0);
    assert_eq!(header(&asked.headers, "authorization"), BASIC);
    assert_eq!(asked.body, "token=rt&token_type_hint=refresh_token");
    server.page("/revoke", Page { status: 503, ..Page::default() });
    let endpoint = at(&url, &client, None);
    assert_eq!(revoke(endpoint, &"rt".into(), "refresh_token").await.unwrap_err().name(), Name::ServerError);
}

// Row 107, T6.
#[tokio::test]
async fn a_server_that_repeats_our_secrets_is_not_quoted() {
    let server = Server::start().await;
    let body = json!({"error": "invalid_request", "error_description": "refresh token s3cr3t-refresh, secret s3cr3t-client"});
    server.page("/token", Page { status: 400, ..Page::json(&body) });
    let (url, client) = (server.url("/token"), client(TokenStyle::FormBasic, Some("s3cr3t-client")));
    let endpoint = at(&url, &client, None);
    let Err(Refusal { error, .. }) = endpoint.refresh(&"s3cr3t-refresh".into()).await else {
        panic!("accepted")
    };
    assert_eq!(error.name(), Name::ClientRejected);
    assert!(!format!("{error:?}{}", error.hint()).contains("s3cr3t"), "{error}");
}
