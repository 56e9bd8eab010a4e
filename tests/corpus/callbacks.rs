//! 70 recorded queries of the callback, each with its verdict, and 500 damaged ones: by the pure parser,
//! and through the listener (A-27 to A-29; L2 to L4; rows 17 to 33).

use std::fmt::Write;
use std::time::Duration;

use chipp_auth::login::query::{Answer, answer, state};
use secrecy::ExposeSecret;
use url::form_urlencoded::{byte_serialize, parse};

use crate::data::blocks;
use crate::listener::{Login, Plan, STATE};
use crate::mutate::{self, Dice};

const DAMAGED: u64 = 8;
const ISSUER: &str = "https://as.example/t";

struct Case {
    name: String,
    query: String,
    verdict: Option<String>,
}

fn cases() -> Vec<Case> {
    let iss: String = byte_serialize(ISSUER.as_bytes()).collect();
    let recorded: Vec<_> = blocks(include_str!("data/callbacks.txt"))
        .into_iter()
        .map(|block| {
            let query = block.body.replace("{state}", STATE).replace("{iss}", &iss);
            Case { verdict: Some(block.field(0).to_owned()), name: block.name, query }
        })
        .collect();
    let damaged = recorded.iter().enumerate().flat_map(|(index, case)| {
        (0..DAMAGED).map(move |number| {
            let seed = index as u64 * 100 + number;
            let (how, bytes) = mutate::bytes(case.query.as_bytes(), &mut Dice::new(seed));
            let query = on_the_line(&bytes);
            Case { name: format!("{}, {how} (seed {seed})", case.name), query, verdict: None }
        })
    });
    let damaged: Vec<_> = damaged.collect();
    assert!(damaged.len() >= 500, "{}", damaged.len());
    recorded.into_iter().chain(damaged).collect()
}

/// As much of it as can stand in a request line: browsers escape the rest.
fn on_the_line(bytes: &[u8]) -> String {
    let visible = |b: &u8| b.is_ascii_graphic() && !b"\"<>".contains(b);
    bytes.iter().map(|b| if visible(b) { char::from(*b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// A fragment never leaves the browser.
fn sent(query: &str) -> &str {
    query.split('#').next().unwrap_or_default()
}

/// What the pure parser makes of it, in the words of the data file; `error` without its name.
fn judge(query: &str) -> String {
    let ours = state(query).is_some_and(|state| state.expose_secret() == STATE);
    let Some(Answer { code, error, iss, .. }) = answer(query).ok().filter(|_| ours) else {
        return "ignored".to_owned();
    };
    // The issuer comes before whatever is said.
    if iss.is_some_and(|iss| iss != ISSUER) {
        return "error issuer-mismatch".to_owned();
    }
    match (code, error) {
        (None, None) => "ignored".to_owned(),
        (Some(_), Some(_)) => "ignored".to_owned(),
        (Some(code), None) => format!("code {}", code.expose_secret()),
        (None, Some(_)) => "error".to_owned(),
    }
}

#[test]
fn each_query_is_taken_for_what_it_is() {
    let mut wrong = String::new();
    let mut accepted = 0;
    for Case { name, query, verdict } in cases() {
        let query = sent(&query);
        let found = judge(query);
        if let Some(expected) = verdict.filter(|expected| !expected.starts_with(&found)) {
            let _ = writeln!(wrong, "{name}: expected {expected}, found {found}");
        }
        if found != "ignored" {
            accepted += 1;
            check(&name, query);
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    assert!(accepted >= 60, "{accepted}");
}

/// Against a reader that repairs everything: there is one state and it is ours, and of what counts
/// there is nothing twice and nothing repaired.
fn check(name: &str, query: &str) {
    let values = |wanted: &str| -> Vec<String> {
        let all = parse(query.as_bytes());
        all.filter(|(key, _)| key == wanted).map(|(_, value)| value.into_owned()).collect()
    };
    assert_eq!(values("state"), [STATE], "{name}");
    for wanted in ["code", "error", "iss"] {
        let found = values(wanted);
        assert!(found.len() <= 1, "{name}: {found:?}");
        assert!(
            !found.concat().contains(|c: char| c.is_control() || c == char::REPLACEMENT_CHARACTER),
            "{name}"
        );
    }
}

fn plan() -> Plan {
    Plan { issuer: Some(ISSUER), limit: Duration::from_secs(120), ..Plan::default() }
}

/// Through the sockets: what is ignored changes nothing, and what is accepted ends the login as the pure
/// parser says. Every body is one of the known pages ([`Answer::page`](crate::listener::Answer) checks it).
#[test]
fn the_listener_does_what_the_parser_says() {
    let shared = Login::start(plan());
    let (mut ignored, mut ended) = (0, 0);
    for Case { name, query, verdict } in cases() {
        let found = judge(sent(&query));
        let target = format!("/callback?{}", sent(&query));
        if found == "ignored" {
            let answer = shared.get(&target);
            assert_eq!(answer.status, 400, "{name}: {target}");
            assert!(answer.page().starts_with("400"), "{name}");
            ignored += 1;
            continue;
        }
        let login = Login::start(plan());
        let answer = login.get(&target);
        assert_eq!(answer.status, 303, "{name}: {target}");
        let page = login.get("/done").page();
        match (login.end(), found.strip_prefix("code ")) {
            (Ok(code), Some(expected)) => {
                assert_eq!((code.as_str(), page), (expected, "signed-in"), "{name}");
            }
            (Err(error), None) => {
                let words = format!("{found} {}", error.name());
                let words = if found == "error" { words } else { found };
                assert!(words.ends_with(error.name().row().text), "{name}: {error}");
                assert!(verdict.is_none_or(|expected| expected == words), "{name}: {words}");
                assert!(!error.what().contains(char::is_control), "{name}: {error}");
                assert_ne!(page, "signed-in", "{name}");
            }
            (ended, expected) => panic!("{name}: {ended:?} and not {expected:?}"),
        }
        ended += 1;
    }
    assert!(ignored >= 300 && ended >= 60, "{ignored} ignored, {ended} ended");
    // After all that, the one true callback is as good as ever (L2).
    assert_eq!(shared.sign_in().page(), "signed-in");
    assert_eq!(shared.end().unwrap(), "C0DE");
}
