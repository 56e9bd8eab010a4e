//! The report for people, and as JSON.

use serde_json::json;

use crate::cli::ui::{Tone, Ui, paint};

use super::check::{Check, Status};
use super::paste::Paste;

/// Checks that belong together, with a heading.
pub(super) struct Group {
    pub(super) heading: &'static str,
    pub(super) checks: Vec<Check>,
}

/// Lines are not wider than this, however wide the terminal.
const WIDEST: usize = 110;

/// Shows the report. Every text goes through `paste`.
pub(super) fn report(ui: &Ui, target: &str, groups: &[Group], paste: &Paste) {
    if ui.json() {
        ui.object(&object(target, groups, paste));
        return;
    }
    let columns = Ui::columns().map(|columns| columns.min(WIDEST));
    let checks = || groups.iter().flat_map(|group| &group.checks);
    let width = checks().map(|check| check.id.len()).max().unwrap_or_default();
    ui.answer(&format!("chipp-auth doctor: {}", paint(Tone::Strong, &paste.clean(target))));
    for group in groups {
        ui.answer(&format!("\n{}", paint(Tone::Strong, group.heading)));
        for check in &group.checks {
            ui.answer(&lines(check, width, columns, paste));
        }
    }
    let count = |status| checks().filter(|check| check.status == status).count();
    ui.answer(&format!("\n{}", sum(count(Status::Fail), count(Status::Warn))));
    ui.note(&paint(
        Tone::Dim,
        "The report holds no token, no secret, no name and no mail address of yours: it can be pasted.",
    ));
}

/// One check: a sign, its id, what was found, and below it what to do.
fn lines(check: &Check, width: usize, columns: Option<usize>, paste: &Paste) -> String {
    let sign = match check.status {
        Status::Ok => paint(Tone::Good, "✓"),
        Status::Warn => paint(Tone::Warn, "!"),
        Status::Fail => paint(Tone::Bad, "✗"),
        Status::Skipped => paint(Tone::Dim, "-"),
    };
    let mut what = paste.clean(&check.what);
    what.extend(check.name.map(|name| format!(" [{name}]")));
    // Two blanks, the sign and a blank, and two blanks after the id.
    let indent = 2 + 2 + width + 2;
    let room = columns.map(|columns| columns.saturating_sub(indent).max(30));
    let join = format!("\n{:indent$}", "");
    let id = paint(Tone::Dim, &format!("{:width$}", check.id));
    let mut text = format!("  {sign} {id}  {}", wrap(&what, room).join(&join));
    if let Some(remedy) = &check.remedy {
        let remedy = wrap(&format!("→ {}", paste.clean(remedy)), room).join(&join);
        text.push_str(&join);
        text.push_str(&remedy);
    }
    text
}

/// The last line.
fn sum(failures: usize, warnings: usize) -> String {
    let many = |number: usize, word: &str| match number {
        1 => format!("1 {word}"),
        number => format!("{number} {word}s"),
    };
    match (failures, warnings) {
        (0, 0) => paint(Tone::Good, "Everything is in order."),
        (0, warnings) => {
            format!("{} {}.", paint(Tone::Good, "Nothing fails."), many(warnings, "warning"))
        }
        (failures, 0) => format!("{}.", paint(Tone::Bad, &many(failures, "failure"))),
        (failures, warnings) => {
            format!("{}, {}.", paint(Tone::Bad, &many(failures, "failure")), many(warnings, "warning"))
        }
    }
}

/// Breaks a text at blanks, but never within a command: what can be copied stays whole.
fn wrap(text: &str, room: Option<usize>) -> Vec<String> {
    let Some(room) = room else { return vec![text.to_owned()] };
    let mut lines = vec![String::new()];
    let (mut word, mut quoted) = (String::new(), false);
    let mut put = |word: &mut String| {
        let Some(line) = lines.last_mut() else { return };
        let taken = line.chars().count();
        if taken == 0 {
            line.push_str(word);
        } else if taken + 1 + word.chars().count() <= room {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.clone());
        }
        word.clear();
    };
    for c in text.chars() {
        quoted ^= c == '`';
        if c == ' ' && !quoted { put(&mut word) } else { word.push(c) }
    }
    put(&mut word);
    lines
}

/// The same for programs.
fn object(target: &str, groups: &[Group], paste: &Paste) -> serde_json::Value {
    let checks = || groups.iter().flat_map(|group| &group.checks);
    let one = |check: &Check| {
        let mut object = json!({
            "id": check.id,
            "status": check.status.text(),
            "what": paste.clean(&check.what),
            "remedy": check.remedy.as_ref().map(|remedy| paste.clean(remedy)),
        });
        if let Some(name) = check.name {
            object["error"] = json!(name.row().text);
        }
        object
    };
    json!({
        "target": paste.clean(target),
        "version": env!("CARGO_PKG_VERSION"),
        "ok": !checks().any(Check::failed),
        "checks": checks().map(one).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_stay_on_one_line() {
        let text = "run `chipp-auth login https://mcp.example.com/mcp --no-browser` and then do the rest";
        let lines = wrap(text, Some(30));
        assert_eq!(lines[1], "`chipp-auth login https://mcp.example.com/mcp --no-browser`");
        assert_eq!(lines.join(" "), text);
        assert!(lines[2..].iter().all(|line| line.len() <= 30), "{lines:?}");
        assert_eq!(wrap(text, None), [text]);
        assert_eq!(wrap("", Some(30)), [""]);
    }

    #[test]
    fn the_sum_counts_in_words() {
        let plain = |failures, warnings| anstream::adapter::strip_str(&sum(failures, warnings)).to_string();
        assert_eq!(plain(0, 0), "Everything is in order.");
        assert_eq!(plain(0, 1), "Nothing fails. 1 warning.");
        assert_eq!(plain(1, 2), "1 failure, 2 warnings.");
        assert_eq!(plain(3, 0), "3 failures.");
    }
}
