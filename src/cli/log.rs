//! Diagnostics on stderr (S-05): this program's own events only, since those of the libraries may contain
//! addresses with codes in them. No event of ours contains a secret, at any level.

use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::Global;

/// Starts the log at the level asked for.
pub(super) fn start(global: &Global) {
    let level = match global.verbose {
        _ if global.quiet => Level::ERROR,
        0 => Level::WARN,
        1 => Level::INFO,
        2 => Level::DEBUG,
        _ => Level::TRACE,
    };
    // MCP clients keep what we write on stderr in their logs, where colours are rubbish.
    let ansi = anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
    let lines = tracing_subscriber::fmt::layer().without_time().with_target(false).with_ansi(ansi);
    let lines = lines.with_writer(std::io::stderr);
    let filter = Targets::new().with_target("chipp_auth", level);
    let _ = tracing_subscriber::registry().with(filter).with(lines).try_init();
}
