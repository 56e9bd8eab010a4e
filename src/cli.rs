//! The command line: what can be typed, one file a command, and the way out.
//!
//! Commands return a named [`Error`](crate::error::Error) or their exit code; only this room turns
//! either into words ([`ui`], [`failure`]).

mod background;
mod client_metadata;
mod context;
mod doctor;
mod failure;
mod log;
mod login;
mod logout;
mod notes;

mod probe;
mod profile;
mod proxy;
mod reset;
mod status;
mod target;
mod terminal;
mod test;
mod token;
mod ui;

use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

use crate::error::{Error, Name, Result};
use crate::store;
use context::Context;
use target::TargetArgs;
use ui::Ui;

/// Signs MCP clients in to Chipp (and any other remote MCP server), keeps the tokens in the OS keychain,
/// and proxies MCP traffic with the bearer token added.
#[derive(Parser)]
#[command(name = "chipp-auth", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = "\
Put it into Claude Code:
  claude mcp add chipp -- chipp-auth proxy

TARGET is a profile name or the URL of an MCP server; without it, Chipp.")]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Options of every command.
#[derive(Args, Clone, Default)]
struct Global {
    /// Where tokens are kept: the OS keychain, or an encrypted file (CHIPP_AUTH_PASSPHRASE)
    #[arg(long, global = true, env = "CHIPP_AUTH_STORE", value_name = "STORE")]
    store: Option<StoreKind>,
    /// Which account, if you have several at one server
    #[arg(long, global = true, value_name = "NAME")]
    account: Option<String>,
    /// Answer as one JSON object on stdout
    #[arg(long, global = true)]
    json: bool,
    /// Say more on stderr; twice for details. Never a secret
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// Say nothing but errors on stderr
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Colours on a terminal
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: Color,
}

#[derive(Clone, Copy, Default, ValueEnum)]
enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, ValueEnum)]
enum StoreKind {
    Keychain,
    File,
}

impl From<StoreKind> for store::Kind {
    fn from(kind: StoreKind) -> Self {
        match kind {
            StoreKind::Keychain => store::Kind::Keychain,
            StoreKind::File => store::Kind::File,
        }
    }
}

#[derive(Subcommand)]
enum Command {
    /// The stdio MCP server that MCP clients start
    Proxy(proxy::ProxyArgs),
    /// Sign in through the browser
    Login(login::LoginArgs),
    /// Revoke the tokens at the server, then forget them
    Logout(logout::LogoutArgs),
    /// Show who is signed in where, with which scopes, and until when
    Status(status::StatusArgs),
    /// Check everything that a sign-in needs, and say what to do; safe to paste into a report
    Doctor(doctor::DoctorArgs),
    /// Remove damaged or stale credentials
    Reset(reset::ResetArgs),
    /// Try everything out, step by step: sign in, renew, fetch the tools
    Test(test::TestArgs),
    /// Print a fresh access token
    Token(token::TokenArgs),
    /// Print the JSON object that Claude Code's headersHelper expects
    Headers(token::TokenArgs),
    /// Make, show and change profiles: what to connect to, and how to sign in there
    Profile(profile::ProfileArgs),
    /// Print the client ID metadata document to host at an address
    ClientMetadata(client_metadata::ClientMetadataArgs),
    /// Print a completion script for your shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Opens the address given on stdin; started by `login`
    #[command(name = crate::login::browser::COMMAND, hide = true)]
    OpenBrowser,
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return ui::usage(error),
    };
    let ui = Ui::new(&cli.global);
    log::start(&cli.global);
    let target = cli.command.target().map(str::to_owned);
    let outcome = dispatch(cli, &ui);
    ExitCode::from(match outcome {
        Ok(code) => code,
        Err(error) => failure::report(&error.for_target(target.as_deref()), &ui),
    })
}

impl Command {
    /// The target as typed, to name it in hints; none for the default one.
    fn target(&self) -> Option<&str> {
        let args = match self {
            Command::Proxy(args) => &args.target,
            Command::Login(args) => &args.target,
            Command::Logout(args) => &args.target,
            Command::Status(args) => &args.target,
            Command::Doctor(args) => &args.target,
            Command::Reset(args) => &args.target,
            Command::Test(args) => &args.target,
            Command::Token(args) | Command::Headers(args) => &args.target,
            Command::Profile(_) => return None,
            Command::ClientMetadata(_) | Command::Completions { .. } | Command::OpenBrowser => return None,
        };
        args.target.as_deref().filter(|target| *target != crate::profile::DEFAULT)
    }
}

fn dispatch(cli: Cli, ui: &Ui) -> Result<u8> {
    match cli.command {
        Command::OpenBrowser => return crate::login::browser::run_opener().map(|()| 0),
        Command::ClientMetadata(args) => return client_metadata::run(ui, &args),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "chipp-auth", &mut script);
            ui.raw(&script);
            return Ok(0);
        }
        _ => {}
    }
    // One thread is enough, and starts faster. Keychain calls and blocking reads live on threads of their
    // own; the runtime must not wait for them when it ends (DESIGN decision 12).
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Error::new(Name::Internal, format!("no runtime: {error}")))?;
    if let Command::Doctor(args) = cli.command {
        // What keeps the others from starting is what it has to tell.
        let code = runtime.block_on(doctor::run(cli.global, ui, args));
        runtime.shutdown_background();
        return Ok(code);
    }
    let context = Context::new(cli.global, ui)?;
    let outcome = runtime.block_on(async {
        match cli.command {
            Command::Proxy(args) => proxy::run(&context, args).await,
            Command::Login(args) => login::run(&context, args).await,
            Command::Logout(args) => logout::run(&context, args).await,
            Command::Status(args) => status::run(&context, args).await,
            Command::Reset(args) => reset::run(&context, args).await,
            Command::Test(args) => test::run(&context, args).await,
            Command::Token(args) => token::token(&context, args).await,
            Command::Headers(args) => token::headers(&context, args).await,
            Command::Profile(args) => profile::run(&context, args).await,
            Command::Doctor(_)
            | Command::ClientMetadata(_)
            | Command::Completions { .. }
            | Command::OpenBrowser => Ok(0),
        }
    });
    runtime.shutdown_background();
    outcome
}
