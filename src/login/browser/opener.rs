//! The child process that opens the browser: starting it, and being it.

use std::io::Read;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::timeout;
use url::Url;

use super::{LONGEST, check, missing};
use crate::error::{Error, Name, Result};

/// The hidden command under which this program is the opener.
pub const COMMAND: &str = "open-browser";

/// How long the opener is watched. One that is still running then is slow, or a text browser: it is
/// left alone, and never killed (row 8).
const PATIENCE: Duration = Duration::from_secs(3);

/// What is written to the opener in the place of an address, to know whether there is a browser.
const LOOK: &str = "?";

/// Starts `program` as the opener of `url`.
pub(super) async fn start(program: &Path, url: &Url) -> Result<()> {
    check(url)?;
    match tell(command(program), url.as_str()).await? {
        None => Ok(()),
        Some(status) if status.success() => Ok(()),
        Some(_) => Err(missing("none was found")),
    }
}

/// Asks `program` as the opener whether there is a browser: to find out, scripts of the system are run, which
/// are not to inherit our secrets either. `None`: it is not known in time.
pub(super) async fn look(program: &Path) -> Option<bool> {
    let mut command = command(program);
    command.kill_on_drop(true);
    tell(command, LOOK).await.ok()?.map(|status| status.success())
}

/// Starts an opener and writes to it. How it ended, if it did so in time.
async fn tell(mut command: Command, text: &str) -> Result<Option<ExitStatus>> {
    let mut child = command.spawn().map_err(|error| missing(&error.to_string()))?;
    let stdin = child.stdin.take();
    let finished = async {
        if let Some(mut stdin) = stdin {
            // An opener that does not read has an exit status that tells why.
            let _ = stdin.write_all(text.as_bytes()).await;
        }
        child.wait().await
    };
    match timeout(PATIENCE, finished).await {
        Err(_) => Ok(None),
        Ok(Ok(status)) => Ok(Some(status)),
        Ok(Err(error)) => Err(missing(&error.to_string())),
    }
}

fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .arg(COMMAND)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // A browser named by a relative path must not be found in somebody's project (B3).
        .current_dir("/");
    for (name, _) in std::env::vars_os() {
        // Ours may be secrets; the linker's would load foreign code into the browser (B5).
        if ["CHIPP_AUTH_", "LD_", "DYLD_"].iter().any(|ours| name.to_string_lossy().starts_with(ours)) {
            command.env_remove(name);
        }
    }
    #[cfg(unix)]
    command.process_group(0);
    // CREATE_NO_WINDOW and CREATE_NEW_PROCESS_GROUP: no console flashes up, and Ctrl-C stays here.
    #[cfg(windows)]
    command.creation_flags(0x0800_0000 | 0x0000_0200);
    command
}

/// What the opener does: reads the address from standard input, checks it again, and opens it.
///
/// # Errors
/// `unsafe-url`, if what arrives is not an address that may be opened; `browser-missing`.
pub fn run_opener() -> Result<()> {
    let mut text = String::new();
    let bound = LONGEST as u64 + 1;
    let unsafe_url = || Error::new(Name::UnsafeUrl, "what arrived is not an address");
    std::io::stdin().lock().take(bound).read_to_string(&mut text).map_err(|_| unsafe_url())?;
    if text == LOOK {
        return if webbrowser::Browser::is_available() { Ok(()) } else { Err(missing("none was found")) };
    }
    let url = Url::parse(&text).map_err(|_| unsafe_url())?;
    check(&url)?;
    // The library's own text may hold the address.
    webbrowser::open(url.as_str()).map_err(|_| missing("none was found"))
}
