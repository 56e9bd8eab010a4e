//! A real browser on the callback: what it asks for, and what it shows in the end.

use std::process::{Command, Stdio};

use chipp_auth::error::Name;
use chipp_auth::login::Page;

use crate::support::{Login, Plan, STATE};

/// Opens an address in headless Chromium and returns the page as it stands in the end.
fn visit(url: &str) -> Option<String> {
    let profile = tempfile::tempdir().unwrap();
    let flags = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
        --disable-background-networking --disable-component-update --disable-sync --password-store=basic";
    let output = Command::new("timeout")
        .args(["60", "chromium"])
        .args(flags.split_whitespace())
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(["--dump-dom", url])
        .stderr(Stdio::null())
        .output();
    // What `timeout` says where there is no such program.
    let Some(output) = output.ok().filter(|output| output.status.code() != Some(127)) else {
        eprintln!("SKIPPED: there is no chromium here");
        return None;
    };
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// L8: the browser ends on `/done`, whose title it shows, and asked for nothing besides.
#[test]
fn a_real_browser_ends_on_the_page_of_the_outcome() {
    for (query, outcome, title) in [
        ("code=1", Page::SignedIn, "You’re signed in"),
        ("code=1", Page::Failed, "Sign-in didn’t work"),
        ("error=access_denied", Page::Denied, "Sign-in declined"),
    ] {
        let plan = Plan { exchange: (std::time::Duration::from_millis(300), outcome), ..Plan::default() };
        let login = Login::start(plan);
        let Some(page) = visit(&format!("http://localhost:{}/callback?{query}&state={STATE}", login.port))
        else {
            return;
        };
        assert!(page.contains(&format!("<h1>{title}</h1>")), "{page}");
        assert!(!page.contains(STATE));
        assert_eq!(login.ignored.count(), 0);
        match login.end() {
            Ok(code) => assert_eq!(code, "1"),
            Err(error) => assert_eq!(error.name(), Name::LoginDenied),
        }
    }
}
