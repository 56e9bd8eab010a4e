//! How a failure is shown in a golden file, and what must hold for each of them besides the words.

use std::path::{Path, PathBuf};

use chipp_auth::error::Name;
use serde_json::Value;

use crate::house::{Ended, House};

/// What was seen of one failure.
#[derive(Default)]
pub struct Seen {
    shown: Vec<Shown>,
    /// What differs from run to run, and what stands in the golden in its place.
    hidden: Vec<(&'static str, String)>,
}

enum Shown {
    Command(String, Ended),
    Answer(String, Value),
}

impl Seen {
    /// Runs a command twice, as it is and with `--json`.
    pub fn twice(args: &[&str], mut run: impl FnMut(&[&str]) -> Ended) -> Seen {
        let mut seen = Seen::default();
        for args in [args.to_vec(), [args, &["--json"]].concat()] {
            let ended = run(&args);
            seen = seen.and(&args, ended);
        }
        seen
    }

    /// The same for a command of this house.
    pub fn of(house: &House, args: &[&str]) -> Seen {
        Seen::twice(args, |args| house.run(args)).at(house)
    }

    /// One more command.
    pub fn and(mut self, args: &[&str], ended: Ended) -> Seen {
        self.shown.push(Shown::Command(args.join(" "), ended));
        self
    }

    /// One more answer of a proxy.
    pub fn answer(mut self, request: &str, answer: &Value) -> Seen {
        self.shown.push(Shown::Answer(request.to_owned(), answer["error"].clone()));
        self
    }

    /// Everything seen here and there.
    pub fn with(mut self, other: Seen) -> Seen {
        self.shown.extend(other.shown);
        self.hidden.extend(other.hidden);
        self
    }

    /// Puts a placeholder in the place of a value.
    pub fn hide(mut self, placeholder: &'static str, value: impl ToString) -> Seen {
        self.hidden.push((placeholder, value.to_string()));
        self
    }

    /// Hides what belongs to this house: its directory and the port of its server.
    pub fn at(self, house: &House) -> Seen {
        let port = house.sandbox.base().port().unwrap();
        self.hide("[HOME]", house.home.path().display()).hide("[SERVER]", format!("127.0.0.1:{port}"))
    }
}

/// Compares with the golden file of this name, after checking what no change of words may change.
/// Nothing was seen where a program is missing.
pub fn check(name: Name, seen: impl Into<Option<Seen>>) {
    let Some(seen) = seen.into() else { return };
    assert!(!seen.shown.is_empty());
    for shown in &seen.shown {
        match shown {
            Shown::Command(args, ended) => command(name, args, ended),
            Shown::Answer(_, error) => rpc(name, error),
        }
    }
    let text: Vec<_> = seen.shown.iter().map(render).collect();
    matches(&text.join("\n"), &format!("errors/{name}.txt"), &seen.hidden);
}

/// The contract of security.md section 2, for one run.
fn command(name: Name, args: &str, ended: &Ended) {
    let row = name.row();
    assert_eq!(ended.code, i32::from(row.exit), "{args}: {ended:?}");
    if args.ends_with("--json") {
        let error = &ended.json()["error"];
        assert_eq!(error["name"], row.text);
        assert_eq!(error["exit_code"], row.exit);
        assert_eq!(error["retryable"], row.retryable);
        assert!(error["message"].is_string() && error["hint"].is_string(), "{error}");
        return;
    }
    assert_eq!(ended.stdout, "", "stdout is for answers");
    let lines: Vec<_> = ended.stderr.lines().collect();
    let [.., what, hint] = lines.as_slice() else { panic!("{ended:?}") };
    sentence(what, &format!("chipp-auth: {name}: "));
    sentence(hint, "chipp-auth: hint: ");
}

fn rpc(name: Name, error: &Value) {
    let row = name.row();
    assert_eq!(error["code"], row.code, "{error}");
    let data = serde_json::json!({"source": "chipp-auth", "name": row.text, "retryable": row.retryable});
    assert_eq!(error["data"], data);
    sentence(error["message"].as_str().unwrap(), &format!("{name}: "));
}

fn sentence(line: &str, start: &str) {
    assert!(line.starts_with(start), "{line}");
    assert!(line.ends_with('.') && !line.ends_with(".."), "{line}");
}

fn render(shown: &Shown) -> String {
    match shown {
        Shown::Command(args, ended) => {
            let mut text = format!("$ chipp-auth {args}\nexit code {}\n", ended.code);
            for (stream, said) in [("stdout", &ended.stdout), ("stderr", &ended.stderr)] {
                text.push_str(&format!("--- {stream}\n"));
                for line in said.trim_end().lines() {
                    // The query of the sign-in address is new each time.
                    let shown =
                        match line.trim_start().starts_with("http").then(|| line.split_once('?')).flatten() {
                            Some((address, _)) => format!("{address}?[QUERY]"),
                            None => line.to_owned(),
                        };
                    text.push_str(&shown);
                    text.push('\n');
                }
            }
            text
        }
        Shown::Answer(request, error) => format!("> {request}\n< \"error\": {error:#}\n"),
    }
}

/// Compares a text with a golden file.
pub fn matches(text: &str, file: &str, hidden: &[(&'static str, String)]) {
    // A place that a hint left open, such as `{target}`. JSON has no brace before a letter; a variable (`${NAME}`)
    // is meant so.
    let open =
        text.as_bytes().windows(3).any(|at| at[0] != b'$' && at[1] == b'{' && at[2].is_ascii_alphabetic());
    assert!(!open, "an open place in: {text}");
    let mut hidden = hidden.to_vec();
    // An address before its port.
    hidden.sort_by_key(|(_, value)| std::cmp::Reverse(value.len()));
    let text =
        hidden.iter().fold(text.to_owned(), |text, (placeholder, value)| text.replace(value, placeholder));
    let golden = snapbox::Data::read_from(&directory(file), Some(snapbox::data::DataFormat::Text)).raw();
    snapbox::Assert::new()
        .action_env(snapbox::assert::DEFAULT_ACTION_ENV)
        .normalize_paths(false)
        .eq(text, golden);
}

/// A path below the directory of the goldens.
pub fn directory(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}
