use secrecy::ExposeSecret;

use super::*;

fn gate(issuer: Option<&str>, required: bool) -> (Gate, oneshot::Receiver<Outcome>) {
    let issuer = issuer.map(str::to_owned);
    let expected = Expected { state: "right".into(), issuer, issuer_required: required };
    Gate::new(Site { port: 1, path: "/callback".to_owned() }, expected, Ignored::default())
}

/// What came out of a gate, as text: the code, or the name and sentence of the error.
fn came(outcome: &mut oneshot::Receiver<Outcome>) -> Option<String> {
    outcome.try_recv().ok().map(|outcome| match outcome {
        Ok(code) => format!("code {}", code.expose_secret()),
        Err((error, page)) => format!("{error} / {page:?}"),
    })
}

#[test]
fn a_wrong_state_is_ignored_whatever_else_is_there() {
    let (gate, mut outcome) = gate(None, false);
    for query in [
        "",
        "code=x",
        "state=wrong&code=x",
        "error=access_denied",
        "state=right&state=right&code=x",
        "state=",
    ] {
        assert_eq!(gate.admit(query), Err(Notice::NotOurs), "{query}");
    }
    assert_eq!((gate.ignored.count(), gate.taken()), (6, false));
    assert_eq!(gate.admit("code=x&state=right"), Ok(()));
    assert_eq!(came(&mut outcome).as_deref(), Some("code x"));
}

#[test]
fn a_state_is_good_for_one_answer() {
    let (gate, mut outcome) = gate(None, false);
    assert_eq!(gate.page(), None);
    assert_eq!(gate.admit("state=right&code=1"), Ok(()));
    assert_eq!(gate.page(), Some(Page::Pending));
    for query in ["state=right&code=1", "state=right&code=2", "state=right&error=x", "state=right"] {
        assert_eq!(gate.admit(query), Err(Notice::Taken), "{query}");
    }
    assert_eq!(gate.admit("state=wrong&code=2"), Err(Notice::NotOurs), "and wrong stays wrong");
    assert_eq!(came(&mut outcome).as_deref(), Some("code 1"));
}

#[test]
fn a_void_answer_with_the_right_state_uses_nothing_up() {
    let (gate, mut outcome) = gate(None, false);
    for query in [
        "state=right&code=1&code=2",
        "state=right&code=%zz",
        "state=right&code=1&iss=a&iss=a",
        "state=right&code=1&error=x",
        "state=right&code=",
    ] {
        assert_eq!(gate.admit(query), Err(Notice::NotOurs), "{query}");
    }
    assert!(!gate.taken() && gate.came_back_empty());
    assert_eq!(gate.ignored.count(), 0, "these were ours, only broken");
    assert_eq!(gate.admit("state=right&code=3&session_state=%zz"), Ok(()));
    assert_eq!(came(&mut outcome).as_deref(), Some("code 3"));
}

/// RFC 9207 and: (recorded issuer, promised, query) -> outcome.
#[test]
fn the_issuer_decides_before_the_server_is_heard() {
    const AS: &str = "https://as.example";
    const OTHER: &str = "issuer-mismatch: the answer does not come from https://as.example / Failed";
    const ABSENT: &str = "issuer-mismatch: the server promises to name itself in its answer, and this \
                          answer does not / Failed";
    for (issuer, promised, query, expected) in [
        (Some(AS), true, "code=1&iss=https%3A%2F%2Fas.example", "code 1"),
        (Some(AS), false, "code=1&iss=https://as.example", "code 1"),
        (Some(AS), false, "code=1", "code 1"),
        (None, false, "code=1&iss=https://anything.example", "code 1"),
        (Some(AS), true, "code=1", ABSENT),
        (Some(AS), true, "code=1&iss=", ABSENT),
        (Some(AS), false, "code=1&iss=https://as.example/", OTHER),
        (Some(AS), false, "code=1&iss=https://AS.example", OTHER),
        (Some(AS), false, "code=1&iss=https://as.example:443", OTHER),
        (Some(AS), false, "error=evil&error_description=click+here&iss=https://evil.example", OTHER),
        (Some(AS), true, "error=evil&error_description=click+here&iss=https://evil.example", OTHER),
        (Some(AS), true, "error=evil&error_description=click+here", ABSENT),
        (Some(AS), false, "error=access_denied", "login-denied: the sign-in was refused / Denied"),
        (
            Some(AS),
            false,
            "error=access_denied&iss=https://as.example",
            "login-denied: the sign-in was refused / Denied",
        ),
        (
            Some(AS),
            true,
            "error=access_denied&iss=https://as.example",
            "login-denied: the sign-in was refused / Denied",
        ),
    ] {
        let (gate, mut outcome) = gate(issuer, promised);
        assert_eq!(gate.admit(&format!("state=right&{query}")), Ok(()), "{query}");
        assert_eq!(came(&mut outcome).as_deref(), Some(expected), "{query}");
    }
}
