//! `doctor`, in a house where everything is in order and in houses where something is not: each fault is a real
//! one. What must hold for all of them: the fault is found and named, with one thing to do; whatever else can be
//! looked at is looked at; and nothing secret is told.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    unreachable_pub,
    missing_docs
)]

mod fine;
#[allow(dead_code)]
#[path = "../cli/house.rs"]
mod house;
mod keychain;
mod local;
mod paste;
mod remote;
mod report;
#[path = "../support/mod.rs"]
mod support;
