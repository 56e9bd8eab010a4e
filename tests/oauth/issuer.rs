//! The issuer: the text that it is, and nothing like it (A-08; security.md D4).

use chipp_auth::error::Name;
use chipp_auth::oauth::discovery::issuer;
use serde_json::json;

use crate::mcp::{METADATA, OPENID, RESOURCE_A, fails, find, known, metadata, resource, server};
use crate::server::{Page, Server};

// A-08, D4: identical, not similar.
#[tokio::test]
async fn an_issuer_that_is_not_identical_is_refused() {
    let server = server("").await;
    let port = server.url("/").port().unwrap();
    for issuer in [
        format!("{}/", server.base),
        server.base.to_uppercase(),
        format!("http://localhost:{port}"),
        format!("{}/%74", server.base),
        "https://evil.example".into(),
        String::new(),
    ] {
        let mut other = metadata(&server.base);
        other["issuer"] = json!(issuer);
        server.page(METADATA, Page::json(&other));
        assert_eq!(fails(&server).await, Name::IssuerMismatch, "{issuer}");
    }
    // What the resource says counts to the letter as well.
    server.page(METADATA, Page::json(&metadata(&server.base)));
    server.page(RESOURCE_A, Page::json(&resource(&server, &format!("{}/", server.base))));
    assert_eq!(fails(&server).await, Name::IssuerMismatch);
    let upper = server.base.replace("http", "HTTP");
    server.page(RESOURCE_A, Page::json(&resource(&server, &upper)));
    server.page(METADATA, Page::json(&metadata(&upper)));
    assert_eq!(find(&server).await.unwrap().issuer, upper);
}

// RFC 8414 section 2.
#[tokio::test]
async fn an_issuer_that_is_no_plain_url_is_refused() {
    let server = server("").await;
    let at = |rest: &str| format!("{}{rest}", server.base);
    for (issuer, name) in [
        (at("?x"), Name::BadResponse),
        (at("#x"), Name::BadResponse),
        (at(" "), Name::BadResponse),
        (at("/\t"), Name::BadResponse),
        ("as.example".into(), Name::BadResponse),
        (String::new(), Name::BadResponse),
        (at("").replace("//", "//user@"), Name::UnsafeUrl),
        ("http://as.example".into(), Name::UnsafeUrl),
        ("ftp://as.example".into(), Name::UnsafeUrl),
    ] {
        server.page(RESOURCE_A, Page::json(&resource(&server, &issuer)));
        assert_eq!(fails(&server).await, name, "{issuer}");
    }
}

// an identity provider has a token endpoint for us, and nothing else.
#[tokio::test]
async fn a_bare_issuer_needs_a_token_endpoint_and_no_promise_of_pkce() {
    let server = Server::start().await;
    let known = known(&server, "/mcp");
    server.page(OPENID, Page::json(&json!({"issuer": server.base, "token_endpoint": server.url("/token")})));
    let found = issuer(&server.base, &known).await.unwrap();
    assert_eq!((found.issuer, found.token), (server.base.clone(), server.url("/token")));
    server.page(
        OPENID,
        Page::json(&json!({"issuer": "https://x.example", "token_endpoint": "https://x.example"})),
    );
    assert_eq!(issuer(&server.base, &known).await.unwrap_err().name(), Name::IssuerMismatch);
    server.page(OPENID, Page::json(&json!({"issuer": server.base})));
    assert_eq!(issuer(&server.base, &known).await.unwrap_err().name(), Name::BadResponse);
    server.page(OPENID, Page::json(&json!({"issuer": server.base, "token_endpoint": "https://10.0.0.1"})));
    assert_eq!(issuer(&server.base, &known).await.unwrap_err().name(), Name::UnsafeUrl);
}
