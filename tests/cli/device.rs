//! `login --device` (RFC 8628): with any browser, on any computer.

use std::time::{Duration, Instant};

use chipp_auth::sandbox::{Consent, Fault, Kind, Options};

use crate::house::{House, Login, browser};

const JSON: &str = "application/json";

fn house(options: Options) -> House {
    House::new(Options { device: true, ..options })
}

fn pending() -> Fault {
    Fault::token(400, JSON, r#"{"error":"authorization_pending"}"#)
}

fn token_requests(house: &House) -> Vec<Duration> {
    let log = house.sandbox.log();
    log.into_iter().filter(|entry| entry.kind == Kind::Token).map(|entry| entry.at).collect()
}

#[test]
fn a_code_signs_in_without_a_callback() {
    let house = house(Options::default());
    house.sandbox.fail_next(pending());
    let ended = house.run(&["login", "--device", "--no-browser"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let page = format!("\n  {}device\n", house.sandbox.base());
    assert!(ended.stderr.contains(&page) && ended.stderr.contains("\n  WDJB-MJHT\n"), "{ended:?}");
    assert!(house.run(&["token"]).ok().starts_with("chipp_at_"));
    let status = house.run(&["status", "--json"]).json();
    assert_eq!((&status["scope"], &status["refreshable"]), (&"*".into(), &true.into()));
    let counts = house.sandbox.counts();
    assert_eq!((counts.authorize, counts.families, counts.token_code), (0, 1, 0));
    // The pace that the server set: a second before each question.
    let asked = token_requests(&house);
    assert_eq!(asked.len(), 2);
    assert!(asked[1] - asked[0] >= Duration::from_millis(950), "{asked:?}");
}

// RFC 8628 section 3.5: five seconds more, for all questions to come.
#[test]
fn slow_down_is_obeyed() {
    let house = house(Options::default());
    house.sandbox.fail_next(Fault::token(400, JSON, r#"{"error":"slow_down"}"#));
    let ended = house.run(&["login", "--device", "--no-browser"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let asked = token_requests(&house);
    assert!(asked.len() == 2 && asked[1] - asked[0] >= Duration::from_secs(6), "{asked:?}");
}

#[test]
fn trouble_on_the_way_is_no_answer() {
    let house = house(Options::default());
    house.sandbox.fail_next(Fault::TokenDropBeforeCommit);
    house.sandbox.fail_next(Fault::token(503, "text/html", "<h1>Sorry</h1>"));
    house.sandbox.fail_next(pending());
    let ended = house.run(&["login", "--device", "--no-browser"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let asked = token_requests(&house);
    let pauses: Vec<_> = asked.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f32().round()).collect();
    assert_eq!(pauses, [2.0, 4.0, 1.0], "slower with each trouble, and as before after an answer");
}

// Row 11, and the other ends of a code.
#[test]
fn the_ends_of_a_code_are_named_and_keep_the_older_sign_in() {
    let house = house(Options::default());
    assert_eq!(house.login(&[]).code, 0);
    let args = ["login", "--device", "--no-browser"];
    house.sandbox.fail_next(Fault::token(400, JSON, r#"{"error":"expired_token"}"#));
    house.run(&args).failed("login-timeout", 3);
    house.sandbox.set(|options| options.auto_consent = Some(Consent::Deny));
    house.run(&args).failed("login-denied", 3);
    house.sandbox.set(|options| options.auto_consent = None);
    // Row 12: our own limit, and that of the code.
    let begun = Instant::now();
    house.run(&[&args[..], &["--timeout", "2s"]].concat()).failed("login-timeout", 3);
    house.sandbox.set(|options| options.code_lifetime = Duration::from_secs(2));
    house.run(&args).failed("login-timeout", 3);
    assert!(begun.elapsed() < Duration::from_secs(20));
    assert!(house.run(&["token"]).ok().starts_with("chipp_at_"));
}

#[test]
fn a_server_without_codes_is_named() {
    let house = House::new(Options::default());
    house.run(&["login", "--device"]).failed("usage", 2);
    assert_eq!(house.sandbox.counts().authorize, 0);
}

// The page opens with the code filled in, but for --no-browser.
#[test]
fn a_browser_of_this_computer_is_opened() {
    let house = house(Options::default());
    let (program, count) = browser(&house);
    for (more, opened) in [(&["--no-browser"][..], 0), (&[], 1)] {
        let mut command = house.command(&[&["login", "--device"], more].concat());
        let ended = crate::house::wait(command.env("BROWSER", &program).spawn().unwrap());
        assert_eq!(ended.code, 0, "{ended:?}");
        let lines = std::fs::read_to_string(&count).unwrap_or_default().lines().count();
        assert_eq!(lines, opened);
    }
}

// A-15, A-18: registered for codes and for the browser, so that either way is open the next time.
#[test]
fn a_client_is_registered_for_it_and_replaced_once_if_forgotten() {
    let house = house(Options { registration: true, ..Options::default() });
    house.sandbox.set(|options| options.token_style = chipp_auth::sandbox::TokenStyle::Any);
    house.point_chipp_at("http://127.0.0.1:9");
    let url = house.sandbox.mcp_url().to_string();
    let args = ["login", "--device", "--no-browser", &url];
    for registrations in [1, 1] {
        assert_eq!(house.run(&args).code, 0);
        assert_eq!(house.sandbox.counts().registrations, registrations);
    }
    house.sandbox.forget_clients();
    assert_eq!(house.run(&args).code, 0);
    assert_eq!(house.sandbox.counts().registrations, 2);
    assert_eq!(house.login(&[&url]).code, 0);
    assert_eq!(house.sandbox.counts().registrations, 2, "the browser uses the same registration");
}

// Where no browser can appear, the way out is named if the server has it (row 9).
#[test]
fn the_way_without_a_browser_here_is_named() {
    for (device, more) in [(true, None), (false, None), (true, Some("--no-browser"))] {
        let house = House::new(Options { device, ..Options::default() });
        let mut command = house.command(&["login", "--timeout", "1s"]);
        command.args(more).env("SSH_CONNECTION", "192.0.2.1 1 192.0.2.2 22");
        let mut login = Login::spawn(command);
        let url = login.url();
        let port = url.split("localhost%3A").nth(1).unwrap().split('%').next().unwrap().to_owned();
        let ended = login.wait();
        ended.failed(if more.is_some() { "login-timeout" } else { "browser-missing" }, 3);
        assert_eq!(ended.stderr.contains("because this is an SSH session"), more.is_none(), "{ended:?}");
        assert!(ended.stderr.contains(&format!("ssh -L {port}:127.0.0.1:{port} ")), "{ended:?}");
        assert_eq!(ended.stderr.contains("chipp-auth login --device"), device, "{ended:?}");
    }
}
