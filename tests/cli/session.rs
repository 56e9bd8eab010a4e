//! Renewing a sign-in: what happens is read from the server.

use std::time::Duration;

use chipp_auth::sandbox::{Fault, Options};
use serde_json::json;

use crate::house::House;

/// A sign-in whose access token has ended.
fn expired(options: Options) -> House {
    let house = House::new(Options { access_lifetime: Duration::from_secs(2), ..options });
    assert_eq!(house.login(&[]).code, 0);
    house.sandbox.set(|options| options.access_lifetime = Duration::from_secs(3600));
    std::thread::sleep(Duration::from_millis(2100));
    house
}

// Row 61.
#[test]
fn sixteen_processes_that_meet_an_expired_token_refresh_it_once() {
    let house = expired(Options::default());
    let tokens: Vec<_> = (0..16).map(|_| house.command(&["token"]).spawn().unwrap()).collect();
    let tokens: Vec<_> = tokens.into_iter().map(|child| crate::house::wait(child).ok().to_owned()).collect();
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    let counts = house.sandbox.counts();
    assert_eq!((counts.token_refresh, counts.reuse), (1, 0));
}

// Rows 92, 93 and others: nothing but invalid_grant ends a sign-in.
#[test]
fn trouble_with_the_token_endpoint_loses_nothing() {
    let house = expired(Options::default());
    for (fault, name, code) in [
        (Fault::token(403, "text/html", "<html>"), "server-error", 5),
        (Fault::token_html(), "captive-portal", 5),
        (Fault::TokenRedirect(house.sandbox.base()), "redirect-refused", 7),
        (Fault::token(200, "application/json", "null"), "bad-response", 5),
        (Fault::token(401, "application/json", r#"{"error":"invalid_client"}"#), "client-rejected", 2),
    ] {
        house.sandbox.fail_next(fault);
        house.run(&["token"]).failed(name, code);
    }
    assert!(house.run(&["token"]).ok().starts_with("chipp_at_"));
    assert_eq!(house.sandbox.counts().reuse, 0);
}

// Rows 82, 84 and 88: what passes by itself is waited for.
#[test]
fn a_token_endpoint_that_stumbles_is_asked_again() {
    for fault in [
        Fault::token(503, "text/html", "<html>"),
        Fault::token(429, "application/json", "{}"),
        Fault::TokenDropBeforeCommit,
    ] {
        let house = expired(Options::default());
        house.sandbox.fail_next(fault);
        assert!(house.run(&["token"]).ok().starts_with("chipp_at_"));
        assert_eq!(house.sandbox.counts().reuse, 0);
    }
}

// Rows 62 and 84: and what does not, is not asked by the next command either.
#[test]
fn a_token_endpoint_that_is_down_is_left_alone() {
    let house = expired(Options::default());
    for _ in 0..3 {
        house.sandbox.fail_next(Fault::token(503, "text/html", "<html>"));
    }
    house.run(&["token"]).failed("server-error", 5);
    house.run(&["token"]).failed("server-busy", 5);
    assert_eq!(house.sandbox.counts().reuse, 0);
}

// Rows 77 and 75: the record stays, and the answer says what to do.
#[test]
fn a_sign_in_that_the_server_ended_is_named_and_asked_once() {
    let house = expired(Options::default());
    house.sandbox.revoke_all();
    house.run(&["token"]).failed("login-required", 4);
    let asked = house.sandbox.counts().token_refresh;
    // Row 63: the refusal is remembered.
    house.run(&["token"]).failed("login-required", 4);
    assert_eq!(house.sandbox.counts().token_refresh, asked);
    let status = house.run(&["status", "--json"]);
    assert_eq!(status.code, 4);
    assert!(status.json()["refused_at"].is_u64(), "{status:?}");
}

// Row 73: what the server refuses twice is over, whatever the clock says.
#[test]
fn a_sign_in_that_the_server_ended_before_its_time_is_over_for_everybody() {
    let house = House::new(Options::default());
    house.login(&[]);
    house.sandbox.revoke_all();
    let mut host = crate::host::Host::of(&house, &[]);
    assert_eq!(host.initialize()["error"]["data"]["name"], "login-required");
    house.run(&["token"]).failed("login-required", 4);
    assert_eq!(house.run(&["status"]).code, 4);
    let refreshes = house.sandbox.counts().token_refresh;
    host.initialize();
    assert_eq!(house.sandbox.counts().token_refresh, refreshes, "the answer is remembered");
    // A new sign-in mends the running proxy too.
    house.login(&[]);
    assert!(host.initialize().get("result").is_some());
}

// Rows 99 to 103 and the table of crates.md 2.2, through the real binary.
#[test]
fn tolerable_answers_renew_the_sign_in() {
    let house = expired(Options::default());
    type Edit = fn(&mut serde_json::Map<String, serde_json::Value>);
    let edits: [Edit; 5] = [
        |answer| answer["expires_in"] = json!("1"),
        |answer| answer["expires_in"] = json!(1.7),
        |answer| answer["scope"] = json!(["*"]),
        |answer| assert!(answer.remove("refresh_token").is_some()),
        |answer| answer["expires_in"] = json!(1e300),
    ];
    let mut generation = 1;
    for (number, edit) in edits.into_iter().enumerate() {
        // The server rotated without saying so: the next refresh would be reuse.
        if number == 3 {
            house
                .sandbox
                .set(|options| options.grace = chipp_auth::sandbox::Grace::For(Duration::from_secs(60)));
        }
        house.sandbox.fail_next(Fault::edit(move |answer| {
            answer.insert("expires_in".into(), json!(1));
            edit(answer);
        }));
        assert!(house.run(&["token"]).ok().starts_with("chipp_at_"), "{number}");
        generation += 1;
        assert_eq!(house.run(&["status", "--json"]).json()["renewals"], generation);
        std::thread::sleep(Duration::from_millis(2100));
    }
}

// Row 103: saved first, then refused.
#[test]
fn a_token_of_another_type_is_stored_and_not_used() {
    let house = expired(Options::default());
    house.sandbox.fail_next(Fault::edit(|answer| {
        answer.insert("token_type".into(), json!("DPoP"));
        answer.insert("expires_in".into(), json!(1));
    }));
    house.run(&["token"]).failed("wrong-token-type", 7);
    std::thread::sleep(Duration::from_millis(1100));
    assert!(house.run(&["token"]).ok().starts_with("chipp_at_"), "the rotated refresh token was kept");
    assert_eq!(house.sandbox.counts().reuse, 0);
}

// I7, S10: the token of one server is not there for another.
#[test]
fn a_configuration_that_points_elsewhere_finds_no_token() {
    let house = House::new(Options::default());
    house.login(&[]);
    house.point_chipp_at("http://127.0.0.1:9");
    house.run(&["token"]).failed("login-required", 4);
}

// Every profile seems to be gone in a file that cannot be read, and no server would be told.
#[test]
fn nobody_is_signed_out_everywhere_by_a_file_that_cannot_be_read() {
    let house = House::new(Options::default());
    house.login(&[]).ok();
    let file = house.home.path().join("profiles.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{text}[profiles.x]\nurl = 5\n")).unwrap();
    house.run(&["logout", "--all"]).failed("config-bad", 2);
    std::fs::write(&file, text).unwrap();
    assert_eq!(house.run(&["status"]).code, 0);
}
