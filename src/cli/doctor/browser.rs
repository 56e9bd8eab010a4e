//! Whether a page could open before the user. Nothing is opened.

use std::path::Path;

use crate::login::browser;

use super::check::Check;

const ID: &str = "browser";

/// What would be used, or what is in the way. `again`: the target as it has to be typed.
pub(super) async fn check(again: Option<&str>) -> Check {
    let named = std::env::var("BROWSER").ok().filter(|named| !named.trim().is_empty());
    let Some(obstacle) = browser::obstacle() else {
        return judge(named.as_deref(), browser::exists().await);
    };
    let again = again.map(|again| format!(" {again}")).unwrap_or_default();
    let remedy = format!(
        "run `chipp-auth login{again} --no-browser` to sign in here, or `--device` in its place where the server offers that"
    );
    Check::warn(ID, format!("no browser is tried, because {obstacle}"), remedy)
}

fn judge(named: Option<&str>, exists: Option<bool>) -> Check {
    match (named, exists) {
        (_, None) => Check::skipped(ID, "the system does not say in time what it would open an address with"),
        (Some(named), Some(true)) => Check::ok(ID, format!("BROWSER names {}", programs(named))),
        (Some(named), Some(false)) => Check::warn(
            ID,
            format!("BROWSER names {}, which is not there", programs(named)),
            "correct BROWSER, or unset it",
        ),
        (None, Some(true)) => Check::ok(ID, "the system's own browser is used"),
        (None, Some(false)) => Check::warn(
            ID,
            "the system has nothing to open an address with",
            "install a browser (and xdg-utils on Linux), or set BROWSER to the program to use",
        ),
    }
}

/// The programs' names alone: paths and arguments are nobody's business.
fn programs(named: &str) -> String {
    let name = |command: &str| {
        let program = command.split_whitespace().next()?.to_owned();
        Some(Path::new(&program).file_name()?.to_string_lossy().into_owned())
    };
    // A drive's colon belongs to its path; elsewhere it stands between programs.
    let separator = if cfg!(windows) { ';' } else { ':' };
    let names: Vec<_> = named.split(separator).filter_map(name).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::check::Status;

    #[test]
    fn a_browser_that_is_not_there_is_a_warning() {
        for (named, exists, status) in [
            (None, Some(true), Status::Ok),
            (None, Some(false), Status::Warn),
            (Some("x"), Some(true), Status::Ok),
            (Some("x"), Some(false), Status::Warn),
            (None, None, Status::Skipped),
        ] {
            assert_eq!(judge(named, exists).status, status, "{named:?} {exists:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn of_a_browser_only_its_name_is_shown() {
        assert_eq!(programs("/opt/ada/firefox -P s3cret %s:lynx"), "firefox, lynx");
    }
}
