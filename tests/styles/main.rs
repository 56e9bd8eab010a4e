//! Token request styles (the seed's "Token Request Styles"): each request byte for byte, and the search for the
//! style that a server takes, against servers of every temper.

#![cfg(feature = "sandbox")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub, missing_docs)]

mod bytes;
#[cfg(unix)]
mod command;
mod device;
mod explain;
#[cfg(unix)]
#[allow(dead_code)]
#[path = "../cli/house.rs"]
mod house;
mod kit;
mod search;
#[allow(dead_code)]
#[path = "../oauth/server.rs"]
mod server;
mod strict;
