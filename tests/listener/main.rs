//! The callback listener over real sockets: what reaches it, what it answers, and that nothing but
//! the one true callback has an effect. Test names and comments carry the ids of security.md
//! (L1 to L12, rows 1 to 42).

mod bounds;
mod browser;
mod guards;
mod outcomes;
mod support;
