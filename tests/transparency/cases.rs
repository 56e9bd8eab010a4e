//! The corpus: where its messages stand, and how they are read.
//!
//! A file has messages one after the other, each below a line `== NAME | WAY | …`. The way is `host` for what
//! a host says, `server` for what a server says, `both` for what either may. Further words: `re METHOD`, the
//! request that a server's message belongs to; `crlf` and `cr`, the line ends of a message of several lines,
//! which no editor would keep otherwise; `alone`, for a process of its own.

use std::collections::HashSet;
use std::path::Path;

/// One message.
#[derive(Debug, Clone)]
pub struct Case {
    /// File and name.
    pub name: String,
    /// A host may say it.
    pub host: bool,
    /// A server may say it.
    pub server: bool,
    /// The method of the request on whose stream a server says it.
    pub re: String,
    /// It changes the state of the proxy so much that other messages would suffer.
    pub alone: bool,
    pub text: String,
}

/// A file of the corpus.
pub struct File {
    pub name: String,
    pub cases: Vec<Case>,
}

impl File {
    /// The revision that is spoken while the file is sent. What belongs to none is sent in the newest that
    /// has sessions.
    pub fn revision(&self) -> &str {
        if self.name.starts_with("20") { &self.name } else { "2025-11-25" }
    }

    pub fn is_modern(&self) -> bool {
        self.revision() == "2026-07-28"
    }
}

/// All of it, the messages that are too large for a file included.
pub fn all() -> Vec<File> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transparency/data");
    let mut files: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let cases = read(&name, &std::fs::read_to_string(&path).unwrap());
            File { name, cases }
        })
        .collect();
    files.push(File { name: "grown".to_owned(), cases: grown() });
    files.sort_by(|a, b| a.name.cmp(&b.name));
    files
}

fn read(file: &str, text: &str) -> Vec<Case> {
    let text = text.replace('\r', "");
    let mut cases = Vec::new();
    for block in text.split("\n== ").skip(1) {
        let (head, body) = block.split_once('\n').unwrap_or_else(|| panic!("{file}: {block}"));
        let mut words = head.split(" | ").map(str::trim);
        let name = format!("{file}: {}", words.next().unwrap());
        let way = words.next().unwrap_or_else(|| panic!("{name}: which way?"));
        assert!(["host", "server", "both"].contains(&way), "{name}: {way}");
        let mut case = Case {
            name,
            host: way != "server",
            server: way != "host",
            re: "corpus/ask".to_owned(),
            alone: false,
            text: body.trim_end_matches('\n').to_owned(),
        };
        for word in words {
            match word {
                "crlf" => case.text = case.text.replace('\n', "\r\n"),
                "cr" => case.text = case.text.replace('\n', "\r"),
                "alone" => case.alone = true,
                _ => case.re = word.strip_prefix("re ").unwrap_or_else(|| panic!("{head}")).to_owned(),
            }
        }
        // A line end would end the message.
        assert!(!case.host || !case.text.contains('\n'), "{}: a host cannot say this", case.name);
        cases.push(case);
    }
    cases
}

/// Messages that would fill a file.
fn grown() -> Vec<Case> {
    let key = "k".repeat(70_000);
    let many: Vec<_> = (0..5000).map(|n| format!("\"{n}\":{n}")).collect();
    let escapes = "\\u0000\\ud83d\\ude00\\/".repeat(5000);
    let wide = vec!["[]"; 20_000].join(",");
    let digits = "9".repeat(10_000);
    let id = "i".repeat(5000);
    let values = [
        ("a key of 70,000 letters", format!("{{\"{key}\":1,\"{key}\":2}}")),
        ("5,000 members in no order", format!("{{{}}}", many.join(","))),
        ("90,000 bytes of escapes", format!("\"{escapes}\"")),
        ("20,000 empty arrays", format!("[{wide}]")),
        ("a number of 10,000 digits", format!("[{digits},-{digits}.{digits}e-{digits}]")),
        ("a string of 3 MiB", format!("\"{}\"", "\u{1f600}".repeat(3 << 18))),
    ];
    let mut cases = Vec::new();
    for (at, (name, value)) in values.into_iter().enumerate() {
        let request = format!("{{\"jsonrpc\":\"2.0\",\"id\":\"g{at}\",\"method\":\"a\",\"params\":{value}}}");
        let result = format!("{{\"jsonrpc\":\"2.0\",\"result\":{value},\"id\":\"g{at}\"}}");
        cases.push(grown_case(&format!("{name}, asked"), request));
        cases.push(grown_case(&format!("{name}, answered"), result));
    }
    cases.push(grown_case(
        "an id of 5,000 letters",
        format!("{{\"id\":\"{id}\",\"method\":\"a\",\"jsonrpc\":\"2.0\"}}"),
    ));
    cases.push(grown_case(
        "a method of 5,000 letters",
        format!("{{\"method\":\"{id}\",\"jsonrpc\":\"2.0\"}}"),
    ));
    cases
}

fn grown_case(name: &str, text: String) -> Case {
    let name = format!("grown: {name}");
    Case { name, host: true, server: true, re: "corpus/ask".to_owned(), alone: false, text }
}

/// The corpus is as large as it says, and each message stands in it once.
#[test]
fn the_corpus_is_whole() {
    let files = all();
    let cases: Vec<_> = files.iter().flat_map(|file| &file.cases).collect();
    assert!(cases.len() >= 200, "{} messages", cases.len());
    for revision in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"] {
        let file = files.iter().find(|file| file.name == revision).unwrap();
        let ways = |way: fn(&Case) -> bool| file.cases.iter().filter(|case| way(case)).count();
        assert!(ways(|case| case.host) >= 15 && ways(|case| case.server) >= 15, "{revision}");
    }
    let mut seen = HashSet::new();
    for case in &cases {
        assert!(seen.insert(&case.name), "{} stands there twice", case.name);
        let ends_well = |text: &str| text.starts_with(['{', '[']) && text.ends_with(['}', ']']);
        assert!(ends_well(crate::text::strip(&case.text).as_str()), "{}: {}", case.name, case.text);
    }
}
