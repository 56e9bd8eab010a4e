//! `login` at a server whose style nobody knows, as a user runs it; and what becomes of pinned hosts.

use std::path::Path;

use chipp_auth::credential::TokenStyle::{self, FormBasic, FormPost, Json, JsonBasic};
use chipp_auth::sandbox::Options;
use serde_json::Value;

use crate::house::{Ended, House, Login, follow};
use crate::kit::{ID, SECRET};
use crate::strict::{Habits, Says, Strict};

/// A profile `acme` at this server, and the secret of its client.
struct Acme {
    server: Strict,
    house: House,
}

impl Acme {
    fn new(habits: Habits, more: &str) -> Acme {
        let acme = Acme { server: Strict::start_alone(habits), house: House::new(Options::default()) };
        acme.profile(more);
        acme
    }

    fn profile(&self, more: &str) {
        let text = format!(
            "[profiles.acme]\nurl = \"https://mcp.acme.example/mcp\"\nauthorize_url = \"{}\"\ntoken_url = \"{}\"\nclient_id = \"{ID}\"\nscope = \"asked\"\n{more}",
            self.server.at("/authorize"),
            self.server.url,
        );
        std::fs::write(self.house.home.path().join("profiles.toml"), text).unwrap();
    }

    fn command(&self, args: &[&str]) -> std::process::Command {
        let mut command = self.house.command(args);
        command.env("CHIPP_AUTH_CLIENT_SECRET", SECRET);
        command
    }

    fn run(&self, args: &[&str]) -> Ended {
        crate::house::wait(self.command(args).spawn().unwrap())
    }

    /// Signs in, authorizing as often as asked, and says how it ended, with the styles of its token requests.
    fn login(&self, args: &[&str], authorizations: usize) -> (Ended, Vec<TokenStyle>) {
        let before = self.server.styles().len();
        let mut login = Login::spawn(self.command(&[&["login", "acme", "--no-browser"], args].concat()));
        for _ in 0..authorizations {
            follow(&login.url());
        }
        let ended = login.wait();
        (ended, self.server.styles().split_off(before))
    }
}

const REMEMBERED: &str = "The token endpoint takes form_basic (found by trying; remembered).";

#[test]
fn a_style_is_found_told_and_remembered_beyond_the_sign_in() {
    let habits = Habits { takes: Some(FormBasic), burns: false, says: Says::Silent(400), mute: false };
    let acme = Acme::new(habits, "");
    let (ended, asked) = acme.login(&[], 1);
    ended.ok();
    assert!(ended.stderr.contains(REMEMBERED), "{ended:?}");
    assert_eq!(asked, [FormPost, FormBasic]);
    // The record has the style: a refresh tries nothing.
    ended_access();
    assert_eq!(acme.run(&["token", "acme"]).ok(), "a");
    assert_eq!(acme.server.styles().split_off(2), [FormBasic]);
    // Another account, and the same one after it has signed out.
    let (ended, asked) = acme.login(&["--account", "work", "--json"], 1);
    assert_eq!(asked, [FormBasic]);
    assert_eq!(ended.json()["token_style"], "form_basic");
    acme.run(&["logout", "acme", "--local"]).ok();
    let (ended, asked) = acme.login(&[], 1);
    assert_eq!((ended.code, asked), (0, vec![FormBasic]));
    assert!(!ended.stderr.contains("found by trying"), "{ended:?}");
    nowhere(acme.house.home.path(), SECRET);
    // `reset` shows and forgets it.
    let reset = acme.run(&["reset", "acme", "--yes"]);
    assert!(reset.stderr.contains("the note on the token request style"), "{reset:?}");
    let (ended, asked) = acme.login(&[], 1);
    assert_eq!((ended.code, asked), (0, vec![FormPost, FormBasic]));
}

/// No file contains it.
fn nowhere(directory: &Path, secret: &str) {
    for entry in std::fs::read_dir(directory).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            nowhere(&entry.path(), secret);
        } else {
            let bytes = std::fs::read(entry.path()).unwrap();
            assert!(!bytes.windows(secret.len()).any(|part| part == secret.as_bytes()), "{:?}", entry.path());
        }
    }
}

#[test]
fn a_burned_code_costs_one_more_authorization_and_no_more() {
    let habits = Habits { takes: Some(FormBasic), burns: true, says: Says::InvalidClient, mute: false };
    let acme = Acme::new(habits, "token_style = \"auto\"\n");
    let (ended, asked) = acme.login(&[], 2);
    ended.ok();
    assert_eq!(asked, [FormPost, FormBasic, FormBasic]);
    assert!(ended.stderr.contains("Please authorize once more."), "{ended:?}");
    assert!(ended.stderr.contains(REMEMBERED), "{ended:?}");
    let (ended, asked) = acme.login(&["--json"], 1);
    assert_eq!((ended.json()["token_style"].clone(), asked), (Value::from("form_basic"), vec![FormBasic]));
}

/// A server that takes a code for wrong also in the second authorization is believed.
#[test]
fn there_is_no_third_authorization() {
    let habits = Habits { takes: None, burns: true, says: Says::InvalidGrant, mute: false };
    let acme = Acme::new(habits, "token_style = \"auto\"\n");
    let (ended, asked) = acme.login(&[], 1);
    ended.failed("login-denied", 3);
    assert_eq!(asked, [FormPost]);
    assert!(ended.stderr.contains("--token-style form_basic"), "{ended:?}");
}

#[test]
fn a_named_style_is_the_only_one_and_a_silent_refusal_names_the_cause() {
    let habits = Habits { takes: Some(FormBasic), burns: false, says: Says::Page, mute: true };
    let acme = Acme::new(habits, "token_style = \"json_basic\"\n");
    let (ended, asked) = acme.login(&[], 1);
    ended.failed("exchange-rejected", 2);
    assert_eq!(asked, [JsonBasic]);
    assert!(ended.stderr.contains("`chipp-auth login acme --token-style auto`"), "{ended:?}");
    // As the hint says.
    let (ended, asked) = acme.login(&["--token-style", "auto"], 1);
    assert_eq!((ended.code, asked), (0, vec![FormPost, FormBasic]), "{ended:?}");
}

#[test]
fn all_styles_refused_is_said_with_their_names() {
    for (says, name) in [(Says::InvalidClient, "client-rejected"), (Says::Silent(400), "exchange-rejected")] {
        let acme = Acme::new(Habits { takes: None, burns: false, says, mute: true }, "");
        let (ended, asked) = acme.login(&[], 1);
        ended.failed(name, 2);
        assert_eq!(asked, [FormPost, FormBasic, JsonBasic, Json]);
        assert!(ended.stderr.contains("(form_post, form_basic, json_basic, json)"), "{ended:?}");
        assert!(!ended.stderr.contains(SECRET));
        // Nothing was found, so nothing is remembered.
        assert!(!acme.house.home.path().join("styles").exists());
    }
}

#[test]
fn a_profile_adds_its_parameters_and_says_which_scope_a_refresh_names() {
    let habits = Habits { takes: Some(FormPost), burns: false, says: Says::Silent(400), mute: false };
    for (refresh_scope, named) in [("omit", None), ("requested", Some("asked")), ("granted", Some("granted"))]
    {
        let more = format!(
            "refresh_scope = \"{refresh_scope}\"\n[profiles.acme.token_params]\naudience = \"api\"\n\
             [profiles.acme.authorize_params]\naccess_type = \"offline\"\nstate = \"mine\"\n"
        );
        let acme = Acme::new(habits, &more);
        let mut login = Login::spawn(acme.command(&["login", "acme", "--no-browser"]));
        let url = login.url();
        assert!(url.contains("&access_type=offline") && !url.contains("state=mine"), "{url}");
        follow(&url);
        login.wait().ok();
        ended_access();
        acme.run(&["token", "acme"]).ok();
        let bodies = acme.server.bodies();
        assert_eq!(bodies.len(), 2);
        for body in &bodies {
            assert!(body.ends_with("&audience=api"), "{body}");
        }
        let pairs = url::form_urlencoded::parse(bodies[1].as_bytes()).into_owned();
        let scope = pairs.into_iter().find(|(name, _)| name == "scope").map(|(_, scope)| scope);
        assert_eq!(scope.as_deref(), named, "{refresh_scope}");
    }
}

/// Where metadata leads elsewhere than the profile allows. What the profile states itself is judged when it is
/// read.
#[test]
fn pinned_hosts_hold_before_anything_is_opened_or_sent() {
    let house = House::new(Options::default());
    let base = house.sandbox.base().as_str().trim_end_matches('/').to_owned();
    let profile = |hosts: &str| {
        let text = format!(
            "[profiles.acme]\nurl = \"{base}/mcp/messages\"\nclient_id = \"chipp-mcp-client\"\n\
             token_style = \"json\"\n{hosts}"
        );
        std::fs::write(house.home.path().join("profiles.toml"), text).unwrap();
    };
    let login = || Login::spawn(house.command(&["login", "acme", "--no-browser"]));
    profile("hosts = [\"*.acme.example\", \"localhost\"]\n");
    let ended = login().wait();
    ended.failed("wrong-origin", 7);
    assert!(
        !ended.stderr.contains("/authorize?") && ended.stderr.contains("add 127.0.0.1 to `hosts`"),
        "{ended:?}"
    );
    let counts = house.sandbox.counts();
    assert_eq!((counts.authorize, counts.token_code), (0, 0));
    // With the host in the list it goes on.
    profile("hosts = [\"*.acme.example\", \"127.0.0.1\"]\n");
    house.sandbox.set(|options| options.access_lifetime = std::time::Duration::from_secs(1));
    let mut allowed = login();
    follow(&allowed.url());
    allowed.wait().ok();
    // A record that was made before is held to it too: for a renewal, and for the end.
    ended_access();
    profile("hosts = [\"*.acme.example\"]\n");
    house.run(&["token", "acme"]).failed("wrong-origin", 7);
    let ended = house.run(&["logout", "acme"]);
    assert!(ended.code == 5 && ended.stderr.contains("on none of the hosts"), "{ended:?}");
    let counts = house.sandbox.counts();
    assert_eq!((counts.token_refresh, counts.revoke), (0, 0));
}

/// The tokens of these servers live for a second.
fn ended_access() {
    std::thread::sleep(std::time::Duration::from_millis(1100));
}
