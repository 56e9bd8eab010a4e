//! The binary against authorization servers that were not written here: npm `oidc-provider`, which is
//! certified, and FastMCP's own, which many MCP servers have (issue 3, point 3). Each stands in front of a
//! real MCP server that checks the tokens. What the servers saw and answered is the judge, never the client's
//! word; how they are set up is in `tests/peers/oidc.mjs` and `tests/peers/authorization.py`.
//!
//! A part that is not installed skips its tests, visibly; where `CI` is set it fails them.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    unreachable_pub,
    missing_docs
)]

mod bound;
mod clients;
#[path = "../cli/host.rs"]
#[allow(dead_code)]
mod host;
#[path = "../cli/house.rs"]
#[allow(dead_code)]
mod house;
mod machine;
#[path = "../real/parts.rs"]
#[allow(dead_code)]
mod parts;
mod renewal;
mod scope;
mod server;
mod sign_in;
#[path = "../support/mod.rs"]
mod support;
