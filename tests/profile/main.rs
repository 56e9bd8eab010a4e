//! `profiles.toml`: what is refused and how it is said, how commands change it, and how a person is asked.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    unreachable_pub,
    missing_docs
)]

mod broken;
mod commands;
mod concurrent;
#[allow(dead_code)]
#[path = "../cli/desk.rs"]
mod desk;
mod dialog;
mod edits;
mod flags;
#[allow(dead_code)]
#[path = "../cli/house.rs"]
mod house;
mod schema;
mod secrets;
#[path = "../support/mod.rs"]
mod support;
