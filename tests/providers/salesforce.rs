//! "Example: Salesforce Integration", walked through as it is written.

use std::io::Write;
use std::time::Duration;

use serde_json::json;

use crate::house::wait;
use crate::provider::{NAME, Provider, said, value};

/// The connected app, with the table of the example as profile.
fn start(scope: &str, options: &[&str]) -> Option<Provider> {
    let id = "3MVG9.consumer-key";
    let app = ["--habit", "salesforce", "--client-id", id, "--client-secret", "ABC123"];
    let provider = Provider::start(&[&app, options].concat())?;
    let field = |name: &str| provider.text(name);
    provider.profiles(&format!(
        "[profiles.{NAME}]\nurl = \"{}\"\nclient_id = \"{id}\"\nauthorize_url = \"{}\"\ntoken_url = \"{}\"\n\
         revoke_url = \"{}\"\nscope = \"{scope}\"\ntoken_style = \"form_basic\"\n",
        field("url"),
        field("authorize_url"),
        field("token_url"),
        field("revoke_url"),
    ));
    Some(provider)
}

#[test]
fn the_example_works_as_it_is_written() {
    let Some(provider) = start("api refresh_token offline_access", &[]) else { return };
    provider.login(&[]).ok();
    let issued = provider.issued();
    assert_eq!(issued["instance_url"], provider.text("origin"));
    assert_eq!(value(&provider.asked(), "scope").as_deref(), Some("api refresh_token offline_access"));

    let mut host = provider.host(&[]);
    let tools = host.ask("tools/list", json!({}));
    let names: Vec<_> =
        tools["result"]["tools"].as_array().unwrap().iter().map(|tool| &tool["name"]).collect();
    assert_eq!(names, ["whoami", "get_my_contacts", "search_salesforce_contacts"]);
    let found = host
        .ask("tools/call", json!({"name": "search_salesforce_contacts", "arguments": {"query": "friend"}}));
    assert!(said(&found).contains("A friend of John Doe"), "{found}");
    assert!(said(&host.call("get_my_contacts")).contains("A friend of John Doe"));
    // What the MCP server got is what Salesforce got.
    let api: Vec<_> = provider.seen("other");
    assert_eq!(api.len(), 2);
    let bearer = format!("Bearer {}", issued["access_token"].as_str().unwrap());
    assert!(api.iter().all(|entry| entry["headers"]["authorization"] == bearer));
    let status = provider.run(&["status", "--json"]).json();
    assert_eq!((&status["signed_in"], &status["refreshable"]), (&json!(true), &json!(true)));
}

// The same, typed: the table of the example by `profile add`, its secret on stdin. From then on nobody is told the
// secret again.
#[test]
fn the_example_works_as_it_is_typed() {
    let Some(provider) = start("api", &[]) else { return };
    provider.profiles("");
    let field = |name: &str| provider.text(name).to_owned();
    let (url, authorize, token) = (field("url"), field("authorize_url"), field("token_url"));
    let mut command = provider.house.command(&[
        "profile",
        "add",
        NAME,
        "--url",
        &url,
        "--auth",
        "oauth",
        "--client-id",
        "3MVG9.consumer-key",
        "--client-secret-stdin",
        "--authorize-url",
        &authorize,
        "--token-url",
        &token,
        "--scope",
        "api refresh_token offline_access",
        "--token-style",
        "form_basic",
    ]);
    let mut child = command.stdin(std::process::Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"ABC123\n").unwrap();
    wait(child).ok();
    let home = provider.house.home.path();
    let written = std::fs::read_to_string(home.join("profiles.toml")).unwrap();
    assert!(written.contains("3MVG9.consumer-key") && !written.contains("ABC123"), "{written}");

    let mut login = provider.command(&["login", "--timeout", "30s"]);
    wait(login.env_remove("CHIPP_AUTH_CLIENT_SECRET").spawn().unwrap()).ok();
    let mut host = provider.host(&[]);
    assert_eq!(said(&host.call("whoami")), "john@example.com");
    provider.ask(&json!({"do": "end", "token": provider.issued()["access_token"]}));
    assert_eq!(said(&host.call("whoami")), "john@example.com", "renewed");
    assert!(provider.seen("token").iter().all(|entry| entry["status"] == 200));
    // "Test OAuth Configuration".
    let mut test = provider.command(&["test"]);
    let tested = wait(test.env_remove("CHIPP_AUTH_CLIENT_SECRET").spawn().unwrap());
    tested.ok();
    assert!(format!("{tested:?}").contains("search_salesforce_contacts"), "{tested:?}");
}

// The answer does not say when a token ends: that is found out by a 401, and nobody notices.
#[test]
fn a_session_that_salesforce_ended_is_renewed_in_mid_call() {
    let Some(provider) = start("api refresh_token", &[]) else { return };
    provider.login(&[]).ok();
    let mut host = provider.host(&[]);
    assert_eq!(said(&host.call("whoami")), "john@example.com");
    for _ in 0..2 {
        let ended = provider.issued()["access_token"].clone();
        provider.ask(&json!({"do": "end", "token": ended}));
        assert_eq!(said(&host.call("whoami")), "john@example.com");
        assert_ne!(provider.issued()["access_token"], ended);
    }
    assert_eq!(provider.grants("refresh_token").len(), 2, "with one refresh token, which is not replaced");
}

// The scope `api` alone: no refresh token, which is said, and said again when the session is over.
#[test]
fn without_the_scope_there_is_no_refresh_token() {
    let Some(provider) = start("api", &[]) else { return };
    let ended = provider.login(&[]);
    ended.ok();
    assert!(provider.issued().get("refresh_token").is_none());
    assert!(ended.stderr.contains("refresh token"), "{ended:?}");
    assert_eq!(provider.run(&["status", "--json"]).json()["refreshable"], false);
    provider.ask(&json!({"do": "end", "token": provider.issued()["access_token"]}));
    let mut host = crate::host::Host::start({
        let mut command = provider.command(&["proxy"]);
        command.env_remove("BROWSER");
        command
    });
    let answer = host.initialize();
    let called = if answer.get("result").is_some() { host.call("whoami") } else { answer };
    let shown = called.to_string();
    assert!(shown.contains(&format!("chipp-auth login {NAME}")), "{shown}");
}

// "The token request style doesn't match what the provider expects."
#[test]
fn another_style_is_refused() {
    let Some(provider) = start("api", &[]) else { return };
    let text = std::fs::read_to_string(provider.house.home.path().join("profiles.toml")).unwrap();
    provider.profiles(&text.replace("form_basic", "form_post"));
    provider.login(&[]).failed("client-rejected", 2);
}

// "Invalid redirect_uri": a page at Salesforce, and the browser would never come back.
#[test]
fn a_redirect_uri_that_is_not_registered_is_found_out_beforehand() {
    let registered = ["--redirect-uri", "http://localhost:1717/oauth/callback"];
    let Some(provider) = start("api", &registered) else { return };
    let ended = provider.login(&[]);
    ended.failed("redirect-uri-mismatch", 2);
    let sent = value(&provider.asked(), "redirect_uri").unwrap();
    assert!(ended.stderr.contains(&sent), "{sent} is to be registered: {ended:?}");
    assert_eq!((provider.seen("authorize").len(), provider.seen("token").len()), (1, 0), "no browser opened");
}

// "OAuth Client Secret" in the environment of the sign-in only; the renewal needs it too.
#[test]
fn the_renewal_has_the_secret_of_the_sign_in() {
    let Some(provider) = start("api refresh_token", &[]) else { return };
    provider.login(&[]).ok();
    provider.ask(&json!({"do": "end", "token": provider.issued()["access_token"]}));
    std::thread::sleep(Duration::from_millis(10));
    assert_eq!(said(&provider.host(&[]).call("whoami")), "john@example.com");
    assert_eq!(provider.grants("refresh_token").last().unwrap()["status"], 200);
}
