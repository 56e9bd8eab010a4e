//! Two accounts of one profile in two clients at once: each gets its own identity, always.

use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::house::wait;
use crate::parts::peer;
use crate::provider::{NAME, Provider, said};

const CALLS: usize = 50;

/// John and Jane, each signed in to an account of his and her own; tokens live so long.
fn both(habit: &str, lifetime: Duration) -> Option<Provider> {
    let seconds = lifetime.as_secs().to_string();
    // A token that ends on its way to the server is not what this is about.
    let options = ["--habit", habit, "--lifetime", &seconds, "--grace", "3600"];
    let provider = Provider::start(&options)?;
    provider.profile(&format!(
        "token_style = \"{}\"\nscope = \"api openid refresh_token\"",
        if habit == "salesforce" { "form_basic" } else { "form_post" }
    ));
    for login in ["john", "jane"] {
        provider.user(login);
        provider.login(&["--account", login]).ok();
    }
    Some(provider)
}

/// Two clients that were not written here, each with a proxy of its own.
fn clients(provider: &Provider, pause: &str) -> Value {
    let proxy = |account: &str| {
        let command = provider.command(&["proxy", "--account", account]);
        let words = [command.get_program()].into_iter().chain(command.get_args());
        words.map(|word| word.to_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let mut command = Command::new("node");
    command.arg(peer("accounts.mjs")).args(["--calls", &CALLS.to_string(), "--pause", pause, "--"]);
    command.args(proxy("john")).arg("--and").args(proxy("jane")).env_clear();
    // Nobody would answer a browser that they opened.
    let envs = provider.house.command(&[]);
    command.envs(envs.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::piped());
    wait(command.stderr(std::process::Stdio::piped()).spawn().unwrap()).json()
}

/// Each client was told the right name at every call.
fn told_apart(report: &Value, names: [&str; 2]) {
    let [john, jane] = names;
    let expected = json!({"answers": [{ john: CALLS }, { jane: CALLS }], "errors": []});
    assert_eq!(report, &expected);
}

#[test]
fn each_client_has_its_own_account() {
    let Some(provider) = both("plain", Duration::from_secs(3600)) else { return };
    told_apart(&clients(&provider, "0"), ["john@example.com", "jane@example.com"]);
    assert_eq!(provider.grants("refresh_token").len(), 0);
}

#[test]
fn each_client_has_its_own_account_while_tokens_are_renewed() {
    let Some(provider) = both("plain", Duration::from_secs(1)) else { return };
    told_apart(&clients(&provider, "100"), ["john@example.com", "jane@example.com"]);
    let renewed = provider.grants("refresh_token");
    assert!(renewed.len() >= 2, "{renewed:?}");
    assert!(renewed.iter().all(|entry| entry["status"] == 200), "none was spent twice: {renewed:?}");
}

// The tokens of one end at the server in mid-session; the other one's are not touched.
#[test]
fn what_ends_for_one_account_does_not_end_for_the_other() {
    let Some(provider) = both("salesforce", Duration::from_secs(3600)) else { return };
    let hosts = ["john", "jane"].map(|login| provider.host(&["--account", login]));
    let [mut john, mut jane] = hosts;
    for _ in 0..3 {
        assert_eq!(said(&john.call("whoami")), "john@example.com");
        assert_eq!(said(&jane.call("whoami")), "jane@example.com");
        let bearer = provider.seen("mcp").into_iter().rfind(|entry| entry["user"] == "john@example.com");
        let bearer = bearer.unwrap()["headers"]["authorization"].as_str().unwrap().to_owned();
        provider.ask(&json!({"do": "end", "token": bearer.strip_prefix("Bearer ").unwrap()}));
    }
    assert_eq!(said(&john.call("whoami")), "john@example.com");
    assert_eq!(provider.grants("refresh_token").len(), 3, "his alone");
    provider.ask(&json!({"do": "withdraw", "login": "john"}));
    let refused = john.call("whoami").to_string();
    assert!(refused.contains(&format!("chipp-auth login {NAME} --account john")), "{refused}");
    assert_eq!(said(&jane.call("whoami")), "jane@example.com");
}

// What is stored of one is never the other's.
#[test]
fn a_logout_of_one_account_leaves_the_other() {
    let Some(provider) = both("plain", Duration::from_secs(3600)) else { return };
    provider.run(&["logout", "--account", "john"]).ok();
    provider.run(&["token", "--account", "john"]).failed("login-required", 4);
    assert_eq!(said(&provider.host(&["--account", "jane"]).call("whoami")), "jane@example.com");
}

/// Where the name of the account is, for a provider with this habit.
fn named(habit: &str, from: &str, more: &str) -> Option<Provider> {
    let provider = Provider::start(&["--habit", habit])?;
    let style = if habit == "salesforce" { "form_basic" } else { "form_post" };
    provider.profile(&format!("token_style = \"{style}\"\naccount_from = [\"{from}\"]\n{more}"));
    Some(provider)
}

// "Connected to Salesforce as john@example.com".
#[test]
fn the_account_has_the_name_that_the_provider_tells() {
    for (habit, from, more, name) in [
        ("salesforce", "userinfo.email", "scope = \"api\"", "john@example.com"),
        ("google", "id_token.email", "scope = \"openid email\"", "john@example.com"),
        ("entra", "id_token.preferred_username", "scope = \"openid\"", "john@example.com"),
        ("github", "userinfo.login", "", "john"),
        ("slack", "token.authed_user.id", "token_types = [\"user\"]", "U001"),
        ("plain", "userinfo.email", "", "john@example.com"),
    ] {
        let Some(provider) = named(habit, from, more) else { return };
        let ended = provider.login(&[]);
        ended.ok();
        assert!(ended.stderr.contains(&format!(" as {name}")), "{habit}: {ended:?}");
        assert_eq!(provider.run(&["status", "--json"]).json()["identity"], name, "{habit}");
        assert!(provider.run(&["status"]).stdout.contains(name), "{habit}");
        // The token went to the profile's own endpoint alone, and only where it was needed.
        let asked: Vec<_> = provider.seen("userinfo");
        assert_eq!(asked.len(), usize::from(from.starts_with("userinfo")), "{habit}");
        assert!(asked.iter().all(|entry| entry["method"] == "GET"), "{habit}");
    }
}

// A sign-in that brings somebody else never replaces the one that is there.
#[test]
fn somebody_elses_sign_in_becomes_an_account_of_its_own() {
    let Some(provider) = named("plain", "userinfo.email", "") else { return };
    provider.login(&[]).ok();
    let johns = provider.run(&["token"]).ok().to_owned();
    provider.user("jane");
    let ended = provider.login(&[]);
    assert!(
        ended.stderr.contains("jane@example.com") && ended.stderr.contains("john@example.com"),
        "{ended:?}"
    );
    assert_eq!(provider.run(&["token"]).ok(), johns, "his is as it was");
    let name = "jane@example.com";
    assert_eq!(said(&provider.host(&["--account", name]).call("whoami")), name);
    assert_eq!(said(&provider.host(&[]).call("whoami")), "john@example.com");
    assert!(provider.is_active(&johns.into()), "and nothing was revoked");
}
