//! The binary against providers as users of third-party services meet them: a strict authorization server that
//! was not written from this code and has the habits of real ones (`tests/peers/provider.mjs`), and in front of it
//! a custom MCP server made of the official SDK that reads the user's token from the `Authorization` header
//! (`tests/peers/identity.mjs`). What they saw is the judge. Here also: `oidc-provider` through profiles.
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

mod accounts;
mod auto;
mod basic;
mod fields;
mod habits;
#[path = "../cli/host.rs"]
#[allow(dead_code)]
mod host;
#[path = "../cli/house.rs"]
#[allow(dead_code)]
mod house;
mod oidc;
#[path = "../real/parts.rs"]
#[allow(dead_code)]
mod parts;
mod presets;
mod provider;
mod readme;
mod requests;
mod rows;
mod salesforce;
#[path = "../servers/server.rs"]
#[allow(dead_code, unused_imports, unused_macros)]
mod server;
#[path = "../support/mod.rs"]
mod support;
mod troubleshooting;
