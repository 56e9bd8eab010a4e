//! Servers of the revision 2025-03-26, and those that only look like it.

use chipp_auth::error::Name;
use chipp_auth::oauth::ResourceChoice;
use chipp_auth::oauth::discovery::{Known, discover};
use serde_json::json;

use crate::mcp::{METADATA, OPENID, RESOURCE, RESOURCE_A, fails, find, known, metadata, unauthorized};
use crate::server::{Page, Server};

/// A server that challenges and publishes nothing.
async fn server() -> Server {
    let server = Server::start().await;
    server.page("/a/mcp", unauthorized("Bearer scope=\"s\""));
    server
}

#[tokio::test]
async fn metadata_at_the_origin_is_used() {
    let server = server().await;
    // The slash is how the servers of that time write it.
    for issuer in [server.base.clone(), format!("{}/", server.base)] {
        let mut metadata = metadata(&server.base);
        metadata["issuer"] = json!(issuer);
        metadata["registration_endpoint"] = json!(server.url("/reg"));
        server.page(METADATA, Page::json(&metadata));
        let found = find(&server).await.unwrap();
        assert_eq!((found.issuer, found.scope.as_deref()), (issuer, Some("s")));
        assert_eq!(found.registration, Some(server.url("/reg")));
        assert_eq!(found.resource, Some(server.url("/a/mcp").to_string()));
        assert!(found.issuer_in_response);
    }
    assert_eq!(server.paths()[..4], ["/a/mcp", RESOURCE_A, RESOURCE, METADATA]);
}

// hold as everywhere.
#[tokio::test]
async fn what_is_published_there_is_judged() {
    let server = server().await;
    let mut weak = metadata(&server.base);
    weak["code_challenge_methods_supported"] = json!(null);
    server.page(METADATA, Page::json(&weak));
    assert_eq!(fails(&server).await, Name::PkceUnsupported);
    for issuer in [format!("{}//", server.base), format!("{}/a", server.base), "https://evil.example".into()]
    {
        server.page(METADATA, Page::json(&metadata(&issuer)));
        assert_eq!(fails(&server).await, Name::IssuerMismatch, "{issuer}");
    }
    for page in [Page::empty(500), Page::redirect(302, "https://evil.example/"), Page::json(&json!({}))] {
        server.page(METADATA, page);
        assert!(find(&server).await.is_err());
    }
}

#[tokio::test]
async fn without_metadata_the_endpoints_are_those_of_the_revision() {
    let server = server().await;
    let found = find(&server).await.unwrap();
    let endpoints = found.endpoints;
    assert_eq!(found.issuer, server.base);
    assert_eq!(endpoints.authorization, server.url("/authorize"));
    assert_eq!(endpoints.token, server.url("/token"));
    assert_eq!(found.registration, Some(server.url("/register")));
    assert_eq!((endpoints.revocation, endpoints.device), (None, None));
    assert_eq!(found.resource, Some(server.url("/a/mcp").to_string()));
    assert!(!found.issuer_in_response);
    // Of OpenID Connect that revision knew nothing.
    assert_eq!(server.paths(), ["/a/mcp", RESOURCE_A, RESOURCE, METADATA]);
    let omitted = Known { choice: ResourceChoice::Omit, ..known(&server, "/a/mcp?x=1") };
    let found = discover(&omitted).await.unwrap();
    assert_eq!((found.resource, found.endpoints.token), (None, server.url("/token")));
}

// Nothing is invented for a server that does not ask for a sign-in.
#[tokio::test]
async fn a_server_that_needs_no_sign_in_gets_no_endpoints() {
    let server = server().await;
    server.page(METADATA, Page::json(&metadata(&server.base)));
    for (status, name) in [
        (200, Name::BadResponse),
        (202, Name::BadResponse),
        (400, Name::BadResponse),
        (403, Name::BadResponse),
        (404, Name::BadResponse),
        (500, Name::ServerError),
    ] {
        server.page("/a/mcp", Page::empty(status));
        assert_eq!(fails(&server).await, name, "{status}");
    }
    // Nor for one that asks for a sign-in of another kind.
    server.page("/a/mcp", unauthorized("Basic realm=\"x\", Negotiate"));
    assert_eq!(fails(&server).await, Name::BadResponse);
    assert!(!server.paths().contains(&METADATA.to_owned()));
    // A refusal that says nothing asks for what there is.
    server.page("/a/mcp", Page::empty(401));
    find(&server).await.unwrap();
}

// Whatever fails on the way is an error, and no sign of an old server.
#[tokio::test]
async fn trouble_on_the_way_is_not_taken_for_age() {
    let server = server().await;
    server.page(METADATA, Page::json(&metadata(&server.base)));
    for (page, name) in [
        (Page::empty(500), Name::ServerError),
        (Page::empty(429), Name::ServerBusy),
        (Page::redirect(302, "https://evil.example/"), Name::RedirectRefused),
        (Page::json(&json!({})), Name::BadResponse),
        (Page::json(&json!({"resource": "https://evil.example"})), Name::WrongOrigin),
        (Page::json(&json!({"resource": server.base})), Name::BadResponse),
    ] {
        for path in [RESOURCE_A, RESOURCE] {
            server.page(RESOURCE_A, Page::empty(404));
            server.page(RESOURCE, Page::empty(404));
            server.page(path, page.clone());
            assert_eq!(fails(&server).await, name);
        }
    }
    assert!(!server.paths().contains(&METADATA.to_owned()));
}

// Nor where somebody said who signs users in.
#[tokio::test]
async fn a_named_server_is_never_replaced() {
    let server = server().await;
    let stated = Known { issuer: Some(format!("{}/t", server.base)), ..known(&server, "/a/mcp") };
    assert_eq!(discover(&stated).await.unwrap_err().name(), Name::BadResponse);
    server.page("/a/mcp", unauthorized(&format!("Bearer resource_metadata=\"{}/meta\"", server.base)));
    assert_eq!(fails(&server).await, Name::BadResponse);
    assert!(!server.paths().iter().any(|path| path == METADATA || path == OPENID));
}
