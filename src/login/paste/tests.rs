use super::*;

const AS: &str = "https://as.example";

fn expected(issuer_required: bool) -> Expected {
    Expected { state: "right-state".into(), issuer: Some(AS.into()), issuer_required }
}

/// The code, the name of the error, or what the person is told.
fn came(text: &str, required: bool) -> String {
    match read(&SecretString::from(text), &expected(required)) {
        Ok(Ok(code)) => format!("code {}", code.expose_secret()),
        Ok(Err(error)) => error.name().to_string(),
        Err(wrong) => format!("wrong: {wrong}"),
    }
}

#[test]
fn an_address_a_query_and_a_code_are_read() {
    for text in [
        "http://localhost:4711/callback?code=C0DE-123&state=right-state",
        "http://127.0.0.1:4711/callback?state=right-state&code=C0DE-123&iss=https%3A%2F%2Fas.example",
        "  \"http://[::1]:1/callback?code=C0DE-123&state=right-state\" \r",
        "<http://localhost/callback?code=C0DE-123&state=right-state>",
        "http://localhost:1/callback?code=C0DE-123&state=right-state#_=_",
        "http://localhost:1/oauth/done?code=C0DE-123&state=right-state",
        "?code=C0DE-123&state=right-state",
        "code=C0DE-123&state=right-state&session_state=%zz",
        "C0DE-123",
        " C0DE-123\n",
    ] {
        assert_eq!(came(text, false), "code C0DE-123", "{text}");
    }
    assert_eq!(came("bGVuZ3RoOA==", false), "code bGVuZ3RoOA==", "the padding of base64 is no query");
    assert_eq!(came(&format!("code=C0DE-123&state=right-state&iss={AS}"), true), "code C0DE-123");
}

// A-27, L2: nothing with another state, or without one, is looked into.
#[test]
fn what_is_not_ours_is_named_and_uses_nothing_up() {
    const CUT: &str = "wrong: its `state` is missing; it may have been cut off";
    const FOREIGN: &str = "wrong: it belongs to another sign-in: its `state` is not ours";
    const ELSEWHERE: &str = "wrong: it is not the address at which the browser ends, which has `code=` in it";
    const NEITHER: &str = "wrong: it is neither an address nor a code";
    for (text, expected) in [
        ("http://localhost:1/callback?code=C0DE-123&state=other", FOREIGN),
        ("http://localhost:1/callback?error=access_denied&state=other", FOREIGN),
        ("error=access_denied&state=right-stat", FOREIGN),
        ("http://localhost:1/callback?code=C0DE-123", CUT),
        ("http://localhost:1/callback?error=access_denied", CUT),
        ("code=C0DE-123", CUT),
        ("code=C0DE-123&state=right-state&state=right-state", CUT),
        ("code=1&code=2&state=right-state", "wrong: it is damaged"),
        ("code=%zz&state=right-state", "wrong: it is damaged"),
        ("code=1&error=x&state=right-state", "wrong: it is damaged"),
        ("http://localhost:1/callback?state=right-state", "wrong: it has no code in it"),
        ("https://as.example/authorize?response_type=code&state=right-state", ELSEWHERE),
        ("https://localhost:1/callback?code=C0DE-123&state=right-state", ELSEWHERE),
        ("http://evil.example/callback?code=C0DE-123&state=right-state", ELSEWHERE),
        ("http://localhost:1/authorize?response_type=code&state=right-state", ELSEWHERE),
        ("://", "wrong: it is not a complete address"),
        ("yes", NEITHER),
        ("what is this", NEITHER),
        ("c0de\u{7f}-123", NEITHER),
        ("", "wrong: it is empty"),
        (" \"\" ", "wrong: it is empty"),
    ] {
        assert_eq!(came(text, false), expected, "{text}");
    }
}

// A-28, A-29: as at the listener; and a code alone cannot name its server.
#[test]
fn the_issuer_is_checked_before_the_server_is_heard() {
    for (text, required, expected) in [
        ("code=C0DE-123&state=right-state&iss=https://evil.example", false, "issuer-mismatch"),
        ("code=C0DE-123&state=right-state&iss=https://as.example/", false, "issuer-mismatch"),
        ("code=C0DE-123&state=right-state", true, "issuer-mismatch"),
        ("error=access_denied&state=right-state&iss=https://evil.example", false, "issuer-mismatch"),
        ("error=access_denied&state=right-state", true, "issuer-mismatch"),
        ("error=access_denied&state=right-state", false, "login-denied"),
    ] {
        assert_eq!(came(text, required), expected, "{text}");
    }
    assert!(came("C0DE-123", true).starts_with("wrong: this server names itself"));
}

proptest::proptest! {
    /// Whatever is pasted, it is judged, and a query is never taken without the right state.
    #[test]
    fn anything_can_be_pasted(text in "\\PC{0,120}|[a-z=&?%+:/]{0,60}", required: bool) {
        let read = read(&SecretString::from(text.as_str()), &expected(required));
        if let Ok(Ok(code)) = read {
            proptest::prop_assert!(text.contains(code.expose_secret()) && !required);
            proptest::prop_assert!(!text.contains("code=") && !text.contains("http://"));
        }
    }
}
