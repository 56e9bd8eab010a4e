//! No secret leaves the store: not on stdout (but for `token` and `headers`, whose answer it is), not on
//! stderr at any level, not in a file, not in the arguments or the environment of a child.
//!
//! The secrets are real ones of real sign-ins, and random: access and refresh tokens, authorization codes, PKCE
//! verifiers, the client secret, the passphrase. A whole life is led with them (`life`), everything that can be
//! seen of it is kept (`watch`), and searched in the end in every form that a careless line of code might
//! give them (`search`).
//!
//! What is not judged: the environment of the processes that the user starts, since the user has put the
//! passphrase and the client secret there; `state` and `code_challenge`, which the browser is meant to get in its
//! arguments; the MCP session id, which nothing but the sandbox and the program ever hold.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    unreachable_pub,
    missing_docs
)]

mod control;
mod exec;
#[allow(dead_code)]
#[path = "../cli/host.rs"]
mod host;
#[allow(dead_code)]
#[path = "../cli/house.rs"]
mod house;
mod life;
mod search;
mod stage;
mod watch;
