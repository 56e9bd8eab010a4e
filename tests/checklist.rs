//! Every rule of MCP's authorization (A-, X-), transport (T-) and stdio (S-), by its id in the checklist: where
//! it is implemented, which test proves it, or to whom it is left. And every mutant still fits its file.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::fs;
use std::path::{Path, PathBuf};

/// The rules of a room, and the file whose table says which of them are left to somebody else.
struct Part {
    table: &'static str,
    ids: Vec<String>,
}

fn parts() -> [Part; 2] {
    let ids = |letter: &'static str, ranges: &[std::ops::RangeInclusive<u8>]| {
        ranges.iter().cloned().flatten().map(move |n| format!("{letter}-{n:02}")).collect::<Vec<_>>()
    };
    let authorization = [1..=11, 15..=22, 23..=33, 40..=47, 50..=54, 60..=64];
    let transport = [1..=18, 20..=37, 40..=40, 50..=73, 80..=85];
    [
        Part { table: "src/oauth.rs", ids: [ids("A", &authorization), ids("X", &[1..=5])].concat() },
        Part { table: "src/proxy.rs", ids: [ids("T", &transport), ids("S", &[1..=15])].concat() },
    ]
}

fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "node_modules" {
            files(&path, found);
        } else if ["rs", "mjs", "py"]
            .iter()
            .any(|e| path.extension().is_some_and(|extension| extension == *e))
        {
            found.push(path);
        }
    }
}

/// Product text, and test text with the test parts of the product's files.
fn texts() -> (String, String) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut sources, mut tests) = (Vec::new(), Vec::new());
    files(&root.join("src"), &mut sources);
    files(&root.join("tests"), &mut tests);
    let (mut product, mut proof) = (String::new(), String::new());
    for path in
        sources.into_iter().filter(|path| !path.components().any(|part| part.as_os_str() == "sandbox"))
    {
        let text = fs::read_to_string(&path).unwrap();
        let of_tests = path.components().any(|part| part.as_os_str() == "tests")
            || path.file_name().is_some_and(|name| name.to_string_lossy().ends_with("tests.rs"));
        let at = if of_tests { 0 } else { text.find("\n#[cfg(test)]\nmod tests").unwrap_or(text.len()) };
        product.push_str(&text[..at]);
        proof.push_str(&text[at..]);
    }
    for path in tests.into_iter().filter(|path| !path.ends_with("tests/checklist.rs")) {
        proof.push_str(&fs::read_to_string(path).unwrap());
    }
    (product, proof)
}

/// The rows of a room's table whose first cell is an id, or several.
fn rows(table: &str) -> Vec<String> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(table)).unwrap();
    let ids = ["A-", "X-", "T-", "S-"].map(|letter| format!("//! | {letter}"));
    text.lines().filter(|line| ids.iter().any(|id| line.starts_with(id))).map(str::to_owned).collect()
}

#[test]
fn each_rule_is_implemented_and_proven_or_left_to_somebody() {
    let (product, proof) = texts();
    for Part { table, ids } in parts() {
        let rows = rows(table);
        let left: Vec<_> = rows.iter().filter_map(|row| row.split('|').nth(1)).map(str::trim).collect();
        // The table itself implements nothing.
        let product: String = product.lines().filter(|line| !rows.iter().any(|row| row == line)).collect();
        let missing = |text: &str| -> Vec<&String> {
            ids.iter().filter(|id| !left.contains(&id.as_str()) && !names(text, id)).collect()
        };
        let (no_rule, no_test) = (missing(&product), missing(&proof));
        assert!(no_rule.is_empty() && no_test.is_empty(), "no rule for {no_rule:?}\nno test for {no_test:?}");
        let both: Vec<_> = left.iter().filter(|id| names(&product, id)).collect();
        assert!(both.is_empty(), "left to somebody else, and yet implemented: {both:?}");
    }
}

/// Whether a text names a rule, by itself or within a range such as "T-50 to T-53".
fn names(text: &str, id: &str) -> bool {
    text.contains(id) || within_a_range(text, id)
}

fn within_a_range(text: &str, id: &str) -> bool {
    let (letter, number) = id.split_once('-').unwrap();
    let number: u8 = number.parse().unwrap();
    text.match_indices(" to ").any(|(at, _)| {
        let first = text[..at].get(at.saturating_sub(4)..at);
        let last = text.get(at + 4..at + 8);
        let read = |end: Option<&str>| {
            let (letters, digits) = end?.split_once('-')?;
            digits.parse::<u8>().ok().filter(|_| letters == letter)
        };
        read(first).zip(read(last)).is_some_and(|(first, last)| (first..=last).contains(&number))
    })
}

#[derive(serde::Deserialize)]
struct Mutants {
    mutant: Vec<Mutant>,
}

#[derive(serde::Deserialize)]
struct Mutant {
    guard: String,
    file: String,
    old: String,
    new: String,
    test: String,
}

#[test]
fn each_mutant_fits_its_file_and_names_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let list: Mutants =
        toml::from_str(&fs::read_to_string(root.join("tests/mutants/list.toml")).unwrap()).unwrap();
    assert!(list.mutant.len() >= 30, "{} mutants", list.mutant.len());
    let (product, proof) = texts();
    let all = product + &proof;
    for mutant in &list.mutant {
        let text = fs::read_to_string(root.join(&mutant.file)).unwrap();
        assert_eq!(text.matches(&mutant.old).count(), 1, "{}: {}", mutant.guard, mutant.old);
        assert_ne!(mutant.old, mutant.new, "{}", mutant.guard);
        // The name of a test, the beginning of one, or a module of tests.
        let name = mutant.test.rsplit([' ', ':']).find(|word| !word.is_empty()).unwrap();
        let known = [format!("fn {name}"), format!("mod {name}"), format!("macro_rules! {name}")];
        assert!(known.iter().any(|form| all.contains(form)), "{}: no test {name}", mutant.guard);
    }
}
