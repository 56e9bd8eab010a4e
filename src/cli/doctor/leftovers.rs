//! What other clients left behind: old tokens of Chipp, and tokens in plain text.

use std::path::{Path, PathBuf};

use crate::cli::reset;

use super::check::Check;

/// Files looked at in each directory: a directory that is not what it is taken for must not keep us.
const MANY: usize = 1000;

/// Looks in the home directory.
pub(super) fn checks() -> Vec<Check> {
    vec![claude(&reset::leftovers()), mcp_remote(mcp_remote_directory().as_deref())]
}

/// `~/.claude/mcp-auth/chipp*`, which `reset` removes.
fn claude(found: &[PathBuf]) -> Check {
    const ID: &str = "leftovers";
    match found {
        [] => Check::ok(ID, "no other client left tokens of Chipp in ~/.claude/mcp-auth"),
        [one] => Check::warn(ID, format!("another client left {}", one.display()), "run `chipp-auth reset`"),
        [one, more @ ..] => Check::warn(
            ID,
            format!("another client left {} and {} more of its kind", one.display(), more.len()),
            "run `chipp-auth reset`",
        ),
    }
}

/// Where mcp-remote keeps what it gets.
fn mcp_remote_directory() -> Option<PathBuf> {
    let moved = std::env::var_os("MCP_REMOTE_CONFIG_DIR").filter(|place| !place.is_empty());
    let usual = || Some(directories::BaseDirs::new()?.home_dir().join(".mcp-auth"));
    moved.map(PathBuf::from).or_else(usual)
}

/// The tokens that mcp-remote keeps: JSON in plain text, `HASH_tokens.json` in a directory for each version of
/// it. They may be in use, so they are only told of.
fn mcp_remote(directory: Option<&Path>) -> Check {
    const ID: &str = "mcp-remote";
    let Some(directory) = directory else { return Check::skipped(ID, "there is no home directory") };
    let within = |directory: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
        entries.take(MANY).map(|entry| entry.path()).collect()
    };
    let here = within(directory);
    let below = here.iter().flat_map(|path| within(path));
    let is_token = |path: &&PathBuf| {
        path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.ends_with("_tokens.json"))
    };
    let below: Vec<_> = below.collect();
    let place = directory.display();
    let files = match here.iter().chain(&below).filter(is_token).count() {
        0 => return Check::ok(ID, format!("mcp-remote keeps no tokens in {place}")),
        1 => "the tokens of one sign-in".to_owned(),
        number => format!("the tokens of {number} sign-ins"),
    };
    Check::warn(
        ID,
        format!("mcp-remote keeps {files} in plain text in {place}"),
        format!("remove {place} when no client of yours uses mcp-remote any more"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::check::Status;

    #[test]
    fn tokens_of_mcp_remote_are_counted_in_all_its_versions() {
        let home = tempfile::tempdir().unwrap();
        let place = home.path().join(".mcp-auth");
        assert_eq!(mcp_remote(Some(&place)).status, Status::Ok);
        for (version, file) in
            [("mcp-remote-0.1.29", "ab_tokens.json"), ("mcp-remote-0.1.31", "ab_client_info.json")]
        {
            std::fs::create_dir_all(place.join(version)).unwrap();
            std::fs::write(place.join(version).join(file), "{}").unwrap();
        }
        let check = mcp_remote(Some(&place));
        assert!(check.status == Status::Warn && check.what.contains("one sign-in"), "{check:?}");
        std::fs::write(place.join("cd_tokens.json"), "{}").unwrap();
        assert!(mcp_remote(Some(&place)).what.contains("2 sign-ins"));
    }
}
