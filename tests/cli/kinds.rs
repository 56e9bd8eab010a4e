//! Profiles by their `auth`: a token that the user was given, and none at all; and the headers that they state.

use std::io::Write;
use std::process::Stdio;

use chipp_auth::sandbox::Options;
use serde_json::{Value, json};

use crate::desk::Desk;
use crate::host::Host;
use crate::house::{Ended, House, browser, wait};
use crate::plain::{Plain, Seen};

fn profile(house: &House, url: &str, keys: &str) {
    let entry = format!("[profiles.work]\nurl = \"{url}\"\n{keys}\n");
    std::fs::write(house.home.path().join("profiles.toml"), entry).unwrap();
}

/// A server that takes this one token, or, without one, nothing.
fn guarded(token: Option<&'static str>) -> Plain {
    Plain::start(move |(head, _): &Seen| {
        let right = token.is_some_and(|token| head.contains(&format!("authorization: Bearer {token}\r\n")));
        (!right).then(|| ("401 Unauthorized", "www-authenticate: Bearer\r\n".to_owned(), String::new()))
    })
}

fn give(house: &House, args: &[&str], token: &str) -> Ended {
    let mut child = house.command(args).stdin(Stdio::piped()).spawn().unwrap();
    let _ = child.stdin.take().unwrap().write_all(token.as_bytes());
    wait(child)
}

fn error(answer: &Value) -> (&str, &str) {
    (answer["error"]["data"]["name"].as_str().unwrap(), answer["error"]["message"].as_str().unwrap())
}

#[test]
fn a_bearer_profile_asks_for_its_token_and_uses_it() {
    let house = House::new(Options::default());
    let server = guarded(Some("sh4red-token"));
    profile(&house, &format!("http://127.0.0.1:{}/mcp", server.port), "auth = \"bearer\"");
    // Without one: what to do, and no tab.
    let (program, count) = browser(&house);
    let mut command = house.command(&["proxy", "work"]);
    command.env("BROWSER", &program);
    let mut host = Host::start(command);
    let answer = host.initialize();
    let (name, message) = error(&answer);
    assert_eq!(name, "login-required");
    assert!(message.contains("`chipp-auth login work`") && message.contains("token"), "{message}");
    drop(host);
    assert!(!count.exists());
    house.run(&["token", "work"]).failed("login-required", 4);

    give(&house, &["login", "work"], "wr0ng-token").failed("login-denied", 3);
    let mut desk = Desk::start(house.command(&["login", "work"]));
    desk.until("Paste the token", 1);
    while desk.echoes() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    desk.types("sh4red-token\n");
    assert_eq!(desk.end(), 0, "{}", desk.shown());
    assert!(!desk.shown().contains("sh4red"));

    assert_eq!(house.run(&["token", "work"]).ok(), "sh4red-token");
    let mut host = Host::of(&house, &["work"]);
    assert!(host.initialize().get("result").is_some());
    assert!(house.run(&["status", "work", "--check"]).ok().contains("the server accepts it"));
}

#[test]
fn a_bearer_token_that_is_refused_later_is_said_to_be_not_good_any_more() {
    let house = House::new(Options::default());
    let refusing = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let now = std::sync::Arc::clone(&refusing);
    let server = Plain::start(move |_| {
        let refuses = now.load(std::sync::atomic::Ordering::Relaxed);
        refuses.then(|| ("401 Unauthorized", String::new(), String::new()))
    });
    profile(&house, &format!("http://127.0.0.1:{}/mcp", server.port), "auth = \"bearer\"");
    assert_eq!(give(&house, &["login", "work"], "sh4red-token").code, 0);
    refusing.store(true, std::sync::atomic::Ordering::Relaxed);
    let mut host = Host::of(&house, &["work"]);
    let answer = host.initialize();
    let (name, message) = error(&answer);
    assert_eq!(name, "login-denied");
    assert!(message.contains("not good any more") && message.contains("chipp-auth login work"), "{message}");
    assert!(!message.contains("sh4red"));
}

#[test]
fn a_profile_without_a_sign_in_sends_no_token_and_has_none() {
    let house = House::new(Options::default());
    let server = Plain::start(|_| None);
    profile(&house, &format!("http://127.0.0.1:{}/mcp", server.port), "auth = \"none\"");
    let ended = house.run(&["login", "work"]);
    assert_eq!(ended.code, 0);
    assert!(ended.stderr.contains("needs no sign-in"), "{ended:?}");
    assert_eq!(house.run(&["login", "work", "--json"]).json()["auth"], "none");
    assert!(house.run(&["status", "work"]).ok().contains("needs no sign-in"));
    assert_eq!(
        house.run(&["status", "work", "--json", "--check"]).json()["checked"],
        json!({"accepted": true})
    );
    for command in ["token", "headers"] {
        house.run(&[command, "work"]).failed("usage", 2);
    }
    let mut host = Host::of(&house, &["work"]);
    assert!(host.initialize().get("result").is_some());
    assert!(server.posts().iter().all(|head| !head.contains("authorization")));
}

#[test]
fn a_server_that_asks_for_a_sign_in_all_the_same_is_answered_with_the_key_to_change() {
    let house = House::new(Options::default());
    let server = guarded(None);
    profile(&house, &format!("http://127.0.0.1:{}/mcp", server.port), "auth = \"none\"");
    let (program, count) = browser(&house);
    let mut command = house.command(&["proxy", "work"]);
    command.env("BROWSER", &program);
    let mut host = Host::start(command);
    let answer = host.initialize();
    let (name, message) = error(&answer);
    assert_eq!(name, "login-required");
    assert!(message.contains("auth = \"oauth\""), "{message}");
    assert!(!count.exists());
    let ended = house.run(&["status", "work", "--check"]);
    assert_eq!(ended.code, 4);
    assert!(ended.stdout.contains("the server asks for a sign-in"), "{ended:?}");
}

#[test]
fn stated_headers_go_with_every_request_and_typed_ones_win() {
    let house = House::new(Options::default());
    let server = guarded(Some("sh4red-token"));
    let keys = "auth = \"bearer\"\nheaders = { X-Org = \"${ORG}\", X-Plain = \"a: b\" }";
    profile(&house, &format!("http://127.0.0.1:{}/mcp", server.port), keys);
    let with = |mut command: std::process::Command| {
        command.env("ORG", "0rg-of-mine");
        command
    };
    let mut child = with(house.command(&["login", "work"])).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"sh4red-token").unwrap();
    assert_eq!(wait(child).code, 0);
    assert_eq!(wait(with(house.command(&["status", "work", "--check"])).spawn().unwrap()).code, 0);
    let mut host = Host::start(with(house.command(&["proxy", "work"])));
    assert!(host.initialize().get("result").is_some());
    drop(host);
    let posts = server.posts();
    assert!(posts.len() >= 3, "{posts:?}");
    for head in posts {
        assert!(head.contains("x-org: 0rg-of-mine\r\n") && head.contains("x-plain: a: b\r\n"), "{head}");
    }
    let mut host = Host::start(with(house.command(&["proxy", "work", "--header", "x-org: typed"])));
    assert!(host.initialize().get("result").is_some());
    let last = server.posts().pop().unwrap();
    assert!(last.contains("x-org: typed\r\n") && !last.contains("0rg-of-mine"), "{last}");

    let ended = house.run(&["proxy", "work"]);
    ended.failed("usage", 2);
    assert!(ended.stderr.contains("ORG"), "{ended:?}");
}
