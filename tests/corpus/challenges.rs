//! 77 recorded `WWW-Authenticate` values, each with what is found in it, and more than 500 damaged ones:
//! read without a panic, without inventing anything, and without hiding the next header (A-01, D10).

use std::fmt::Write;
use std::time::{Duration, Instant};

use chipp_auth::oauth::challenge::{Challenge, find, parse};

use crate::data::blocks;
use crate::metadata::{self, Found};
use crate::mutate::{self, Dice};
use crate::server::Server;

const DAMAGED: u64 = 8;

fn recorded() -> Vec<(String, String, Vec<String>)> {
    let blocks = blocks(include_str!("data/challenges.txt"));
    assert!(blocks.len() >= 75, "{}", blocks.len());
    let values = |body: &str| body.lines().map(str::to_owned).collect();
    blocks
        .into_iter()
        .map(|block| (block.name.clone(), block.field(0).to_owned(), values(&block.body)))
        .collect()
}

/// Header values that no server should send, from fixed seeds, bounded as an HTTP library bounds them.
fn damaged() -> Vec<(String, Vec<String>)> {
    let mut all = Vec::new();
    for (index, (name, _, values)) in recorded().into_iter().enumerate() {
        for number in 0..DAMAGED {
            let mut dice = Dice::new(index as u64 * 100 + number);
            let mut values = values.clone();
            let at = dice.below(values.len());
            let Some(value) = values.get_mut(at) else { continue };
            let (how, bytes) = mutate::bytes(value.as_bytes(), &mut dice);
            *value = String::from_utf8_lossy(&bytes).into_owned();
            all.push((format!("{name}, {how} ({number})"), values));
        }
    }
    all
}

/// What is found, in the words of the data file.
fn summary(found: Option<&Challenge>) -> String {
    let Some(challenge) = found else { return "none".to_owned() };
    let mut text = challenge.scheme.clone();
    for (name, value) in [
        ("error", challenge.error()),
        ("scope", challenge.scope()),
        ("realm", challenge.realm()),
        ("meta", challenge.resource_metadata()),
    ] {
        if let Some(value) = value {
            let _ = write!(text, " {name}={value}");
        }
    }
    text
}

#[test]
fn in_each_recorded_header_the_right_challenge_is_found() {
    let mut wrong = String::new();
    for (name, expected, values) in recorded() {
        let found = summary(find(&values).as_ref());
        if found.trim() != expected.trim() {
            let _ = writeln!(wrong, "{name}\n  expected {expected}\n  found    {found}");
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn damaged_headers_neither_stop_the_reader_nor_say_what_they_do_not() {
    let damaged = damaged();
    assert!(damaged.len() >= 500, "{}", damaged.len());
    for (name, values) in damaged {
        for value in &values {
            for challenge in parse(value) {
                assert!(is_from(&challenge.scheme, value), "{name}: {challenge:?}");
                for (key, text) in &challenge.params {
                    assert!(
                        !key.is_empty() && is_from(key, value) && is_from(text, value),
                        "{name}: {challenge:?}"
                    );
                }
            }
        }
        let telling = find(&values).is_some_and(|found| {
            found.error().is_some() || found.scope().is_some() || found.resource_metadata().is_some()
        });
        let mut more = values.clone();
        more.push("Bearer error=\"sentinel\"".to_owned());
        let found = find(&more).unwrap_or_else(|| panic!("{name}: hidden"));
        assert!(telling || found.error() == Some("sentinel"), "{name}: {found:?}");
    }
}

/// Whether a text could have been read from there: its characters, in order.
fn is_from(text: &str, value: &str) -> bool {
    let value = value.to_lowercase();
    let mut rest = value.chars();
    text.to_lowercase().chars().all(|c| rest.any(|r| r == c))
}

/// The largest headers that get through the HTTP library are read at once.
#[test]
fn long_headers_take_no_time() {
    let began = Instant::now();
    for piece in ["a=\"", "a ", "a=a", "a=\"\\\"", ",", "=", "\"", "a a/=", "Bearer a=\"b\", "] {
        let value = piece.repeat(400 * 1024 / piece.len());
        let _ = (parse(&value).len(), find(&[value]));
    }
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

/// The same values on a real 401: discovery ends in a server or in a name (I5).
#[tokio::test]
async fn discovery_survives_each_of_them() {
    let values: Vec<_> =
        damaged().into_iter().chain(recorded().into_iter().map(|(name, _, v)| (name, v))).collect();
    let headers: Vec<_> = values.iter().map(|(_, values)| header_lines(values)).collect();
    let server = Server::start(move |request| match request.path().strip_prefix("/mcp/") {
        Some(index) => {
            let lines = &headers[index.parse::<usize>().unwrap()];
            format!("HTTP/1.1 401 X\r\nContent-Length: 0\r\nConnection: close\r\n{lines}\r\n").into_bytes()
        }
        None => b"HTTP/1.1 404 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec(),
    })
    .await;
    // Addresses in challenges lead elsewhere: only those cases are asked that stay on this computer.
    for (index, (name, values)) in values.iter().enumerate().filter(|(_, (_, v))| !leads_away(v)) {
        // A server of 2025-03-26 may be seen in it: then its own origin is the authorization server.
        if let Found::Provider(provider) = metadata::find(&server.url(&format!("/mcp/{index}"))).await {
            assert_eq!(provider.issuer, server.base, "{name}: {values:?}");
        }
    }
}

fn leads_away(values: &[String]) -> bool {
    values.iter().any(|value| value.to_ascii_lowercase().contains("http"))
}

fn header_lines(values: &[String]) -> String {
    let clean = |value: &String| value.replace(|c: char| c.is_control() && c != '\t', "?");
    values.iter().map(|value| format!("WWW-Authenticate: {}\r\n", clean(value))).collect()
}
