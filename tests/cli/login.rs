//! Signing in and out.

use std::time::Duration;

use chipp_auth::sandbox::{Consent, Fault, Options};
use serde_json::json;

use crate::house::{House, Login, follow, wait};

#[test]
fn a_sign_in_serves_later_processes_until_the_logout_that_revokes_it() {
    let house = House::new(Options::default());
    house.run(&["token"]).failed("login-required", 4);
    assert_eq!(house.run(&["status"]).code, 4);

    let signed_in = house.login(&[]);
    assert_eq!(signed_in.code, 0, "{signed_in:?}");
    assert!(signed_in.stderr.contains("Signed in to chipp."), "{signed_in:?}");

    let token = house.run(&["token"]).ok().to_owned();
    assert!(token.starts_with("chipp_at_"));
    let headers = house.run(&["headers"]);
    assert_eq!(headers.json(), json!({"Authorization": format!("Bearer {token}")}));
    let status = house.run(&["status", "--json"]).json();
    assert_eq!(status["signed_in"], true);
    assert_eq!(status["scope"], "*");
    assert_eq!(status["refreshable"], true);
    assert!(!status.to_string().contains("chipp_at_") && !status.to_string().contains("chipp_rt_"));

    let out = house.run(&["logout"]);
    assert!(out.stderr.contains("the server revoked the tokens"), "{out:?}");
    assert_eq!(house.sandbox.counts().revoke, 2);
    assert_eq!(house.sandbox.counts().families_revoked, 1);
    house.run(&["token"]).failed("login-required", 4);
    assert!(house.run(&["logout"]).stderr.contains("You were not signed in"));
}

// L8, L9: the last address has no code, and the page says what is true.
#[test]
fn the_browser_sees_the_outcome_and_no_code() {
    let house = House::new(Options::default());
    let mut login = Login::start(&house, &[]);
    let (address, page) = follow(&login.url());
    assert_eq!(login.wait().code, 0);
    assert!(address.ends_with("/done"), "{address}");
    assert!(page.contains("signed in"), "{page}");

    house.sandbox.fail_next(Fault::token(400, "application/json", r#"{"error":"invalid_grant"}"#));
    let mut login = Login::start(&house, &[]);
    let (_, failed) = follow(&login.url());
    assert_ne!(failed, page);
    login.wait().failed("login-denied", 3);
}

// Row 11.
#[test]
fn a_denial_keeps_the_older_sign_in() {
    let house = House::new(Options::default());
    house.login(&[]);
    house.sandbox.set(|options| options.auto_consent = Some(Consent::Deny));
    house.login(&[]).failed("login-denied", 3);
    assert!(house.run(&["token"]).ok().starts_with("chipp_at_"));
}

// Row 12.
#[test]
fn nobody_comes_back() {
    let house = House::new(Options::default());
    let ended = house.run(&["login", "--no-browser", "--timeout", "1s"]);
    ended.failed("login-timeout", 3);
}

// Row 13.
#[cfg(unix)]
#[test]
fn an_interrupt_ends_the_sign_in_cleanly() {
    use rustix::process::{Pid, Signal, kill_process};
    let house = House::new(Options::default());
    let mut login = Login::start(&house, &[]);
    login.url();
    kill_process(Pid::from_raw(login.id() as i32).unwrap(), Signal::INT).unwrap();
    login.wait().failed("login-cancelled", 130);
}

// Row 1.
#[test]
fn a_fixed_port_in_use_is_named_before_anything_opens() {
    let house = House::new(Options::default());
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let ended = house.run(&["login", "--no-browser", "--port", &port]);
    ended.failed("port-busy", 8);
    assert!(ended.stderr.contains(&format!("port {port} is used by another program")), "{ended:?}");
    assert_eq!(house.sandbox.counts().authorize, 0);
}

// Row 38.
#[test]
fn two_logins_at_once_are_one_sign_in() {
    let house = House::new(Options::default());
    let mut first = Login::start(&house, &[]);
    let url = first.url();
    let second = Login::start(&house, &[]);
    std::thread::sleep(Duration::from_millis(300));
    follow(&url);
    assert_eq!(first.wait().code, 0);
    let second = second.wait();
    assert_eq!(second.code, 0, "{second:?}");
    assert!(second.stderr.contains("signed in by another window"), "{second:?}");
    assert_eq!(house.sandbox.counts().families, 1);
}

// A proxy that was refused just before another one's sign-in ended must not open a tab of its own.
#[test]
fn a_sign_in_in_the_background_opens_nothing_if_there_is_one_already() {
    use std::io::Write;
    let house = House::new(Options::default());
    house.login(&[]);
    let authorized = house.sandbox.counts().authorize;
    let mut command = house.command(&["login", "--background", "--timeout", "2s"]);
    let mut child = command.stdin(std::process::Stdio::piped()).spawn().unwrap();
    let secrets = json!({"passphrase": "correct horse", "client_secret": null, "challenge": []});
    write!(child.stdin.take().unwrap(), "{secrets}").unwrap();
    assert_eq!(crate::house::wait(child).code, 0);
    assert_eq!(house.sandbox.counts().authorize, authorized);
}

// Row 37: no store, no success, and nothing left at the server.
#[test]
fn tokens_that_cannot_be_stored_are_revoked() {
    let house = House::new(Options::default());
    house.login(&[]);
    let mut login = Login::start(&house, &[]);
    let url = login.url();
    let sealed = house.home.path().join("sealed");
    std::fs::remove_dir_all(&sealed).unwrap();
    std::fs::write(&sealed, "in the way").unwrap();
    let (_, page) = follow(&url);
    assert!(page.contains("Sign-in didn’t work"), "{page}");
    let ended = login.wait();
    assert_eq!(ended.code, 6, "{ended:?}");
    assert_eq!(house.sandbox.counts().revoke, 1);
}

#[test]
fn a_store_without_its_passphrase_is_named_before_anything_opens() {
    let house = House::new(Options::default());
    let mut command = house.command(&["login", "--no-browser"]);
    let ended = wait(command.env_remove("CHIPP_AUTH_PASSPHRASE").spawn().unwrap());
    ended.failed("store-sealed", 6);
    assert!(house.sandbox.log().is_empty());

    house.login(&[]);
    let sealed = std::fs::read_dir(house.home.path().join("sealed")).unwrap();
    assert_eq!(sealed.count(), 1, "the trial is gone");
}

// Row 110.
#[test]
fn a_logout_forgets_here_even_if_the_server_cannot_be_told() {
    let house = House::new(Options::default());
    house.login(&[]);
    let base = house.sandbox.base();
    drop(house.sandbox);
    let house =
        House { sandbox: chipp_auth::sandbox::Sandbox::start(Options::default()).unwrap(), home: house.home };
    let ended = house.run(&["logout"]);
    ended.failed("server-error", 5);
    assert!(ended.stderr.contains("signed out here"), "{ended:?}");
    assert!(ended.stderr.contains("29days") || ended.stderr.contains("30days"), "{ended:?}");
    assert_eq!(house.run(&["status"]).code, 4, "{base}");
}

// Row 110, RFC 7009 section 2.2.1.
#[test]
fn a_server_that_does_not_revoke_is_named_and_nothing_is_left_here() {
    let house = House::new(Options::default());
    for status in [503, 400, 429] {
        house.login(&[]);
        house.sandbox.fail_next(Fault::revoke(status));
        let ended = house.run(&["logout"]);
        ended.failed("server-error", 5);
        assert!(ended.stderr.contains("the sign-in ends there in "), "{ended:?}");
        house.run(&["token"]).failed("login-required", 4);
    }
}

#[test]
fn any_mcp_server_can_be_the_target_and_registers_the_client() {
    let options = Options {
        registration: true,
        token_style: chipp_auth::sandbox::TokenStyle::Form,
        ..Options::default()
    };
    let house = House::new(options);
    // Another origin than the one that `chipp` has in this house: nothing is known of it.
    house.point_chipp_at("http://127.0.0.1:9");
    let url = house.sandbox.mcp_url().to_string();
    let ended = house.login(&[&url]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(house.run(&["token", &url]).ok().starts_with("chipp_at_"));
    assert_eq!(house.sandbox.counts().registrations, 1);
    // The registration is used again, with its port.
    assert_eq!(house.login(&[&url]).code, 0);
    assert_eq!(house.sandbox.counts().registrations, 1);
    assert_eq!(house.run(&["logout", &url]).code, 0);
}

#[test]
fn reset_shows_asks_and_removes_what_is_damaged() {
    let house = House::new(Options::default());
    house.login(&[]);
    let leftover = house.home.path().join(".claude/mcp-auth/chipp-old");
    std::fs::create_dir_all(&leftover).unwrap();
    std::fs::write(leftover.join("tokens.json"), "{}").unwrap();
    let sealed = house.home.path().join("sealed");
    let record = std::fs::read_dir(&sealed).unwrap().next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&record).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&record, bytes).unwrap();
    house.run(&["token"]).failed("store-corrupt", 6);

    house.run(&["reset"]).failed("usage", 2);
    assert!(record.exists(), "nothing is removed unasked");
    let ended = house.run(&["reset", "--yes"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stderr.contains("damaged") && ended.stderr.contains("left by another client"), "{ended:?}");
    assert!(!record.exists() && !leftover.exists());
    assert_eq!(house.run(&["status"]).code, 4);
    assert!(house.run(&["reset", "--yes"]).stderr.contains("nothing to remove"));
}
