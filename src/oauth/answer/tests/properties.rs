//! What holds for every answer.

use proptest::prelude::*;
use secrecy::ExposeSecret;

use super::*;

proptest! {
    #[test]
    fn is_total(status in 100u16..600, body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(Reply { status, wait: None, body: &body, host: "e.com" });
    }

    #[test]
    fn any_json_lifetime_is_between_a_second_and_a_day_or_unknown(json in "[-+0-9.eE\"a-z]{1,20}") {
        if let Answer::Issued(issued) = judge(200, &format!(r#"{{"access_token":"a","expires_in":{json}}}"#)) {
            prop_assert!(issued.expires_in.is_none_or(|s| (1..=86_400).contains(&s)));
        }
    }

    /// Fuzz target `token_response` (security.md 6.4): a success that carries a new refresh token hands it
    /// on, whatever else is in it (head rule of 4.4, rows 97 and 98). What stands behind it may be anything.
    #[test]
    fn a_refresh_token_of_a_success_is_never_lost(
        before in members("null|7|-1|1e400|true|false|\"a( b)?\"|\"\\\\ud800\"|\\{\"refresh_token\":\"no\"\\}|\\[1\\]|\"invalid_grant\""),
        after in members("null|7|\"a\"|\"invalid_grant\"|nonsense|\"open|\\{\"code\":\"invalid_grant\"\\}|\\[\\["),
        end in prop::sample::select(vec!["}", "", ",", "} x", "}}"]),
        status in 200u16..300,
        token in "[!#-\\[\\]-~]{1,40}",
    ) {
        let before: String = before.iter().map(|member| format!("{member},")).collect();
        let after: String = after.iter().map(|member| format!(",{member}")).collect();
        let body = format!("{{{before}\"refresh_token\":\"{token}\"{after}{end}");
        let kept = match judge(status, &body) {
            Answer::Issued(issued) => issued.refresh,
            Answer::Refused(refusal) => {
                prop_assert_ne!(refusal.cause, Cause::InvalidGrant);
                refusal.salvaged
            }
        };
        prop_assert_eq!(kept.as_ref().map(ExposeSecret::expose_secret), Some(token.as_str()), "{}", body);
    }

    /// No other word than the known ones ends a sign-in, and they do at the right status only.
    #[test]
    fn no_other_word_ends_a_sign_in(status in 100u16..600, code in "[a-z_]{0,20}|invalid[-_ .]?gran[t]{0,2}s?") {
        let ended = match judge(status, &format!(r#"{{"error":"{code}"}}"#)) {
            Answer::Refused(refusal) => refusal.cause == Cause::InvalidGrant,
            Answer::Issued(_) => return Err(TestCaseError::fail("issued")),
        };
        let verdict = matches!(status, 200..300 | 400 | 401 | 403 | 404);
        prop_assert_eq!(ended, verdict && code == "invalid_grant", "{} {}", status, code);
    }
}

/// Members of a JSON object with values of this form.
fn members(values: &'static str) -> impl Strategy<Value = Vec<String>> {
    let names = ["access_token", "error", "error_description", "ok", "scope", "expires_in", "x"];
    let member = (prop::sample::select(names.to_vec()), values);
    prop::collection::vec(member.prop_map(|(name, value)| format!("\"{name}\":{value}")), 0..4)
}
