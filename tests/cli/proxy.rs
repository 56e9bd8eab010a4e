//! `proxy` as an MCP client starts it.

use std::time::{Duration, Instant};

use chipp_auth::sandbox::{Consent, Kind, Options};
use serde_json::json;

use crate::host::Host;
use crate::house::{House, browser};

#[test]
fn a_client_works_with_the_tools_and_ends_the_session() {
    let house = House::new(Options::default());
    house.login(&[]);
    let mut host = Host::of(&house, &[]);
    assert!(host.initialize()["result"]["serverInfo"].is_object());
    let tools = host.ask("tools/list", json!({}));
    assert!(tools["result"]["tools"].as_array().is_some_and(|tools| tools.len() == 4), "{tools}");
    let apps = host.call("list_apps");
    assert!(apps["result"]["content"][0]["text"].is_string(), "{apps}");
    assert_eq!(host.end().0, 0);
    let counts = house.sandbox.counts();
    assert_eq!(counts.tool_calls["list_apps"], 1);
    assert_eq!(counts.unauthorized, 0);
    assert!(house.sandbox.log().iter().any(|entry| entry.kind == Kind::Delete), "the session was ended");
}

#[test]
fn a_401_in_mid_session_renews_the_token_unseen() {
    let house = House::new(Options { reject_early: Some(Duration::from_secs(2)), ..Options::default() });
    house.login(&[]);
    let mut host = Host::of(&house, &[]);
    host.initialize();
    std::thread::sleep(Duration::from_millis(2100));
    assert!(host.call("list_apps").get("result").is_some());
    let counts = house.sandbox.counts();
    assert_eq!((counts.token_refresh, counts.reuse), (1, 0));
    assert_eq!(counts.tool_calls["list_apps"], 1);
}

#[test]
fn without_a_browser_the_answer_names_the_command_at_once() {
    let house = House::new(Options::default());
    let mut host = Host::of(&house, &[]);
    let begun = Instant::now();
    let error = host.initialize()["error"].clone();
    assert_eq!(error["data"]["name"], "login-required", "{error}");
    assert!(error["message"].as_str().unwrap().contains("chipp-auth login"), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(10));
    // The process lives, and finds a sign-in that is made meanwhile.
    house.login(&[]);
    assert!(host.initialize().get("result").is_some());
}

#[test]
fn several_proxies_that_start_signed_out_open_one_browser() {
    let house = House::new(Options::default());
    let (program, count) = browser(&house);
    let hosts: Vec<_> = (0..4)
        .map(|_| {
            let mut command = house.command(&["proxy"]);
            command.env("BROWSER", &program);
            std::thread::spawn(move || {
                let mut host = Host::start(command);
                let answer = host.initialize();
                (answer.get("result").is_some(), answer.to_string(), host.end().0)
            })
        })
        .collect();
    for host in hosts {
        let (signed_in, answer, code) = host.join().unwrap();
        assert!(signed_in && code == 0, "{answer}");
    }
    assert_eq!(std::fs::read_to_string(count).unwrap().lines().count(), 1);
    assert_eq!(house.sandbox.counts().families, 1);
}

#[test]
fn a_refused_sign_in_is_answered_and_not_repeated() {
    let house = House::new(Options { auto_consent: Some(Consent::Deny), ..Options::default() });
    let (program, count) = browser(&house);
    let mut command = house.command(&["proxy"]);
    command.env("BROWSER", program);
    let mut host = Host::start(command);
    for _ in 0..2 {
        let error = host.initialize()["error"].clone();
        assert_eq!(error["data"]["name"], "login-denied", "{error}");
    }
    assert_eq!(std::fs::read_to_string(count).unwrap().lines().count(), 1);
}

#[test]
fn a_header_of_the_users_own_switches_the_sign_in_off() {
    let house = House::new(Options::default());
    house.login(&[]);
    let value = format!("Authorization: Bearer {}", house.run(&["token"]).ok());
    let home = tempfile::tempdir().unwrap();
    let mut command = house.command(&["proxy", house.sandbox.mcp_url().as_str(), "--header", &value]);
    command.env("CHIPP_AUTH_HOME", home.path());
    let mut host = Host::start(command);
    assert!(host.initialize().get("result").is_some());
    house.sandbox.revoke_all();
    let error = host.call("list_apps")["error"].clone();
    assert_eq!(error["data"]["name"], "login-required", "{error}");
    assert!(!error.to_string().contains("chipp_at_"), "{error}");
}
