//! Servers that give no refresh token: said at the sign-in, in `status`, and when the access has ended.

use std::time::Duration;

use chipp_auth::sandbox::{Fault, Options};

use super::{salesforce, token};
use crate::host::Host;
use crate::house::{House, browser};

/// Signs in to a server that gives no refresh token, and tells nobody.
fn house(lifetime: Duration, more: &str) -> House {
    let house = salesforce(Options { access_lifetime: lifetime, ..Options::default() }, more);
    house.sandbox.fail_next(Fault::edit(|answer| assert!(answer.remove("refresh_token").is_some())));
    house
}

#[test]
fn it_is_said_at_the_sign_in_and_in_the_status() {
    let house = house(Duration::from_secs(3600), "");
    let ended = house.login(&["crm"]);
    let remedy = chipp_auth::profile::preset::find("salesforce").unwrap().no_refresh.clone();
    let remedy = remedy.unwrap_or_else(|| "Some servers issue one only for the scope".to_owned());
    assert!(
        ended.stderr.contains("The server issued no refresh token") && ended.stderr.contains(&remedy),
        "{ended:?}"
    );
    let status = house.run(&["status", "crm"]);
    assert!(status.ok().contains("not renewable") && status.stdout.contains(&remedy), "{status:?}");
    let status = house.run(&["status", "crm", "--json"]).json();
    assert_eq!(status["refreshable"], false);
    assert!(status["remedy"].as_str().unwrap().contains(&remedy), "{status}");
    assert_eq!(status["accounts"][0]["refreshable"], false);
    // With one, there is nothing to say.
    assert!(!house.login(&["crm"]).stderr.contains("refresh token"));
    assert!(house.run(&["status", "crm", "--json"]).json().get("remedy").is_none());
}

#[test]
fn when_the_access_has_ended_it_is_named_to_everybody() {
    let house = house(Duration::from_secs(1), "");
    house.login(&["crm"]);
    std::thread::sleep(Duration::from_millis(1100));
    for command in ["token", "headers"] {
        let ended = house.run(&[command, "crm"]);
        ended.failed("refresh-missing", 4);
        assert!(ended.stderr.contains("run `chipp-auth login crm`; "), "{ended:?}");
    }
    assert_eq!(house.run(&["status", "crm"]).code, 4);
    let mut host = Host::of(&house, &["crm", "--no-browser"]);
    let error = &host.initialize()["error"];
    assert_eq!(error["data"]["name"], "refresh-missing", "{error}");
    let message = error["message"].as_str().unwrap();
    for part in ["your Salesforce account", "crm (Salesforce)", "no refresh token", "`chipp-auth login crm`"]
    {
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(house.sandbox.counts().token_refresh, 0);
    // A new sign-in mends the running proxy too.
    house.login(&["crm"]);
    assert!(host.initialize().get("result").is_some());
}

// The only way on is the same as for everybody who is signed out.
#[test]
fn a_proxy_has_the_person_sign_in_again() {
    let house = house(Duration::from_secs(1), "");
    house.login(&["crm"]);
    std::thread::sleep(Duration::from_millis(1100));
    house.sandbox.set(|options| options.access_lifetime = Duration::from_secs(3600));
    house.run(&["token", "crm"]).failed("refresh-missing", 4);
    let (program, opened) = browser(&house);
    let mut command = house.command(&["proxy", "crm"]);
    command.env("BROWSER", program).env("DISPLAY", ":0");
    let mut host = Host::start(command);
    assert!(host.initialize().get("result").is_some());
    assert_eq!(std::fs::read_to_string(opened).unwrap().lines().count(), 1);
    assert!(token(&house, &["crm"]).starts_with("chipp_at_"));
}
