//! Where the parts are, and whether they are there.

use std::path::{Path, PathBuf};

use crate::support::require;

/// A file of `tests/peers`.
pub fn peer(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(name)
}

/// The Python that has the official SDK.
pub fn python() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/peers-venv/bin/python")
}

/// Whether Node is installed, and what `npm ci` brings.
pub fn node() -> bool {
    require(&["node"]) && brought(&peer("node_modules/.package-lock.json"))
}

/// Whether Chromium is installed, and what drives it.
pub fn chromium() -> bool {
    node() && require(&["chromium"])
}

/// Whether the environment of the Python SDK was made.
pub fn python_sdk() -> bool {
    brought(&python())
}

/// The client and the server made of rmcp.
pub fn rmcp_program() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/peers-rmcp/debug/peers-rmcp")
}

/// Whether they were built.
pub fn rmcp() -> bool {
    brought(&rmcp_program())
}

/// Whether this is there, which `tests/run` brings.
pub fn brought(path: &Path) -> bool {
    let there = path.exists();
    if !there {
        assert!(std::env::var_os("CI").is_none(), "missing {}; run tests/run", path.display());
        eprintln!("SKIPPED (missing {}; tests/run brings it)", path.display());
    }
    there
}
