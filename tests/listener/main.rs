//! The callback listener over real sockets: what reaches it, what it answers, and that nothing but
//! the one true callback has an effect. Test names and comments carry the ids of security.md
//! (L1 to L12, rows 1 to 42).

// Clippy's allowance for tests does not reach the functions that tests share.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

mod bounds;
mod browser;
mod guards;
mod outcomes;
mod places;
mod support;
