//! The proxy against servers that break, lie, flood and forget: the fault rows 130 to 132 of the threat model word
//! for word, minutes and hours of silence on a simulated clock, memory under hostile streams, and a hundred
//! thousand random exchanges whose truth is read from the server's own log.

#![cfg(unix)]
#![allow(missing_docs, unreachable_pub)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod child;
mod dice;
mod exchanges;
#[allow(dead_code)]
#[path = "../proxy/host.rs"]
mod host;
mod memory;
mod plan;
mod reply;
mod rows;
mod server;
mod session;
mod time;
mod wire;
mod world;
