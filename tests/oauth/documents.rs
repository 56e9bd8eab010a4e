//! The bounds of metadata documents: redirects (D2), size, depth, time and number (D8).

use std::time::Duration;

use chipp_auth::error::Name;
use chipp_auth::oauth::discovery::{Known, discover};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::mcp::{METADATA, OPENID, RESOURCE, RESOURCE_A, fails, find, known, metadata, resource, server};
use crate::server::Page;

// D2: the matrix.
#[tokio::test]
async fn redirects_are_followed_on_the_same_origin_only() {
    let (server, other) = (server("").await, server("").await);
    let other_name = server.base.replace("127.0.0.1", "localhost");
    server.page("/moved", Page::json(&metadata(&server.base)));
    other.page("/moved", Page::json(&metadata(&server.base)));
    for status in [301, 302, 303, 307, 308] {
        for near in ["/moved".to_owned(), "../moved".to_owned(), format!("{}/moved", server.base)] {
            server.page(METADATA, Page::redirect(status, &near));
            assert_eq!(find(&server).await.unwrap().issuer, server.base, "{status} {near}");
        }
        for far in [
            format!("{}/moved", other.base),
            format!("{other_name}/moved"),
            format!("{}/moved", server.base.replace("http", "https")),
            format!("//{}/moved", other.base.trim_start_matches("http://")),
            "https://169.254.169.254/moved".to_owned(),
            "file:///etc/passwd".to_owned(),
        ] {
            server.page(METADATA, Page::redirect(status, &far));
            assert_eq!(fails(&server).await, Name::RedirectRefused, "{status} {far}");
        }
        server.page(METADATA, Page::empty(status));
        assert_eq!(fails(&server).await, Name::RedirectRefused, "{status} nowhere");
        server.page(METADATA, Page::json(&metadata(&server.base)));
        // The resource's document is one like the other.
        server.page(RESOURCE_A, Page::redirect(status, &format!("{}{RESOURCE_A}", other.base)));
        assert_eq!(fails(&server).await, Name::RedirectRefused, "{status}");
        server.page(RESOURCE_A, Page::json(&resource(&server, &server.base)));
    }
    assert_eq!(other.paths(), [""; 0]);
}

// D2: three, and not one more.
#[tokio::test]
async fn the_number_of_redirects_is_bounded() {
    let server = server("").await;
    server.page(METADATA, Page::redirect(302, "/1"));
    server.page("/1", Page::redirect(302, "/2"));
    server.page("/2", Page::redirect(302, "/3"));
    server.page("/3", Page::json(&metadata(&server.base)));
    find(&server).await.unwrap();
    server.page("/3", Page::redirect(302, "/4"));
    server.page("/4", Page::json(&metadata(&server.base)));
    assert_eq!(fails(&server).await, Name::RedirectRefused);
    assert!(!server.paths().contains(&"/4".to_owned()));
    server.page(METADATA, Page::redirect(302, METADATA));
    assert_eq!(fails(&server).await, Name::RedirectRefused);
}

// D8: six requests, whatever the server makes of them. The challenge is not metadata.
#[tokio::test]
async fn the_number_of_requests_is_bounded() {
    let server = server("").await;
    server.page(RESOURCE_A, Page::redirect(302, "/r"));
    let mut many = resource(&server, "");
    let issuers: Vec<_> = (0..100).map(|n| format!("{}/{n}", server.base)).collect();
    many["authorization_servers"] = json!(issuers);
    server.page("/r", Page::json(&many));
    assert_eq!(fails(&server).await, Name::BadResponse);
    assert_eq!(server.paths().len(), 1 + 6);
}

/// `depth` objects in each other, the outermost of which is good metadata.
fn deep(server: &str, depth: usize) -> Value {
    let inner = (2..depth).fold(json!({}), |inner, _| json!({"x": inner}));
    let mut metadata = metadata(server);
    metadata["x"] = inner;
    metadata
}

// D8.
#[tokio::test]
async fn size_and_depth_are_bounded() {
    let server = server("").await;
    let good = metadata(&server.base).to_string();
    let padded =
        |size: usize| Page { body: format!("{good}{}", " ".repeat(size - good.len())), ..Page::empty(200) };
    for (page, usable) in [
        (padded(1 << 20), true),
        (padded((1 << 20) + 1), false),
        (padded(8 << 20), false),
        (Page::json(&deep(&server.base, 32)), true),
        (Page::json(&deep(&server.base, 33)), false),
        (Page { body: "[".repeat(100_000), ..Page::empty(200) }, false),
    ] {
        server.page(METADATA, page);
        let found = find(&server).await.map_err(|error| error.name());
        assert_eq!(found.map(|_| ()), if usable { Ok(()) } else { Err(Name::BadResponse) });
    }
}

#[tokio::test]
async fn rubbish_ends_by_name() {
    let server = server("").await;
    let base = &server.base;
    for (page, name) in [
        (Page { body: "<html>".into(), ..Page::empty(200) }, Name::BadResponse),
        (Page { body: "\u{feff}{}".into(), ..Page::empty(200) }, Name::BadResponse),
        (Page::empty(200), Name::BadResponse),
        (Page::json(&json!([])), Name::BadResponse),
        (Page::json(&json!({"issuer": 1})), Name::BadResponse),
        (
            Page::json(&json!({"issuer": base, "code_challenge_methods_supported": ["S256"]})),
            Name::BadResponse,
        ),
        (Page::json(&json!({"issuer": base, "code_challenge_methods_supported": "S256"})), Name::BadResponse),
        (Page::empty(503), Name::ServerError),
        (Page::empty(429), Name::ServerBusy),
    ] {
        server.page(METADATA, page);
        assert_eq!(fails(&server).await, name);
    }
}

/// Never, as far as a test is concerned.
const HOUR: Option<Duration> = Some(Duration::from_secs(3600));

// D8: ten seconds for each document, and for the challenge.
#[tokio::test]
async fn a_server_that_does_not_answer_ends_the_search() {
    for path in ["/a/mcp", RESOURCE_A, METADATA] {
        let server = server("").await;
        server.page(path, Page { delay: HOUR, ..Page::empty(200) });
        let begun = Instant::now();
        assert_eq!(fails(&server).await, Name::Timeout, "{path}");
        tokio::time::resume();
        let took = begun.elapsed().as_secs_f64();
        assert!((9.9..11.0).contains(&took), "{path}: {took}");
    }
}

// D8: thirty in all.
#[tokio::test]
async fn a_slow_server_does_not_hold_the_search_for_ever() {
    let server = server("").await;
    let delay = Some(Duration::from_secs(9));
    server.page("/a/mcp", Page { delay, ..Page::empty(404) });
    server.page(RESOURCE_A, Page { delay, ..Page::empty(404) });
    server.page(RESOURCE, Page { delay, ..Page::json(&resource(&server, &server.base)) });
    server.page(METADATA, Page { delay, ..Page::empty(404) });
    server.page(OPENID, Page { delay, ..Page::json(&metadata(&server.base)) });
    let begun = Instant::now();
    assert_eq!(fails(&server).await, Name::Timeout);
    tokio::time::resume();
    let took = begun.elapsed().as_secs_f64();
    assert!((29.9..31.0).contains(&took), "{took}");
}

// Nothing listens: the addresses behind the first are not tried on the same host.
#[tokio::test]
async fn a_host_that_is_not_there_is_asked_once() {
    let server = server("").await;
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    server.page(RESOURCE_A, Page::json(&resource(&server, &closed)));
    assert_eq!(fails(&server).await, Name::NetworkDown);
    let stated = Known { issuer: Some(closed), ..known(&server, "/a/mcp") };
    assert_eq!(discover(&stated).await.unwrap_err().name(), Name::NetworkDown);
}
