//! The sandbox against a plain HTTP client. No product code: what the sandbox says about a client
//! is worth something only if the sandbox itself was judged by somebody else.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails as a test does")]

mod authorize;
mod discovery;
mod faults;
mod kit;
mod mcp;
mod oracle;
mod register;
mod scopes;
mod stream;
mod token;
