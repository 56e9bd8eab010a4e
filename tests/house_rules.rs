//! Rules of this house that no compiler knows, read off its source text.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::fs;
use std::path::{Path, PathBuf};

/// The longest source file, in lines.
const LONGEST: usize = 300;

/// Where secrets are taken out of their wrapping, and why there.
const EXPOSE: &[(&str, &str)] = &[
    ("cli/login/fixed.rs", "a token from stdin, looked at before it is kept"),
    ("cli/login/question.rs", "a typed client id, and whether a secret was typed"),
    ("cli/profile/dialog.rs", "answers that are no secrets, and whether a secret was typed"),
    ("cli/profile/secret.rs", "a typed secret, looked at before it is kept"),
    ("cli/probe.rs", "the Authorization header"),
    ("cli/background.rs", "handed to a child of our own, through a pipe"),
    ("cli/token.rs", "`token` and `headers`: the answer that was asked for"),
    ("credential.rs", "two secrets compared, by their digests"),
    ("credential/record.rs", "the text of a record, on its way into a store"),
    ("login/paste.rs", "a pasted answer, read like a callback"),
    ("login/verdict.rs", "`state` compared, by its digest"),
    ("oauth/assertion.rs", "the client's private key, to sign with"),
    ("oauth/dpop.rs", "the key of the tokens, to sign with, and the digest of a token in a proof"),
    (
        "oauth/identity.rs",
        "the ID token, for the name in it, and the Authorization header of the userinfo request",
    ),
    ("oauth/machine.rs", "the JWT that is the grant, on its way into the token request"),
    ("oauth/message.rs", "the body and the Basic header of a request, and what is cut from the answer to it"),
    ("oauth/device.rs", "the device code, in the body of the token request"),
    ("oauth/revoke.rs", "the body of the revocation request"),
    ("oauth/wire.rs", "code and refresh token, on their way into the token request"),
    ("proxy/remote/send.rs", "the Authorization header"),
    ("store.rs", "a record read, and compared with what was written"),
    ("store/keychain.rs", "a record given to the OS keychain"),
    ("store/memory.rs", "the store in memory"),
    ("store/secret.rs", "a client's secret, on its way into a store"),
    ("store/seal.rs", "encryption: the text, the passphrase and the key"),
];

/// Where the `oauth2` library's secrets are taken out of theirs.
const EXPOSE_OAUTH2: &[(&str, &str)] = &[("oauth/authorize.rs", "`state`, into our own wrapping")];

/// Where something is written to stdout or stderr.
const WRITE: &[(&str, &str)] = &[
    ("cli/log.rs", "hands stderr to the log"),
    ("cli/ui.rs", "every word that a person sees"),
    ("proxy.rs", "joins the pipe and the server"),
    ("proxy/stdio.rs", "MCP"),
    ("proxy/stdio/polled.rs", "MCP"),
    ("proxy/stdio/threads.rs", "MCP"),
];

struct Source {
    /// Below `src/`, or from the root.
    name: String,
    text: String,
}

impl Source {
    /// Without the tests in it, which come last in each file.
    fn product(&self) -> &str {
        let tests = ["#[cfg(test)]", "#[cfg(all(test"].iter().filter_map(|start| {
            let (at, _) = self.text.match_indices(&format!("\n{start}")).next()?;
            let next = self.text[at + 1..].lines().nth(1)?;
            (next.contains("mod tests") || next.starts_with("#[")).then_some(at)
        });
        &self.text[..tests.min().unwrap_or(self.text.len())]
    }

    fn is_test(&self) -> bool {
        self.name.contains("tests/") || self.name.ends_with("tests.rs")
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

fn sources(directory: &str) -> Vec<Source> {
    let directory = root().join(directory);
    let source = |path: PathBuf| Source {
        name: path.strip_prefix(&directory).unwrap().to_str().unwrap().replace('\\', "/"),
        text: fs::read_to_string(&path).unwrap(),
    };
    let sources: Vec<_> = rust_files(&directory).into_iter().map(source).collect();
    assert!(!sources.is_empty(), "nothing to read in {}", directory.display());
    sources
}

/// The product's files in which a line (that is no comment) has one of these words, against the list of those that may.
fn only_in(words: &[&str], allowed: &[(&str, &str)]) {
    let has =
        |line: &str| !line.trim_start().starts_with("//") && words.iter().any(|word| line.contains(word));
    let files =
        sources("src").into_iter().filter(|source| !source.is_test() && !source.name.starts_with("sandbox"));
    let mut found: Vec<_> =
        files.filter(|source| source.product().lines().any(has)).map(|source| source.name).collect();
    let mut allowed: Vec<_> = allowed.iter().map(|(name, _)| (*name).to_owned()).collect();
    found.sort();
    allowed.sort();
    assert_eq!(found, allowed, "left: files with one of {words:?}; right: those that may");
}

// The sandbox is left out: its secrets are those of an imaginary account, and it is no part of the product.
#[test]
fn secrets_are_exposed_only_where_they_must_be() {
    only_in(&["expose_secret"], EXPOSE);
    only_in(&[".secret()", ".into_secret()"], EXPOSE_OAUTH2);
}

#[test]
fn only_the_ui_and_the_pipe_write_on_stdout_and_stderr() {
    only_in(&["print!(", "println!(", "dbg!("], &[]);
    only_in(&["stdout()", "stderr()", "io::stderr", "io::stdout"], WRITE);
}

#[test]
fn no_source_file_is_too_long() {
    for source in sources("src") {
        let lines = source.text.lines().count();
        assert!(lines <= LONGEST, "src/{} has {lines} lines", source.name);
    }
}

/// A path of the machine on which something was written means nothing on any other.
#[test]
fn no_source_names_a_path_of_a_machine() {
    // Put together here, so that this file has none.
    let places = ["home", "root", "work", "Users", "tmp"].map(|place| format!("/{place}/"));
    for directory in ["src", "tests", "examples"] {
        for source in sources(directory) {
            for (number, line) in source.text.lines().enumerate() {
                let found = places.iter().find(|place| starts_a_path(line, place));
                assert!(found.is_none(), "{directory}/{}, line {}: {line}", source.name, number + 1);
            }
        }
    }
}

/// Whether the place stands at the beginning of a path, and something comes after it.
fn starts_a_path(line: &str, place: &str) -> bool {
    line.match_indices(place).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + place.len()..].chars().next();
        let inside = |c: char| c.is_alphanumeric() || "._-/}~".contains(c);
        !before.is_some_and(inside) && after.is_some_and(|c| c.is_alphanumeric() || ".{_".contains(c))
    })
}

/// The rules do see what they are for.
#[test]
fn the_readers_of_the_source_are_not_blind() {
    let source = Source { name: String::new(), text: "fn a() {}\n\n#[cfg(test)]\nmod tests {}\n".into() };
    assert_eq!(source.product(), "fn a() {}\n");
    let [home, tmp] = ["home", "tmp"].map(|place| format!("/{place}/"));
    assert!(starts_a_path(&format!("let x = \"{home}ada/x\";"), &home));
    assert!(!starts_a_path(&format!("https://example.com{tmp}x"), &tmp));
    assert!(!starts_a_path(&format!("\"{tmp}\""), &tmp));
}
