//! The OAuth client against a server that answers by table: what is asked, in which order, and what is
//! refused.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub, missing_docs)]

mod assertions;
mod discovery;
mod dpop;
mod grants;
mod server;
mod styles;
