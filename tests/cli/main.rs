//! The binary as a user runs it: real processes, real files, real sockets, against the sandbox, whose log
//! is the judge. The store is the encrypted file here; the keychain has tests of its own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    unreachable_pub,
    missing_docs
)]

mod accounts;
mod authorization;
#[cfg(unix)]
mod desk;
mod device;
mod eight;
#[cfg(unix)]
mod eras;
#[cfg(unix)]
mod fixed;
#[allow(dead_code)]
mod host;
mod house;
#[cfg(unix)]
mod kinds;
mod login;
mod machine;
#[cfg(unix)]
mod parity;
#[cfg(unix)]
mod paste;
#[cfg(unix)]
mod plain;
mod proxy;
mod redirect;
mod registration;
mod requests;
mod session;
#[cfg(unix)]
mod trial;
