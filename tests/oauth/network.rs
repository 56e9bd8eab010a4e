//! Which addresses OAuth requests may reach (security.md D1, A-10).

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chipp_auth::error::{Name, Result};
use chipp_auth::http::{self, Reach};
use chipp_auth::oauth::discovery::{Known, discover};
use futures_util::future::BoxFuture;
use serde_json::json;
use tokio::net::TcpListener;
use url::Url;

use crate::mcp::{METADATA, RESOURCE_A, fails, find, known, metadata, resource, server};
use crate::server::Page;

/// A resolver for names that say their address: `10-0-0-1.example`, and some that mean something anyway.
fn lookup(host: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
    let host = host.trim_end_matches('.').to_owned();
    let address = match host.as_str() {
        "mcp.example" => "93.184.215.14".to_owned(),
        "localhost" | "db.localhost" | "ip6-localhost" | "lvh.me" => "127.0.0.1".to_owned(),
        "metadata.google.internal" => "169.254.169.254".to_owned(),
        six if six.ends_with(".six.example") => six.trim_end_matches(".six.example").replace('-', ":"),
        four => four.trim_end_matches(".example").replace('-', "."),
    };
    Box::pin(async move { Ok(vec![address.parse().map_err(io::Error::other)?]) })
}

/// One GET, as every OAuth request is made.
async fn get(url: &Url, reach: &Reach) -> Result<()> {
    let sent = http::oauth(url, reach).await?.get(url.clone()).timeout(Duration::from_secs(2)).send().await;
    sent.map(|_| ()).map_err(|error| http::transport(&error, url.host_str().unwrap()))
}

/// Spellings of addresses that a server of the internet must not lead to.
const INWARDS: &[&str] = &[
    // This computer.
    "127.0.0.1",
    "127.0.0.1.",
    "127.1",
    "127.0.1",
    "127.255.255.254",
    "2130706433",
    "017700000001",
    "0x7f000001",
    "0x7f.1",
    "0x7F.0x0.0x0.0x1",
    "0177.0.0.1",
    "127.0.0.0x1",
    "00000177.1",
    "%31%32%37.0.0.1",
    "127%2e0%2e0%2e1",
    "\u{ff11}\u{ff12}\u{ff17}.0.0.1",
    "127\u{3002}0\u{3002}0\u{3002}1",
    "\u{2460}\u{2461}\u{2466}.0.0.1",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[0000::0001]",
    "[::0.0.0.1]",
    "[::ffff:127.0.0.1]",
    "[::FFFF:7F00:1]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "[::127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b:1::127.0.0.1]",
    "[2002:7f00:1::]",
    "[::ffff:0:127.0.0.1]",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "local\u{00ad}host",
    "\u{24db}ocalhost",
    "db.localhost",
    "ip6-localhost",
    "lvh.me",
    "127-0-0-1.example",
    "0--1.six.example",
    // No particular one, which many systems take for this one.
    "0.0.0.0",
    "0",
    "0.1.2.3",
    "0x0",
    "[::]",
    "[::ffff:0.0.0.0]",
    "0-0-0-0.example",
    // The local network.
    "10.0.0.1",
    "10.1",
    "167772161",
    "012.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "192.168.257",
    "3232235777",
    "0xc0a80101",
    "[::ffff:192.168.1.1]",
    "[::ffff:c0a8:101]",
    "[64:ff9b::10.0.0.1]",
    "[2002:a00:1::1]",
    "[fc00::1]",
    "[fd12:3456:789a::1]",
    "[fec0::1]",
    "10-0-0-1.example",
    "fd00--1.six.example",
    // What cloud machines and providers have beside it.
    "169.254.169.254",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "169.254.43518",
    "[::ffff:169.254.169.254]",
    "[fe80::1]",
    "[fd00:ec2::254]",
    "metadata.google.internal",
    "169-254-169-254.example",
    "100.64.0.1",
    "100.100.100.200",
    "[::ffff:100.100.100.200]",
    // Where no server is.
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "[ff02::1]",
    "[2001:db8::1]",
    "[2001::1]",
    "[3fff::1]",
    "[100::1]",
    // What the reader of URLs refuses by itself.
    "[fe80::1%25eth0]",
    "[::1",
    "0x7f000000001",
    "127.0.0.256",
    "256.256.256.256",
];

#[tokio::test]
async fn no_spelling_of_an_address_leads_inwards() {
    let mut refused_names = 0;
    let reach = Reach::with_lookup(["https://mcp.example/mcp"], lookup);
    for spelling in INWARDS {
        let Ok(url) = Url::parse(&format!("https://{spelling}/token")) else { continue };
        let refused = get(&url, &reach).await.expect_err(spelling);
        assert_eq!(refused.name(), Name::UnsafeUrl, "{spelling}: {refused}");
        refused_names += 1;
    }
    // The others are no URLs.
    assert!(refused_names >= 90, "{refused_names}");
}

// what only the browser will open is judged as it is written, without asking anybody.
#[tokio::test]
async fn this_computer_is_known_by_name() {
    let outside = Reach::with_lookup(["https://mcp.example/mcp"], lookup);
    for here in ["http://localhost/x", "http://LOCALHOST:8080", "https://localhost.", "https://a.localhost."]
    {
        assert!(outside.check(&Url::parse(here).unwrap()).await.is_err(), "{here}");
    }
    for elsewhere in ["https://notlocalhost/", "https://localhost.example/", "https://93.184.215.14/"] {
        assert!(outside.check(&Url::parse(elsewhere).unwrap()).await.is_ok(), "{elsewhere}");
    }
}

/// A listener on loopback, and how many connections it has got.
async fn listener() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, count) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
    let counter = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counter.fetch_add(1, Ordering::Relaxed);
            drop(stream);
        }
    });
    (port, count)
}

// D1: not one packet goes inwards, and it is the judging that stops it, not the lack of a listener.
#[tokio::test]
async fn a_name_that_leads_inwards_gets_no_connection() {
    let (port, connections) = listener().await;
    for host in ["127-0-0-1.example", "127-0-0-1.example.", "127.0.0.1", "localhost", "[::ffff:127.0.0.1]"] {
        let url = Url::parse(&format!("https://{host}:{port}/token")).unwrap();
        let outside = Reach::with_lookup(["https://mcp.example/mcp"], lookup);
        assert_eq!(get(&url, &outside).await.unwrap_err().name(), Name::UnsafeUrl, "{host}");
        assert_eq!(connections.load(Ordering::Relaxed), 0, "{host}");
        let inside = Reach::with_lookup(["https://lvh.me/mcp"], lookup);
        assert_ne!(get(&url, &inside).await.unwrap_err().name(), Name::UnsafeUrl, "{host}");
        assert_ne!(connections.swap(0, Ordering::Relaxed), 0, "{host}");
    }
}

// D1: the address of each connection is judged anew. The first answer is of the internet, if of a part that
// is not given out yet; all later ones are of this computer.
#[tokio::test]
async fn a_name_that_changes_its_mind_gets_no_connection() {
    let (port, connections) = listener().await;
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let reach = Reach::with_lookup([""; 0], move |_| {
        let first = count.fetch_add(1, Ordering::Relaxed) == 0;
        let unrouted = "2e00::1".parse().unwrap();
        Box::pin(async move { Ok(vec![if first { unrouted } else { [127, 0, 0, 1].into() }]) })
    });
    let url = Url::parse(&format!("https://as.example:{port}/token")).unwrap();
    assert_ne!(get(&url, &reach).await.unwrap_err().name(), Name::UnsafeUrl);
    for _ in 0..3 {
        assert_eq!(get(&url, &reach).await.unwrap_err().name(), Name::UnsafeUrl);
    }
    assert_eq!((asked.load(Ordering::Relaxed), connections.load(Ordering::Relaxed)), (4, 0));
}

// The rule at work in a discovery: the MCP server is on this computer, so others may be here, and only here.
#[tokio::test]
async fn a_server_on_this_computer_may_name_this_computer_and_nothing_beside_it() {
    let server = server("").await;
    let here = server.base.replace("127.0.0.1", "localhost");
    server.page(RESOURCE_A, Page::json(&resource(&server, &here)));
    server.page(METADATA, Page::json(&metadata(&here)));
    assert_eq!(find(&server).await.unwrap().issuer, here);
    for there in ["https://10.0.0.1", "https://169.254.169.254", "https://[fd00::1]", "https://0.0.0.0"] {
        server.page(RESOURCE_A, Page::json(&resource(&server, there)));
        assert_eq!(fails(&server).await, Name::UnsafeUrl, "{there}");
    }
}

// what the user himself names is no stranger's choice. Whether anything answers there is another matter.
#[tokio::test]
async fn an_issuer_that_a_profile_states_may_be_anywhere() {
    let server = server("").await;
    let stated = Known { issuer: Some("https://[fe80::1]:1".into()), ..known(&server, "/a/mcp") };
    assert_ne!(discover(&stated).await.unwrap_err().name(), Name::UnsafeUrl);
    // Its metadata leads no further than it is itself.
    let stated = Known { issuer: Some(server.base.clone()), ..known(&server, "/a/mcp") };
    let mut inwards = metadata(&server.base);
    inwards["token_endpoint"] = json!("https://10.0.0.1/token");
    server.page(METADATA, Page::json(&inwards));
    assert_eq!(discover(&stated).await.unwrap_err().name(), Name::UnsafeUrl);
}
