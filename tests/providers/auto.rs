//! `token_style = "auto"`: the style is found, the code is spent once, and what worked is remembered.

use std::time::Duration;

use crate::house::Ended;
use crate::provider::{Provider, value};

const STYLES: [&str; 3] = ["form_post", "form_basic", "json_basic"];

fn start(options: &[&str]) -> Option<Provider> {
    let provider = Provider::start(options)?;
    provider.profile("token_style = \"auto\"");
    Some(provider)
}

/// Signs in again and again until it works, as a user does who is told to; how often it took, and the last one.
fn until_it_works(provider: &Provider) -> (usize, Ended) {
    for attempt in 1..=STYLES.len() {
        let ended = provider.login(&[]);
        if ended.code == 0 {
            return (attempt, ended);
        }
    }
    panic!("no style was found: {:#?}", provider.seen("token"));
}

/// The codes that token requests showed, in order.
fn codes(provider: &Provider) -> Vec<String> {
    let of = |entry| value(&Provider::parameters(entry), "code");
    provider.grants("authorization_code").iter().filter_map(of).collect()
}

/// What worked is said, and is the first thing that is tried from now on, also by a renewal.
fn remembered(provider: &Provider, ended: &Ended, style: &str) {
    // The one that is tried first anyway is no news.
    assert_eq!(ended.stderr.contains(style), style != STYLES[0], "{style}: {ended:?}");
    let before = provider.seen("token").len();
    provider.login(&[]).ok();
    std::thread::sleep(Duration::from_millis(1100));
    provider.run(&["token"]).ok();
    provider.run(&["logout"]).ok();
    provider.login(&[]).ok();
    let since = provider.seen("token").split_off(before);
    let worked = since.iter().all(|entry| entry["status"] == 200);
    assert!(worked && since.len() == 3, "at the first try each: {since:#?}");
    assert!(provider.seen("revoke").iter().all(|entry| entry["status"] == 200));
}

// Servers that authenticate the client first leave the code alone: one sign-in is enough, whatever they say.
#[test]
fn every_style_is_found_in_one_sign_in_where_codes_survive() {
    for style in STYLES {
        for silent in [&[][..], &["--silent", "empty"], &["--silent", "html"]] {
            let options = [&["--style", style, "--lifetime", "1"], silent].concat();
            let Some(provider) = start(&options) else { return };
            let (attempts, ended) = until_it_works(&provider);
            assert_eq!(attempts, 1, "{style} {silent:?}");
            let codes = codes(&provider);
            assert!(codes.len() <= STYLES.len() && codes.iter().all(|code| *code == codes[0]), "{codes:?}");
            remembered(&provider, &ended, style);
        }
    }
}

// A server that burns the code says so as soon as somebody asks in the right style: then that style is known, and one
// more authorization brings the tokens. No code is spent twice on the same question.
#[test]
fn every_style_is_found_where_codes_are_burnt() {
    for style in STYLES {
        for silent in [&[][..], &["--silent", "empty"], &["--silent", "html"]] {
            let options = [&["--style", style, "--burn", "--lifetime", "1"], silent].concat();
            let Some(provider) = start(&options) else { return };
            let (attempts, ended) = until_it_works(&provider);
            assert_eq!(attempts, 1, "{style} {silent:?}");
            let mut codes = codes(&provider);
            codes.dedup();
            assert_eq!(codes.len(), if style == STYLES[0] { 1 } else { 2 }, "{style} {silent:?}: {codes:?}");
            remembered(&provider, &ended, style);
        }
    }
}

// A wrong secret is wrong in every style; it is named, and nothing is remembered.
#[test]
fn a_wrong_secret_is_not_a_wrong_style() {
    for style in STYLES {
        let Some(provider) = start(&["--style", style]) else { return };
        let mut command = provider.command(&["login", "--timeout", "30s"]);
        let ended = crate::house::wait(command.env("CHIPP_AUTH_CLIENT_SECRET", "wrong").spawn().unwrap());
        ended.failed("client-rejected", 2);
        assert!(provider.seen("token").len() <= STYLES.len() + 1);
    }
}
