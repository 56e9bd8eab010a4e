//! A preset stands behind a profile: with it and a client id, the provider's habits are known. Only the addresses
//! are those of this computer here.

use std::time::Duration;

use serde_json::{Value, json};

use crate::provider::{NAME, Provider, said, value};

/// A profile of this preset for a provider with its habits; `more` stands last.
fn start(preset: &str, options: &[&str], more: &str) -> Option<Provider> {
    let provider = Provider::start(&[&["--habit", preset], options].concat())?;
    // Presets that fix a port would have tests in each other's way.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let own = format!("preset = \"{preset}\"\nredirect_port = {port}\nhosts = [\"127.0.0.1\"]\n{more}");
    provider.profile(&own);
    Some(provider)
}

/// A sign-in, a call, and a renewal after the token has ended at the server: the user's name in the end.
fn life(provider: &Provider, user: &str) {
    let ended = provider.login(&[]);
    ended.ok();
    let mut host = provider.host(&[]);
    assert_eq!(said(&host.call("whoami")), user);
    let issued = provider.issued();
    if issued.get("refresh_token").is_some() {
        provider.ask(&json!({"do": "end", "token": issued["access_token"]}));
        assert_eq!(said(&host.call("whoami")), user, "renewed");
        assert_eq!(provider.grants("refresh_token").len(), 1);
    }
    drop(host);
    assert!(provider.seen("token").iter().all(|entry| entry["status"] == 200));
}

fn status(provider: &Provider) -> Value {
    provider.run(&["status", "--json"]).json()
}

#[test]
fn google() {
    let Some(provider) = start("google", &[], "scope = \"openid email\"") else { return };
    life(&provider, "john@example.com");
    let asked = provider.asked();
    for (name, expected) in [("access_type", "offline"), ("prompt", "consent")] {
        assert_eq!(value(&asked, name).as_deref(), Some(expected));
    }
    assert!(value(&asked, "redirect_uri").unwrap().starts_with("http://127.0.0.1:"));
    // Also the second time, and the third.
    provider.login(&[]).ok();
    assert_eq!(status(&provider)["refreshable"], true);
    assert_eq!(status(&provider)["identity"], "john@example.com");
}

#[test]
fn github() {
    let Some(provider) = start("github", &[], "scope = \"repo gist\"") else { return };
    life(&provider, "john");
    assert_eq!(status(&provider)["identity"], "john");
}

#[test]
fn slack() {
    let Some(provider) = start("slack", &["--expiring"], "scope = \"search:read,users:read\"") else {
        return;
    };
    life(&provider, "john@example.com");
    assert_eq!(status(&provider)["identity"], "U001");
}

#[test]
fn entra() {
    let scope = "scope = \"openid offline_access api://client/read\"";
    let tenant = format!("{scope}\n[profiles.{NAME}.variables]\ntenant = \"contoso\"");
    let Some(provider) = start("entra", &["--lifetime", "2", "--grace", "3600"], &tenant) else { return };
    provider.login(&[]).ok();
    assert_eq!(status(&provider)["identity"], "john@example.com");
    assert_eq!(value(&provider.asked(), "resource"), None);
    std::thread::sleep(Duration::from_millis(2100));
    assert_eq!(provider.run(&["token"]).ok(), provider.issued()["access_token"]);
    let refresh = Provider::parameters(&provider.grants("refresh_token")[0]);
    assert_eq!(value(&refresh, "scope").as_deref(), Some("openid offline_access api://client/read"));
}

#[test]
fn salesforce() {
    let Some(provider) = start("salesforce", &[], "") else { return };
    life(&provider, "john@example.com");
    assert_eq!(value(&provider.asked(), "scope").as_deref(), Some("api refresh_token offline_access"));
    let basic =
        |entry: &Value| entry["headers"]["authorization"].as_str().is_some_and(|h| h.starts_with("Basic "));
    assert!(provider.seen("token").iter().all(basic));
    assert_eq!(status(&provider)["identity"], "john@example.com");
}

// It refuses a verifier, in words that blame the secret.
#[test]
fn linkedin() {
    let Some(provider) = start("linkedin", &[], "scope = \"openid profile email\"") else { return };
    life(&provider, "john@example.com");
    let parameters = Provider::parameters(&provider.seen("token")[0]);
    assert!(
        value(&provider.asked(), "code_challenge").is_none() && value(&parameters, "code_verifier").is_none()
    );
    assert_eq!(status(&provider)["identity"], "john@example.com");
}

// Without PKCE a code is good for whoever has it, unless the client has a secret.
#[test]
fn without_pkce_and_without_a_secret_no_browser_opens() {
    let Some(provider) = start("linkedin", &["--public"], "scope = \"openid\"") else { return };
    let ended = provider.login(&[]);
    ended.failed("pkce-unsupported", 7);
    assert!(!ended.stderr.contains("/oauth/v2/authorization"), "no address is opened or shown: {ended:?}");
    assert!(provider.seen("token").is_empty());
}

// At the exchange: by a code of the provider's own, and in the words that RFC 6749 leaves for it.
#[test]
fn a_redirect_uri_that_the_token_endpoint_does_not_know_is_named_with_the_one_that_was_sent() {
    let Some(provider) = start("hubspot", &["--habit", "plain"], "scope = \"oauth\"") else { return };
    for (status, body) in [
        (400, r#"{"status":"BAD_REDIRECT_URI","message":"missing or invalid redirect uri"}"#),
        (200, r#"{"error":"redirect_uri_mismatch","error_description":"The redirect_uri MUST match."}"#),
        (400, r#"{"error":"invalid_grant","error_description":"the redirect URI does not match"}"#),
    ] {
        provider.ask(&json!({"do": "instead", "route": "token", "status": status,
            "type": "application/json", "body": body}));
        let ended = provider.login(&[]);
        ended.failed("redirect-uri-mismatch", 2);
        let sent = value(&provider.asked(), "redirect_uri").unwrap();
        assert!(ended.stderr.contains(&format!("(sent was {sent})")), "{body}: {ended:?}");
        assert!(ended.stderr.contains("hint: register the redirect URI"), "{body}: {ended:?}");
    }
}

// What a profile states itself counts more, so a wrong line in it shows.
#[test]
fn a_line_of_the_profile_counts_more() {
    let Some(provider) = start("salesforce", &[], "token_style = \"form_post\"\nscope = \"api\"") else {
        return;
    };
    provider.login(&[]).failed("client-rejected", 2);
    assert_eq!(value(&provider.asked(), "scope").as_deref(), Some("api"));
}
