//! The OAuth client against a server that answers by table: what is asked, in which order, and what is
//! refused.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub, missing_docs)]

mod assertions;
mod challenge;
mod discovery;
mod documents;
mod dpop;
mod grants;
mod identity;
mod issuer;
mod mcp;
mod network;
mod outdated;
mod server;
mod styles;
