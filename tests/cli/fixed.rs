//! `login --with-token`, and what the server says to a token.

use std::io::Write;
use std::process::Stdio;
use std::time::Duration;

use chipp_auth::sandbox::{Fault, Options};

use crate::desk::Desk;
use crate::host::Host;
use crate::house::{Ended, House, wait};

/// A server with a token that it accepts, and a home that knows neither.
fn house() -> (House, String, String) {
    let house = House::new(Options::default());
    assert_eq!(house.login(&[]).code, 0);
    let token = house.run(&["token"]).ok().to_owned();
    let url = house.sandbox.mcp_url().to_string();
    house.point_chipp_at("http://127.0.0.1:9");
    (house, url, token)
}

fn with_token(house: &House, args: &[&str], stdin: &[u8]) -> Ended {
    let mut command = house.command(&[&["login", "--with-token"], args].concat());
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    // A program that refuses early does not read to the end.
    let _ = child.stdin.take().unwrap().write_all(stdin);
    wait(child)
}

#[test]
fn a_token_of_ones_own_serves_like_a_sign_in() {
    let (house, url, token) = house();
    let ended = with_token(&house, &[&url, "--json"], format!("Bearer {token}\n").as_bytes());
    assert_eq!(ended.code, 0, "{ended:?}");
    let said = ended.json();
    assert_eq!((&said["accepted"], &said["signed_in"]), (&true.into(), &true.into()));
    assert!(!format!("{ended:?}").contains(&token));
    assert_eq!(house.run(&["token", &url]).ok(), token);
    let mut host = Host::of(&house, &[&url]);
    assert!(host.initialize().get("result").is_some());
    assert!(host.call("list_apps").get("result").is_some());

    let status = house.run(&["status", &url]);
    assert!(status.stdout.contains("a token of yours"), "{status:?}");
    let status = house.run(&["status", &url, "--check", "--json"]).json();
    assert_eq!(status["checked"], serde_json::json!({"accepted": true}));
    assert_eq!(status["refreshable"], false);

    // Nothing of it goes anywhere but to its server: there is nobody who could revoke it.
    let asked = house.sandbox.log().len();
    assert_eq!(house.run(&["logout", &url]).code, 0);
    assert_eq!(house.sandbox.log().len(), asked);
    house.run(&["token", &url]).failed("login-required", 4);
}

#[test]
fn a_token_that_the_server_refuses_replaces_nothing() {
    let (house, url, token) = house();
    with_token(&house, &[&url], token.as_bytes());
    let ended = with_token(&house, &[&url], b"chipp_at_wrong.AAAA");
    ended.failed("login-denied", 3);
    assert!(ended.stderr.contains("nothing was stored"), "{ended:?}");
    assert_eq!(house.run(&["token", &url]).ok(), token);
}

#[test]
fn what_is_no_token_is_refused_unasked_and_unrepeated() {
    let (house, url, _) = house();
    let asked = house.sandbox.log().len();
    for bad in [
        &b""[..],
        b"\n",
        b"s3cret and more",
        b"s3cret\nline",
        b"{\"s3cret\":1}",
        b"s3cret\xff",
        b"https://s3cret",
    ] {
        let ended = with_token(&house, &[&url], bad);
        ended.failed("usage", 2);
        assert!(!ended.stderr.contains("s3cret"), "{ended:?}");
    }
    with_token(&house, &[&url], &vec![b'x'; 100_000]).failed("usage", 2);
    assert_eq!(house.sandbox.log().len(), asked);
    house.run(&["token", &url]).failed("login-required", 4);
}

#[test]
fn a_server_that_cannot_be_asked_is_no_reason_to_lose_a_token() {
    let house = House::new(Options::default());
    let ended = with_token(&house, &["http://127.0.0.1:9/mcp", "--json"], b"abcdefgh");
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(ended.json()["accepted"], serde_json::Value::Null);
    assert!(ended.stderr.contains("network-down"), "{ended:?}");
    assert_eq!(house.run(&["token", "http://127.0.0.1:9/mcp"]).ok(), "abcdefgh");
    house.run(&["status", "http://127.0.0.1:9/mcp", "--check"]).failed("network-down", 5);
}

#[test]
fn on_a_terminal_the_token_is_typed_unseen() {
    let (house, url, token) = house();
    let mut desk = Desk::start(house.command(&["login", "--with-token", &url]));
    desk.until("Paste the token", 1);
    while desk.echoes() {
        std::thread::sleep(Duration::from_millis(5));
    }
    desk.types(&format!("{token}\n"));
    assert_eq!(desk.end(), 0, "{}", desk.shown());
    assert!(!desk.shown().contains(&token));
    assert!(desk.echoes());
    assert_eq!(house.run(&["token", &url]).ok(), token);
}

#[test]
fn a_check_asks_the_server_and_renews_if_need_be() {
    let house = House::new(Options::default());
    let ended = house.run(&["status", "--check", "--json"]);
    assert_eq!((ended.code, &ended.json()["checked"]["accepted"]), (4, &false.into()));
    assert_eq!(house.sandbox.log().len(), 0, "there is nothing to ask");
    house.login(&[]);
    let posts = house.sandbox.counts().mcp_posts;
    house.run(&["status"]).ok();
    assert_eq!(house.sandbox.counts().mcp_posts, posts, "nobody is asked unasked");
    let ended = house.run(&["status", "--check"]);
    assert!(ended.ok().contains("the server accepts it"), "{ended:?}");
    assert_eq!(house.sandbox.counts().mcp_posts, posts + 1);

    // The server ended the token before its time: what counts is whether a person is needed.
    house.sandbox.fail_next(Fault::McpUnauthorized);
    let ended = house.run(&["status", "--check", "--json"]).json();
    assert_eq!((&ended["checked"]["accepted"], &ended["renewals"]), (&true.into(), &2.into()));
    assert_eq!(house.sandbox.counts().token_refresh, 1);

    let scope = r#"Bearer error="insufficient_scope", scope="apps:write""#;
    let mut answer = http::Response::new("{}".to_owned());
    *answer.status_mut() = http::StatusCode::FORBIDDEN;
    answer.headers_mut().insert("www-authenticate", scope.parse().unwrap());
    house.sandbox.fail_next(Fault::McpAnswer(Box::new(answer)));
    let ended = house.run(&["status", "--check", "--json"]);
    assert_eq!(ended.code, 0);
    assert_eq!(ended.json()["checked"]["missing_scope"], "apps:write");

    house.sandbox.fail_next(Fault::mcp(503, "{}"));
    house.run(&["status", "--check"]).failed("server-error", 5);
    house.sandbox.revoke_all();
    let ended = house.run(&["status", "--check", "--json"]);
    assert_eq!((ended.code, &ended.json()["signed_in"]), (4, &false.into()), "{ended:?}");
}
