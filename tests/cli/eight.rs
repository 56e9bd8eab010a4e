//! Eight processes share one sign-in while its tokens live four seconds: no failed call, no token used
//! twice, no new sign-in, and each token renewed once, at its end.

use std::time::{Duration, Instant};

use chipp_auth::sandbox::{Kind, Options};

use crate::host::Host;
use crate::house::House;

const LIFE: Duration = Duration::from_secs(4);
const WHOLE: Duration = Duration::from_secs(30);

fn eight(options: Options, earliest: Duration) {
    let house = House::new(options);
    assert_eq!(house.login(&[]).code, 0);
    let hosts: Vec<_> = (0..8)
        .map(|_| {
            let command = house.command(&["proxy"]);
            std::thread::spawn(move || {
                let mut host = Host::start(command);
                assert!(host.initialize().get("result").is_some());
                let begun = Instant::now();
                let mut calls = 0;
                while begun.elapsed() < WHOLE {
                    let answer = host.call("list_apps");
                    assert!(answer.get("result").is_some(), "call {calls}: {answer}");
                    calls += 1;
                    std::thread::sleep(Duration::from_secs(1));
                }
                assert_eq!(host.end().0, 0);
                calls
            })
        })
        .collect();
    let calls: u64 = hosts.into_iter().map(|host| host.join().unwrap()).sum();

    let counts = house.sandbox.counts();
    assert!(calls >= 8 * 20, "{calls} calls are not one a second");
    assert_eq!(counts.tool_calls["list_apps"], calls, "each call ran once");
    assert_eq!((counts.reuse, counts.families, counts.families_revoked), (0, 1, 0));
    assert!(counts.refreshes_per_generation.values().all(|times| *times == 1), "{counts:?}");
    assert!(counts.token_refresh >= 5, "the tokens did end: {counts:?}");
    // No more refreshes than expiries: each came when its token was at its end, and not before.
    let issued: Vec<_> = house.sandbox.log().into_iter().filter(|entry| entry.kind == Kind::Token).collect();
    for pair in issued.windows(2) {
        let age = pair[1].at.saturating_sub(pair[0].at);
        assert!(age >= earliest, "a token was renewed at the age of {age:?}");
    }
}

/// The last tenth of a life belongs to its end; the rest is the way from the server's clock to ours.
const BY_THE_CLOCK: Duration = Duration::from_millis(3550);

#[test]
fn eight_processes_while_the_clock_ends_the_tokens() {
    eight(Options { access_lifetime: LIFE, ..Options::default() }, BY_THE_CLOCK);
}

#[test]
fn eight_processes_while_the_server_ends_the_tokens_before_their_time() {
    eight(Options { reject_early: Some(LIFE), ..Options::default() }, LIFE);
}

#[test]
fn eight_processes_while_nobody_says_how_long_the_tokens_live() {
    eight(Options { access_lifetime: LIFE, say_expires_in: false, ..Options::default() }, LIFE);
}
