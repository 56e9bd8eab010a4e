//! MCP 2025-11-25 and before, where a session stands between client and server: what opened it, what the
//! server has to be told with every request (`session`), how it is opened again (`renew`), and the stream on
//! which the server speaks unasked (`listen`).

mod listen;
mod renew;
pub(super) mod session;
