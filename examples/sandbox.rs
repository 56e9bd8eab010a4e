//! The Chipp look-alike alone, to try things by hand:
//!
//! ```text
//! cargo run --features sandbox --example sandbox
//! ```
//!
//! Prints a `profiles.toml` that points `chipp` at it, and runs until its input ends (Ctrl-D, Ctrl-C).

use std::io::{Read, Write};

use anyhow::{Context, Result};
use chipp_auth::sandbox::{Options, Sandbox};

fn main() -> Result<()> {
    let sandbox =
        Sandbox::start(Options { registration: true, ..Options::default() }).context("no sandbox")?;
    let base = sandbox.base();
    let base = base.as_str().trim_end_matches('/');
    let mut stdout = std::io::stdout();
    writeln!(stdout, "[profiles.chipp]\nurl = \"{base}/mcp/messages\"\nauthorization_server = \"{base}\"")?;
    stdout.flush()?;
    std::io::stdin().lock().read_to_end(&mut Vec::new())?;
    Ok(())
}
