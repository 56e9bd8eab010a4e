//! The command line. What names a program may come from the environment too, as `benches/compare` does it.

use std::path::PathBuf;

use clap::Parser;

use super::peers::{Column, Way};

/// Compares chipp-auth with other bridges and with a client that needs none.
#[derive(Debug, Parser)]
pub(crate) struct Options {
    /// How many rounds, each with every measurement of every column
    #[arg(long, env = "ROUNDS", default_value_t = 5)]
    pub(crate) rounds: usize,
    /// Measure only groups whose names begin so: start, keychain, distant, pinned, calls, flood, slow, huge, large, progress
    #[arg(long, value_name = "GROUP", value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// Show the best of all samples instead of the median: for a machine that others use too
    #[arg(long)]
    pub(crate) best: bool,
    /// Where the figures go as JSON [default: bridge.json in target/tmp]
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// The binary to measure, instead of the one just built
    #[arg(long, env = "CHIPP_AUTH_BIN", value_name = "PROGRAM")]
    chipp_auth: Option<PathBuf>,
    /// An installed mcp-remote: a program, or its .js file
    #[arg(long, env = "MCP_REMOTE", value_name = "PROGRAM")]
    mcp_remote: Option<PathBuf>,
    /// An installed mcp-proxy
    #[arg(long, env = "MCP_PROXY", value_name = "PROGRAM")]
    mcp_proxy: Option<PathBuf>,
    /// What cargo says to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

impl Options {
    pub(crate) fn program(&self) -> PathBuf {
        self.chipp_auth.clone().unwrap_or_else(|| env!("CARGO_BIN_EXE_chipp-auth").into())
    }

    pub(crate) fn columns(&self) -> Vec<Column> {
        let others = [self.mcp_remote.clone().map(Way::McpRemote), self.mcp_proxy.clone().map(Way::McpProxy)];
        let ways =
            [Way::Direct, Way::ChippAuth(self.program())].into_iter().chain(others.into_iter().flatten());
        ways.map(Column::new).collect()
    }

    pub(crate) fn wants(&self, group: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| group.starts_with(name.as_str()))
    }

    pub(crate) fn json_file(&self) -> PathBuf {
        self.json.clone().unwrap_or_else(|| PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bridge.json"))
    }
}
