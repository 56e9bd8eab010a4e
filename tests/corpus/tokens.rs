//! 128 recorded answers of token endpoints, each with its verdict, and hundreds of damaged ones, each
//! with what must hold for all: T5, rows 77 to 108, the head rule of security.md 4.4, I1.

use std::collections::BTreeMap;
use std::fmt::Write;

use chipp_auth::error::Name;
use chipp_auth::oauth::answer::{Answer, Cause, Refusal, Reply, read};
use secrecy::ExposeSecret;

use crate::data::blocks;
use crate::mutate::{self, Dice};
use crate::oracle;

/// How many damaged answers there are of each recorded one.
const DAMAGED: u64 = 5;

/// An answer to a token request.
#[derive(Debug, Clone)]
pub struct Case {
    pub name: String,
    pub status: u16,
    pub body: Vec<u8>,
    /// The verdict, where it is known.
    pub verdict: Option<String>,
    /// All of it can be read, or it is the beginning of something that can.
    readable: bool,
}

/// The recorded answers, then the damaged ones. More than 500 of them are malformed.
pub fn cases() -> Vec<Case> {
    let recorded = blocks(include_str!("data/token-answers.txt"));
    assert!(recorded.len() > 120);
    let mut cases = Vec::new();
    for block in &recorded {
        let status = block.field(0).parse().unwrap();
        let (name, body) = (block.name.clone(), block.body.clone().into_bytes());
        let readable = is_readable(&body);
        cases.push(Case { name, status, body, verdict: Some(block.field(1).to_owned()), readable });
    }
    for (index, recorded) in cases.clone().into_iter().enumerate() {
        for number in 0..DAMAGED {
            cases.push(damaged(&recorded, index as u64 * 100 + number));
        }
    }
    cases
}

const MEMBERS: [&str; 6] = ["access_token", "refresh_token", "expires_in", "error", "token_type", "scope"];

fn damaged(from: &Case, seed: u64) -> Case {
    let mut dice = Dice::new(seed);
    let by_member = if dice.below(2) == 0 { mutate::member(&from.body, &MEMBERS, &mut dice) } else { None };
    let (how, body) = by_member.unwrap_or_else(|| mutate::bytes(&from.body, &mut dice));
    let readable = is_readable(&body) || (how == "cut off" && from.readable);
    // Half of them come as a success: that is where a token can be lost.
    let status = *dice.choose(&[200, from.status, 200, from.status, 400, 401, 403, 429, 500]);
    Case {
        name: format!("{}, {how} (seed {seed}, {status})", from.name),
        status,
        body,
        verdict: None,
        readable,
    }
}

fn is_readable(body: &[u8]) -> bool {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    serde_json::from_slice::<serde_json::Value>(body).is_ok_and(|value| value.is_object())
}

impl Case {
    pub fn judge(&self) -> Answer {
        read(Reply { status: self.status, wait: None, body: &self.body, host: "as.example" })
    }

    /// The refresh token that must not be lost: the only one of a successful answer that can be read.
    pub fn rotated(&self) -> Option<String> {
        let mut tokens = oracle::refresh_tokens(&self.body);
        tokens.dedup();
        let certain = (200..300).contains(&self.status) && self.readable && tokens.len() == 1;
        tokens.pop().filter(|token| certain && is_plausible(token))
    }
}

fn is_plausible(token: &str) -> bool {
    !token.is_empty() && !token.contains(char::is_control)
}

/// An answer in the words of the data file.
pub fn verdict(answer: &Answer) -> String {
    let secret = |token: &Option<secrecy::SecretString>| {
        token.as_ref().map(|token| format!(" {}", token.expose_secret())).unwrap_or_default()
    };
    match answer {
        Answer::Issued(issued) => format!("issued{}", secret(&issued.refresh)),
        Answer::Refused(Refusal { cause, error, salvaged, .. }) => {
            let cause = if let Cause::Busy(_) = cause { "Busy".to_owned() } else { format!("{cause:?}") };
            let mut text = format!("{cause} {}", error.name());
            if salvaged.is_some() {
                let _ = write!(text, " salvaged{}", secret(salvaged));
            }
            text
        }
    }
}

#[test]
fn each_recorded_answer_has_its_verdict() {
    let mut wrong = String::new();
    for case in cases() {
        let found = verdict(&case.judge());
        if let Some(expected) = case.verdict.filter(|expected| *expected != found) {
            let _ = writeln!(wrong, "{} | expected {expected} | found {found}", case.name);
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

// Every member of the list is an ending that the table of 4.4 names.
const ENDINGS: [Name; 13] = [
    Name::LoginRequired,
    Name::ClientRejected,
    Name::LoginDenied,
    Name::LoginTimeout,
    Name::ServerBusy,
    Name::ServerError,
    Name::BadResponse,
    Name::CaptivePortal,
    Name::RedirectRefused,
    Name::NetworkDown,
    Name::WrongTokenType,
    Name::Timeout,
    Name::RedirectUriMismatch,
];

#[test]
fn each_malformed_answer_ends_in_a_name_or_in_tokens_that_can_be_used() {
    let mut malformed = 0;
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for case in cases() {
        let answer = case.judge();
        let Case { name, status, body, .. } = &case;
        let tokens = oracle::refresh_tokens(body);
        let kept = match &answer {
            Answer::Issued(issued) => {
                assert!((200..300).contains(status), "{name}: issued");
                let access = issued.access.expose_secret();
                assert!(
                    !access.is_empty() && access.bytes().all(|b| b.is_ascii_graphic()),
                    "{name}: {access:?}"
                );
                assert!(issued.expires_in.is_none_or(|s| (1..=86_400).contains(&s)), "{name}");
                &issued.refresh
            }
            Answer::Refused(refusal) => {
                check(refusal, &case);
                &refusal.salvaged
            }
        };
        let kept = kept.as_ref().map(|token| token.expose_secret().to_owned());
        // I1: what the server rotated to is not lost, and nothing is made up.
        assert!(kept.as_ref().is_none_or(|kept| tokens.contains(kept)), "{name}: {kept:?} of {tokens:?}");
        if let Some(rotated) = case.rotated() {
            assert_eq!(kept, Some(rotated), "{name}: {}", String::from_utf8_lossy(body));
        }
        let kind = verdict(&answer).split(' ').take(2).collect::<Vec<_>>().join(" ");
        let kind = if kind.starts_with("issued") { "issued".to_owned() } else { kind };
        malformed += usize::from(kind != "issued" && case.verdict.is_none());
        *counts.entry(kind).or_default() += 1;
    }
    assert!(malformed >= 500, "only {malformed} malformed answers: {counts:?}");
    // The corpus reaches every corner of the table.
    assert!(counts.len() >= 16, "{counts:?}");
}

fn check(refusal: &Refusal, case: &Case) {
    let Case { name, status, body, .. } = case;
    assert!(ENDINGS.contains(&refusal.error.name()), "{name}: {:?}", refusal.error);
    let words = format!("{} {:?} {}", refusal.said, refusal.error, refusal.error.hint());
    assert!(!words.contains(char::is_control) && !words.contains('\u{202e}'), "{name}: {words:?}");
    assert!(words.chars().count() < 1000, "{name}: {words}");
    for token in oracle::refresh_tokens(body).iter().filter(|token| token.len() > 3) {
        assert!(!words.contains(token.as_str()), "{name}: {words}");
    }
    let text = String::from_utf8_lossy(body);
    if refusal.cause == Cause::InvalidGrant {
        // Only these end a sign-in, only in these words, and never beside a new token.
        assert!(matches!(status, 200..=299 | 400 | 401 | 403 | 404), "{name}");
        assert!(refusal.salvaged.is_none(), "{name}");
        let words =
            ["grant", "refresh_token", "verification_code", "invalid_code", "code_already_used", "session_"];
        assert!(words.iter().any(|word| text.contains(word)), "{name}: {text}");
    }
    if refusal.cause == Cause::InvalidClient {
        assert!(text.contains("client"), "{name}: {text}");
    }
    if *status >= 500 {
        assert!(
            matches!(refusal.cause, Cause::Busy(_) | Cause::SlowDown) || *status == 511,
            "{name}: {:?}",
            refusal.cause
        );
    }
}
