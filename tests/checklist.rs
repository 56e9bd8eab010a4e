//! Every rule of the authorization part of the specification, by its id in the checklist: where it is
//! implemented, which test proves it, or to whom it is left. And every mutant still fits its file.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::fs;
use std::path::{Path, PathBuf};

/// with its gaps, and the extensions.
fn ids() -> Vec<String> {
    let rules = [1..=11, 15..=22, 23..=33, 40..=47, 50..=54, 60..=64].into_iter().flatten();
    let extensions = (1..=5).map(|n| format!("X-{n:02}"));
    rules.map(|n| format!("A-{n:02}")).chain(extensions).collect()
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

/// The ids that the table in `src/oauth.rs` leaves to somebody else.
fn left() -> Vec<String> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/oauth.rs")).unwrap();
    let rows = text.lines().filter_map(|line| line.strip_prefix("//! | "));
    rows.filter_map(|row| row.split(" |").next())
        .filter(|cell| cell.starts_with("A-") || cell.starts_with("X-"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn each_rule_is_implemented_and_proven_or_left_to_somebody() {
    let (product, proof) = texts();
    // The table itself implements nothing.
    let in_table = |line: &&str| ["//! | A-", "//! | X-"].iter().any(|start| line.starts_with(start));
    let product: String = product.lines().filter(|line| !in_table(line)).collect();
    let left = left();
    let missing = |text: &str| -> Vec<String> {
        ids().into_iter().filter(|id| !left.contains(id) && !text.contains(id)).collect()
    };
    let (no_rule, no_test) = (missing(&product), missing(&proof));
    assert!(no_rule.is_empty() && no_test.is_empty(), "no rule for {no_rule:?}\nno test for {no_test:?}");
    let both: Vec<_> = left.iter().filter(|id| product.contains(id.as_str())).collect();
    assert!(both.is_empty(), "left to somebody else, and yet implemented: {both:?}");
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
