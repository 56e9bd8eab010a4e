//! How a sign-in ends, and what the browser sees of it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use chipp_auth::error::Name;
use chipp_auth::login::{Expected, Listener, Page, browser, page};

use crate::support::{LONG, Login, Plan, STATE};

fn callback(rest: &str) -> String {
    format!("/callback?{rest}&state={STATE}")
}

#[test]
fn the_true_callback_ends_the_wait_on_a_page_without_the_code() {
    let login = Login::start(Plan::default());
    assert_eq!(login.get("/done").status, 404, "nothing to see before");
    let shown = login.sign_in();
    assert_eq!((shown.status, shown.page()), (200, "signed-in"));
    for (name, value) in [
        ("content-type", "text/html; charset=utf-8"),
        ("content-security-policy", page::POLICY),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("connection", "close"),
    ] {
        assert_eq!(shown.header(name), Some(value), "{name}");
    }
    let port = login.port;
    assert_eq!(login.end().unwrap(), "C0DE");
    // Row 15, L12: nothing listens afterwards.
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    assert!(TcpStream::connect(("::1", port)).is_err());
}

/// I8, L9: the browser waits for the exchange, and hears what came of it.
#[test]
fn the_page_is_sent_after_the_outcome_and_tells_it() {
    for (outcome, name) in [(Page::Failed, "failed"), (Page::SignedIn, "signed-in")] {
        let exchange = Duration::from_millis(400);
        let login = Login::start(Plan { exchange: (exchange, outcome), ..Plan::default() });
        let start = Instant::now();
        let shown = login.sign_in();
        assert!(start.elapsed() >= exchange, "answered before the outcome was known");
        assert_eq!(shown.page(), name);
        assert!(login.end().is_ok());
    }
}

/// L9: after 10 seconds the browser is told to look elsewhere, and never that it worked.
#[test]
fn a_slow_exchange_shows_the_neutral_page() {
    let login = Login::start(Plan { exchange: (Duration::from_secs(16), Page::Failed), ..Plan::default() });
    let start = Instant::now();
    assert_eq!(login.sign_in().page(), "pending");
    let waited = start.elapsed();
    assert!(waited >= Duration::from_secs(10) && waited < Duration::from_secs(16), "{waited:?}");
    assert!(login.end().is_ok());
}

/// Row 14.
#[test]
fn a_second_callback_during_the_exchange_is_told_so() {
    let login = Login::start(Plan { exchange: (Duration::from_secs(2), Page::SignedIn), ..Plan::default() });
    let mut first = login.connect();
    let request = format!("GET {} HTTP/1.1\r\nHost: localhost:{}\r\n\r\n", callback("code=1"), login.port);
    first.write_all(request.as_bytes()).unwrap();
    login.accepted().unwrap();
    for again in [callback("code=1"), callback("code=2"), callback("error=access_denied")] {
        let answer = login.get(&again);
        assert_eq!((answer.status, answer.page()), (409, "409-taken"));
    }
    assert_eq!(login.get("/callback?code=1&state=wrong").status, 400);
    assert_eq!(login.get("/done").page(), "pending");
    let mut text = String::new();
    first.read_to_string(&mut text).unwrap();
    assert!(text.starts_with("HTTP/1.1 303 "), "{text}");
    // Who looked at `/done` too early does not take the page away from the browser.
    assert_eq!(login.get("/done").page(), "signed-in");
    assert_eq!(login.end().unwrap(), "1");
}

/// Row 11, and the other codes of RFC 6749 4.1.2.1.
#[test]
fn an_error_answer_ends_the_wait_with_its_name_and_page() {
    for (query, name, page) in [
        ("error=access_denied&error_description=Not+today", Name::LoginDenied, "denied"),
        ("error=server_error", Name::ServerError, "failed"),
        ("error=temporarily_unavailable", Name::ServerBusy, "failed"),
        ("error=unauthorized_client", Name::ClientRejected, "failed"),
        ("error=%3Cscript%3Ealert(1)%3C/script%3E", Name::LoginDenied, "failed"),
    ] {
        let login = Login::start(Plan::default());
        assert_eq!(login.get(&callback(query)).status, 303);
        assert_eq!(login.get("/done").page(), page, "{query}");
        assert_eq!(login.end().unwrap_err().name(), name, "{query}");
    }
}

/// Rows 20 and 21, A-28 and A-29: the code is not handed out, and the server is not heard.
#[test]
fn a_wrong_issuer_ends_the_wait_without_the_servers_words() {
    for query in [
        "code=1&iss=https://evil.example",
        "error=access_denied&error_description=CALL-THIS-NUMBER&iss=https://evil.example",
        "error=access_denied&error_description=CALL-THIS-NUMBER",
        "code=1",
    ] {
        let plan = Plan { issuer: Some("https://as.example"), issuer_required: true, ..Plan::default() };
        let login = Login::start(plan);
        assert_eq!(login.get(&callback(query)).status, 303);
        assert_eq!(login.get("/done").page(), "failed");
        let error = login.end().unwrap_err();
        assert_eq!(error.name(), Name::IssuerMismatch);
        assert!(!error.to_json().to_string().contains("CALL"), "{error}");
    }
}

/// Rows 12 and 18, L12.
#[test]
fn nobody_coming_is_a_timeout_that_closes_the_port() {
    let login = Login::start(Plan { limit: Duration::from_secs(2), ..Plan::default() });
    let port = login.port;
    assert_eq!(login.get(&callback("nothing=1")).page(), "400-not-ours");
    let error = login.end().unwrap_err();
    assert_eq!(error.name(), Name::LoginTimeout);
    assert_eq!(
        error.what(),
        "nobody finished the sign-in within 2 seconds; the server came back without a code"
    );
    let start = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_ok() {
        assert!(start.elapsed() < LONG, "still listening");
    }
}

/// Row 35: a browser that hangs up does not undo the sign-in, and is not waited for.
#[test]
fn a_browser_that_hangs_up_delays_nothing() {
    let login =
        Login::start(Plan { exchange: (Duration::from_millis(500), Page::SignedIn), ..Plan::default() });
    let mut browser = login.connect();
    let request = format!("GET {} HTTP/1.1\r\nHost: localhost:{}\r\n\r\n", callback("code=1"), login.port);
    browser.write_all(request.as_bytes()).unwrap();
    let accepted = login.accepted().unwrap();
    drop(browser);
    assert_eq!(login.end().unwrap(), "1");
    assert!(accepted.elapsed() < Duration::from_millis(2900), "it waited for nobody");
}

/// A browser that is sent to the page and never fetches it is waited for, but not for ever.
#[test]
fn a_browser_that_stops_halfway_is_given_up() {
    let login = Login::start(Plan::default());
    assert_eq!(login.get(&callback("code=1")).status, 303);
    let start = Instant::now();
    assert!(login.end().is_ok());
    assert!(start.elapsed() > Duration::from_secs(1) && start.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_dropped_callback_closes_everything() {
    let login = Login::start(Plan { drop: true, ..Plan::default() });
    let request = format!("GET {} HTTP/1.1\r\nHost: localhost:{}\r\n\r\n", callback("code=1"), login.port);
    assert_eq!(login.raw(request.as_bytes()), None, "no page can be true");
    assert!(login.end().is_ok());
}

/// Row 1: a fixed port that is taken, through the public door.
#[tokio::test(flavor = "current_thread")]
async fn a_taken_port_is_named() {
    let holder = Listener::bind(None).await.unwrap();
    let error = Listener::bind(Some(holder.port())).await.unwrap_err();
    assert_eq!(error.name(), Name::PortBusy);
    assert_eq!(error.what(), format!("port {} is used by another program", holder.port()));
    let port = holder.port();
    drop(holder);
    assert_eq!(Listener::bind(Some(port)).await.unwrap().port(), port);
}

/// Whoever composes these parts may need to spawn them.
#[test]
fn the_futures_can_be_spawned() {
    fn send<T: Send>(_: T) {}
    let url = url::Url::parse("https://as.example/").unwrap();
    send(browser::launch(&url));
    send(async {
        let expected = Expected { state: STATE.into(), issuer: None, issuer_required: false };
        let callback = Listener::bind(None).await.unwrap().wait(expected, LONG).await.unwrap();
        callback.finish(Page::SignedIn).await;
    });
}
