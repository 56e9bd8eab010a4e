//! Providers with habits: a sign-in works as with any other, and what fails is named, with the remedy.

use serde_json::{Value, json};

use crate::provider::{NAME, Provider, failed, said};

/// What a provider with a habit needs of a profile.
fn start(habit: &str, options: &[&str], profile: &str) -> Option<Provider> {
    let provider = Provider::start(&[&["--habit", habit], options].concat())?;
    provider.profile(&format!("token_style = \"form_post\"\n{profile}"));
    Some(provider)
}

/// A sign-in, and a tool call with its token.
fn serves(provider: &Provider, user: &str) {
    provider.login(&[]).ok();
    assert_eq!(said(&provider.host(&[]).call("whoami")), user);
}

/// From the next command on the provider knows this client by another secret.
fn with_a_wrong_secret(provider: &Provider) -> crate::house::Ended {
    let mut command = provider.command(&["login", "--timeout", "30s"]);
    crate::house::wait(command.env("CHIPP_AUTH_CLIENT_SECRET", "wrong").spawn().unwrap())
}

fn status(provider: &Provider) -> Value {
    provider.run(&["status", "--json"]).json()
}

#[test]
fn github_answers_in_json_because_it_is_asked_to() {
    let Some(provider) = start("github", &[], "scope = \"repo gist\"") else { return };
    serves(&provider, "john");
    let [exchange] = &provider.seen("token")[..] else { panic!("one exchange") };
    assert!(exchange["answer"].as_str().unwrap().starts_with('{'));
    assert_eq!(status(&provider)["refreshable"], false, "such tokens do not expire");
}

// Its default, and what servers do that took it for an example.
#[test]
fn an_answer_that_is_a_form_is_read() {
    let Some(provider) = start("github", &["--deaf", "--expiring", "--lifetime", "1"], "") else { return };
    provider.login(&[]).ok();
    assert!(provider.seen("token")[0]["answer"].as_str().unwrap().starts_with("access_token=ghu_"));
    provider.ask(&json!({"do": "lifetime", "seconds": 3600}));
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let token = provider.run(&["token"]).ok().to_owned();
    assert_eq!(token, provider.issued()["access_token"], "and so is that of a renewal");
    assert_eq!(said(&provider.host(&[]).call("whoami")), "john");
}

// 200 with an error in it, in JSON and in a form.
#[test]
fn errors_of_github_are_named() {
    for deaf in [&[][..], &["--deaf"]] {
        let Some(provider) = start("github", deaf, "") else { return };
        failed(&with_a_wrong_secret(&provider), "client-rejected", 2, "incorrect_client_credentials");
        assert_eq!(status(&provider)["signed_in"], false);
        let bad = "error=bad_verification_code&error_description=The+code+passed+is+incorrect+or+expired.";
        provider.ask(&json!({"do": "instead", "route": "token", "status": 200,
            "type": "application/x-www-form-urlencoded", "body": bad}));
        let ended = provider.login(&[]);
        assert_ne!(ended.code, 0);
        assert!(ended.stderr.contains("bad_verification_code"), "{ended:?}");
    }
}

#[test]
fn a_refresh_token_that_github_does_not_know_any_more_is_the_end_of_the_sign_in() {
    let Some(provider) = start("github", &["--expiring", "--lifetime", "1"], "") else { return };
    provider.login(&[]).ok();
    provider.ask(&json!({"do": "withdraw", "login": "john"}));
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let ended = provider.run(&["token"]);
    failed(&ended, "login-required", 4, &format!("chipp-auth login {NAME}"));
    assert!(provider.grants("refresh_token")[0]["answer"].as_str().unwrap().contains("bad_refresh_token"));
}

// The token type is its own, and a profile has to say that it is meant.
#[test]
fn slack_signs_in_with_its_own_type_of_token() {
    let Some(provider) = start("slack", &[], "") else { return };
    provider.login(&[]).failed("wrong-token-type", 7);
    provider
        .profile("token_style = \"form_post\"\ntoken_types = [\"user\"]\nscope = \"search:read users:read\"");
    serves(&provider, "john@example.com");
    let mcp = provider.seen("mcp");
    let bearer = |entry: &Value| entry["headers"]["authorization"].as_str().unwrap_or_default().to_owned();
    assert!(mcp.iter().any(|entry| bearer(entry).starts_with("Bearer xoxp-")), "as a bearer token");
}

#[test]
fn errors_of_slack_are_named() {
    let Some(provider) = start("slack", &[], "token_types = [\"user\"]") else { return };
    failed(&with_a_wrong_secret(&provider), "client-rejected", 2, "bad_client_secret");
    let bad = r#"{"ok":false,"error":"invalid_code"}"#;
    provider.ask(
        &json!({"do": "instead", "route": "token", "status": 200, "type": "application/json", "body": bad}),
    );
    let ended = provider.login(&[]);
    assert_ne!(ended.code, 0);
    assert!(ended.stderr.contains("invalid_code"), "{ended:?}");
    assert_eq!(status(&provider)["signed_in"], false);
}

#[test]
fn slack_rotates_where_that_is_switched_on() {
    let types = "token_types = [\"user\"]";
    let Some(provider) = start("slack", &["--expiring", "--lifetime", "1"], types) else { return };
    provider.login(&[]).ok();
    provider.ask(&json!({"do": "lifetime", "seconds": 3600}));
    std::thread::sleep(std::time::Duration::from_millis(1100));
    assert_eq!(provider.run(&["token"]).ok(), provider.issued()["access_token"]);
}

/// A second sign-in at Google: the user has consented before, and nothing asks him anew.
fn second(provider: &Provider) -> crate::house::Ended {
    let first = provider.login(&[]);
    first.ok();
    assert!(provider.issued().get("refresh_token").is_some());
    assert_eq!(status(provider)["refreshable"], true);
    provider.run(&["logout", "--local"]).ok();
    provider.login(&[])
}

fn google(more: &str, options: &[&str]) -> Option<Provider> {
    let params = format!("[profiles.{NAME}.authorize_params]\naccess_type = \"offline\"\n{more}");
    start("google", options, &format!("scope = \"openid email\"\n{params}"))
}

// "Some OAuth providers (like Google) only return a refresh token on the first authorization."
#[test]
fn google_without_a_refresh_token_is_told_at_every_turn() {
    let Some(provider) = google("", &["--lifetime", "3"]) else { return };
    let ended = second(&provider);
    ended.ok();
    assert!(ended.stderr.contains("refresh token"), "said at the sign-in: {ended:?}");
    let told = provider.run(&["status"]);
    assert!(told.stdout.contains("refresh"), "said by status: {told:?}");
    assert_eq!(status(&provider)["refreshable"], false);
    std::thread::sleep(std::time::Duration::from_millis(3100));
    let ended = provider.run(&["token"]);
    failed(&ended, "refresh-missing", 4, "refresh token");
    assert!(ended.stderr.contains(NAME), "{ended:?}");
}

// "Some providers require adding `access_type=offline` or `prompt=consent`."
#[test]
fn google_gives_a_refresh_token_again_where_it_is_asked_to() {
    let Some(provider) = google("prompt = \"consent\"", &[]) else { return };
    second(&provider).ok();
    assert!(provider.issued().get("refresh_token").is_some());
    assert_eq!(status(&provider)["refreshable"], true);
}

// "User should revoke access in the provider's settings." A logout that revokes does the same.
#[test]
fn google_gives_a_refresh_token_after_the_access_was_revoked() {
    for by_logout in [true, false] {
        let Some(provider) = google("", &[]) else { return };
        provider.login(&[]).ok();
        if by_logout {
            provider.run(&["logout"]).ok();
        } else {
            provider.ask(&json!({"do": "withdraw", "login": "john"}));
        }
        provider.login(&[]).ok();
        assert_eq!(status(&provider)["refreshable"], true);
    }
}

// A renewal that brings no new refresh token leaves the old one.
#[test]
fn the_refresh_token_of_google_serves_again_and_again() {
    let Some(provider) = google("", &["--lifetime", "2"]) else { return };
    provider.login(&[]).ok();
    for _ in 0..2 {
        std::thread::sleep(std::time::Duration::from_millis(2100));
        assert_eq!(provider.run(&["token"]).ok(), provider.issued()["access_token"]);
    }
    assert_eq!(provider.grants("refresh_token").len(), 2);
}

#[test]
fn errors_of_google_are_named() {
    let Some(provider) = google("", &[]) else { return };
    failed(&with_a_wrong_secret(&provider), "client-rejected", 2, "invalid_client");
    let bad = r#"{"error":"redirect_uri_mismatch","error_description":"Bad Request"}"#;
    provider.ask(
        &json!({"do": "instead", "route": "token", "status": 400, "type": "application/json", "body": bad}),
    );
    let ended = provider.login(&[]);
    assert!(ended.stderr.contains("redirect_uri_mismatch"), "{ended:?}");
    assert_eq!(ended.code, 2, "{ended:?}");
}

#[test]
fn entra_signs_in_without_a_resource() {
    let scope = "scope = \"openid offline_access api://contacts/read\"";
    let Some(provider) = start("entra", &["--lifetime", "3600"], scope) else { return };
    serves(&provider, "john@example.com");
    assert_eq!(status(&provider)["refreshable"], true);
}

// AADSTS9010010: its endpoints v2.0 want no `resource`.
#[test]
fn a_resource_at_entra_is_refused_and_named() {
    let Some(provider) = start("entra", &[], "resource = \"https://api.example\"") else { return };
    let ended = provider.login(&[]);
    assert_ne!(ended.code, 0);
    assert!(ended.stderr.contains("AADSTS9010010"), "{ended:?}");
    assert!(ended.stderr.contains("resource"), "{ended:?}");
}

// AADSTS7000215, 54005.
#[test]
fn errors_of_entra_are_named() {
    let Some(provider) = start("entra", &[], "scope = \"offline_access\"") else { return };
    failed(&with_a_wrong_secret(&provider), "client-rejected", 2, "AADSTS7000215");
    let used = json!({"error": "invalid_grant", "error_codes": [54005],
        "error_description": "AADSTS54005: OAuth2 Authorization code was already redeemed, please retry."});
    provider.ask(&json!({"do": "instead", "route": "token", "status": 400, "type": "application/json",
        "body": used.to_string()}));
    let ended = provider.login(&[]);
    assert_ne!(ended.code, 0);
    assert!(ended.stderr.contains("AADSTS54005"), "{ended:?}");
}

// AADSTS90009: a refresh names the scope again, where client and API are one.
#[test]
fn a_refresh_at_entra_names_the_scope() {
    for (line, served) in [("", false), ("refresh_scope = \"requested\"", true)] {
        let scope = "scope = \"offline_access api://client/read\"";
        let options = ["--lifetime", "2"];
        let Some(provider) = start("entra", &options, &format!("{scope}\n{line}")) else { return };
        provider.login(&[]).ok();
        std::thread::sleep(std::time::Duration::from_millis(2100));
        let ended = provider.run(&["token"]);
        if served {
            assert_eq!(ended.ok(), provider.issued()["access_token"]);
        } else {
            assert_ne!(ended.code, 0);
            assert!(ended.stderr.contains("AADSTS90009"), "{ended:?}");
            assert!(ended.stderr.contains("refresh_scope"), "the remedy: {ended:?}");
            // The refresh token is as good as before: with the line, it serves.
            provider.profile(&format!("token_style = \"form_post\"\n{scope}\nrefresh_scope = \"requested\""));
        }
    }
}
