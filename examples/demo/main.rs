//! The whole tool in a minute, on a server of its own: nothing leaves this computer.
//!
//! ```text
//! cargo run --release --features sandbox --example demo [-- --headless]
//! ```
//!
//! Starts a Chipp look-alike, signs in to it (in your browser; with `--headless` the page is followed
//! here), keeps the tokens in the OS keychain (or says why not, and uses the encrypted file), works through
//! `chipp-auth proxy` as an MCP client does, lets the server refuse the token, lets eight processes renew
//! at once, signs out, and leaves nothing behind.

mod client;
mod page;
mod tool;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use chipp_auth::sandbox::{Fault, Options, Sandbox};
use serde_json::json;

use client::Client;
use tool::Tool;

fn main() -> ExitCode {
    match demo() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say!("The demo failed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn demo() -> Result<()> {
    let headless = std::env::args().skip(1).any(|arg| arg == "--headless");
    let binary = tool::build()?;
    let sandbox = Sandbox::start(Options::default()).context("the sandbox does not start")?;

    say!("A Chipp look-alike is at {}. Nothing leaves this computer.", sandbox.base());
    let tool = Tool::new(binary, &sandbox)?;
    say!("Tokens will be kept in the {}.", tool.store());

    heading("Sign in, once");
    sign_in(&tool, headless)?;

    heading("Work, as Claude Code does: it starts `chipp-auth proxy` and speaks MCP over stdio");
    let mut client = Client::start(tool.command(&["proxy"]))?;
    work(&mut client)?;

    heading("The server refuses the access token, though it is not old");
    sandbox.fail_next(Fault::McpUnauthorized);
    let before = sandbox.counts();
    let (_, took) = client.call("get_app_analytics", json!({"appId": "app_1001"}))?;
    let after = sandbox.counts();
    ensure!(after.token_refresh == before.token_refresh + 1, "the token was not renewed");
    say!("  tools/call           {took:>7.1?}   renewed and sent again; the client saw nothing of it");

    heading("Eight processes find the access token at its end, all at the same moment");
    eight(&tool, &sandbox)?;

    heading("Look at it");
    tool.show(&["status"])?;

    heading("Sign out");
    drop(client);
    tool.show(&["logout"])?;
    ensure!(sandbox.counts().families_revoked == 1, "the server was not told");
    ensure!(tool.quiet(&["status"])? == 4, "something is left");
    tool.clean()?;
    say!("Nothing is left: no token here, none at the server, no file, no process.");
    say!();
    say!("For real:  chipp-auth login && claude mcp add chipp -- chipp-auth proxy");
    Ok(())
}

fn sign_in(tool: &Tool, headless: bool) -> Result<()> {
    let obstacle = chipp_auth::login::browser::obstacle();
    if !headless && obstacle.is_none() {
        return tool.show(&["login"]);
    }
    if let Some(obstacle) = obstacle.filter(|_| !headless) {
        say!("(There is no browser to use here, because {obstacle}; the page is followed by this program.)");
    }
    let (login, address) = tool.login()?;
    let page = page::authorize(&address)?;
    login.finish()?;
    say!("  The browser ended on the page “{page}”.");
    Ok(())
}

fn work(client: &mut Client) -> Result<()> {
    let (server, took) = client.initialize()?;
    say!("  initialize           {took:>7.1?}   from the start of the process; {server}");
    let (answer, took) = client.ask("tools/list", json!({}))?;
    let tools = answer["tools"].as_array().context("no tools")?;
    let names: Vec<_> = tools.iter().filter_map(|tool| tool["name"].as_str()).collect();
    say!("  tools/list           {took:>7.1?}   {}", names.join(", "));
    for (tool, arguments) in [("create_app", json!({"name": "Demo"})), ("list_apps", json!({}))] {
        let (answer, took) = client.call(tool, arguments)?;
        let text = answer["content"][0]["text"].as_str().context("no text")?;
        let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(60).collect();
        say!("  tools/call           {took:>7.1?}   {tool}: {line}…");
    }
    Ok(())
}

fn eight(tool: &Tool, sandbox: &Sandbox) -> Result<()> {
    // The next token lives a second; then the server is generous again.
    sandbox.set(|options| options.access_lifetime = Duration::from_secs(1));
    sandbox.fail_next(Fault::McpUnauthorized);
    let mut client = Client::start(tool.command(&["proxy"]))?;
    client.initialize()?;
    sandbox.set(|options| options.access_lifetime = Duration::from_secs(3600));
    std::thread::sleep(Duration::from_millis(1100));
    let before = sandbox.counts();
    let begun = Instant::now();
    let children: Vec<_> =
        (0..8).map(|_| tool.command(&["token"]).spawn()).collect::<std::io::Result<_>>()?;
    for mut child in children {
        ensure!(child.wait()?.success(), "a process was left without a token");
    }
    let after = sandbox.counts();
    let refreshes = after.token_refresh - before.token_refresh;
    ensure!(refreshes == 1 && after.reuse == 0, "{refreshes} refreshes, {} reused", after.reuse);
    say!(
        "  8 tokens             {:>7.1?}   1 refresh reached the server, no refresh token was used twice",
        begun.elapsed()
    );
    Ok(())
}

fn heading(text: &str) {
    say!();
    say!("── {text}");
}

/// Prints a line. A reader that closes the pipe early ends the demo, and is no failure.
#[macro_export]
macro_rules! say {
    ($($part:tt)*) => {{
        use std::io::Write;
        let _ = writeln!(std::io::stdout().lock(), $($part)*);
    }};
}
