//! # chipp-auth
//!
//! Signs MCP clients in to remote MCP servers: one browser sign-in, tokens in the OS keychain,
//! refreshes that never lose one, and a stdio proxy that adds the bearer token.
//!
//! ## The map of the house
//!
//! | room | what happens there |
//! | --- | --- |
//! | [`cli`] | what can be typed; every word a person sees |
//! | [`error`] | every named failure, in one table |
//! | [`paths`], [`http`] | where things live; the two HTTP clients and their limits |
//! | [`credential`] | the record of one sign-in; values only |
//! | [`profile`] | what to connect to: the built-in `chipp`, `profiles.toml`, any URL |
//! | [`oauth`] | the OAuth client as a library |
//! | [`session`] | the heart: reuse, or lock, read again, decide, refresh, save |
//! | [`store`] | keychain, encrypted file, locks, the list of accounts |
//! | [`login`] | one interactive sign-in: the callback listener, its pages, the browser |
//! | [`proxy`] | the stdio MCP server that clients start |
//! | `sandbox` | a Chipp look-alike on loopback, for tests and the demo (feature `sandbox`) |
//!
//! Arrows point one way: `cli → { login, session, proxy, profile }`, `login → oauth`,
//! `session → { oauth, store, credential }`, `oauth → { http, error }`, `store → credential`.
//! `oauth` and `store` do not know each other, nothing imports `cli`, and `proxy` knows tokens only
//! through [`proxy::Bearer`]; of `oauth` it uses the parser of challenges, a pure function.

pub mod cli;
pub mod credential;
pub mod error;
pub mod http;
pub mod login;
pub mod oauth;
pub mod paths;
pub mod profile;
pub mod proxy;
#[cfg(feature = "sandbox")]
pub mod sandbox;
pub mod session;
pub mod store;
