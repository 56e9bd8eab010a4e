//! The control: what the search is for, it finds.

use std::process::Command;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::search::{Search, forms};
use crate::stage::{Stage, random};

#[test]
fn every_form_is_found_wherever_it_stands() {
    let (secret, other) = (random("canary"), random("other"));
    let search = Search::new(&[("it".to_owned(), secret.clone())], &[]);
    for (form, bytes) in forms(&secret) {
        let around = [b"level=debug token=", bytes.as_slice(), b" end"].concat();
        assert!(search.find(&around).is_some(), "{form}");
        // A part of it is enough.
        assert!(search.find(&bytes[bytes.len() / 4..bytes.len() * 3 / 4]).is_some(), "a part, {form}");
    }
    for (form, bytes) in forms(&other) {
        assert_eq!(search.find(&bytes), None, "another secret, {form}");
    }
    for before in 0..3 {
        let text = URL_SAFE_NO_PAD.encode(format!("{}{secret} and more", &"xyz"[..before]));
        assert!(search.find(text.as_bytes()).is_some(), "{before} bytes before it");
    }
}

#[test]
fn a_verifier_is_known_by_its_challenge() {
    let verifier = URL_SAFE_NO_PAD.encode(Sha256::digest(random("verifier")));
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier));
    let search = Search::new(&[], std::slice::from_ref(&challenge));
    assert!(search.find(format!("code_verifier={verifier}&x").as_bytes()).is_some());
    assert!(search.find(format!("xx{verifier}yy").as_bytes()).is_some());
    assert!(search.find(verifier.chars().rev().collect::<String>().as_bytes()).is_some());
    assert_eq!(search.find(format!("code_challenge={challenge}").as_bytes()), None);
}

/// Planted where the program would leave it: in a file that is soon gone, and in a child's child.
#[test]
fn the_watch_sees_files_and_processes_that_come_and_go() {
    let stage = Stage::new("-vv");
    let home = stage.house.home.path();
    let plant = |name: &str| {
        let secret = random(name);
        stage.secret(name, &secret);
        secret
    };
    let (in_file, in_arguments, in_environment) = (plant("file"), plant("arguments"), plant("environment"));
    std::fs::write(home.join("tmp/brief"), &in_file).unwrap();
    let mut shell = Command::new("sh");
    // `sh` is the user's own child; `sleep` is the child of a child.
    shell.args([
        "-c",
        r#"SECRET="$0" sleep 0.5; sh -c 'sleep 0.5; :' "$1"; :"#,
        &in_environment,
        &in_arguments,
    ]);
    assert!(shell.env("HOME", home).status().unwrap().success());
    std::fs::remove_file(home.join("tmp/brief")).unwrap();
    std::thread::sleep(Duration::from_millis(50));
    let leaks = stage.leaks();
    for (name, place) in
        [("file", "file "), ("arguments", "arguments of"), ("environment", "environment of sleep")]
    {
        let found = leaks.iter().any(|leak| leak.starts_with(name) && leak.contains(place));
        assert!(found, "{name} in {place}: {leaks:#?}");
    }
}
