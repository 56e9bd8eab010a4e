mod properties;
mod remedies;

use secrecy::ExposeSecret;

use super::*;

fn judge(status: u16, body: &str) -> Answer {
    read(Reply { status, wait: None, body: body.as_bytes(), host: "e.com" })
}

fn issued_of(body: &str) -> Issued {
    match judge(200, body) {
        Answer::Issued(issued) => issued,
        other => panic!("{body}: {other:?}"),
    }
}

fn failure(status: u16, body: &str) -> Name {
    match judge(status, body) {
        Answer::Refused(refusal) => refusal.error.name(),
        other => panic!("{body}: {other:?}"),
    }
}

fn lifetime(json: &str) -> Option<u64> {
    issued_of(&format!(r#"{{"access_token":"a","expires_in":{json}}}"#)).expires_in
}

// Rows 101 and 102.
#[test]
fn a_lifetime_is_read_in_every_shape_and_never_overflows() {
    for (json, expected) in
        [("3600", Some(3600)), ("\"3600\"", Some(3600)), ("3600.7", Some(3600)), ("3600.0", Some(3600))]
    {
        assert_eq!(lifetime(json), expected, "{json}");
    }
    for json in ["null", "0", "-5", "\"soon\"", "\"\"", "[]", "{}", "true", "\"NaN\"", "\"inf\"", "0.5"] {
        assert_eq!(lifetime(json), None, "{json}");
    }
    assert_eq!(lifetime("1e400"), None);
    for json in ["1e300", "9223372036854775808", "\"99999999999999999999999\"", "18446744073709551615"] {
        assert_eq!(lifetime(json), Some(24 * 3600), "{json}");
    }
    assert_eq!(issued_of(r#"{"access_token":"a"}"#).expires_in, None);
}

// Rows 98-100, 103, 105, 106 and the table of crates.md 2.2.
#[test]
fn what_a_strict_reader_would_throw_away_is_kept() {
    let issued = issued_of(r#"{"access_token":"a","refresh_token":"r","scope":["x","y"]}"#);
    assert_eq!(issued.refresh.unwrap().expose_secret(), "r");
    assert_eq!(issued.scope.as_deref(), Some("x y"));
    assert_eq!(issued.token_type, None);
    assert!(issued_of(r#"{"access_token":"a","refresh_token":""}"#).refresh.is_none());
    assert!(matches!(judge(201, "\u{feff}{\"access_token\":\"a\"}"), Answer::Issued(_)));
    let form = issued_of("access_token=a&refresh_token=r&expires_in=60&token_type=bearer&scope=");
    assert_eq!((form.expires_in, form.scope), (Some(60), None));
}

fn refusal(status: u16, body: &str) -> Refusal {
    match judge(status, body) {
        Answer::Refused(refusal) => refusal,
        other => panic!("{body}: {other:?}"),
    }
}

// The head rule of security.md 4.4, row 77.
#[test]
fn only_invalid_grant_ends_a_sign_in_and_only_where_a_verdict_is_expected() {
    let body = r#"{"error":"invalid_grant"}"#;
    for status in [400, 401, 403, 404, 200] {
        assert_eq!(refusal(status, body).cause, Cause::InvalidGrant, "{status}");
    }
    assert_eq!(refusal(429, body).cause, Cause::Busy(None));
    for status in [100, 402, 418, 422, 500, 502, 503] {
        assert_ne!(refusal(status, body).cause, Cause::InvalidGrant, "{status}");
    }
    for code in ["bad_refresh_token", "refresh_token_not_found", "refresh_token_already_used"] {
        assert_eq!(refusal(400, &format!(r#"{{"error":"{code}"}}"#)).cause, Cause::InvalidGrant, "{code}");
    }
    assert_eq!(refusal(200, "error=bad_refresh_token&error_description=x").cause, Cause::InvalidGrant);
    let supabase = r#"{"code":400,"error_code":"refresh_token_not_found","msg":"Invalid Refresh Token"}"#;
    assert_eq!(refusal(400, supabase).said, "refresh_token_not_found (Invalid Refresh Token)");
    for code in ["INVALID_GRANT", "invalid_grant ", "interaction_required", "token_expired", "error"] {
        assert_ne!(refusal(400, &format!(r#"{{"error":"{code}"}}"#)).cause, Cause::InvalidGrant, "{code}");
    }
}

// A-46, row 79: a dead registration is told by OAuth's code, never by a status alone.
#[test]
fn a_client_that_the_server_does_not_know_is_told_apart() {
    for status in [400, 401, 403, 404, 422, 200] {
        for code in ["invalid_client", "unauthorized_client", "deleted_client"] {
            let refusal = refusal(status, &format!(r#"{{"error":"{code}"}}"#));
            assert_eq!((refusal.cause, refusal.error.name()), (Cause::InvalidClient, Name::ClientRejected));
        }
        if status != 200 {
            assert_eq!(refusal(status, "<html>no such client</html>").cause, Cause::Failed);
        }
    }
    assert_eq!(refusal(500, r#"{"error":"invalid_client"}"#).cause, Cause::Busy(None));
    let okta = r#"{"errorCode":"invalid_client","errorSummary":"Invalid value for 'client_id' parameter."}"#;
    assert_eq!(refusal(401, okta).cause, Cause::InvalidClient);
}

// RFC 8628 section 3.5 (GitHub answers with 200, Auth0 with 403 and 429), RFC 9449 section 8.
#[test]
fn polling_and_proofs_have_causes_of_their_own() {
    for status in [200, 400, 403] {
        for (code, cause) in [
            ("authorization_pending", Cause::Pending),
            ("slow_down", Cause::SlowDown),
            ("expired_token", Cause::Expired),
            ("access_denied", Cause::Denied),
        ] {
            assert_eq!(refusal(status, &format!(r#"{{"error":"{code}"}}"#)).cause, cause, "{status} {code}");
        }
    }
    assert_eq!(refusal(429, r#"{"error":"slow_down"}"#).cause, Cause::SlowDown);
    let nonce = r#"{"error":"use_dpop_nonce"}"#;
    assert_eq!(refusal(400, nonce).cause, Cause::NonceRequired);
    assert_eq!(refusal(401, nonce).cause, Cause::NonceRequired);
    assert_eq!(refusal(200, nonce).cause, Cause::Failed);
}

// Rows 82 to 84.
#[test]
fn a_busy_server_says_how_long() {
    let wait = Some(Wait::of(std::time::Duration::from_secs(90)));
    let refuse = |status, body: &str| match read(Reply { status, wait, body: body.as_bytes(), host: "e.com" })
    {
        Answer::Refused(refusal) => refusal,
        other => panic!("{other:?}"),
    };
    for (status, body, name) in [
        (429, "", Name::ServerBusy),
        (429, r#"{"error":"too_many_attempts"}"#, Name::ServerBusy),
        (503, "<html>", Name::ServerBusy),
        (503, r#"{"error":"temporarily_unavailable"}"#, Name::ServerBusy),
        (502, "", Name::ServerError),
        (500, r#"{"error":"server_error"}"#, Name::ServerError),
    ] {
        let refusal = refuse(status, body);
        assert_eq!((refusal.cause, refusal.error.name()), (Cause::Busy(wait), name), "{status} {body}");
    }
    assert_eq!(refuse(429, "").error.hint(), "try again in 1m 30s");
    assert_eq!(refuse(400, "").cause, Cause::Failed);
}

// Rows 97 and 98, and the last sentence of the head rule (I1).
#[test]
fn a_refresh_token_in_an_unusable_answer_is_kept() {
    let salvaged = |status, body: &str| refusal(status, body).salvaged.map(|s| s.expose_secret().to_owned());
    for body in [
        r#"{"refresh_token":"r"}"#,
        r#"{"refresh_token":"r","access_token":7}"#,
        r#"{"refresh_token":"r","access_token":"a b"}"#,
        r#"{"access_token":"a","refresh_token":"r","access_token":"b"}"#,
        r#"{"access_token":"a","refresh_token":"r","refresh_token":"r"}"#,
        r#"{"refresh_token":"r","error":"server_error"}"#,
        r#"{"refresh_token":"r","error":"invalid_grant"}"#,
        r#"{"refresh_token":"r","ok":false}"#,
        r#"{"refresh_token":"r","access_token":"a"#,
        r#"{"refresh_token":"r","access_token":"a"} x"#,
        "refresh_token=r",
        "refresh_token=r&error=x",
        r#"[{"refresh_token":"r"}]"#,
        r#")]}' {"refresh_token":"r","access_token":"a"}"#,
        r#"<b>Warning</b> {"refresh_token":"r"}"#,
    ] {
        assert_eq!(salvaged(200, body).as_deref(), Some("r"), "{body}");
        assert_ne!(refusal(200, body).cause, Cause::InvalidGrant, "{body}");
        assert_eq!(salvaged(400, body), None, "{body}");
    }
    for body in [
        r#"{"refresh_token":"r","refresh_token":"s"}"#,
        r#"{"refresh_token":""}"#,
        r#"{"refresh_token":"a
b"}"#,
        r#"{"refresh_token":["r"]}"#,
        r#"{"refresh_token":"r"#,
        r#"{"data":{"refresh_token":"r"}}"#,
        "",
    ] {
        assert_eq!(salvaged(200, body), None, "{body}");
    }
    assert_eq!(
        issued_of(r#"{"access_token":"a","refresh_token":"a b"}"#).refresh.unwrap().expose_secret(),
        "a b"
    );
}

// Rows 78-84, 92-94.
#[test]
fn every_other_answer_has_its_name() {
    for (status, body, name) in [
        (400, r#"{"error":"invalid_request"}"#, Name::ClientRejected),
        (400, r#"{"error":"invalid_scope"}"#, Name::ClientRejected),
        (401, r#"{"error":"invalid_client"}"#, Name::ClientRejected),
        (400, r#"{"error":"unauthorized_client"}"#, Name::ClientRejected),
        (401, "", Name::ServerError),
        (403, "<html>blocked</html>", Name::ServerError),
        (404, "{}", Name::ServerError),
        (410, "gone", Name::ServerError),
        (429, "", Name::ServerBusy),
        (429, r#"{"error":"rate_limited"}"#, Name::ServerBusy),
        (503, r#"{"error":"temporarily_unavailable"}"#, Name::ServerBusy),
        (500, "<html>", Name::ServerError),
        (502, "", Name::ServerError),
        (307, "", Name::RedirectRefused),
        (302, r#"{"access_token":"a"}"#, Name::RedirectRefused),
        (200, "<!doctype html><title>Wi-Fi</title>", Name::CaptivePortal),
        (200, "", Name::BadResponse),
        (200, "null", Name::BadResponse),
        (200, "[]", Name::BadResponse),
        (200, "\"x\"", Name::BadResponse),
        (200, "{\"access_token\":\"a\"", Name::BadResponse),
        (200, "{\"access_token\":\"a\"} x", Name::BadResponse),
        (200, r#"{"access_token":""}"#, Name::BadResponse),
        (200, r#"{"access_token":7}"#, Name::BadResponse),
        (200, r#"{"access_token":"a b"}"#, Name::BadResponse),
        (200, r#"{"access_token":"a\r\nX: y"}"#, Name::BadResponse),
        (200, r#"{"access_token":"a","access_token":"b"}"#, Name::BadResponse),
        // Row 97: which of the two is meant, nobody knows.
        (200, r#"{"access_token":"a","refresh_token":"r","refresh_token":"s"}"#, Name::BadResponse),
        (200, r#"{"access_token":"a","error":"x","error":"y"}"#, Name::BadResponse),
        // What cannot be read whole says nothing, not even the worst.
        (400, r#"{"error":"invalid_grant"} x"#, Name::ServerError),
        (200, r#"{"error":"invalid_grant""#, Name::BadResponse),
        (200, r#"{"ok":false}"#, Name::ServerError),
        (400, r#"{"error":{"code":"weird","message":"nested"}}"#, Name::ServerError),
    ] {
        assert_eq!(failure(status, body), name, "{status} {body}");
    }
    let deep = "[".repeat(10_000);
    assert_eq!(failure(200, &format!("{{\"access_token\":{deep}")), Name::BadResponse);
}

// Row 107: the answer's own tokens, in the place of a reason.
#[test]
fn a_server_that_quotes_the_tokens_it_issues_is_not_quoted() {
    let body = r#"{"error":"oops","error_description":"refresh r-new-1","refresh_token":"r-new-1"}"#;
    let refusal = refusal(200, body);
    assert!(!refusal.says("r-new-1") && refusal.salvaged.is_some(), "{refusal:?}");
    assert_eq!(refusal.error.name(), Name::ServerError);
}

#[test]
fn server_text_is_cleaned_before_it_is_shown() {
    let refusal = refusal(400, r#"{"error":"invalid_grant","error_description":"a\u001b[31m\nb"}"#);
    assert_eq!(refusal.said, "invalid_grant (a [31m b)");
    assert_eq!(refusal.error.what(), "e.com does not accept the sign-in any more: invalid_grant (a [31m b)");
}
