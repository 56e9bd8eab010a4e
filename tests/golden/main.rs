//! What people and programs read when something fails, word for word: for each name of the table in
//! `src/error.rs` the command, its exit code, stdout and stderr, plain and with `--json`, kept in
//! `errors/NAME.txt`; and the help of every command in `help/`.
//!
//! After a change of words: `SNAPSHOTS=overwrite cargo nextest run --features sandbox --test golden`, then read
//! the difference as somebody who sees the sentence for the first time.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    unreachable_pub,
    missing_docs
)]

use chipp_auth::error::Name;

mod configuration;
mod exchange;
mod fake;
mod frame;
mod help;
#[allow(dead_code)]
#[path = "../cli/host.rs"]
mod host;
#[allow(dead_code)]
#[path = "../cli/house.rs"]
mod house;
mod keychain;
mod renewal;
mod sign_in;
mod storage;
#[path = "../support/mod.rs"]
mod support;
mod table;
mod traffic;

/// Names whose golden comes from the real program in a real situation: one test each.
macro_rules! real {
    ($($name:ident = $situation:path,)*) => {
        const REAL: &[Name] = &[$(Name::$name),*];
        mod real {
            use super::*;
            $(
                #[allow(non_snake_case)]
                #[test]
                fn $name() {
                    frame::check(Name::$name, $situation());
                }
            )*
        }
    };
}

real! {
    Usage = configuration::unknown_profile,
    ConfigBad = configuration::unknown_key,
    ConfigUntrusted = configuration::open_to_others,
    UnsafeUrl = configuration::plain_http,
    StateDirUnsafe = configuration::open_directory,
    ExchangeRejected = exchange::refused,
    LoginDenied = sign_in::denied,
    RedirectUriMismatch = sign_in::unregistered,
    LoginTimeout = sign_in::nobody_comes,
    BrowserMissing = sign_in::no_browser,
    LoginCancelled = sign_in::interrupted,
    PortBusy = sign_in::port_taken,
    IssuerMismatch = sign_in::foreign_issuer,
    PkceUnsupported = sign_in::no_pkce,
    NetworkDown = sign_in::refused_connection,
    TlsFailed = sign_in::bad_certificates,
    Timeout = sign_in::silent_server,
    LoginRequired = renewal::signed_out,
    RefreshMissing = renewal::no_refresh_token,
    ClientRejected = renewal::unknown_client,
    CaptivePortal = renewal::portal,
    ServerBusy = renewal::busy,
    ServerError = renewal::down,
    BadResponse = renewal::nonsense,
    RedirectRefused = renewal::redirect,
    WrongTokenType = renewal::other_token_type,
    WrongOrigin = renewal::moved_server,
    LockTimeout = renewal::held_lock,
    StoreCorrupt = storage::damaged,
    StoreNewer = storage::newer,
    StoreSealed = storage::wrong_passphrase,
    KeychainLocked = keychain::locked,
    KeychainMissing = keychain::missing,
    KeychainTimeout = keychain::stopped,
    ScopeRequired = traffic::missing_scope,
    SessionLost = traffic::forgotten_session,
    StreamLost = traffic::broken_answer,
    TooLarge = traffic::huge_answer,
    ToolsUnavailable = traffic::no_tools,
}

#[test]
fn every_name_has_a_golden() {
    for name in Name::ALL {
        let real = REAL.iter().filter(|n| *n == name).count();
        let listed = table::LISTED.iter().filter(|(n, ..)| n == name).count();
        assert_eq!(
            real + listed,
            1,
            "`{name}` needs exactly one golden: in `real!`, or else in `table::LISTED`"
        );
    }
    let mut files: Vec<_> = std::fs::read_dir(frame::directory("errors"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let mut names: Vec<_> = Name::ALL.iter().map(|name| format!("{name}.txt")).collect();
    files.sort();
    names.sort();
    assert_eq!(files, names, "a golden of a name that is gone, or none");
}
