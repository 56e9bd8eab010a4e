use proptest::prelude::*;
use secrecy::ExposeSecret;

use super::*;

fn judge(status: u16, body: &str) -> Answer {
    read(Reply { status, retry_after: None, body: body.as_bytes(), host: "e.com" })
}

fn issued_of(body: &str) -> Issued {
    match judge(200, body) {
        Answer::Issued(issued) => issued,
        other => panic!("{body}: {other:?}"),
    }
}

fn failure(status: u16, body: &str) -> Name {
    match judge(status, body) {
        Answer::Failed(error) => error.name(),
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

// Row 77 and its known spellings, at any status.
#[test]
fn only_invalid_grant_ends_a_sign_in() {
    for status in [400, 401, 403, 404, 200] {
        assert!(matches!(judge(status, r#"{"error":"invalid_grant"}"#), Answer::InvalidGrant(_)), "{status}");
    }
    assert!(matches!(judge(200, "error=bad_refresh_token&error_description=x"), Answer::InvalidGrant(_)));
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
        (200, r#"{"ok":false}"#, Name::ServerError),
        (400, r#"{"error":{"code":"weird","message":"nested"}}"#, Name::ServerError),
    ] {
        assert_eq!(failure(status, body), name, "{status} {body}");
    }
    let deep = "[".repeat(10_000);
    assert_eq!(failure(200, &format!("{{\"access_token\":{deep}")), Name::BadResponse);
}

#[test]
fn server_text_is_cleaned_before_it_is_shown() {
    let Answer::InvalidGrant(said) =
        judge(400, r#"{"error":"invalid_grant","error_description":"a\u001b[31m\nb"}"#)
    else {
        panic!("not refused");
    };
    assert_eq!(said, "invalid_grant (a [31m b)");
}

proptest! {
    #[test]
    fn is_total(status in 100u16..600, body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(Reply { status, retry_after: None, body: &body, host: "e.com" });
    }

    #[test]
    fn any_json_lifetime_is_between_a_second_and_a_day_or_unknown(json in "[-+0-9.eE\"a-z]{1,20}") {
        if let Answer::Issued(issued) = judge(200, &format!(r#"{{"access_token":"a","expires_in":{json}}}"#)) {
            prop_assert!(issued.expires_in.is_none_or(|s| (1..=86_400).contains(&s)));
        }
    }
}
