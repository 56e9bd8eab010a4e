//! Against servers that do exactly what is told, down to the connection.

mod servers;

use std::time::Duration;

use hyper_util::client::proxy::matcher::Matcher;
use tokio::time::timeout;

use super::*;
use crate::error::Name;
use servers::{Act, Server};

const PATIENCE: Duration = Duration::from_secs(20);

async fn post(client: &Client) -> Result<Bytes, Failure> {
    let body = Bytes::from_static(b"{}");
    let sent = client.send(Method::POST, HeaderMap::new(), body);
    let answer = timeout(PATIENCE, sent).await.expect("no answer, no failure")?;
    Ok(answer.whole(1 << 20, "host").await.expect("the body broke"))
}

fn name(failed: Result<Bytes, Failure>) -> Option<(Name, String)> {
    match failed {
        Err(Failure::NotSent(error)) => Some((error.name(), error.what().to_owned())),
        Err(Failure::Lost) => None,
        Ok(_) => panic!("an answer"),
    }
}

#[tokio::test]
async fn one_connection_serves_one_request_after_the_other() {
    let server = Server::start(Act::Answer).await;
    let client = Client::new(&server.url("http"), false).unwrap();
    for _ in 0..20 {
        assert_eq!(post(&client).await.unwrap(), "hello");
    }
    assert_eq!(server.connections(), 1);
    let head = server.heads().remove(0);
    assert!(head.starts_with("POST /mcp?a=b HTTP/1.1\r\n"), "{head}");
    assert!(head.contains(&format!("host: localhost:{}\r\n", server.port)), "{head}");
    assert!(head.contains("user-agent: chipp-auth/"), "{head}");
}

#[tokio::test]
async fn requests_at_a_time_have_a_connection_each_which_later_ones_use() {
    let server = Server::start(Act::Answer).await;
    let client = Client::new(&server.url("http"), false).unwrap();
    for _ in 0..3 {
        let all = futures_util::future::join_all((0..8).map(|_| post(&client))).await;
        assert!(all.into_iter().all(|body| body.unwrap() == "hello"));
    }
    // A request takes whichever is there first, the connection opened for it or one given back; so there may
    // be some more than eight, and never one for each of the 24.
    assert!((1..=16).contains(&server.connections()), "{}", server.connections());
}

/// P6: the server has closed the connection while it lay idle, so nothing of the request can have reached it.
#[tokio::test]
async fn a_connection_that_the_server_has_closed_is_replaced() {
    let server = Server::start(Act::AnswerAndClose).await;
    let client = Client::new(&server.url("http"), false).unwrap();
    for _ in 0..5 {
        assert_eq!(post(&client).await.unwrap(), "hello");
        server.closed_one().await;
    }
    assert_eq!((server.heads().len(), server.connections()), (5, 5));
}

/// P6: the server has read it, and may have acted.
#[tokio::test]
async fn a_request_that_was_read_is_never_sent_again() {
    for act in [Act::ReadAndClose, Act::Half] {
        let server = Server::start(act).await;
        let client = Client::new(&server.url("http"), false).unwrap();
        assert_eq!(name(post(&client).await), None);
        assert_eq!(server.heads().len(), 1);
    }
    // The same on a connection that had served another request.
    let server = Server::start(Act::Once).await;
    let client = Client::new(&server.url("http"), false).unwrap();
    assert_eq!(post(&client).await.unwrap(), "hello");
    assert_eq!(name(post(&client).await), None);
    assert_eq!((server.heads().len(), server.connections()), (2, 1));
}

#[tokio::test]
async fn a_port_without_a_server_is_a_network_failure() {
    let server = Server::start(Act::Answer).await;
    let url = server.url("http");
    server.stop().await;
    let (name, what) = name(post(&Client::new(&url, false).unwrap()).await).unwrap();
    assert_eq!(name, Name::NetworkDown);
    assert!(what.starts_with("could not connect to localhost: "), "{what}");
}

/// The stream for the server's own messages takes one: the next request finds another, already open.
#[tokio::test]
async fn a_spare_connection_is_opened_early_and_without_a_request() {
    let server = Server::start(Act::Answer).await;
    let client = Client::new(&server.url("http"), false).unwrap();
    client.spare();
    assert_eq!(server.connections(), 0, "nobody knows yet whether it is needed");
    post(&client).await.unwrap();
    server.reaches(2).await;
    assert_eq!(server.heads().len(), 1);
    let (first, second) = tokio::join!(post(&client), post(&client));
    assert!(first.is_ok() && second.is_ok());
    assert_eq!(server.connections(), 2);
}

/// T-59: closing the stream is what cancels.
#[tokio::test]
async fn a_dropped_answer_closes_its_connection() {
    let server = Server::start(Act::Endless).await;
    let client = Client::new(&server.url("http"), false).unwrap();
    let mut answer = client.send(Method::POST, HeaderMap::new(), Bytes::new()).await.unwrap();
    assert_eq!(answer.content_length(), None);
    assert!(answer.chunk().await.unwrap().is_some());
    drop(answer);
    server.closed_one().await;
}

#[tokio::test]
async fn a_body_that_breaks_off_is_broken() {
    let server = Server::start(Act::Torn).await;
    let client = Client::new(&server.url("http"), false).unwrap();
    let mut answer = client.send(Method::POST, HeaderMap::new(), Bytes::new()).await.unwrap();
    assert_eq!(answer.content_length(), Some(100));
    while let Ok(chunk) = answer.chunk().await {
        assert!(chunk.is_some(), "it did not notice");
    }
}

fn trusting(url: &Url, proxies: Option<Matcher>) -> Client {
    let connector = Connector::with(url, proxies).unwrap().trusting(servers::trust());
    Client::over(url, Pool::new(connector)).unwrap()
}

#[tokio::test]
async fn over_tls_the_server_chooses_between_http_1_and_2() {
    for (offers, connections) in [(&["h2", "http/1.1"][..], 1), (&["http/1.1"], 10), (&[], 10)] {
        let server = Server::over_tls(offers).await;
        let client = trusting(&server.url("https"), None);
        client.spare();
        assert_eq!(post(&client).await.unwrap(), "hello", "{offers:?}");
        let all = futures_util::future::join_all((0..8).map(|_| post(&client))).await;
        assert!(all.into_iter().all(|body| body.unwrap() == "hello"), "{offers:?}");
        assert!(server.connections() <= connections, "{offers:?}: {}", server.connections());
    }
}

/// A restarted server: the shared connection is gone, and the requests after it share a new one.
#[tokio::test]
async fn a_lost_shared_connection_is_replaced_by_one() {
    let server = Server::over_tls(&["h2"]).await;
    let client = trusting(&server.url("https"), None);
    post(&client).await.unwrap();
    server.close_all().await;
    let all = futures_util::future::join_all((0..8).map(|_| post(&client))).await;
    assert!(all.into_iter().all(|body| body.unwrap() == "hello"));
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn a_server_that_is_not_trusted_gets_nothing() {
    let server = Server::over_tls(&["http/1.1"]).await;
    let url = server.url("https");
    // The certificate is not one that this computer trusts, or there are none at all.
    let (failure, _) = name(post(&Client::new(&url, false).unwrap()).await).unwrap();
    assert_eq!(failure, Name::TlsFailed);
    // It is for another name.
    let mut other = url.clone();
    other.set_host(Some("127.0.0.1")).unwrap();
    let (failure, what) = name(post(&trusting(&other, None)).await).unwrap();
    assert_eq!(failure, Name::TlsFailed);
    assert!(what.contains("certificate"), "{what}");
    assert_eq!(server.heads().len(), 0);
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_told_apart_from_a_lost_network() {
    let server = Server::start(Act::Complain).await;
    let (failure, what) = name(post(&trusting(&server.url("https"), None)).await).unwrap();
    assert_eq!(failure, Name::TlsFailed, "{what}");
}

#[tokio::test]
async fn a_proxy_of_the_system_is_used_as_it_is_told() {
    let server = Server::over_tls(&["http/1.1"]).await;
    let through = async |proxy: String| {
        let client = trusting(&server.url("https"), Some(Matcher::builder().https(proxy).build()));
        post(&client).await.unwrap()
    };
    let proxy = Server::start(Act::Tunnel(server.port)).await;
    assert_eq!(through(format!("http://me:secret@127.0.0.1:{}", proxy.port)).await, "hello");
    let head = proxy.heads().remove(0);
    assert!(head.starts_with(&format!("CONNECT localhost:{} HTTP/1.1\r\n", server.port)), "{head}");
    assert!(head.to_lowercase().contains("proxy-authorization: basic bwu6c2vjcmv0\r\n"), "{head}");
    let socks = Server::start(Act::Socks(server.port)).await;
    assert_eq!(through(format!("socks5://127.0.0.1:{}", socks.port)).await, "hello");
    // The proxy looks the name up.
    assert!(socks.heads()[0].contains("localhost"));
    let exempt = Matcher::builder().https("http://127.0.0.1:1").no("localhost").build();
    assert_eq!(post(&trusting(&server.url("https"), Some(exempt))).await.unwrap(), "hello");
}

#[tokio::test]
async fn a_proxy_that_refuses_is_a_network_failure() {
    let proxy = Server::start(Act::Refuse).await;
    let url = Url::parse("https://localhost:1/").unwrap();
    let matcher = Matcher::builder().https(format!("http://127.0.0.1:{}", proxy.port)).build();
    assert_eq!(name(post(&trusting(&url, Some(matcher))).await).unwrap().0, Name::NetworkDown);
}

#[test]
fn only_safe_addresses_are_taken() {
    for bad in ["http://example.com/", "ftp://localhost/", "https://user:pass@example.com/"] {
        assert_eq!(
            Client::new(&Url::parse(bad).unwrap(), false).unwrap_err().name(),
            Name::UnsafeUrl,
            "{bad}"
        );
    }
}
