//! Judges from the environment whether a browser could appear before the user (row 9).

use std::ffi::OsString;

/// Why no browser should be tried, in words for the user; `None` if it should.
///
/// `BROWSER` always decides: it is how people (and remote editors, which forward the port too) say
/// that there is one after all.
pub fn obstacle() -> Option<&'static str> {
    judge(&|name| std::env::var_os(name), cfg!(any(windows, target_vendor = "apple")))
}

fn judge(variable: &dyn Fn(&str) -> Option<OsString>, display_is_certain: bool) -> Option<&'static str> {
    let set = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
    if set("BROWSER") {
        return None;
    }
    // A window over X forwarding would run on the far machine; nobody has that and wants it today.
    if ["SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"].into_iter().any(set) {
        return Some("this is an SSH session");
    }
    // Under WSL, Windows has the browser.
    let display = ["DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME", "WSL_INTEROP"].into_iter().any(set);
    if display_is_certain || display { None } else { Some("this session has no display") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_tried_only_where_one_could_appear() {
        for (variables, certain, tried) in [
            (&[][..], false, false),
            (&[][..], true, true),
            (&["DISPLAY"][..], false, true),
            (&["WAYLAND_DISPLAY"][..], false, true),
            (&["WSL_DISTRO_NAME"][..], false, true),
            (&["DISPLAY", "SSH_CONNECTION"][..], false, false),
            (&["SSH_TTY"][..], true, false),
            (&["SSH_CONNECTION", "BROWSER"][..], false, true),
            (&["BROWSER"][..], false, true),
        ] {
            let found = judge(&|name| variables.contains(&name).then(|| "x".into()), certain);
            assert_eq!(found.is_none(), tried, "{variables:?} {certain}");
        }
        assert!(judge(&|_| Some(OsString::new()), false).is_some(), "empty is unset");
    }
}
