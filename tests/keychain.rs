//! The keychain store over a real Secret Service (security.md S1-S3, rows 111-117; issue 2 point 2).
//!
//! Each test has a bus, a daemon and a home of its own; what counts is what child processes and
//! `secret-tool` see.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]

mod support;

use std::time::{Duration, Instant};

use support::secret_service::{PROGRAMS, SecretService};
use support::{Child, require, store_child, tree};

/// The limit without a terminal is 2 s; the rest is for a loaded machine.
const LIMIT: Duration = Duration::from_secs(2 + 6);

#[test]
#[ignore = "a child process of the other tests"]
fn child() {
    if support::is_child() {
        store_child::serve();
    }
}

fn client(service: &SecretService) -> Child {
    let env = service.env();
    store_child::start("child", &env[0].1, None, &env)
}

/// One command in a process of its own, which has to end by itself.
fn run(service: &SecretService, command: &str) -> String {
    let mut child = client(service);
    let answer = child.ask(command);
    child.end();
    answer
}

fn items(service: &SecretService) -> usize {
    service.secret_tool_search().matches("attribute.service = chipp-auth").count()
}

#[test]
fn a_record_goes_from_process_to_process_and_is_one_item() {
    if !require(PROGRAMS) {
        return;
    }
    let service = SecretService::start();
    assert_eq!(run(&service, "load default"), "absent");
    assert_eq!(run(&service, "inspect default"), "Absent");
    assert_eq!(run(&service, "forget default"), "false");
    for generation in 1..=5 {
        assert_eq!(run(&service, &format!("save default {generation}")), "saved");
        assert_eq!(run(&service, "load default"), format!("generation {generation}"));
    }
    assert_eq!(run(&service, "load work"), "absent");
    let seen = service.secret_tool_search();
    assert_eq!(items(&service), 1, "{seen}");
    assert!(seen.contains("label = chipp-auth: default at https://app.chipp.ai"), "{seen}");
    assert!(seen.contains("attribute.username = default https://app.chipp.ai"), "{seen}");
    assert!(seen.contains("chipp_rt_5") && !seen.contains("chipp_rt_4"), "{seen}");

    assert_eq!(run(&service, "save work 9"), "saved");
    assert_eq!(items(&service), 2);
    assert_eq!(run(&service, "forget default"), "true");
    assert_eq!(run(&service, "load default"), "absent");
    assert_eq!(run(&service, "load work"), "generation 9");
}

#[test]
fn concurrent_writers_leave_one_whole_item() {
    if !require(PROGRAMS) {
        return;
    }
    let service = SecretService::start();
    let mut writers: Vec<_> = (0..8).map(|_| client(&service)).collect();
    for round in 0..5 {
        for (n, writer) in writers.iter_mut().enumerate() {
            writer.tell(&format!("save default {}", round * 8 + n));
        }
        for writer in &writers {
            // Without the session's lock one may read back another's record, and must say so.
            let answer = writer.hear();
            assert!(answer == "saved" || answer.starts_with("error store-corrupt"), "{answer}");
        }
        let answer = run(&service, "load default");
        assert!(answer.starts_with("generation "), "{answer}");
    }
    assert_eq!(items(&service), 1, "{}", service.secret_tool_search());
}

/// Each command fails with `name` in time, its process ends, and no file appears in place of an item (S1).
fn all_fail(service: &SecretService, name: &str) {
    let home = service.env()[0].1.clone();
    let before = tree(&home.join("data"));
    for command in ["load default", "save default 2", "forget default", "inspect default"] {
        let mut child = client(service);
        let began = Instant::now();
        let answer = child.ask(command);
        assert!(answer.starts_with(&format!("error {name} ")), "{command}: {answer}");
        assert!(began.elapsed() < LIMIT, "{command} took {:?}", began.elapsed());
        assert!(child.end() < LIMIT, "the process outlived the failed call");
    }
    assert_eq!(tree(&home.join("data")), before, "something was written elsewhere");
}

#[test]
fn a_locked_keychain_is_named_and_keeps_its_item() {
    if !require(PROGRAMS) {
        return;
    }
    let mut service = SecretService::start();
    assert_eq!(run(&service, "save default 1"), "saved");
    service.lock();
    all_fail(&service, "keychain-locked");
    service.kill();
    service.start_daemon("wrong\n");
    all_fail(&service, "keychain-locked");
    service.kill();
    service.start_daemon("\n");
    assert_eq!(run(&service, "load default"), "generation 1");
}

#[test]
fn a_locked_keychain_without_an_item_is_locked_for_a_save() {
    if !require(PROGRAMS) {
        return;
    }
    let service = SecretService::start();
    service.lock();
    let answer = run(&service, "save default 1");
    assert!(answer.starts_with("error keychain-locked"), "{answer}");
}

#[test]
fn no_bus_and_no_daemon_are_a_missing_keychain() {
    if !require(PROGRAMS) {
        return;
    }
    let mut service = SecretService::bus_only();
    all_fail(&service, "keychain-missing");
    service.start_daemon("\n");
    assert_eq!(run(&service, "save default 1"), "saved");
    service.kill();
    all_fail(&service, "keychain-missing");

    let home = tempfile::tempdir().unwrap();
    let nowhere = home.path().join("nowhere");
    let env =
        [("XDG_RUNTIME_DIR", nowhere.clone()), ("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere".into())];
    for env in [&env[..], &env[..1]] {
        let answer = store_child::start("child", home.path(), None, env).ask("load default");
        assert!(answer.starts_with("error keychain-missing "), "{answer}");
    }
}

#[test]
fn a_daemon_that_does_not_answer_is_left_after_two_seconds() {
    if !require(PROGRAMS) {
        return;
    }
    let service = SecretService::start();
    assert_eq!(run(&service, "save default 1"), "saved");
    let mut connected = client(&service);
    assert_eq!(connected.ask("load default"), "generation 1");
    service.stop();
    all_fail(&service, "keychain-timeout");
    let answer = connected.ask("save default 7");
    assert!(answer.starts_with("error keychain-timeout "), "{answer}");
    // Many calls on a dead daemon do not pile up threads: beyond 8 they fail at once.
    let began = Instant::now();
    for _ in 0..12 {
        assert!(connected.ask("load default").starts_with("error keychain-timeout "));
    }
    assert!(began.elapsed() < Duration::from_secs(2 * 12 - 4), "{:?}", began.elapsed());
    let threads = std::fs::read_dir(format!("/proc/{}/task", connected.id()))
        .unwrap()
        .filter_map(|thread| std::fs::read_to_string(thread.ok()?.path().join("comm")).ok())
        .filter(|name| name.trim() == "keychain")
        .count();
    assert!((1..=8).contains(&threads), "{threads} threads");
    service.resume();
    std::thread::sleep(Duration::from_millis(500));
    let answer = connected.ask("load default");
    // The save that timed out may have happened.
    assert!(["generation 1", "generation 7"].contains(&&*answer), "{answer}");
}

#[test]
fn a_long_lived_process_finds_a_restarted_daemon() {
    if !require(PROGRAMS) {
        return;
    }
    let mut service = SecretService::bus_only();
    let mut proxy = client(&service);
    assert!(proxy.ask("load default").starts_with("error keychain-missing "));
    service.start_daemon("\n");
    assert_eq!(proxy.ask("save default 1"), "saved");
    service.kill();
    assert!(proxy.ask("load default").starts_with("error keychain-missing "));
    service.start_daemon("\n");
    assert_eq!(proxy.ask("load default"), "generation 1");
    service.kill();
    service.start_daemon("\n");
    assert_eq!(proxy.ask("save default 2"), "saved");
}

#[test]
fn a_wiped_keychain_is_empty_or_missing_never_a_crash() {
    if !require(PROGRAMS) {
        return;
    }
    let mut service = SecretService::start();
    assert_eq!(run(&service, "save default 1"), "saved");
    service.kill();
    service.wipe();
    // Nothing was typed: no keyring is made, and there is none to write to.
    service.start_daemon("");
    assert_eq!(run(&service, "load default"), "absent");
    let answer = run(&service, "save default 2");
    assert!(
        answer.starts_with("error keychain-missing the Secret Service has no default keyring"),
        "{answer}"
    );
    service.kill();
    service.start_daemon("\n");
    assert_eq!(run(&service, "save default 2"), "saved");
    assert_eq!(run(&service, "load default"), "generation 2");
}

#[test]
fn damage_is_told_from_absence_and_forget_removes_it() {
    if !require(PROGRAMS) {
        return;
    }
    let service = SecretService::start();
    let ours = ["service", "chipp-auth", "username", "default https://app.chipp.ai"];
    for (secret, name, found) in [
        ("rubbish", "store-corrupt", "Damaged(Corrupt)"),
        ("", "store-corrupt", "Damaged(Corrupt)"),
        (r#"{"v":7,"body":{}}"#, "store-newer", "Damaged(Newer(7))"),
    ] {
        service.secret_tool_store("other", &ours, secret);
        let answer = run(&service, "load default");
        assert!(answer.starts_with(&format!("error {name} ")), "{secret:?}: {answer}");
        assert_eq!(run(&service, "inspect default"), found);
        assert_eq!(run(&service, "forget default"), "true");
        assert_eq!(run(&service, "inspect default"), "Absent");
    }
    // A second item that matches: which one is the sign-in must not be guessed.
    assert_eq!(run(&service, "save default 1"), "saved");
    service.secret_tool_store("other", &[&ours[..], &["more", "x"]].concat(), "rubbish");
    assert_eq!(items(&service), 2);
    assert_eq!(run(&service, "inspect default"), "Damaged(Corrupt)");
    let answer = run(&service, "save default 2");
    assert!(answer.starts_with("error store-corrupt "), "{answer}");
    assert_eq!(run(&service, "forget default"), "true");
    assert_eq!(items(&service), 0);
}
