//! The proxy against a scripted server: one test per rule, named after what it proves. The ids are those
//! of the MCP checklist (T-, S-), of the fault matrix (row) and of the threat model (P).

#![allow(missing_docs, unreachable_pub)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod answers;
mod authorization;
mod busy;
mod changes;
mod dpop;
mod ends;
mod eras;
mod headers;
mod host;
mod input;
mod ladder;
mod large;
mod mirrored;
mod modern;
mod order;
mod parsers;
mod process;
mod refusals;
mod renewal;
mod resumption;
mod server;
mod sse;
mod stateless;
mod translate;
mod unasked;
