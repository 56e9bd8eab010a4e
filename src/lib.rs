//! # chipp-auth
//!
//! Signs MCP clients in to remote MCP servers: one browser sign-in, tokens in the OS keychain,
//! refreshes that never lose one, and a stdio proxy that adds the bearer token.
//!
//! ## The map of the house
//!
//! | room | what happens there |
//! | --- | --- |
//! | [`error`] | every named failure, in one table |
//! | [`paths`], [`http`] | where things live; the two HTTP clients and their limits |
//! | [`credential`] | the record of one sign-in; values only |
//! | [`proxy`] | the stdio MCP server that clients start |
//! | `sandbox` | a Chipp look-alike on loopback, for tests and the demo (feature `sandbox`) |
//!
//! Arrows point one way: `cli → { login, session, proxy, profile }`, `login → oauth`,
//! `session → { oauth, store, credential }`, `oauth → { http, error }`, `store → credential`.
//! `oauth` and `store` do not know each other, nothing imports `cli`, and `proxy` knows tokens only
//! through [`proxy::Bearer`].

pub mod credential;
pub mod error;
pub mod http;
pub mod paths;
pub mod proxy;
#[cfg(feature = "sandbox")]
pub mod sandbox;
