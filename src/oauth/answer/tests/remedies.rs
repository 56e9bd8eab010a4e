//! What providers say, and what our error then tells the reader to do.

use super::*;

fn hint(status: u16, body: &str) -> String {
    refusal(status, body).error.hint()
}

#[test]
fn a_refusal_carries_the_remedy_for_what_the_provider_said() {
    let entra = r#"{"error":"invalid_target","error_description":"AADSTS9010010: The resource parameter provided in the request doesn't match with the requested scopes.","error_codes":[9010010]}"#;
    assert!(hint(400, entra).contains("resource = \"omit\""));
    let secret =
        r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided."}"#;
    assert_eq!(refusal(401, secret).cause, Cause::InvalidClient);
    assert!(hint(401, secret).contains("not its Secret ID"));
    assert!(hint(200, r#"{"ok":false,"error":"bad_redirect_uri"}"#).contains("redirect URI"));
    assert!(hint(200, "error=incorrect_client_credentials&error_description=x").contains("GitHub"));
    assert!(hint(400, r#"{"error":"invalid_scope"}"#).contains("`scope`"));
    // Where nothing is known, the table of errors speaks.
    assert_eq!(hint(400, r#"{"error":"invalid_grant"}"#), "run `chipp-auth login`");
}

#[test]
fn a_remedy_changes_nothing_but_the_hint() {
    for (code, cause) in [
        ("invalid_grant", Cause::InvalidGrant),
        ("invalid_client", Cause::InvalidClient),
        ("access_denied", Cause::Denied),
        ("consent_required", Cause::Failed),
    ] {
        let plain = refusal(400, &format!(r#"{{"error":"{code}"}}"#));
        let told = refusal(
            400,
            &format!(r#"{{"error":"{code}","error_description":"AADSTS65001: not consented"}}"#),
        );
        assert_eq!((told.cause, told.error.name()), (cause, plain.error.name()), "{code}");
        assert!(told.error.hint().contains("consent"), "{code}");
    }
}

// While there is something to wait for, that is the advice.
#[test]
fn who_has_to_wait_is_told_to_wait() {
    let body = |code: &str| format!(r#"{{"error":"{code}","error_description":"AADSTS65001: x"}}"#);
    for (status, code) in
        [(503, "invalid_request"), (429, "error"), (400, "slow_down"), (400, "authorization_pending")]
    {
        assert!(!hint(status, &body(code)).contains("consent"), "{status} {code}");
    }
}

// Its first API: `status` and no `error`; its newer ones: both.
#[test]
fn hubspot_s_own_codes_are_read() {
    let first =
        r#"{"status":"BAD_REFRESH_TOKEN","message":"missing or unknown refresh token","correlationId":"x"}"#;
    assert_eq!(refusal(400, first).cause, Cause::InvalidGrant);
    assert_eq!(refusal(400, first).said, "BAD_REFRESH_TOKEN (missing or unknown refresh token)");
    let newer = r#"{"error":"invalid_grant","error_description":"redirect uri differs","status":"MISMATCH_REDIRECT_URI_AUTH_CODE"}"#;
    assert!(hint(400, newer).contains("redirect"));
    assert_eq!(refusal(400, newer).said, "invalid_grant (redirect uri differs)");
    let secret = r#"{"status":"BAD_CLIENT_SECRET","message":"missing or invalid client secret"}"#;
    assert_eq!(refusal(400, secret).cause, Cause::InvalidClient);
    // Words that are no codes, and a status in a success.
    assert_eq!(refusal(400, r#"{"status":"error","message":"x"}"#).said, "");
    assert_eq!(issued_of(r#"{"access_token":"a","status":"BAD_AUTH_CODE"}"#).access.expose_secret(), "a");
}

// The kind of a refusal decides whether a sign-in ends; its name does not change that.
#[test]
fn a_redirect_uri_that_is_not_known_has_its_name_and_nothing_else_changes() {
    for (status, body) in [
        (
            200,
            r#"{"error":"redirect_uri_mismatch","error_description":"The redirect_uri MUST match the registered callback URL for this application."}"#,
        ),
        (200, r#"{"ok":false,"error":"bad_redirect_uri"}"#),
        (
            400,
            r#"{"error":"invalid_request","error_description":"AADSTS50011: The reply URL does not match"}"#,
        ),
        (400, r#"{"error":"invalid_request","error_description":"Invalid redirect_uri"}"#),
        (400, r#"{"status":"BAD_REDIRECT_URI","message":"missing or invalid redirect uri"}"#),
    ] {
        let refusal = refusal(status, body);
        assert_eq!(
            (refusal.cause, refusal.error.name()),
            (Cause::Failed, Name::RedirectUriMismatch),
            "{body}"
        );
        assert!(refusal.error.what().starts_with("e.com does not know the redirect URI: "), "{body}");
    }
    for (code, cause, name) in [
        ("invalid_grant", Cause::InvalidGrant, Name::LoginRequired),
        ("invalid_client", Cause::InvalidClient, Name::ClientRejected),
    ] {
        let body = format!(r#"{{"error":"{code}","error_description":"redirect_uri does not match"}}"#);
        let refusal = refusal(400, &body);
        assert_eq!((refusal.cause, refusal.error.name()), (cause, name), "{code}");
        assert!(refusal.error.hint().contains("redirect URI"), "{code}");
    }
}
