//! Judges from the surroundings whether a browser could appear before the user (row 9).

use std::ffi::OsString;
use std::fmt;
use std::path::Path;

/// Why no browser should be tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// The user sits at another computer.
    Ssh,
    /// A development machine in the cloud; the user's editor is elsewhere.
    Codespace,
    /// A development container of an editor.
    DevContainer,
    /// A container, without a screen of its own.
    Container,
    /// Nothing of the above, but no screen.
    NoDisplay,
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Obstacle::Ssh => "this is an SSH session",
            Obstacle::Codespace => "this is a codespace",
            Obstacle::DevContainer => "this is a development container",
            Obstacle::Container => "this is a container",
            Obstacle::NoDisplay => "this session has no display",
        })
    }
}

impl Obstacle {
    /// Whether the user's browser is certainly on another computer or outside of this container, where
    /// `localhost` is not here.
    pub fn is_elsewhere(self) -> bool {
        self != Obstacle::NoDisplay
    }
}

/// Why no browser should be tried; `None` if it should.
///
/// `BROWSER` always decides: it is how people (and remote editors, which forward the port too) say
/// that there is one after all.
pub fn obstacle() -> Option<Obstacle> {
    judge(&Surroundings {
        variable: &|name| std::env::var_os(name),
        file: &|path| Path::new(path).exists(),
        display_is_certain: cfg!(any(windows, target_vendor = "apple")),
    })
}

/// Whether this is Linux inside of Windows, whose browser reaches `localhost` here only where Windows is
/// set up so.
pub fn is_wsl() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(target_os = "linux") && WSL.into_iter().any(set)
}

/// Whether this is a container, as far as it says so.
pub fn is_container() -> bool {
    let set = std::env::var_os("container").is_some_and(|value| !value.is_empty());
    set || CONTAINER.into_iter().any(|path| Path::new(path).exists())
}

const CONTAINER: [&str; 2] = ["/.dockerenv", "/run/.containerenv"];
const WSL: [&str; 2] = ["WSL_DISTRO_NAME", "WSL_INTEROP"];

struct Surroundings<'a> {
    variable: &'a dyn Fn(&str) -> Option<OsString>,
    file: &'a dyn Fn(&str) -> bool,
    display_is_certain: bool,
}

fn judge(around: &Surroundings<'_>) -> Option<Obstacle> {
    let set = |name: &str| (around.variable)(name).is_some_and(|value| !value.is_empty());
    if set("BROWSER") {
        return None;
    }
    // A window over X forwarding would run on the far machine; nobody has that and wants it today.
    if ["SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"].into_iter().any(set) {
        return Some(Obstacle::Ssh);
    }
    if set("CODESPACES") {
        return Some(Obstacle::Codespace);
    }
    if set("REMOTE_CONTAINERS") {
        return Some(Obstacle::DevContainer);
    }
    // Under WSL, Windows has the browser. A container with a screen (distrobox, Flatpak) shares it, and
    // most likely the network too.
    let display = ["DISPLAY", "WAYLAND_DISPLAY"].into_iter().chain(WSL).any(set);
    if around.display_is_certain || display {
        return None;
    }
    let contained = set("container") || CONTAINER.into_iter().any(around.file);
    Some(if contained { Obstacle::Container } else { Obstacle::NoDisplay })
}

#[cfg(test)]
mod tests {
    use super::*;

    // Row 9.
    #[test]
    fn a_browser_is_tried_only_where_one_could_appear() {
        use Obstacle::*;
        for (variables, files, certain, expected) in [
            (&[][..], &[][..], false, Some(NoDisplay)),
            (&[], &[], true, None),
            (&["DISPLAY"], &[], false, None),
            (&["WAYLAND_DISPLAY"], &[], false, None),
            (&["WSL_DISTRO_NAME"], &[], false, None),
            (&["DISPLAY", "SSH_CONNECTION"], &[], false, Some(Ssh)),
            (&["SSH_TTY"], &[], true, Some(Ssh)),
            (&["SSH_CONNECTION", "BROWSER"], &[], false, None),
            (&["BROWSER"], &["/.dockerenv"], false, None),
            (&["CODESPACES", "DISPLAY"], &["/.dockerenv"], false, Some(Codespace)),
            (&["CODESPACES", "BROWSER"], &[], false, None),
            (&["CODESPACES", "SSH_CONNECTION"], &[], false, Some(Ssh)),
            (&["REMOTE_CONTAINERS"], &["/.dockerenv"], false, Some(DevContainer)),
            (&[], &["/.dockerenv"], false, Some(Container)),
            (&[], &["/run/.containerenv"], false, Some(Container)),
            (&["container"], &[], false, Some(Container)),
            (&["container", "DISPLAY"], &["/run/.containerenv"], false, None),
        ] {
            let found = judge(&Surroundings {
                variable: &|name| variables.contains(&name).then(|| "x".into()),
                file: &|path| files.contains(&path),
                display_is_certain: certain,
            });
            assert_eq!(found, expected, "{variables:?} {files:?} {certain}");
        }
        let empty = |_: &str| Some(OsString::new());
        let around = Surroundings { variable: &empty, file: &|_| false, display_is_certain: false };
        assert_eq!(judge(&around), Some(NoDisplay), "empty is unset");
    }
}
