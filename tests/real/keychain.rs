//! A real Secret Service (gnome-keyring) on a private bus under the whole program (security.md S1-S3, rows
//! 111-117; issue 2 point 2).

use std::time::{Duration, Instant};

use chipp_auth::sandbox::Options;
use serde_json::{Value, json};

use crate::host::Host;
use crate::ring::{LIMIT, Ring};
use crate::support::require;
use crate::support::secret_service::{PROGRAMS, SecretService};

const LOCKED: (&str, &str) = ("keychain-locked", "the OS keychain is locked");
const MISSING: (&str, &str) = ("keychain-missing", "there is no OS keychain to talk to");
const SILENT: (&str, &str) = ("keychain-timeout", "the OS keychain did not answer in 2 s");

/// Asserts the JSON-RPC error of a keychain.
fn keychain_error(answer: &Value, (name, says): (&str, &str)) {
    let error = &answer["error"];
    assert_eq!((&error["code"], &error["data"]["name"]), (&json!(-31003), &json!(name)), "{answer}");
    assert!(error["message"].as_str().unwrap().contains(says), "{answer}");
}

fn works(host: &mut Host) {
    let answer = host.call("list_apps");
    assert!(answer["result"]["content"][0]["text"].is_string(), "{answer}");
}

#[test]
fn one_sign_in_is_one_item_for_all_processes_until_the_logout() {
    if !require(PROGRAMS) {
        return;
    }
    let life = Duration::from_secs(3);
    let ring = Ring::new(Options { access_lifetime: life, ..Options::default() });
    assert_eq!(ring.items(), 0);
    let signed_in = ring.login();
    assert_eq!(signed_in.code, 0, "{signed_in:?}");
    assert!(signed_in.stderr.contains("OS keychain (Secret Service)"), "{signed_in:?}");
    let first = ring.run(&["token"]).ok().to_owned();
    let seen = ring.service.secret_tool_search();
    assert!(ring.items() == 1 && seen.contains(&first), "{seen}");

    let mut proxy = ring.proxy();
    assert!(proxy.initialize()["result"]["serverInfo"].is_object());
    for _ in 0..3 {
        works(&mut proxy);
        std::thread::sleep(life);
        // Renewed by turns in one process and in the other.
        assert!(ring.run(&["token"]).ok().starts_with("chipp_at_"));
        assert_eq!(ring.items(), 1);
    }
    let renewed = ring.run(&["token"]).ok().to_owned();
    let seen = ring.service.secret_tool_search();
    assert!(seen.contains(&renewed) && !seen.contains(&first), "the item holds the newest: {seen}");
    let counts = ring.house.sandbox.counts();
    assert!(counts.token_refresh >= 3, "{counts:?}");
    assert!(counts.refreshes_per_generation.values().all(|times| *times == 1), "{counts:?}");
    assert_eq!((counts.reuse, counts.families), (0, 1));

    assert_eq!(ring.login().code, 0);
    assert_eq!(ring.items(), 1, "the second sign-in is in the place of the first");
    assert!(!ring.service.secret_tool_search().contains(&renewed));
    works(&mut proxy);
    let status = ring.run(&["status", "--json"]).json();
    assert_eq!((&status["store"], &status["signed_in"]), (&json!("keychain"), &json!(true)));

    let out = ring.run(&["logout"]);
    assert!(out.stderr.contains("the server revoked the tokens"), "{out:?}");
    assert_eq!(ring.items(), 0, "{}", ring.service.secret_tool_search());
    ring.run(&["token"]).failed("login-required", 4);
    assert_eq!(proxy.call("list_apps")["error"]["data"]["name"], "login-required");
    assert_eq!(proxy.end().0, 0);
    ring.no_files();
}

#[test]
fn a_locked_keychain_is_named_before_anything_opens() {
    if !require(PROGRAMS) {
        return;
    }
    let mut ring = Ring::new(Options::default());
    // Without an item nothing is there to be locked: that a new one could not be written must be found out.
    ring.service.lock();
    ring.fails("login", LOCKED.0, LOCKED.1);
    ring.service.kill();
    ring.service.start_daemon("\n");

    assert_eq!(ring.login().code, 0);
    ring.service.lock();
    ring.all_fail(LOCKED.0, LOCKED.1);
    let mut proxy = ring.proxy();
    keychain_error(&proxy.initialize(), LOCKED);
    ring.service.kill();
    ring.service.start_daemon("\n");
    assert!(proxy.initialize().get("result").is_some());
    works(&mut proxy);
    assert_eq!((proxy.end().0, ring.items()), (0, 1));
}

#[test]
fn no_bus_and_no_daemon_are_a_missing_keychain() {
    if !require(PROGRAMS) {
        return;
    }
    let mut ring = Ring::on(SecretService::bus_only(), Options::default());
    ring.all_fail(MISSING.0, MISSING.1);
    let mut proxy = ring.proxy();
    keychain_error(&proxy.initialize(), MISSING);
    ring.service.start_daemon("\n");
    assert_eq!(ring.login().code, 0);
    assert!(proxy.initialize().get("result").is_some(), "the same process finds the daemon and the sign-in");
    works(&mut proxy);

    let bus = ring.bus.take();
    ring.all_fail(MISSING.0, MISSING.1);
    ring.bus = Some("unix:path=/nowhere".into());
    ring.all_fail(MISSING.0, MISSING.1);
    keychain_error(&ring.proxy().initialize(), MISSING);
    ring.bus = bus;
    assert!(ring.run(&["token"]).ok().starts_with("chipp_at_"));
    assert_eq!(ring.items(), 1);
}

#[test]
fn a_daemon_that_does_not_answer_is_left_in_time() {
    if !require(PROGRAMS) {
        return;
    }
    let ring = Ring::new(Options { access_lifetime: Duration::from_secs(6), ..Options::default() });
    assert_eq!(ring.login().code, 0);
    let mut working = ring.proxy();
    assert!(working.initialize().get("result").is_some());
    works(&mut working);

    ring.service.stop();
    ring.all_fail(SILENT.0, SILENT.1);
    let mut starting = ring.proxy();
    let began = Instant::now();
    keychain_error(&starting.initialize(), SILENT);
    assert!(began.elapsed() < LIMIT, "{:?}", began.elapsed());
    // What `all_fail` took is more than the token had to live: it has to be renewed, which needs the item.
    std::thread::sleep(Duration::from_secs(6));
    keychain_error(&working.call("list_apps"), SILENT);
    let refreshes = ring.house.sandbox.counts().token_refresh;
    assert_eq!(refreshes, 0, "no rotation that could not be written down");

    ring.service.resume();
    for host in [&mut working, &mut starting] {
        // The daemon has a queue of forgotten calls to answer first.
        let began = Instant::now();
        let mut answer = host.initialize();
        while answer.get("result").is_none() && began.elapsed() < LIMIT {
            answer = host.initialize();
        }
        assert!(answer.get("result").is_some(), "{answer}");
        works(host);
    }
    let counts = ring.house.sandbox.counts();
    assert_eq!((counts.reuse, counts.families, ring.items()), (0, 1, 1));
    assert_eq!((working.end().0, starting.end().0), (0, 0));
    ring.no_files();
}

#[test]
fn a_wiped_keychain_is_signed_out_and_named_before_anything_opens() {
    if !require(PROGRAMS) {
        return;
    }
    let mut ring = Ring::new(Options::default());
    assert_eq!(ring.login().code, 0);
    ring.service.kill();
    ring.service.wipe();
    // Nothing was typed: no keyring is made, and there is none to write to.
    ring.service.start_daemon("");
    ring.run(&["token"]).failed("login-required", 4);
    assert_eq!(ring.run(&["status"]).code, 4);
    ring.fails("login", MISSING.0, "the Secret Service has no default keyring");
    let mut proxy = ring.proxy();
    assert_eq!(proxy.initialize()["error"]["data"]["name"], "login-required");

    ring.service.kill();
    ring.service.start_daemon("\n");
    assert_eq!(ring.login().code, 0);
    assert!(proxy.initialize().get("result").is_some());
    works(&mut proxy);
    assert_eq!(ring.items(), 1);
    ring.no_files();
}

#[test]
fn reset_removes_a_damaged_item() {
    if !require(PROGRAMS) {
        return;
    }
    let ring = Ring::new(Options::default());
    assert_eq!(ring.login().code, 0);
    let seen = ring.service.secret_tool_search();
    let user = seen.lines().find_map(|line| line.strip_prefix("attribute.username = ")).unwrap();
    // The same attributes: it replaces the item. One attribute more: it is another one that matches, too.
    for more in [&[][..], &["more", "x"][..]] {
        let attributes = [&["service", "chipp-auth", "username", user], more].concat();
        ring.service.secret_tool_store("garbage", &attributes, "garbage");
        for command in ["token", "status"] {
            let ended = ring.run(&[command]);
            ended.failed("store-corrupt", 6);
            assert!(ended.stderr.contains("chipp-auth reset"), "{ended:?}");
        }
        ring.run(&["reset"]).failed("usage", 2);
        assert!(ring.items() > 0, "nothing is removed unasked");
        let ended = ring.run(&["reset", "--yes"]);
        assert_eq!(ended.code, 0, "{ended:?}");
        assert!(
            ended.stderr.contains("the damaged sign-in in the OS keychain (Secret Service)"),
            "{ended:?}"
        );
        assert_eq!(ring.items(), 0, "{}", ring.service.secret_tool_search());
        assert_eq!(ring.run(&["status"]).code, 4);
        assert_eq!(ring.login().code, 0);
        assert_eq!(ring.items(), 1);
    }
}
