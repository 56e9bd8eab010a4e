//! rmcp as a peer: a client that runs the scenario, and a server that it runs against.
//!
//! ```text
//! peers-rmcp client [--answers sse] [--era legacy|auto|modern] [--without CHECK]… -- COMMAND [ARG…]
//! peers-rmcp server
//! ```
//!
//! The client prints one JSON line, as tests/peers/report.mjs says. The server listens at `$PORT` of loopback,
//! speaks the revisions of `$PEERS_ERA`, and prints what happens in its tools as JSON lines; the token is checked
//! before it, by tests/peers/behind.mjs.
#![forbid(unsafe_code)]
// Sampling and logging are what a peer is for.
#![allow(deprecated)]

mod client;
mod report;
mod scenario;
mod server;
mod tools;

/// What tools of the same name say in every peer.
const COLOUR: &str = "Which colour?";
const WORD: &str = "Say a word";
const GREETING: &str = "peers://greeting";

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    match args.next().as_deref() {
        Some("client") => {
            let good = report::run(report::Options::of(args)?).await;
            // A child that hangs must not keep the process.
            std::process::exit(i32::from(!good));
        }
        Some("server") => server::serve().await,
        _ => anyhow::bail!("peers-rmcp client … | server"),
    }
}
