//! Which of the two eras of MCP a server speaks, and what of it is remembered (T-80 to T-82).

pub(super) mod verdict;
