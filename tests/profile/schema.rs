//! The JSON schema against the strict reader: a validator that others use (`ajv`) accepts what the reader accepts,
//! and refuses what a schema can refuse.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use chipp_auth::profile::check;
use serde_json::{Value, json};

use crate::broken::{Broken, corpus};

/// What a schema cannot know: how TOML is written, what a preset says, and what two values say of each other.
const BEYOND: &[&str] = &[
    "names no preset",
    "does not have",
    "needs the variable",
    "has no `url`",
    "has the variable",
    "does not have the host",
    "stands there twice",
    "without a person",
    "names no variable",
    "is no address",
    "(U+E0041)",
    "(U+200",
    "no host has",
    "cannot be left out",
    "byte order mark",
    "direction of writing",
    "a number with a point",
];

/// What `ajv` says of each value: whether it fits the schema. `None` where it is not installed.
fn ajv(values: &[Value]) -> Option<Vec<bool>> {
    let peers = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers");
    if !peers.join("node_modules/ajv").is_dir() {
        assert!(std::env::var_os("CI").is_none(), "missing tests/peers/node_modules");
        eprintln!("SKIPPED (missing tests/peers/node_modules)");
        return None;
    }
    let script = "const Ajv = require('ajv/dist/2020'); let text = '';
        process.stdin.on('data', part => text += part).on('end', () => {
            const { schema, values } = JSON.parse(text);
            const validate = new Ajv({ strict: true, strictRequired: false, strictTypes: false }).compile(schema);
            console.log(JSON.stringify(values.map(value => validate(value))));
        });";
    let mut node = Command::new("node")
        .args(["-e", script])
        .current_dir(peers)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node runs");
    let schema: Value = serde_json::from_str(chipp_auth::profile::schema::SCHEMA).unwrap();
    let input = json!({"schema": schema, "values": values}).to_string();
    node.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = node.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// The files that are right: title and text.
fn good() -> Vec<(&'static str, &'static str)> {
    let cases = include_str!("good.txt").split("\n=== ").skip(1);
    cases.map(|case| case.split_once('\n').unwrap()).collect()
}

#[test]
fn what_is_right_is_accepted_by_both() {
    let good = good();
    assert!(good.len() >= 15, "only {}", good.len());
    for (title, text) in &good {
        check::read(text).unwrap_or_else(|mistake| panic!("{title}: {mistake:?}"));
    }
    let values: Vec<Value> = good.iter().map(|(_, text)| toml::from_str(text).unwrap()).collect();
    let Some(verdicts) = ajv(&values) else { return };
    for ((title, _), fits) in good.iter().zip(verdicts) {
        assert!(fits, "{title}: the schema refuses it");
    }
}

#[test]
fn what_a_schema_can_refuse_it_refuses() {
    let read = |broken: Broken| toml::from_str::<Value>(&broken.text).ok().map(|value| (broken, value));
    let cases: Vec<_> = corpus().into_iter().filter_map(read).collect();
    let values: Vec<_> = cases.iter().map(|(_, value)| value.clone()).collect();
    let Some(verdicts) = ajv(&values) else { return };
    let mut passed = Vec::new();
    let mut refused = 0;
    for ((broken, _), fits) in cases.iter().zip(verdicts) {
        let said = check::read(&broken.text).unwrap_err().what;
        match fits {
            true if !BEYOND.iter().any(|beyond| said.contains(beyond)) => {
                passed.push(format!("{}: {said}", broken.title));
            }
            true => {}
            false => refused += 1,
        }
    }
    assert!(passed.is_empty(), "the schema lets pass:\n{}", passed.join("\n"));
    assert!(refused >= 200, "only {refused} refused");
}

/// The command prints the file of the repository, byte for byte.
#[test]
fn the_program_prints_it() {
    let house = crate::house::House::new(Default::default());
    assert_eq!(house.run(&["profile", "schema"]).stdout, chipp_auth::profile::schema::SCHEMA);
}
