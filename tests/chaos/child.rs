//! The proxy as a process of its own: this test program, started again with one test, which serves its own stdin and
//! stdout.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use chipp_auth::proxy::{End, Input, Limits, Output, Pipe, Upstream, join};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;

use super::host::{Shared, Tokens};

const URL: &str = "CHIPP_AUTH_TEST_URL";
const TOTAL: &str = "CHIPP_AUTH_TEST_TOTAL";

/// No test, but the process that the others start.
#[test]
#[ignore = "started by the other tests"]
fn child() {
    let Ok(url) = std::env::var(URL) else { return };
    let upstream = Upstream::new(url.parse().unwrap());
    // Long enough for a busy machine, short enough for calls that are never answered.
    let silence = Duration::from_secs(10);
    let total = std::env::var(TOTAL)
        .map_or(Limits::default().total, |total| Duration::from_secs(total.parse().unwrap()));
    let limits = Limits { silence, stream: silence, total };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let end = runtime.block_on(async {
        let (_never, ends) = mpsc::channel(1);
        let pipe = Pipe { input: Input::stdin(), output: Output::stdout(), ends, limits };
        join(pipe, upstream, Shared(Arc::new(Tokens::default()))).await
    });
    runtime.shutdown_background();
    std::process::exit(if end == End::Eof { 0 } else { 3 });
}

/// Starts it, with a limit for each call.
pub fn start_for(url: &url::Url, total: Duration) -> Child {
    command(url).env(TOTAL, total.as_secs().to_string()).spawn().unwrap()
}

/// Starts it.
pub fn start(url: &url::Url) -> Child {
    command(url).spawn().unwrap()
}

fn command(url: &url::Url) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "child::child", "--ignored", "--nocapture", "--quiet"]);
    command.env(URL, url.as_str()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    command.kill_on_drop(true);
    command
}

/// The most memory that a process has had, in bytes.
#[cfg(target_os = "linux")]
pub fn peak_memory(child: &Child) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id().unwrap())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() << 10
}

/// Not known here.
#[cfg(not(target_os = "linux"))]
pub fn peak_memory(_: &Child) -> usize {
    0
}
