//! What goes through the proxy comes out as it went in: a corpus of JSON-RPC messages, each sent through the
//! real program, and compared byte by byte with what stands in its file. Only white space between the
//! tokens of a JSON text may differ, and only where one message has to become one line (S-02, T-16).
//!
//! The corpus is in `data/`: every method of the five revisions, each way it may go, and what JSON allows
//! and its libraries lose (T-09, P4). What is compared here is never read by code of the product.
//!
//! # The only exceptions
//!
//! `exceptions.rs` lists what the checklist wants changed or kept back, and proves each: a list that is too
//! long is as wrong as one that is too short.

#![cfg(unix)]
#![allow(missing_docs, unreachable_pub)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cases;
mod deep;
mod exceptions;
mod forms;
mod large;
mod proxy;
mod random;
#[allow(dead_code)]
#[path = "../proxy/server.rs"]
mod server;
mod text;
mod to_host;
mod to_server;
mod tools;
