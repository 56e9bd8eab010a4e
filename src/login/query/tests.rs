use proptest::prelude::*;
use secrecy::ExposeSecret;
use url::form_urlencoded::Serializer;

use super::*;

fn state_of(query: &str) -> Option<String> {
    state(query).map(|s| s.expose_secret().to_owned())
}

fn code_of(query: &str) -> Result<Option<String>, Malformed> {
    answer(query).map(|a| a.code.map(|c| c.expose_secret().to_owned()))
}

#[test]
fn an_ordinary_answer_is_read() {
    let query = "code=a%2Fb%2Bc&state=S&iss=https%3A%2F%2Fas.example%2Fx&unknown=%zz&&=";
    assert_eq!(state_of(query).as_deref(), Some("S"));
    assert_eq!(code_of(query), Ok(Some("a/b+c".into())));
    assert_eq!(answer(query).unwrap().iss.as_deref(), Some("https://as.example/x"));
    let denied = answer("error=access_denied&error_description=No+thank%20you").unwrap();
    assert_eq!(denied.error.as_deref(), Some("access_denied"));
    assert_eq!(denied.description.as_deref(), Some("No thank you"));
}

#[test]
fn a_state_that_is_missing_repeated_or_broken_is_none() {
    for query in [
        "",
        "code=1",
        "state",
        "state=",
        "state=a&state=a",
        "state=a&st%61te=a",
        "state=%",
        "state=%4",
        "state=%g0",
        "state=%00",
        "state=%ff",
        "state=a+b",
        "State=a",
        "xstate=a",
        "state%3Da",
    ] {
        assert_eq!(state_of(query), None, "{query}");
    }
}

#[test]
fn a_repeated_or_broken_parameter_that_matters_voids_the_answer() {
    for query in [
        "code=a&code=b",
        "code=a&c%6fde=a",
        "code=a&iss=x&iss=x",
        "error=a&error=b",
        "code=%zz",
        "code=a+b",
        "code=%0a",
        "iss=%C3%28",
        "error=%1b",
    ] {
        assert_eq!(answer(query).unwrap_err(), Malformed, "{query}");
    }
}

#[test]
fn a_broken_description_does_not_hide_the_error() {
    let read = answer("error=x&error_description=%zz").unwrap();
    assert_eq!((read.error.as_deref(), read.description), (Some("x"), None));
}

proptest! {
    #[test]
    fn whatever_arrives_is_read_without_a_panic(query in "\\PC*") {
        let _ = (state(&query), answer(&query));
    }

    /// Against an independent encoder: what a server encodes is what we read, among any others.
    #[test]
    fn what_a_server_encodes_is_what_we_read(
        code in "[!-~]{1,60}", text in "[ -~]{1,60}",
        others in prop::collection::vec(("[a-z]{0,8}_x", "\\PC{0,20}"), 0..5),
    ) {
        let mut form = Serializer::new(String::new());
        for (name, value) in &others {
            form.append_pair(name, value);
        }
        form.append_pair("code", &code).append_pair("error_description", &text).append_pair("state", &code);
        let query = form.finish();
        prop_assert_eq!(state_of(&query), Some(code.clone()));
        let read = answer(&query).unwrap();
        prop_assert_eq!(read.code.as_ref().map(ExposeSecret::expose_secret), Some(code.as_str()));
        prop_assert_eq!(read.description, Some(text));
    }

    /// A value that is accepted holds nothing that a header, a log or a terminal would act on.
    #[test]
    fn no_control_character_gets_through(query in "(code|error|iss|state)=([%+a-f0-9]|%[0-9a-f][0-9a-f]){0,40}") {
        for value in [state_of(&query), code_of(&query).unwrap_or(None)].into_iter().flatten() {
            prop_assert!(!value.chars().any(char::is_control) && !value.is_empty());
        }
    }

    /// Against a reader that repairs instead of refusing: what is accepted is the only value there is,
    /// and nothing in it was repaired (fuzz target `callback_query`).
    #[test]
    fn what_is_accepted_is_what_a_tolerant_reader_sees(
        query in "((code|error|iss|st(a|%61)te|x)=?(a|%41|%2B|%C3%BC|%ff|%|\\+|=|%00){0,3}&?){0,5}"
    ) {
        let values = |name: &str| -> Vec<String> {
            let pairs = url::form_urlencoded::parse(query.as_bytes());
            pairs.filter(|(key, _)| key == name).map(|(_, value)| value.into_owned()).collect()
        };
        if let Some(state) = state_of(&query) {
            prop_assert_eq!(values("state"), [state]);
        }
        if let Ok(read) = answer(&query) {
            let code = read.code.map(|code| code.expose_secret().to_owned());
            for (name, value) in [("code", code), ("error", read.error), ("iss", read.iss)] {
                let seen = values(name);
                prop_assert!(seen.len() <= 1, "{} is repeated: {}", name, query);
                prop_assert_eq!(value.unwrap_or_default(), seen.concat());
                prop_assert!(!seen.concat().contains(char::REPLACEMENT_CHARACTER), "{}", query);
            }
        }
    }
}
