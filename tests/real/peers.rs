//! Real MCP clients over stdio through `chipp-auth proxy` to real MCP servers: the official TypeScript SDK, v1
//! and v2, the official Python SDK, FastMCP, rmcp, `server-everything`, and the MCP Inspector. What has to hold
//! is in `tests/peers/scenario.mjs`, `scenario.py` and `rmcp/src/scenario.rs`, and is the same for all; what
//! reached the server is read from its log, and what the proxy wrote from a copy of its stdout.

mod eras;
mod everything;
mod inspector;
mod migrants;
mod pairs;
mod parties;
mod play;
mod signed_in;
