//! What runs here, and in which surroundings.

use crate::cli::ui::Ui;
use crate::login::browser;

use super::check::Check;

/// The program, the system, and how it was started.
pub(super) fn checks() -> Vec<Check> {
    let path = std::env::current_exe().map(|path| format!(", {}", path.display())).unwrap_or_default();
    let version = format!("chipp-auth {}{path}", env!("CARGO_PKG_VERSION"));
    vec![
        Check::ok("version", version),
        Check::ok("system", system()),
        Check::ok("started", started(Ui::terminals(), &surroundings())),
    ]
}

/// Name and version of the system as far as it tells them in files, and the processor. The computer's name is
/// nobody's business.
fn system() -> String {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let mut parts: Vec<String> = Vec::new();
    if cfg!(target_os = "linux") {
        let about = read("/etc/os-release").or_else(|| read("/usr/lib/os-release")).unwrap_or_default();
        parts.extend(distribution(&about));
        let kernel = read("/proc/sys/kernel/osrelease").unwrap_or_default();
        parts.push(format!("Linux {}", kernel.trim()).trim().to_owned());
    } else if cfg!(target_os = "macos") {
        let about = read("/System/Library/CoreServices/SystemVersion.plist").unwrap_or_default();
        parts.push(format!("macOS {}", product_version(&about).unwrap_or_default()).trim().to_owned());
    } else {
        parts.push(std::env::consts::OS.to_owned());
    }
    parts.push(std::env::consts::ARCH.to_owned());
    parts.join(", ")
}

/// `PRETTY_NAME` of os-release(5).
fn distribution(about: &str) -> Option<String> {
    let value = about.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    let value = value.trim().trim_matches(['"', '\'']).to_owned();
    (!value.is_empty()).then_some(value)
}

/// `ProductVersion` of macOS' own property list.
fn product_version(about: &str) -> Option<&str> {
    let (_, rest) = about.split_once("<key>ProductVersion</key>")?;
    let (_, value) = rest.split_once("<string>")?;
    value.split_once("</string>").map(|(value, _)| value)
}

/// Where this process is.
fn surroundings() -> Vec<&'static str> {
    let set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let ssh = ["SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"].iter().any(set);
    let found = [
        (ssh, "over SSH"),
        (set(&"CODESPACES"), "in a codespace"),
        (set(&"REMOTE_CONTAINERS"), "in a development container"),
        (browser::is_container(), "in a container"),
        (browser::is_wsl(), "under WSL"),
        (set(&"CI"), "in a CI job"),
    ];
    found.into_iter().filter(|(is, _)| *is).map(|(_, words)| words).collect()
}

/// The streams that are terminals, and the surroundings.
fn started(terminals: [bool; 3], surroundings: &[&str]) -> String {
    let on = match terminals {
        [true, true, true] => "at a terminal".to_owned(),
        [false, false, false] => "without a terminal".to_owned(),
        some => {
            let names = ["stdin", "stdout", "stderr"].into_iter().zip(some);
            let names: Vec<_> = names.filter(|(_, is)| *is).map(|(name, _)| name).collect();
            format!("with {} at a terminal", names.join(" and "))
        }
    };
    let words: Vec<_> = std::iter::once(on.as_str()).chain(surroundings.iter().copied()).collect();
    format!("started {}", words.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_is_named_by_its_own_files() {
        let about = "NAME=\"Debian\"\nPRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\nID=debian\n";
        assert_eq!(distribution(about).as_deref(), Some("Debian GNU/Linux 13 (trixie)"));
        assert_eq!(distribution("PRETTY_NAME=\n"), None);
        assert_eq!(distribution("nonsense"), None);
        let about = "<dict><key>ProductVersion</key>\n\t<string>15.1</string></dict>";
        assert_eq!(product_version(about), Some("15.1"));
        assert_eq!(product_version("<key>ProductVersion</key><string>"), None);
    }

    #[test]
    fn it_says_which_streams_are_terminals() {
        assert_eq!(started([true; 3], &[]), "started at a terminal");
        assert_eq!(started([false; 3], &["over SSH"]), "started without a terminal, over SSH");
        let said = "started with stdin and stderr at a terminal, in a container, in a CI job";
        assert_eq!(started([true, false, true], &["in a container", "in a CI job"]), said);
    }
}
