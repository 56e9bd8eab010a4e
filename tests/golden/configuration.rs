//! Mistakes in what the user typed or configured.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use chipp_auth::sandbox::Options;

use crate::frame::Seen;
use crate::house::House;

fn house() -> House {
    House::new(Options::default())
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

pub fn unknown_profile() -> Seen {
    let house = house();
    Seen::of(&house, &["status", "nowhere"]).with(Seen::of(&house, &["status", "https://"]))
}

pub fn unknown_key() -> Seen {
    let house = house();
    fs::write(house.home.path().join("profiles.toml"), "[profiles.work]\nclient_secret = \"s3cret\"\n")
        .unwrap();
    let unknown = Seen::of(&house, &["status", "work"]);
    fs::write(house.home.path().join("profiles.toml"), "[profiles.work]\nscope = \"read\"\n").unwrap();
    unknown.with(Seen::of(&house, &["status", "work"]))
}

pub fn open_to_others() -> Seen {
    let house = house();
    chmod(&house.home.path().join("profiles.toml"), 0o666);
    Seen::of(&house, &["status"])
}

pub fn plain_http() -> Seen {
    let house = house();
    Seen::of(&house, &["login", "http://mcp.example.com/mcp"])
        .with(Seen::of(&house, &["login", "https://user:pass@mcp.example.com/mcp"]))
}

pub fn open_directory() -> Seen {
    let house = house();
    chmod(house.home.path(), 0o777);
    let seen = Seen::of(&house, &["token"]);
    chmod(house.home.path(), 0o700);
    seen
}
