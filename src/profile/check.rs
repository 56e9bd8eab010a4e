//! Reads the text of `profiles.toml` strictly: what is wrong with it, on which line, and what to write instead.
//!
//! Strict, because a profile decides where tokens go: nothing unknown is passed over, nothing is guessed, and a
//! file with one mistake is refused whole, so that nothing of it is ever half applied (security.md F1-F3). Pure:
//! a text in, profiles or a mistake out. The structure itself is read by `serde`, after everything that it could
//! say less well has been said here.

pub mod nearest;
mod places;
mod syntax;
pub mod value;
mod walk;
mod whole;

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;

use super::Entry;
use crate::error::clean;

/// A mistake in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong: one sentence, no full stop.
    pub what: String,
    /// What to write instead: one sentence, no full stop.
    pub hint: String,
}

/// A mistake, before its line is known.
struct Finding {
    at: Range<usize>,
    what: String,
    hint: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    profiles: BTreeMap<String, Entry>,
}

/// The profiles in the text of the file.
///
/// # Errors
/// The first mistake in it.
pub fn read(text: &str) -> Result<BTreeMap<String, Entry>, Mistake> {
    check(text).map_err(|finding| {
        // A damaged span must not be a panic.
        let before = text.get(..finding.at.start).unwrap_or(text);
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Mistake { line: before.matches('\n').count() + 1, column, what: finding.what, hint: finding.hint }
    })
}

fn check(text: &str) -> Result<BTreeMap<String, Entry>, Finding> {
    let document = syntax::parse(text)?;
    let mut walk = walk::Walk::default();
    walk.document(&document);
    first(walk.findings)?;
    // Everything that `serde` could refuse was found above, by the same table of keys.
    let file: File = toml::from_str(text).map_err(|error| Finding {
        at: error.span().unwrap_or_default(),
        what: clean(error.message()),
        hint: "correct this line".to_owned(),
    })?;
    let findings = file.profiles.iter().flat_map(|(name, entry)| whole::check(name, entry, &walk.places));
    first(findings.collect())?;
    Ok(file.profiles)
}

/// The first mistake in the order of the file.
fn first(findings: Vec<Finding>) -> Result<(), Finding> {
    findings.into_iter().min_by_key(|finding| finding.at.start).map_or(Ok(()), Err)
}

/// The name of a profile as it may stand in the file and on a command line.
pub fn profile_name(name: &str) -> value::Verdict {
    value::text(name)?;
    let hint = "a name has only letters, digits and -_. and begins with a letter or digit, such as work";
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) {
        return value::wrong("has a character that the name of a profile cannot have", hint);
    }
    if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return value::wrong("begins with a character that the name of a profile cannot begin with", hint);
    }
    if name.len() > 64 {
        return value::wrong("is longer than 64 characters", "choose a shorter name");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::keys::{Form, KEYS};

    #[test]
    fn a_mistake_has_its_line_and_column() {
        let text = "# ä\n[profiles.work]\nurl = \"https://e.com/mcp\"\n  tokn_url = \"x\"\n";
        let mistake = read(text).unwrap_err();
        assert_eq!((mistake.line, mistake.column), (4, 3));
        assert!(mistake.what.contains("`tokn_url`") && mistake.hint.contains("`token_url`"), "{mistake:?}");
    }

    /// The structure knows exactly the keys of the table: `serde` names its own when it meets another.
    #[test]
    fn the_table_of_keys_is_that_of_the_structure() {
        let error = toml::from_str::<Entry>("nothing = 1").err().unwrap().message().to_owned();
        let mut of_structure: Vec<_> = error.split('`').skip(3).step_by(2).map(str::to_owned).collect();
        let mut of_table: Vec<_> = KEYS.iter().map(|key| key.name.to_owned()).collect();
        of_structure.sort();
        of_table.sort();
        assert_eq!(of_table, of_structure);
    }

    #[test]
    fn every_word_of_the_table_is_one_of_the_structure() {
        for key in KEYS {
            if let Form::Word(words) = key.form {
                for word in words {
                    let line = format!("{} = {word:?}", key.name);
                    assert!(toml::from_str::<Entry>(&line).is_ok(), "{line}");
                }
            }
        }
    }
}
