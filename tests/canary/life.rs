//! A whole life of the program, at each level of verbosity.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chipp_auth::sandbox::{Consent, Fault};
use serde_json::json;

use crate::house::wait;
use crate::stage::{Stage, random};

#[test]
fn no_secret_is_seen_at_vv() {
    lead("-vv");
}

#[test]
fn no_secret_is_seen_at_vvv() {
    lead("-vvv");
}

fn lead(verbosity: &'static str) {
    let stage = Stage::new(verbosity);
    signed_out(&stage);
    printed_sign_in(&stage);
    renewals(&stage);
    lost_answers(&stage);
    traffic(&stage);
    ended_by_the_server(&stage);
    browsers(&stage);
    way_out(&stage);

    // The opener itself lives too short to be met for sure; `exec` sees it, and the browser has its environment.
    // It was a life, with secrets in it and with something to see.
    assert!(stage.number_of("access token") >= 5 && stage.number_of("refresh token") >= 5);
    assert!(stage.number_of("code") >= 4, "{}", stage.number_of("code"));
    for (place, text) in [
        ("stderr of [\"token\"", "the sign-in was renewed"),
        ("stderr of proxy", "WARN"),
        ("stdout of proxy", "Support Desk"),
        ("arguments of a process", "--background"),
        ("environment of", "HOME="),
        ("what the browser was given", "code_challenge="),
        ("file ", "chippsl"),
        ("file ", "[profiles.chipp]"),
    ] {
        assert!(stage.evidence.holds(place, text), "nothing of `{text}` was seen in {place}");
    }
    let leaks = stage.leaks();
    assert!(leaks.is_empty(), "{leaks:#?}");
}

fn expire() {
    std::thread::sleep(Duration::from_millis(1100));
}

fn signed_out(stage: &Stage) {
    assert_eq!(stage.run(&["status"]).code, 4);
    assert_eq!(stage.run(&["token"]).code, 4);
    let mut host = stage.proxy(None);
    assert!(host.initialize().get("error").is_some());
    stage.end(host);
}

fn printed_sign_in(stage: &Stage) {
    stage.house.sandbox.set(|options| options.auto_consent = Some(Consent::Deny));
    let mut login = crate::house::Login::spawn(stage.command(&["login", "--no-browser"]));
    crate::house::follow(&login.url());
    assert_eq!(stage.keep(&["login"], login.wait()).code, 3);
    stage.house.sandbox.set(|options| options.auto_consent = Some(Consent::Authorize));
    // The server does not take its own code.
    stage.house.sandbox.fail_next(Fault::token(400, "application/json", r#"{"error":"invalid_grant"}"#));
    assert_eq!(stage.login().code, 3);
    let signed_in = stage.login();
    assert_eq!(signed_in.code, 0, "{signed_in:?}");
    assert_eq!(stage.run(&["status"]).code, 0);
    assert_eq!(stage.run(&["status", "--json"]).code, 0);
    assert_eq!(stage.run(&["doctor"]).code, 0);
    assert_eq!(stage.run(&["doctor", "--json"]).code, 0);
}

/// Success, and each kind of failure; a server that repeats what it was sent is one of them.
fn renewals(stage: &Stage) {
    for args in [&["token"][..], &["headers"], &["token", "--json"]] {
        expire();
        assert_eq!(stage.run(args).code, 0);
    }
    expire();
    let (refresh, secret) = (stage.refresh_token(), &stage.client_secret);
    let echo = |error: &str| {
        let said = format!("no {refresh} for {secret} in client_secret={secret}&refresh_token={refresh}");
        let said = json!({"error": error, "error_description": said});
        Fault::token(400, "application/json", said.to_string())
    };
    for fault in [
        Fault::token_html(),
        Fault::TokenRedirect(stage.house.sandbox.base()),
        Fault::token(200, "application/json", "null"),
        Fault::token(200, "application/json", format!(r#"{{"access_token": 1, "was": "{refresh}"}}"#)),
        echo("invalid_client"),
        echo("invalid_request"),
        echo(&refresh),
    ] {
        let shown = format!("{fault:?}");
        stage.house.sandbox.fail_next(fault);
        let ended = stage.run(&["token"]);
        assert_ne!(ended.code, 0, "{shown}: {ended:?}");
    }
    // What may pass by itself is asked for again, and then left alone for a while.
    let trouble: [(usize, &dyn Fn() -> Fault); 3] = [
        (3, &|| Fault::token(500, "text/plain", refresh.clone())),
        (2, &|| echo("temporarily_unavailable")),
        (3, &|| Fault::TokenDropBeforeCommit),
    ];
    for (times, fault) in trouble {
        for _ in 0..times {
            stage.house.sandbox.fail_next(fault());
        }
        for _ in 0..2 {
            let ended = stage.run(&["token"]);
            assert_ne!(ended.code, 0, "{:?}: {ended:?}", fault());
        }
        forget_pause(stage);
    }
    assert_eq!(stage.run(&["token"]).code, 0);
}

/// As if the time had passed for which a server is left alone.
fn forget_pause(stage: &Stage) {
    let locks = std::fs::read_dir(stage.house.home.path().join("locks")).unwrap().flatten();
    let mut pauses =
        locks.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "pause"));
    std::fs::remove_file(pauses.next().expect("a pause was noted")).unwrap();
}

/// The server rotated, and what it said cannot be used.
fn lost_answers(stage: &Stage) {
    let lost = Arc::new(Mutex::new(String::new()));
    let remember = |change: fn(String) -> Vec<u8>| {
        let lost = Arc::clone(&lost);
        Fault::rewrite(move |text| {
            lost.lock().unwrap().push_str(&text);
            change(text)
        })
    };
    for fault in [
        remember(|text| text.replace("Bearer", "DPoP").into_bytes()),
        remember(|text| text.as_bytes()[..text.len() - 5].to_vec()),
        remember(|text| text.replace("\"access_token\":\"", "\"access_token\":\"\u{7} ").into_bytes()),
    ] {
        expire();
        stage.house.sandbox.fail_next(fault);
        let ended = stage.run(&["token"]);
        assert_ne!(ended.code, 0, "{ended:?}");
    }
    // Row 50: the server has a grace period, and is asked again in it.
    expire();
    stage.house.sandbox.fail_next(Fault::TokenDropAfterCommit);
    assert_eq!(stage.run(&["token"]).code, 0);
    let lost = lost.lock().unwrap().clone();
    let tokens: Vec<_> = lost.split('"').filter(|word| word.starts_with("chipp_")).collect();
    assert_eq!(tokens.len(), 6, "three answers, two tokens each");
    tokens.into_iter().for_each(|token| stage.secret("lost token", token));
    expire();
    let ended = stage.run(&["token"]);
    assert_eq!(ended.code, 0, "{ended:?}");
}

fn traffic(stage: &Stage) {
    let mut host = stage.proxy(None);
    assert!(host.initialize().get("result").is_some());
    assert!(host.ask("tools/list", json!({})).get("result").is_some());
    for _ in 0..2 {
        expire();
        assert!(host.call("list_apps").get("result").is_some());
        stage.learn();
    }
    stage.house.sandbox.set(|options| options.access_lifetime = Duration::from_secs(60));
    stage.house.sandbox.fail_next(Fault::McpUnauthorized);
    assert!(host.call("list_apps").get("result").is_some());
    let token = stage.access_token();
    let echo =
        json!({"error": {"code": 1, "message": format!("no app for {token} or Bearer={token}")}}).to_string();
    for fault in [
        Fault::mcp(500, echo.clone()),
        Fault::mcp(403, echo.clone()),
        Fault::mcp(429, echo.clone()),
        Fault::mcp(200, echo),
        Fault::mcp(200, format!("not JSON: {token}")),
        Fault::McpDrop,
    ] {
        let shown = format!("{fault:?}");
        stage.house.sandbox.fail_next(fault);
        let answer = host.call("list_apps");
        assert!(answer.get("error").is_some(), "{shown}: {answer}");
    }
    stage.house.sandbox.forget_sessions();
    assert!(host.call("list_apps").get("result").is_some());
    stage.house.sandbox.set(|options| options.access_lifetime = Duration::from_secs(1));
    stage.house.sandbox.fail_next(Fault::McpUnauthorized);
    assert!(host.call("list_apps").get("result").is_some());
    stage.end(host);
}

fn ended_by_the_server(stage: &Stage) {
    stage.house.sandbox.revoke_all();
    expire();
    let mut host = stage.proxy(None);
    assert!(host.initialize().get("error").is_some());
    stage.end(host);
    assert_eq!(stage.run(&["token"]).code, 4);
    assert_eq!(stage.run(&["status", "--json"]).code, 4);
}

/// One browser that a proxy orders in the background, one that a person does.
fn browsers(stage: &Stage) {
    let browser = stage.browser();
    let mut host = stage.proxy(Some(browser.clone()));
    let answer = host.initialize();
    assert!(answer.get("result").is_some(), "{answer}");
    assert!(host.call("list_apps").get("result").is_some());
    stage.end(host);

    let mut command = stage.command(&["login"]);
    let ended = stage.keep(&["login"], wait(command.env("BROWSER", browser).spawn().unwrap()));
    assert_eq!(ended.code, 0, "{ended:?}");
    // The program may end before its browser has closed its files.
    for _ in 0..500 {
        if stage.ask_browser() == 2 {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("the browser went through {} sign-ins", stage.ask_browser());
}

fn way_out(stage: &Stage) {
    // A wrong passphrase, a damaged file.
    let wrong = random("wrong");
    stage.secret("wrong passphrase", &wrong);
    let mut command = stage.command(&["token"]);
    let ended = wait(command.env("CHIPP_AUTH_PASSPHRASE", &wrong).spawn().unwrap());
    assert_eq!(stage.keep(&["token"], ended).code, 6);
    let mut command = stage.command(&["doctor"]);
    let ended = wait(command.env("CHIPP_AUTH_PASSPHRASE", &wrong).spawn().unwrap());
    assert_eq!(stage.keep(&["doctor"], ended).code, 6);
    assert_eq!(stage.run(&["logout"]).code, 0);
    assert_eq!(stage.house.sandbox.counts().revoke, 2);

    assert_eq!(stage.login().code, 0);
    assert_eq!(stage.run(&["logout", "--local"]).code, 0);
    assert_eq!(stage.login().code, 0);
    for entry in std::fs::read_dir(stage.house.home.path().join("sealed")).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(path, &bytes[..bytes.len() - 1]).unwrap();
    }
    assert_eq!(stage.run(&["token"]).code, 6);
    assert_eq!(stage.run(&["reset"]).code, 2);
    assert_eq!(stage.run(&["reset", "--yes"]).code, 0);
    assert_eq!(stage.run(&["status"]).code, 4);
}
