//! What a client is told names the profile, the provider and the account: several of them stand side by side
//! there.

use chipp_auth::sandbox::{Consent, Fault, Options};
use serde_json::json;

use super::{JANE, JOHN, login_as, next_is, salesforce, token, write};
use crate::host::Host;
use crate::house::browser;

#[test]
fn each_proxy_says_which_sign_in_it_misses() {
    let house = salesforce(Options::default(), "");
    write(&house, &[("crm", ""), ("sales", ""), ("salesforce", "")]);
    login_as(&house, JOHN, &["sales"]);
    for (args, parts) in [
        (
            &["crm"][..],
            &[
                "this action requires access to your Salesforce account",
                "you are not signed in to crm (Salesforce), and",
                "run `chipp-auth login crm` in a terminal",
            ][..],
        ),
        (
            &["sales", "--account", "work"],
            &["not signed in to sales (Salesforce) as work", "`chipp-auth login sales --account work`"],
        ),
        (&["salesforce"], &["not signed in to Salesforce, and", "`chipp-auth login salesforce`"]),
        (&[], &["login-required: you are not signed in to chipp, and", "`chipp-auth login`"]),
    ] {
        let mut host = Host::of(&house, &[args, &["--no-browser"]].concat());
        let error = &host.initialize()["error"];
        assert_eq!(error["data"]["name"], "login-required", "{error}");
        for part in parts {
            assert!(error["message"].as_str().unwrap().contains(part), "{error}");
        }
    }
    assert!(Host::of(&house, &["sales"]).initialize().get("result").is_some());
}

#[test]
fn an_ended_sign_in_is_named_with_its_account() {
    let house = salesforce(Options::default(), "");
    login_as(&house, JOHN, &["crm"]);
    login_as(&house, JANE, &["crm", "--account", "work"]);
    house.sandbox.revoke_all();
    for (args, whom) in [
        (&["crm"][..], " as john@example.com"),
        (&["crm", "--account", "work"], " as jane@example.com (account work)"),
    ] {
        let mut host = Host::of(&house, &[args, &["--no-browser"]].concat());
        let error = host.initialize()["error"].clone();
        let said = format!("crm (Salesforce) has ended your sign-in{whom}, and");
        assert!(error["message"].as_str().unwrap().contains(&said), "{error}");
        house.run(&[&["token"], args].concat()).failed("login-required", 4);
    }
}

#[test]
fn two_accounts_of_one_profile_serve_two_clients_at_once() {
    let house = salesforce(Options::default(), "");
    login_as(&house, JOHN, &["crm"]);
    login_as(&house, JANE, &["crm"]);
    let [mut johns, mut janes] =
        [&["crm"][..], &["crm", "--account", JANE]].map(|args| Host::of(&house, args));
    assert!(johns.initialize().get("result").is_some() && janes.initialize().get("result").is_some());
    // Only hers ends at the server.
    let hers = token(&house, &["crm", "--account", JANE]);
    assert_eq!(house.run(&["logout", "crm", "--account", JANE]).code, 0);
    assert_ne!(token(&house, &["crm"]), hers);
    assert!(johns.call("list_apps").get("result").is_some());
    let error = &janes.call("list_apps")["error"];
    assert!(error["message"].as_str().unwrap().contains("crm (Salesforce) as jane@example.com"), "{error}");
}

// A browser that is signed in as somebody else answers the page that a proxy has opened.
#[test]
fn a_proxy_that_gets_another_account_says_so_and_uses_neither() {
    let house = salesforce(Options { auto_consent: Some(Consent::Authorize), ..Options::default() }, "");
    login_as(&house, JOHN, &["crm"]);
    house.sandbox.revoke_all();
    let (program, _) = browser(&house);
    let mut command = house.command(&["proxy", "crm"]);
    let mut host = Host::start({
        command.env("BROWSER", program).env("DISPLAY", ":0");
        command
    });
    let refused = json!({"error": "invalid_grant"}).to_string();
    house.sandbox.fail_next(Fault::token(400, "application/json", refused));
    next_is(&house, json!({"email": JANE}));
    let error = &host.initialize()["error"];
    assert_eq!(error["data"]["name"], "login-denied", "{error}");
    let message = error["message"].as_str().unwrap();
    let said = "you signed in to crm (Salesforce) as jane@example.com, but this client uses john@example.com";
    assert!(
        message.contains(said) && message.contains("`chipp-auth proxy crm --account jane@example.com`"),
        "{message}"
    );
    assert!(token(&house, &["crm", "--account", JANE]).starts_with("chipp_at_"));
    assert_eq!(house.run(&["token", "crm"]).code, 4);
}
