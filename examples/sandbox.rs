//! The Chipp look-alike alone, to try things by hand:
//!
//! ```text
//! cargo run --features sandbox --example sandbox
//! ```
//!
//! With `-- --approve` every sign-in is authorized at once, without a page.
//! Prints a `profiles.toml` that points `chipp` at it, and runs until its input ends (Ctrl-D, Ctrl-C).

use std::io::{Read, Write};

use anyhow::{Context, Result};
use chipp_auth::sandbox::{Consent, Options, Sandbox};

fn main() -> Result<()> {
    let approve = std::env::args().skip(1).any(|arg| arg == "--approve");
    let auto_consent = approve.then_some(Consent::Authorize);
    let options = Options { registration: true, auto_consent, ..Options::default() };
    let sandbox = Sandbox::start(options).context("no sandbox")?;
    let base = sandbox.base();
    let base = base.as_str().trim_end_matches('/');
    let mut stdout = std::io::stdout();
    writeln!(stdout, "[profiles.chipp]\nurl = \"{base}/mcp/messages\"\nauthorization_server = \"{base}\"")?;
    stdout.flush()?;
    std::io::stdin().lock().read_to_end(&mut Vec::new())?;
    Ok(())
}
