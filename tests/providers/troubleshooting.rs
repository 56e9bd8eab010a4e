//! The troubleshooting entries of "Consumer OAuth for Custom MCP Servers", each provoked: what happened is named, and
//! what mends it is said. "Refresh Token Missing" is in `habits`, with Google.

use serde_json::json;

use crate::provider::{NAME, Provider, failed, value};

fn start(options: &[&str], profile: &str) -> Option<Provider> {
    let provider = Provider::start(options)?;
    provider.profile(profile);
    Some(provider)
}

// "Invalid redirect_uri": "The redirect URI in your OAuth app configuration doesn't match". What has to be registered
// is shown to the letter.
#[test]
fn a_redirect_uri_that_does_not_match_is_shown() {
    for (status, answer) in [
        (400, r#"{"error":"redirect_uri_mismatch","error_description":"Bad Request"}"#),
        (
            400,
            r#"{"error":"redirect_uri_mismatch","error_description":"redirect_uri must match configuration"}"#,
        ),
        (200, r#"{"error":"redirect_uri_mismatch","error_description":"The redirect_uri MUST match"}"#),
        (200, r#"{"ok":false,"error":"bad_redirect_uri"}"#),
    ] {
        let Some(provider) = start(&[], "token_style = \"form_post\"") else { return };
        provider.ask(&json!({"do": "instead", "route": "token", "status": status, "type": "application/json", "body": answer}));
        let ended = provider.login(&[]);
        let sent = value(&provider.asked(), "redirect_uri").unwrap();
        failed(&ended, "redirect-uri-mismatch", 2, &sent);
    }
}

// "Invalid client": "The client ID or secret is incorrect."
#[test]
fn a_wrong_secret_is_named() {
    let Some(provider) = start(&["--client-secret", "right"], "token_style = \"form_post\"") else { return };
    let mut command = provider.command(&["login", "--timeout", "30s"]);
    let ended = crate::house::wait(command.env("CHIPP_AUTH_CLIENT_SECRET", "wrong").spawn().unwrap());
    failed(&ended, "client-rejected", 2, &format!("chipp-auth login {NAME}"));
    assert!(!format!("{ended:?}").contains("wrong\""), "the secret is not shown");
}

// "Token Exchange Fails Silently": "Try each token request style until one works."
#[test]
fn an_exchange_that_fails_in_silence_points_to_the_style() {
    for silent in ["empty", "html"] {
        let Some(provider) =
            start(&["--style", "form_basic", "--silent", silent], "token_style = \"form_post\"")
        else {
            return;
        };
        let ended = provider.login(&[]);
        failed(&ended, "exchange-rejected", 2, "--token-style auto");
        assert_eq!(provider.seen("token").len(), 1, "the style is stated, so no other is tried");
    }
}

// "Access Denied" During Authorization: "Check if the user clicked "Deny" instead of "Allow"".
#[test]
fn a_denied_consent_is_named() {
    let Some(provider) = start(&["--consent"], "token_style = \"form_post\"") else { return };
    let mut command = provider.command(&["login", "--timeout", "30s"]);
    let ended = crate::house::wait(command.env("CLICK", "cancel").spawn().unwrap());
    failed(&ended, "login-denied", 3, "Authorize");
    provider.login(&[]).ok();
}

// "Tools Don't Load After OAuth": "The OAuth succeeded but tools aren't showing."
#[test]
fn a_server_without_tools_is_named() {
    let Some(provider) = start(&[], "token_style = \"form_post\"") else { return };
    provider.login(&[]).ok();
    provider.ask(&json!({"do": "tools", "broken": true}));
    let ended = provider.run(&["test"]);
    failed(&ended, "tools-unavailable", 5, "tools/list");
    provider.ask(&json!({"do": "tools", "broken": false}));
    provider.run(&["test"]).ok();
}
