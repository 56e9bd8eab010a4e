//! Redirect URIs other than the usual one.

use std::net::TcpStream;

use chipp_auth::error::Name;
use chipp_auth::login::{Host, Listener, Place};

use crate::support::{Login, Plan, STATE};

fn place(host: Host, path: &str) -> Place {
    Place { host, path: path.to_owned(), port: None }
}

#[test]
fn only_the_stated_path_is_the_callback() {
    let login = Login::start_at(place(Host::Name, "/oauth2/callback"), Plan::default());
    let query = format!("code=C0DE&state={STATE}");
    for other in ["/callback", "/oauth2/callback/", "/oauth2", "/OAuth2/callback", "/oauth2/callbac", "/"] {
        assert_eq!(login.get(&format!("{other}?{query}")).page(), "404-nothing", "{other}");
    }
    let answer = login.get(&format!("/oauth2/callback?{query}"));
    assert_eq!((answer.status, answer.header("location")), (303, Some("/done")), "{answer:?}");
    assert_eq!(login.get("/done").page(), "signed-in");
    assert_eq!(login.end().unwrap(), "C0DE");
}

// The last page has no query, and every answer has one.
#[test]
fn a_callback_at_the_address_of_the_last_page_has_its_last_page() {
    let login = Login::start_at(place(Host::Name, "/done"), Plan::default());
    assert_eq!(login.get("/done").page(), "404-nothing");
    assert_eq!(login.get("/done?code=C0DE&state=wrong").page(), "400-not-ours");
    let answer = login.get(&format!("/done?code=C0DE&state={STATE}"));
    assert_eq!((answer.status, answer.header("location")), (303, Some("/done")));
    assert_eq!(login.get("/done").page(), "signed-in");
    assert!(login.end().is_ok());
}

// L1, L6: what the host may lead to is ours; nothing else is listened at.
#[tokio::test]
async fn the_host_decides_which_addresses_are_bound() {
    for (host, v4, v6) in [(Host::Name, true, true), (Host::V4, true, false), (Host::V6, false, true)] {
        let listener = Listener::bind_at(place(host, "/callback")).await.unwrap();
        let port = listener.port();
        let connects = |address: &str| TcpStream::connect((address, port)).is_ok();
        assert_eq!((connects("127.0.0.1"), connects("::1")), (v4, v6), "{host:?}");
        assert_eq!(listener.redirect_uri(), format!("http://{}:{port}/callback", host.text()));
        let error = Listener::bind_at(Place { port: Some(port), ..place(host, "/x") }).await.unwrap_err();
        assert_eq!(error.name(), Name::PortBusy);
    }
}
