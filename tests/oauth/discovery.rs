//! Finding the authorization server (A-02 to; security.md D3, D5, D7).

use chipp_auth::error::Name;
use chipp_auth::oauth::discovery::{Known, discover};
use chipp_auth::oauth::{Endpoints, Provider, ResourceChoice};
use serde_json::json;

use crate::mcp::{METADATA, OPENID, RESOURCE, RESOURCE_A, fails, find, known, metadata, resource, server};
use crate::server::{Page, Server};

#[tokio::test]
async fn the_well_known_addresses_lead_to_the_server() {
    let server = server("").await;
    let found = find(&server).await.unwrap();
    assert_eq!(found.issuer, server.base);
    assert_eq!(found.endpoints.token.path(), "/token");
    assert_eq!(found.resource, Some(format!("{}/a/mcp", server.base)));
    assert_eq!(found.scope.as_deref(), Some("r w"));
    assert!(found.issuer_in_response);
    assert_eq!(server.paths(), ["/a/mcp", RESOURCE_A, METADATA]);
}

// the order of the fallbacks.
#[tokio::test]
async fn the_fallbacks_come_in_order() {
    let server = server("/t").await;
    server.page(RESOURCE_A, Page::empty(404));
    server.page(RESOURCE, Page::json(&resource(&server, &format!("{}/t", server.base))));
    server.page(&format!("{METADATA}/t"), Page::empty(404));
    let issuer = format!("{}/t", server.base);
    server.page("/t/.well-known/openid-configuration", Page::json(&metadata(&issuer)));
    assert_eq!(find(&server).await.unwrap().issuer, issuer);
    assert_eq!(
        server.paths()[1..],
        [
            RESOURCE_A,
            RESOURCE,
            "/.well-known/oauth-authorization-server/t",
            "/.well-known/openid-configuration/t",
            "/t/.well-known/openid-configuration",
        ]
    );
}

// What is there but cannot be used is passed over, and reported only if nothing else is there.
#[tokio::test]
async fn a_server_that_answers_nonsense_at_one_address_is_found_at_the_next() {
    let server = server("").await;
    for nonsense in [
        Page::empty(500),
        Page::empty(429),
        Page { body: "not found".into(), ..Page::empty(200) },
        Page { body: "<!doctype html>".into(), ..Page::empty(200) },
        Page::json(&json!({"error": "not found"})),
        Page::json(&metadata("https://other.example")),
        Page::redirect(302, "https://other.example/login"),
    ] {
        server.page(METADATA, nonsense);
        server.page(OPENID, Page::json(&metadata(&server.base)));
        assert_eq!(find(&server).await.unwrap().issuer, server.base);
    }
    server.page(OPENID, Page::empty(500));
    assert_eq!(fails(&server).await, Name::RedirectRefused, "the first");
}

// A-04, D3.
#[tokio::test]
async fn metadata_of_another_server_is_refused() {
    let server = server("").await;
    let mut other = resource(&server, &server.base);
    other["resource"] = json!("https://other.example/mcp");
    server.page(RESOURCE_A, Page::json(&other));
    assert_eq!(fails(&server).await, Name::WrongOrigin);
    assert!(!server.paths().contains(&METADATA.to_owned()));
}

// as it stands there, and as the user wants it.
#[tokio::test]
async fn the_resource_is_named_verbatim_or_as_chosen() {
    let server = server("").await;
    let mut root = resource(&server, &server.base);
    root["resource"] = json!(format!("{}/a/", server.base.to_uppercase().replace("HTTP", "http")));
    server.page(RESOURCE_A, Page::json(&root));
    for (choice, sent) in [
        (ResourceChoice::Auto, root["resource"].as_str()),
        (ResourceChoice::Omit, None),
        (ResourceChoice::Value("urn:x".into()), Some("urn:x")),
    ] {
        let known = Known { choice, ..known(&server, "/a/mcp") };
        assert_eq!(discover(&known).await.unwrap().resource.as_deref(), sent);
    }
}

// the server of the stored sign-in, else the first that works, and the first failure if none does.
#[tokio::test]
async fn of_several_servers_the_one_in_use_or_the_first_that_works_is_taken() {
    let server = server("").await;
    let at = |path: &str| format!("{}{path}", server.base);
    let mut several = resource(&server, "");
    several["authorization_servers"] = json!([at("/down"), at("/t"), at("/u")]);
    server.page(RESOURCE_A, Page::json(&several));
    server.page(&format!("{METADATA}/t"), Page::json(&metadata(&at("/t"))));
    server.page(&format!("{METADATA}/u"), Page::json(&metadata(&at("/u"))));
    assert_eq!(find(&server).await.unwrap().issuer, at("/t"));
    let in_use = |issuer: &str| Known { preferred: Some(issuer.to_owned()), ..known(&server, "/a/mcp") };
    assert_eq!(discover(&in_use(&at("/u"))).await.unwrap().issuer, at("/u"));
    assert_eq!(discover(&in_use("https://gone.example")).await.unwrap().issuer, at("/t"));

    several["authorization_servers"] = json!(["https://down.invalid:1 ", at("/t")]);
    server.page(RESOURCE_A, Page::json(&several));
    let mut weak = metadata(&at("/t"));
    weak["code_challenge_methods_supported"] = json!(null);
    server.page(&format!("{METADATA}/t"), Page::json(&weak));
    assert_eq!(fails(&server).await, Name::BadResponse, "of the first");
    several["authorization_servers"] = json!([at("/t"), "https://down.invalid:1 "]);
    server.page(RESOURCE_A, Page::json(&several));
    assert_eq!(fails(&server).await, Name::PkceUnsupported, "of the first");
    several["authorization_servers"] = json!([]);
    server.page(RESOURCE_A, Page::json(&several));
    assert_eq!(fails(&server).await, Name::BadResponse);
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
        // A profile may state it.
        let stated = Known { pkce_unverified: true, ..known(&server, "/a/mcp") };
        assert!(discover(&stated).await.is_ok());
    }
    let mut without = metadata(&server.base);
    without.as_object_mut().unwrap().remove("code_challenge_methods_supported");
    server.page(METADATA, Page::json(&without));
    assert_eq!(fails(&server).await, Name::PkceUnsupported);
}

const ENDPOINTS: [&str; 5] = [
    "authorization_endpoint",
    "token_endpoint",
    "revocation_endpoint",
    "registration_endpoint",
    "device_authorization_endpoint",
];

// D1: what the metadata names is checked like any address.
#[tokio::test]
async fn unsafe_endpoints_are_refused() {
    let server = server("").await;
    for member in ENDPOINTS {
        for url in [
            "javascript:alert(1)",
            "http://example.com/token",
            "file:///etc/passwd",
            "https://169.254.169.254/",
            "https://10.0.0.1/",
            "https://[::]/",
            "https://user:pass@example.com/",
        ] {
            let mut hostile = metadata(&server.base);
            hostile[member] = json!(url);
            server.page(METADATA, Page::json(&hostile));
            assert_eq!(fails(&server).await, Name::UnsafeUrl, "{member} {url}");
        }
    }
}

// D5: a server that was discovered may have its endpoints elsewhere; the sign-in records them.
#[tokio::test]
async fn endpoints_of_a_discovered_server_may_be_elsewhere() {
    let server = server("").await;
    let mut elsewhere = metadata(&server.base);
    elsewhere["token_endpoint"] = json!("https://oauth2.example/token");
    server.page(METADATA, Page::json(&elsewhere));
    assert_eq!(find(&server).await.unwrap().endpoints.token.as_str(), "https://oauth2.example/token");
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
        challenge: Some(vec!["Bearer scope=\"more\", resource_metadata=\"https://evil.example\"".into()]),
        ..known(&server, "/mcp")
    };
    let found = discover(&known).await.unwrap();
    assert_eq!((found.endpoints.token.path(), found.resource), ("/doc-token", None));
    // what is asked for counts, wherever the server is known from.
    assert_eq!(found.scope.as_deref(), Some("more"));

    server.page(METADATA, Page::json(&metadata(&server.base)));
    let found = discover(&known).await.unwrap();
    assert_eq!(found.endpoints.token.path(), "/token");
    assert!(!server.paths().iter().any(|path| path.starts_with(RESOURCE) || path == "/mcp"));

    for member in ENDPOINTS {
        let mut elsewhere = metadata(&server.base);
        elsewhere[member] = json!("https://evil.example/token");
        server.page(METADATA, Page::json(&elsewhere));
        assert_eq!(discover(&known).await.unwrap_err().name(), Name::WrongOrigin, "{member}");
    }
}

#[tokio::test]
async fn what_the_metadata_says_is_passed_on() {
    let server = server("").await;
    let mut full = metadata(&server.base);
    for member in ENDPOINTS {
        full[member] = json!(format!("{}/{member}", server.base));
    }
    full["scopes_supported"] = json!(["offline_access"]);
    full["grant_types_supported"] = json!(["refresh_token"]);
    full["token_endpoint_auth_methods_supported"] = json!(["none"]);
    full["dpop_signing_alg_values_supported"] = json!(["ES256"]);
    full["client_id_metadata_document_supported"] = json!(true);
    server.page(METADATA, Page::json(&full));
    let Provider { endpoints, registration, scopes, grants, auth_methods, dpop_algorithms, .. } =
        find(&server).await.unwrap();
    let urls = [Some(endpoints.authorization), Some(endpoints.token), endpoints.revocation, registration];
    for (member, url) in ENDPOINTS.iter().zip(urls.into_iter().chain([endpoints.device])) {
        assert_eq!(url.unwrap().path(), format!("/{member}"));
    }
    assert_eq!((scopes, grants), (vec!["offline_access".to_owned()], Some(vec!["refresh_token".to_owned()])));
    assert_eq!((auth_methods, dpop_algorithms), (Some(vec!["none".into()]), vec!["ES256".to_owned()]));
    assert!(find(&server).await.unwrap().client_metadata_documents);
}
