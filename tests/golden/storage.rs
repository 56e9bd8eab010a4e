//! The encrypted file, as it should not be.

use std::path::PathBuf;

use chipp_auth::sandbox::Options;

use crate::frame::Seen;
use crate::house::{House, wait};

fn signed_in() -> (House, PathBuf) {
    let house = House::new(Options::default());
    assert_eq!(house.login(&[]).code, 0);
    let record = std::fs::read_dir(house.home.path().join("sealed")).unwrap().next().unwrap().unwrap().path();
    (house, record)
}

fn change(record: &PathBuf, change: impl Fn(&mut Vec<u8>)) {
    let mut bytes = std::fs::read(record).unwrap();
    change(&mut bytes);
    std::fs::write(record, bytes).unwrap();
}

pub fn damaged() -> Seen {
    let (house, record) = signed_in();
    change(&record, |bytes| *bytes.last_mut().unwrap() ^= 1);
    Seen::of(&house, &["token"])
}

pub fn newer() -> Seen {
    let (house, record) = signed_in();
    // The version, after the magic word.
    change(&record, |bytes| bytes[7] = 2);
    Seen::of(&house, &["token"])
}

pub fn wrong_passphrase() -> Seen {
    let (house, _) = signed_in();
    let with = |args: &[&str], passphrase: &str| {
        wait(house.command(args).env("CHIPP_AUTH_PASSPHRASE", passphrase).spawn().unwrap())
    };
    Seen::twice(&["token"], |args| with(args, "wrong horse"))
        .with(Seen::twice(&["status"], |args| with(args, "")))
        .at(&house)
}
