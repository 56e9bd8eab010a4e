//! A real keychain: one that works, and what can be wrong with it.

use chipp_auth::sandbox::Options;

use crate::house::House;
use crate::report::{Report, command};
use crate::support::require;
use crate::support::secret_service::{PROGRAMS, SecretService};

/// The report of a house whose store is the keychain on this bus.
fn on(service: &SecretService) -> Report {
    let house = House::new(Options::default());
    let mut command = command(&house, &[]);
    command.env_remove("CHIPP_AUTH_STORE");
    Report::from({
        command.envs(service.env().into_iter().filter(|(name, _)| *name != "HOME"));
        command
    })
}

#[test]
fn a_record_is_tried_and_nothing_of_it_stays() {
    if !require(PROGRAMS) {
        return;
    }
    let service = SecretService::start();
    let report = on(&service);
    assert_eq!(report.status("store"), "ok", "{}", report.json);
    assert!(report.what("store").starts_with("OS keychain"), "{}", report.json);
    assert_eq!(report.status("sign-in"), "warn");
    let left = service.secret_tool_search();
    assert!(!left.contains("trial"), "{left}");
}

#[test]
fn a_keychain_that_is_locked_missing_or_stopped_is_named() {
    if !require(PROGRAMS) {
        return;
    }
    let service = SecretService::start();
    service.lock();
    on(&service).failed("store", "keychain-locked", 6, &["sign-in"]);
    on(&SecretService::bus_only()).failed("store", "keychain-missing", 6, &["sign-in"]);
    let service = SecretService::start();
    service.stop();
    let report = on(&service);
    service.resume();
    report.failed("store", "keychain-timeout", 6, &["sign-in"]);
    assert!(report.what("sign-in").starts_with("unknown"), "{}", report.json);
}
