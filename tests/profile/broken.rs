//! A file with any mistake is refused whole, with the line, what is wrong, and what to write instead.

use std::path::Path;

use chipp_auth::error::Name;
use chipp_auth::profile::{check, file};
use chipp_auth::sandbox::Options;

use crate::house::House;

/// A file that is refused, and how.
pub struct Broken {
    pub title: String,
    pub line: usize,
    pub what: String,
    pub hint: String,
    pub text: String,
}

/// All of them.
pub fn corpus() -> Vec<Broken> {
    let text = include_str!("broken.txt");
    let cases = text.split("\n=== ").skip(1).map(|case| {
        let (head, body) = case.split_once('\n').unwrap();
        let parts: Vec<_> = head.split('|').map(str::trim).collect();
        let [title, line, what, hint] = parts[..] else { panic!("{head}") };
        Broken {
            title: title.to_owned(),
            line: line.parse().unwrap(),
            what: what.to_owned(),
            hint: hint.to_owned(),
            text: plain(body) + "\n",
        }
    });
    cases.collect()
}

/// The characters that the corpus writes out.
fn plain(text: &str) -> String {
    let mut parts = text.split("<U+");
    let mut plain = parts.next().unwrap().to_owned();
    for part in parts {
        let (code, rest) = part.split_once('>').unwrap();
        plain.push(char::from_u32(u32::from_str_radix(code, 16).unwrap()).unwrap());
        plain.push_str(rest);
    }
    plain.replace("<CR>", "\r")
}

#[test]
fn every_mistake_has_its_line_and_its_remedy() {
    let corpus = corpus();
    assert!(corpus.len() >= 200, "only {}", corpus.len());
    let mut wrong = Vec::new();
    for Broken { title, line, what, hint, text } in &corpus {
        match check::read(text) {
            Ok(_) => wrong.push(format!("{title}: accepted")),
            Err(mistake) => {
                let said = mistake.what.contains(what) && mistake.hint.contains(hint);
                let tidy = |text: &str| {
                    !text.is_empty() && !text.ends_with('.') && !text.chars().any(char::is_control)
                };
                if mistake.line != *line || !said || !tidy(&mistake.what) || !tidy(&mistake.hint) {
                    wrong.push(format!("{title}: {mistake:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), corpus.len(), wrong.join("\n"));
}

/// Neither a secret nor a list of everything that there is comes out.
#[test]
fn no_message_repeats_a_secret_or_lists_the_keys() {
    for Broken { title, text, .. } in corpus() {
        let mistake = check::read(&text).unwrap_err();
        let said = format!("{} {}", mistake.what, mistake.hint);
        assert!(!said.contains("s3cret"), "{title}: {said}");
        assert!(said.chars().count() < 420 && !said.contains("expected one of"), "{title}: {said}");
    }
}

/// What the reader says is what the user sees: the file, the line, exit code 2; and no profile of the file is used,
/// also none that is right.
#[test]
fn the_program_refuses_the_whole_file() {
    let house = House::new(Options::default());
    let path = house.home.path().join("profiles.toml");
    let corpus = corpus();
    for Broken { title, line, what, hint, text } in corpus.iter().step_by(corpus.len() / 20) {
        std::fs::write(&path, format!("{text}\n")).unwrap();
        let ended = house.run(&["status", "chipp"]);
        ended.failed("config-bad", 2);
        let place = format!("{}, line {line}, column ", path.display());
        let fits = [&place, what, hint].iter().all(|part| ended.stderr.contains(part.as_str()));
        assert!(fits, "{title}: {ended:?}");
        let json = house.run(&["profile", "list", "--json"]);
        assert_eq!(json.code, 2, "{title}: {json:?}");
        let error = &json.json()["error"];
        assert_eq!(error["name"], "config-bad");
        assert!(error["message"].as_str().unwrap().contains(&place), "{error}");
        assert!(error["hint"].as_str().unwrap().contains(hint.as_str()), "{error}");
    }
}

#[test]
fn a_file_that_is_no_text_or_too_large_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let path = file::path(home.path());
    let refused = |bytes: &[u8], what: &str| {
        std::fs::write(&path, bytes).unwrap();
        let error = file::load(home.path()).unwrap_err();
        assert_eq!(error.name(), Name::ConfigBad);
        assert!(error.what().contains(what), "{error}");
    };
    refused(b"# a\n# b\n[profiles.work]\nscope = \"\xff\"\n", "line 4: this is no UTF-8 text");
    refused(&[0xff, 0xfe, b'[', 0], "line 1: this is no UTF-8 text");
    refused(&vec![b'#'; 256 * 1024 + 1], "is larger than 256 KiB");
    std::fs::write(&path, vec![b'#'; 256 * 1024]).unwrap();
    assert!(file::load(home.path()).unwrap().is_empty());
    assert!(file::load(Path::new("nowhere")).unwrap().is_empty());
}

/// The reader has an answer for every text, however odd.
#[test]
fn no_part_of_a_file_makes_the_reader_panic() {
    for Broken { text, .. } in corpus() {
        for (at, _) in text.char_indices().step_by(3) {
            let _ = check::read(&text[..at]);
            let _ = check::read(&text[at..]);
        }
    }
}
