//! What servers, networks and hostile pages send, by the hundred: recorded shapes of real servers, and
//! mutations of them from fixed seeds (bar 4 of the authorization work; security.md 4.4, 6.1).
//!
//! | file | what is read |
//! | --- | --- |
//! | [`tokens`] | answers of a token endpoint, by the pure reader (A-40 to A-47, rows 77 to 108) |
//! | [`wire`] | the same through real sockets, in every request style |
//! | [`session`] | the same by a session: the stored refresh token is never lost (I1) |
//! | [`metadata`] | metadata documents, by `discover` (A-02 to, D1 to D8) |
//! | [`challenges`] | `WWW-Authenticate` values (A-01, D10) |
//! | [`callbacks`] | queries of the callback, pure and through the listener (A-27 to A-29, L2 to L4) |
//!
//! The same seeds give the same cases on each machine; a failure names its case.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub, missing_docs)]

mod callbacks;
mod challenges;
mod data;
#[allow(dead_code)]
#[path = "../listener/support.rs"]
mod listener;
mod metadata;
mod mutate;
mod oracle;
mod server;
mod session;
mod tokens;
mod wire;
