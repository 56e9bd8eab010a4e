//! Opens the authorization page in the user's browser, from a process of its own.
//!
//! The library `webbrowser` knows how each system starts one, without a shell (A-31, B1). But it
//! runs text browsers in the foreground, on our standard output, where `proxy` speaks MCP; and a
//! browser inherits the environment of whoever starts it. So this program starts itself again as
//! `open-browser`, with its output on null, without our secrets, and in a process group that Ctrl-C
//! does not reach. The address goes through a pipe, since command lines are open to every user.

mod headless;
mod opener;

use url::Url;

pub use headless::{Obstacle, is_container, is_wsl, obstacle};
pub use opener::{COMMAND, run_opener};

use crate::error::{Error, Name, Result};

/// The longest address that is opened, in bytes (B2).
const LONGEST: usize = 8 * 1024;

/// Whether somebody has the authorization page before them.
#[derive(Debug, Clone)]
pub enum Launch {
    /// A browser was started, as far as can be known: the opener did not fail within three seconds.
    Browser,
    /// None was tried, because none could appear: the printed address is the only way.
    Obstacle(Obstacle),
    /// None could be started: likewise.
    Failed(Error),
}

/// Whether this system has something to open an address with; what `BROWSER` names counts. No browser is
/// started. `None`: it is not known in time.
pub async fn exists() -> Option<bool> {
    opener::look(&std::env::current_exe().ok()?).await
}

/// Opens `url` where that can work. That it does not work is no error: the address is printed
/// anyhow, and the wait goes on (rows 7 and 9).
///
/// # Errors
/// `unsafe-url`: such an address must not be printed either.
pub async fn launch(url: &Url) -> Result<Launch> {
    check(url)?;
    if let Some(obstacle) = obstacle() {
        return Ok(Launch::Obstacle(obstacle));
    }
    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(error) => return Ok(Launch::Failed(missing(&format!("no way to start it: {error}")))),
    };
    Ok(match opener::start(&program, url).await {
        Ok(()) => Launch::Browser,
        Err(error) => Launch::Failed(error),
    })
}

/// Allows only what is meant for a browser: https, or http on this computer; no user name,
/// fragment, control character, blank or backslash; ASCII; 8 KiB at most (B2, A-30, A-32).
///
/// It looks at the address as it will be handed over, which is the re-serialised one.
///
/// # Errors
/// `unsafe-url`.
pub fn check(url: &Url) -> Result<()> {
    crate::http::check(url)?;
    let refuse = |why: &str| {
        let what = format!("the sign-in address {} {why}", crate::http::show(url));
        Err(Error::new(Name::UnsafeUrl, what).hinted("do not open it; tell the operator of the server"))
    };
    if url.as_str().len() > LONGEST {
        // Not shown: it may be as long as it likes.
        let what = format!("the sign-in address is longer than {} KiB", LONGEST / 1024);
        return Err(Error::new(Name::UnsafeUrl, what)
            .hinted("ask for fewer scopes, or tell the operator of the server"));
    }
    if url.fragment().is_some() {
        return refuse("contains a fragment");
    }
    if !url.as_str().bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') {
        return refuse("contains characters that do not belong into an address");
    }
    Ok(())
}

fn missing(what: &str) -> Error {
    Error::new(Name::BrowserMissing, format!("no browser could be started: {what}"))
}

#[cfg(test)]
mod tests;
