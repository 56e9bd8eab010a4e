//! A running proxy whose sign-in does not do: too few permissions, or a server that does not take it any more.
//! The whole way: proxy, background sign-in, browser, and what the sandbox saw of it.

use std::time::{Duration, Instant};

use chipp_auth::sandbox::{Consent, Fault, Options};
use serde_json::{Value, json};

use crate::host::Host;
use crate::house::{House, browser};

/// A user who is signed in with this scope, and has a browser.
struct Room {
    house: House,
    program: std::path::PathBuf,
    count: std::path::PathBuf,
}

impl Room {
    fn new(scope: &str) -> Room {
        let house = House::new(Options::default());
        assert_eq!(house.login(&["--scope", scope]).code, 0);
        let (program, count) = browser(&house);
        Room { house, program, count }
    }

    /// A proxy with an open session.
    fn host(&self) -> Host {
        self.host_with(&[])
    }

    fn host_with(&self, args: &[&str]) -> Host {
        let mut command = self.house.command(&[&["proxy"], args].concat());
        command.env("BROWSER", &self.program);
        let mut host = Host::start(command);
        assert!(host.initialize().get("result").is_some());
        // `initialized` has no answer; a request after it has, and then no fault can strike the wrong one.
        assert!(host.ask("tools/list", json!({})).get("result").is_some());
        host
    }

    /// How often the browser was opened.
    fn tabs(&self) -> usize {
        std::fs::read_to_string(&self.count).unwrap_or_default().lines().count()
    }

    fn scope(&self) -> Value {
        self.house.run(&["status", "--json"]).json()["scope"].clone()
    }

    /// The next requests are answered with 401, whatever their token.
    fn refuse(&self, times: usize) {
        for _ in 0..times {
            self.house.sandbox.fail_next(Fault::McpUnauthorized);
        }
    }
}

fn create(host: &mut Host) -> Value {
    host.ask("tools/call", json!({"name": "create_app", "arguments": {"name": "x"}}))
}

/// The name and the message of an error.
fn error(answer: &Value) -> (String, String) {
    let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
    (text(&answer["error"]["data"]["name"]), text(&answer["error"]["message"]))
}

// the user is asked once, for what he had and what is missing; the call then goes through.
#[test]
fn a_tool_that_needs_more_scope_asks_for_it_and_runs() {
    let room = Room::new("apps:read");
    let (mut host, mut other) = (room.host(), room.host());
    assert!(host.call("list_apps").get("result").is_some());
    assert!(create(&mut host).get("result").is_some());
    assert_eq!((room.tabs(), room.scope()), (1, json!("apps:read apps:write")));
    // A process that still has the old token finds the new one.
    assert!(create(&mut other).get("result").is_some());
    assert_eq!(room.tabs(), 1);
    let counts = room.house.sandbox.counts();
    assert_eq!((counts.tool_calls["create_app"], counts.insufficient_scope, counts.unauthorized), (2, 2, 0));
    assert_eq!((counts.families, counts.token_refresh), (2, 0));
}

// each adds to what the other got.
#[test]
fn processes_that_need_different_scopes_at_the_same_moment_both_get_theirs() {
    let room = Room::new("apps:read");
    let (mut one, mut two) = (room.host(), room.host());
    let analytics = json!({"name": "get_app_analytics", "arguments": {"appId": "app_1001"}});
    std::thread::scope(|scope| {
        scope.spawn(|| assert!(create(&mut one).get("result").is_some()));
        scope.spawn(|| assert!(two.ask("tools/call", analytics.clone()).get("result").is_some()));
    });
    let scope = room.scope();
    let mut scopes: Vec<_> = scope.as_str().unwrap().split(' ').collect();
    scopes.sort_unstable();
    assert_eq!(scopes, ["analytics:read", "apps:read", "apps:write"]);
    assert!(room.tabs() <= 3, "{}", room.tabs());
}

// A-53, and the seed's "Scope not authorized": the tool, the scope and the command.
#[test]
fn a_refused_scope_is_named_and_not_asked_for_again() {
    let room = Room::new("apps:read");
    let mut host = room.host();
    room.house.sandbox.set(|options| options.auto_consent = Some(Consent::Deny));
    for _ in 0..2 {
        let (name, text) = error(&create(&mut host));
        assert_eq!(name, "scope-required", "{text}");
        assert!(
            text.contains("scope not authorized for the tool create_app, which needs apps:write"),
            "{text}"
        );
        assert!(text.contains("The user chose Deny"), "{text}");
        assert!(text.contains("`chipp-auth login --scope 'apps:read apps:write'`"), "{text}");
    }
    assert_eq!(room.tabs(), 1);
    // What there was is there still, and the command mends it without a restart.
    assert!(host.call("list_apps").get("result").is_some());
    room.house.sandbox.set(|options| options.auto_consent = Some(Consent::Authorize));
    room.house.login(&["--scope", "apps:read apps:write"]);
    assert!(create(&mut host).get("result").is_some());
    assert_eq!(room.tabs(), 1);
}

// where nobody can be asked, the answer comes at once.
#[test]
fn without_a_browser_a_missing_scope_is_answered_at_once() {
    let room = Room::new("apps:read");
    for (mut host, why) in [
        (Host::of(&room.house, &[]), "no browser can be opened here"),
        (room.host_with(&["--no-browser"]), "--no-browser forbids asking you"),
    ] {
        assert!(host.initialize().get("result").is_some());
        let begun = Instant::now();
        let (name, text) = error(&create(&mut host));
        assert_eq!(name, "scope-required", "{text}");
        assert!(text.contains(why) && text.contains("create_app, which needs apps:write"), "{text}");
        assert!(text.contains("run `chipp-auth login --scope 'apps:read apps:write'`"), "{text}");
        assert!(begun.elapsed() < Duration::from_secs(10));
    }
    assert_eq!((room.tabs(), room.scope()), (0, json!("apps:read")));
}

// what a renewal does not mend, a sign-in may.
#[test]
fn a_server_that_refuses_the_renewed_token_too_is_signed_in_to_anew() {
    let room = Room::new("*");
    let mut host = room.host();
    room.refuse(2);
    assert!(host.call("list_apps").get("result").is_some());
    let counts = room.house.sandbox.counts();
    assert_eq!((room.tabs(), counts.token_refresh, counts.families), (1, 1, 2));
    assert_eq!(counts.tool_calls["list_apps"], 1);
}

// and if it takes no token at all, that is one tab and one sentence.
#[test]
fn a_server_that_takes_no_token_at_all_opens_one_tab() {
    let room = Room::new("*");
    let mut host = room.host();
    room.refuse(3);
    let (name, text) = error(&host.call("list_apps"));
    assert_eq!(name, "login-required", "{text}");
    room.refuse(2);
    let (name, text) = error(&host.call("list_apps"));
    assert_eq!(name, "login-required", "{text}");
    assert!(text.contains("the server does not accept the new sign-in either"), "{text}");
    assert_eq!(room.tabs(), 1);
    // It comes to its senses, and nothing was lost.
    assert!(host.call("list_apps").get("result").is_some());
    assert_eq!((room.tabs(), room.house.run(&["status"]).code), (1, 0));
}

// I1: a sign-in is given up for another one only.
#[test]
fn without_a_browser_a_sign_in_that_is_refused_twice_is_kept() {
    let room = Room::new("*");
    let mut host = room.host_with(&["--no-browser"]);
    room.refuse(2);
    let (name, text) = error(&host.call("list_apps"));
    assert_eq!(name, "login-required", "{text}");
    assert!(text.contains("chipp does not accept new tokens of this sign-in either"), "{text}");
    assert!(host.call("list_apps").get("result").is_some());
    assert_eq!(room.house.run(&["status"]).code, 0);
}

// what the server said with its 401 goes with the order, so that it is not asked again.
#[test]
fn a_sign_in_that_a_challenge_led_to_needs_no_probe() {
    let token_style = chipp_auth::sandbox::TokenStyle::Form;
    let house = House::new(Options { registration: true, token_style, ..Options::default() });
    house.point_chipp_at("http://127.0.0.1:9");
    let (program, _) = browser(&house);
    let mut command = house.command(&["proxy", house.sandbox.mcp_url().as_str()]);
    command.env("BROWSER", program);
    assert!(Host::start(command).initialize().get("result").is_some());
    assert_eq!(house.sandbox.counts().unauthorized, 1, "the request of the client itself");
}

// X-03 has tests of its own; here a token of the user's own choice, which no sign-in changes.
#[test]
fn a_token_given_by_hand_with_too_few_permissions_is_named() {
    let room = Room::new("apps:read");
    let value = format!("Authorization: Bearer {}", room.house.run(&["token"]).ok());
    let mut host = room.host_with(&["--header", &value]);
    let (name, text) = error(&create(&mut host));
    assert_eq!(name, "scope-required", "{text}");
    assert!(text.contains("the token given with --header has too few permissions"), "{text}");
    assert_eq!(room.tabs(), 0);
}
