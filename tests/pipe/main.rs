//! The program at the end of a pipe, seen from outside only: what it writes, word for word, when it ends and
//! with which code, how much memory and how much processor time it took. The rows are those of the fault
//! matrix (124 to 129), the ids those of the checklist (S-) and of the threat model (P).
//!
//! What needs the inside, or a clock that can be stopped, is in `tests/proxy`.

#![cfg(target_os = "linux")]
#![allow(missing_docs, unreachable_pub)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod ends;
mod kinds;
mod large;
mod lines;
mod program;
mod requests;
mod silence;
mod stall;
mod wire;
