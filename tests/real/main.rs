//! The binary among real parts: a real keychain, a real browser, real MCP clients and servers (issue 2,
//! points 2 to 4). The sandbox's log and the other parts are the judges, never the client's word.
//!
//! A part that is not installed skips its tests, visibly; where `CI` is set it fails them.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    unreachable_pub,
    missing_docs
)]

mod browser;
#[path = "../cli/host.rs"]
#[allow(dead_code)]
mod host;
#[path = "../cli/house.rs"]
#[allow(dead_code)]
mod house;
mod keychain;
mod parts;
mod peers;
mod ring;
#[path = "../support/mod.rs"]
mod support;
