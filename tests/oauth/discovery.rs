//! Finding the authorization server (A-01 to A-08, A-25; security.md D2 to D8).

use chipp_auth::error::{Name, Result};
use chipp_auth::oauth::discovery::{Known, discover};
use chipp_auth::oauth::{Endpoints, Provider};
use serde_json::{Value, json};

use crate::server::{Page, Server};

const RESOURCE: &str = "/.well-known/oauth-protected-resource";
const METADATA: &str = "/.well-known/oauth-authorization-server";

/// An MCP server at `/a/mcp` whose authorization server has the issuer `BASE + path`.
async fn server(path: &str) -> Server {
    let server = Server::start().await;
    let issuer = format!("{}{path}", server.base);
    server.page("/a/mcp", Page { status: 405, ..Page::default() });
    server.page(&format!("{RESOURCE}/a/mcp"), Page::json(&resource(&server, &issuer)));
    server.page(&format!("{METADATA}{path}"), Page::json(&metadata(&issuer)));
    server
}

fn resource(server: &Server, issuer: &str) -> Value {
    let resource = format!("{}/a/mcp", server.base);
    json!({"resource": resource, "authorization_servers": [issuer], "scopes_supported": ["r", "w"]})
}

fn metadata(issuer: &str) -> Value {
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "code_challenge_methods_supported": ["plain", "S256"],
        "authorization_response_iss_parameter_supported": true,
    })
}

async fn find(server: &Server) -> Result<Provider> {
    discover(&known(server, "/a/mcp")).await
}

fn known(server: &Server, path: &str) -> Known {
    let url = server.url(path);
    Known::new(url.clone(), url.to_string())
}

async fn fails(server: &Server) -> Name {
    find(server).await.expect_err("refused").name()
}

#[tokio::test]
async fn the_well_known_addresses_lead_to_the_server() {
    let server = server("").await;
    let found = find(&server).await.unwrap();
    assert_eq!(found.issuer, server.base);
    assert_eq!(found.endpoints.token.path(), "/token");
    assert_eq!(found.resource, Some(format!("{}/a/mcp", server.base)));
    assert_eq!(found.scope.as_deref(), Some("r w"));
    assert!(found.issuer_in_response);
    assert_eq!(server.paths(), ["/a/mcp", "/.well-known/oauth-protected-resource/a/mcp", METADATA]);
}

// A-03: the challenge's URL comes first and alone; A-50: so does its scope.
#[tokio::test]
async fn a_challenge_says_where_to_look_and_what_to_ask_for() {
    let server = server("").await;
    let value = format!("Basic realm=x, Bearer scope=\"only\", resource_metadata=\"{}/meta\"", server.base);
    server
        .page("/a/mcp", Page { status: 401, headers: vec![("www-authenticate", value)], ..Page::default() });
    server.page("/meta", Page::json(&resource(&server, &server.base)));
    assert_eq!(find(&server).await.unwrap().scope.as_deref(), Some("only"));
    assert_eq!(server.paths(), ["/a/mcp", "/meta", METADATA]);
}

// A-03, A-06: the order of the fallbacks.
#[tokio::test]
async fn the_fallbacks_come_in_order() {
    let server = server("/t").await;
    let gone = Page { status: 404, ..Page::default() };
    server.page(&format!("{RESOURCE}/a/mcp"), gone.clone());
    server.page(RESOURCE, Page::json(&resource(&server, &format!("{}/t", server.base))));
    server.page(&format!("{METADATA}/t"), gone);
    let issuer = format!("{}/t", server.base);
    server.page("/t/.well-known/openid-configuration", Page::json(&metadata(&issuer)));
    assert_eq!(find(&server).await.unwrap().issuer, issuer);
    assert_eq!(
        server.paths()[1..],
        [
            "/.well-known/oauth-protected-resource/a/mcp",
            RESOURCE,
            "/.well-known/oauth-authorization-server/t",
            "/.well-known/openid-configuration/t",
            "/t/.well-known/openid-configuration",
        ]
    );
}

// A-04, D3.
#[tokio::test]
async fn metadata_of_another_server_is_refused() {
    let server = server("").await;
    let mut other = resource(&server, &server.base);
    other["resource"] = json!("https://other.example/mcp");
    server.page(&format!("{RESOURCE}/a/mcp"), Page::json(&other));
    assert_eq!(fails(&server).await, Name::WrongOrigin);
}

// A-08, D4: identical, not similar.
#[tokio::test]
async fn an_issuer_that_is_not_identical_is_refused() {
    let server = server("").await;
    for issuer in [format!("{}/", server.base), server.base.to_uppercase(), "https://evil.example".into()] {
        let mut other = metadata(&server.base);
        other["issuer"] = json!(issuer);
        server.page(METADATA, Page::json(&other));
        assert_eq!(fails(&server).await, Name::IssuerMismatch, "{issuer}");
    }
}

// A-25, D7.
#[tokio::test]
async fn without_a_promise_of_pkce_nothing_is_asked() {
    let server = server("").await;
    for methods in [json!(null), json!([]), json!(["plain"])] {
        let mut without = metadata(&server.base);
        without["code_challenge_methods_supported"] = methods;
        server.page(METADATA, Page::json(&without));
        assert_eq!(fails(&server).await, Name::PkceUnsupported);
    }
}

// A-30, D1: what the metadata names is checked like any address.
#[tokio::test]
async fn unsafe_endpoints_are_refused() {
    let server = server("").await;
    for (member, url) in [
        ("authorization_endpoint", "javascript:alert(1)"),
        ("token_endpoint", "http://example.com/token"),
        ("token_endpoint", "file:///etc/passwd"),
        ("registration_endpoint", "http://169.254.169.254/"),
    ] {
        let mut hostile = metadata(&server.base);
        hostile[member] = json!(url);
        server.page(METADATA, Page::json(&hostile));
        assert_eq!(fails(&server).await, Name::UnsafeUrl, "{url}");
    }
}

// D2, D8.
#[tokio::test]
async fn redirects_floods_and_rubbish_end_by_name() {
    let server = server("").await;
    for (page, name) in [
        // Good metadata, were it not for its size.
        (
            Page {
                status: 200,
                body: metadata(&server.base).to_string() + &" ".repeat(2 << 20),
                ..Page::default()
            },
            Name::BadResponse,
        ),
        (Page { status: 200, body: "[".repeat(100_000), ..Page::default() }, Name::BadResponse),
        (Page { status: 200, body: "<html>".into(), ..Page::default() }, Name::BadResponse),
        (
            Page::json(&json!({"issuer": server.base, "code_challenge_methods_supported": ["S256"]})),
            Name::BadResponse,
        ),
        (Page { status: 503, ..Page::default() }, Name::ServerError),
    ] {
        server.page(METADATA, page);
        assert_eq!(fails(&server).await, name);
    }
}

// A profile that states everything: its endpoints serve where nothing is published, and its origin is pinned.
#[tokio::test]
async fn a_profile_is_followed_first_by_metadata_then_by_its_word() {
    let server = Server::start().await;
    let at = |path: &str| server.url(path);
    let known = Known {
        issuer: Some(server.base.clone()),
        documented: Some(Endpoints {
            authorization: at("/doc"),
            token: at("/doc-token"),
            revocation: None,
            device: None,
        }),
        ..known(&server, "/mcp")
    };
    let found = discover(&known).await.unwrap();
    assert_eq!((found.endpoints.token.path(), found.resource), ("/doc-token", None));

    server.page(METADATA, Page::json(&metadata(&server.base)));
    let found = discover(&known).await.unwrap();
    assert_eq!(found.endpoints.token.path(), "/token");
    assert!(!server.paths().iter().any(|path| path.starts_with(RESOURCE) || path == "/mcp"));

    let mut elsewhere = metadata(&server.base);
    elsewhere["token_endpoint"] = json!("https://evil.example/token");
    server.page(METADATA, Page::json(&elsewhere));
    assert_eq!(discover(&known).await.unwrap_err().name(), Name::WrongOrigin);
}
