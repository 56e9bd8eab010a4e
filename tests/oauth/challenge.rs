//! The challenge of the MCP server: met or asked for, and what follows from it (A-01, A-03, A-11, A-50,
//! A-51; security.md D3).

use chipp_auth::error::Name;
use chipp_auth::oauth::discovery::{Known, discover};
use http::Method;
use serde_json::{Value, json};

use crate::mcp::{METADATA, RESOURCE, RESOURCE_A, fails, find, known, resource, server, unauthorized};
use crate::server::Page;

// the challenge's URL comes first and alone; A-50: so does its scope.
#[tokio::test]
async fn a_challenge_says_where_to_look_and_what_to_ask_for() {
    let server = server("").await;
    let challenge =
        format!("Basic realm=x, Bearer scope=\"only\", resource_metadata=\"{}/meta\"", server.base);
    server.page("/a/mcp", unauthorized(&challenge));
    server.page("/meta", Page::json(&resource(&server, &server.base)));
    assert_eq!(find(&server).await.unwrap().scope.as_deref(), Some("only"));
    assert_eq!(server.paths(), ["/a/mcp", "/meta", METADATA]);
    server.page("/meta", Page::empty(404));
    assert_eq!(fails(&server).await, Name::BadResponse);
    assert!(!server.paths().iter().any(|path| path.starts_with(RESOURCE)));
}

// a server with DPoP may challenge with nothing else.
#[tokio::test]
async fn a_dpop_challenge_is_one() {
    let server = server("").await;
    server.page("/a/mcp", unauthorized(&format!("DPoP resource_metadata=\"{}/meta\"", server.base)));
    server.page("/meta", Page::json(&resource(&server, &server.base)));
    find(&server).await.unwrap();
    assert_eq!(server.paths(), ["/a/mcp", "/meta", METADATA]);
}

// asked in the way in which every server is used, once.
#[tokio::test]
async fn the_server_is_asked_once_by_a_call_that_changes_nothing() {
    let server = server("").await;
    for status in [200, 202, 302, 400, 403, 404, 405, 415, 500] {
        server.page("/a/mcp", Page::empty(status));
        find(&server).await.unwrap();
    }
    let asked = server.asked();
    let probes: Vec<_> = asked.iter().filter(|asked| asked.path == "/a/mcp").collect();
    assert_eq!(probes.len(), 9);
    let probe = probes[0];
    let body: Value = serde_json::from_str(&probe.body).unwrap();
    assert_eq!(body, json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}));
    assert_eq!(probe.method, Method::POST);
    for (name, value) in [
        ("accept", "application/json, text/event-stream"),
        ("content-type", "application/json"),
        ("mcp-protocol-version", "2025-11-25"),
        ("mcp-method", "tools/list"),
    ] {
        assert_eq!(probe.headers[name], value);
    }
    // discovery says which revision it speaks. D8: nothing that comes can grow.
    for asked in &asked {
        assert_eq!(asked.headers["mcp-protocol-version"], "2025-11-25");
        assert!(!asked.headers.contains_key("accept-encoding"));
        assert!(!asked.headers.contains_key("authorization"));
    }
}

// the challenge of the request that was refused counts, and the server is not asked again.
#[tokio::test]
async fn a_challenge_that_was_met_is_not_asked_for_again() {
    let server = server("").await;
    let met =
        |challenge: &str| Known { challenge: Some(vec![challenge.to_owned()]), ..known(&server, "/a/mcp") };
    let found = discover(&met("Bearer error=\"insufficient_scope\", scope=\"x y\"")).await.unwrap();
    assert_eq!(found.scope.as_deref(), Some("x y"));
    assert_eq!(server.paths(), [RESOURCE_A, METADATA]);
    // An empty scope names none.
    assert_eq!(discover(&met("Bearer scope=\"\"")).await.unwrap().scope.as_deref(), Some("r w"));
}

// D3: the server speaks for itself at itself. A proxy before it that writes its own address wrongly is no
// reason to fail, and a foreign address none to go there.
#[tokio::test]
async fn a_challenge_that_points_elsewhere_is_not_followed() {
    let (server, other) = (server("").await, server("").await);
    for address in [
        format!("{}/meta", other.base),
        server.base.replace("http", "https"),
        "http://inner.example/meta".to_owned(),
        "https://169.254.169.254/".to_owned(),
        "/meta".to_owned(),
        String::new(),
    ] {
        server.page("/a/mcp", unauthorized(&format!("Bearer resource_metadata=\"{address}\"")));
        assert_eq!(find(&server).await.unwrap().issuer, server.base, "{address}");
    }
    server.page(RESOURCE_A, Page::empty(404));
    // A-09 is for servers that name no metadata at all.
    assert_eq!(fails(&server).await, Name::WrongOrigin);
    assert_eq!(other.paths(), [""; 0]);
}
