//! The grants without a person, byte for byte, and what their answers may be.

use chipp_auth::credential::{Client, TokenStyle};
use chipp_auth::error::Name;
use chipp_auth::oauth::machine::{self, Exchange};
use chipp_auth::oauth::wire::Cause;
use secrecy::ExposeSecret;
use serde_json::json;

use crate::server::{Page, Server};
use crate::styles::{at, header, pairs};

const MCP: &str = "https://e.com/mcp";

fn client(style: TokenStyle) -> Client {
    Client { id: "machine".into(), secret: Some("pass".into()), style, ..Client::default() }
}

async fn server() -> Server {
    let server = Server::start().await;
    server.page("/token", Page::json(&json!({"access_token": "a", "token_type": "Bearer"})));
    server
}

fn expected(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

//
#[tokio::test]
async fn client_credentials_name_the_resource_and_the_scope() {
    let server = server().await;
    let (url, client) = (server.url("/token"), client(TokenStyle::FormBasic));
    machine::client_credentials(at(&url, &client, Some(MCP)), Some("a b")).await.unwrap();
    machine::client_credentials(at(&url, &client, None), None).await.unwrap();
    let asked = server.asked();
    assert_eq!(header(&asked[0].headers, "authorization"), "Basic bWFjaGluZTpwYXNz");
    let all = [("grant_type", "client_credentials"), ("resource", MCP), ("scope", "a b")];
    assert_eq!(pairs(&asked[0].body), expected(&all));
    assert_eq!(pairs(&asked[1].body), expected(&all[..1]));
}

//
#[tokio::test]
async fn a_jwt_is_presented_as_the_grant() {
    let server = server().await;
    let (url, client) = (server.url("/token"), Client { id: "workload".into(), ..Client::default() });
    machine::jwt_bearer(at(&url, &client, Some(MCP)), &"h.p.s".into(), Some("a")).await.unwrap();
    let all = [
        ("assertion", "h.p.s"),
        ("client_id", "workload"),
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
        ("resource", MCP),
        ("scope", "a"),
    ];
    assert_eq!(pairs(&server.asked()[0].body), expected(&all));
}

// X-02, RFC 8693.
#[tokio::test]
async fn an_id_token_is_exchanged_for_an_assertion_for_the_other_server() {
    let server = server().await;
    let answer = json!({
        "access_token": "id.jag.x", "token_type": "N_A", "issued_token_type": "urn:ietf:params:oauth:token-type:id-jag",
    });
    server.page("/token", Page::json(&answer));
    let (url, client) = (server.url("/token"), client(TokenStyle::FormPost));
    let exchange =
        Exchange { id_token: &"id.token.x".into(), audience: "https://as.example/", scope: Some("a") };
    let assertion = machine::exchange(at(&url, &client, Some(MCP)), exchange).await.unwrap();
    assert_eq!(assertion.expose_secret(), "id.jag.x");
    let all = [
        ("audience", "https://as.example/"),
        ("client_id", "machine"),
        ("client_secret", "pass"),
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("requested_token_type", "urn:ietf:params:oauth:token-type:id-jag"),
        ("resource", MCP),
        ("scope", "a"),
        ("subject_token", "id.token.x"),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:id_token"),
    ];
    assert_eq!(pairs(&server.asked()[0].body), expected(&all));
}

// Another token of the identity provider must not be shown to the authorization server.
#[tokio::test]
async fn an_exchange_that_brings_another_kind_of_token_is_refused() {
    let server = server().await;
    let (url, client) = (server.url("/token"), client(TokenStyle::FormPost));
    for kind in [json!("urn:ietf:params:oauth:token-type:access_token"), json!(null), json!(["x"])] {
        let answer = json!({"access_token": "a", "token_type": "N_A", "issued_token_type": kind});
        server.page("/token", Page::json(&answer));
        let exchange = Exchange { id_token: &"t".into(), audience: "https://as.example", scope: None };
        let refusal = machine::exchange(at(&url, &client, None), exchange).await.unwrap_err();
        assert_eq!(refusal.error.name(), Name::WrongTokenType);
    }
}

// what the server says is handed on, once.
#[tokio::test]
async fn a_refusal_is_handed_on_and_nothing_is_asked_again() {
    for (error, cause) in [
        ("invalid_grant", Cause::InvalidGrant),
        ("invalid_scope", Cause::Failed),
        ("unauthorized_client", Cause::InvalidClient),
    ] {
        let server = server().await;
        server.page("/token", Page { status: 400, ..Page::json(&json!({"error": error})) });
        let (url, client) = (server.url("/token"), client(TokenStyle::FormPost));
        let refusal = machine::jwt_bearer(at(&url, &client, None), &"h.p.s".into(), None).await.unwrap_err();
        assert_eq!(refusal.cause, cause, "{error}");
        assert!(refusal.said.contains(error));
        assert_eq!(server.asked().len(), 1);
    }
}

// Row 107, T6: assertions and ID tokens are secrets like any other.
#[tokio::test]
async fn a_server_that_repeats_an_assertion_is_not_quoted() {
    let server = server().await;
    let body = json!({"error": "invalid_grant", "error_description": "what is s3cr3t.jwt.sig"});
    server.page("/token", Page { status: 400, ..Page::json(&body) });
    let (url, client) = (server.url("/token"), client(TokenStyle::FormPost));
    let refusal = machine::jwt_bearer(at(&url, &client, None), &"s3cr3t.jwt.sig".into(), None).await;
    let refusal = refusal.unwrap_err();
    assert_eq!(refusal.cause, Cause::InvalidGrant);
    let exchange =
        Exchange { id_token: &"s3cr3t.jwt.sig".into(), audience: "https://as.example", scope: None };
    let other = machine::exchange(at(&url, &client, None), exchange).await.unwrap_err();
    for refusal in [refusal, other] {
        assert!(!format!("{refusal:?}").contains("s3cr3t"), "{refusal:?}");
    }
}

// A-40, RFC 8414 section 2.
#[test]
fn the_style_of_a_client_follows_from_its_secret_and_the_metadata() {
    let style = |methods: Option<&[&str]>, secret| {
        let methods = methods.map(|methods| methods.iter().map(|m| (*m).to_owned()).collect::<Vec<_>>());
        machine::style(methods.as_deref(), secret)
    };
    assert_eq!(style(None, true), TokenStyle::FormBasic);
    assert_eq!(style(None, false), TokenStyle::FormPost);
    assert_eq!(style(Some(&["client_secret_post"]), true), TokenStyle::FormPost);
    assert_eq!(style(Some(&["client_secret_post", "client_secret_basic"]), true), TokenStyle::FormBasic);
    assert_eq!(style(Some(&["client_secret_basic"]), false), TokenStyle::FormPost);
}
