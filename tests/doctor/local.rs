//! What can be wrong on this computer.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use chipp_auth::profile::{Choices, Target};
use chipp_auth::sandbox::Options;
use chipp_auth::store::lock;

use crate::house::House;
use crate::report::{Report, command};

fn signed_in() -> House {
    let house = House::new(Options::default());
    assert_eq!(house.login(&[]).code, 0);
    house
}

/// What cannot be known without a target.
const REMOTE: [&str; 4] = ["server", "authorization-server", "clock", "sign-in"];

#[test]
fn broken_profiles_hide_nothing_else() {
    let house = signed_in();
    fs::write(house.home.path().join("profiles.toml"), "[profiles.chipp]\nurl = 5\n").unwrap();
    let report = Report::of(&house, &[]);
    report.failed("profiles", "config-bad", 2, &REMOTE);
    assert!(report.what("profiles").contains("profiles.toml"), "{}", report.json);
}

#[test]
fn profiles_that_others_may_change_are_not_trusted() {
    let house = signed_in();
    let file = house.home.path().join("profiles.toml");
    fs::set_permissions(file, fs::Permissions::from_mode(0o666)).unwrap();
    Report::of(&house, &[]).failed("profiles", "config-untrusted", 2, &REMOTE);
}

#[test]
fn a_profile_that_cannot_be_used_is_a_warning_for_the_others() {
    let house = signed_in();
    let file = house.home.path().join("profiles.toml");
    let text = fs::read_to_string(&file).unwrap();
    let half = "[profiles.half]\nurl = \"https://half.example/mcp\"\nclient_id = \"x\"\nclient_key_file = \"/nowhere/key.pem\"\n";
    fs::write(&file, format!("{text}{half}")).unwrap();
    let report = Report::of(&house, &[]);
    assert_eq!((report.ended.code, report.status("profiles")), (0, "warn"));
    assert!(report.what("profiles").contains("half"), "{}", report.json);
    let report = Report::of(&house, &["half"]);
    assert_eq!((report.ended.code, &report.one("target")["error"]), (2, &"config-bad".into()));
    Report::of(&house, &["nowhere"]).failed(
        "target",
        "usage",
        2,
        &["profiles", "server", "authorization-server", "clock", "sign-in"],
    );
}

#[test]
fn a_directory_that_is_open_to_others_is_a_failure() {
    let house = signed_in();
    let mode = |mode| fs::set_permissions(house.home.path(), fs::Permissions::from_mode(mode)).unwrap();
    mode(0o777);
    let report = Report::of(&house, &[]);
    mode(0o700);
    let shown = report.all().iter().map(|check| check["id"].as_str().unwrap());
    assert!(shown.clone().any(|id| id == "mcp-remote"));
    // Said once, and by the store, which cannot do without the directory either.
    let failed: Vec<_> = shown.filter(|id| report.status(id) == "fail").collect();
    assert_eq!(failed, ["data-dir", "store"], "{}", report.json);
    assert_eq!(report.ended.code, 6);
    assert!(report.remedy("data-dir").contains("chmod 700"), "{}", report.json);
    for id in ["server", "authorization-server", "localhost"] {
        assert_eq!(report.status(id), "ok", "{}", report.json);
    }
}

#[test]
fn a_directory_within_that_is_open_is_found_as_well() {
    let house = signed_in();
    fs::set_permissions(house.home.path().join("locks"), fs::Permissions::from_mode(0o750)).unwrap();
    let report = Report::of(&house, &[]);
    report.failed("data-dir", "state-dir-unsafe", 6, &["locks", "accounts"]);
    assert_eq!(report.status("locks"), "skipped");
}

#[test]
fn a_home_that_would_be_another_in_each_directory_leaves_the_rest() {
    let house = House::new(Options::default());
    let mut command = command(&house, &[]);
    command.env("CHIPP_AUTH_HOME", "here");
    let report = Report::from(command);
    assert_eq!((report.status("environment"), report.ended.code), ("fail", 6), "{}", report.json);
    assert_eq!(report.status("loopback-ipv4"), "ok");
    assert_eq!(report.status("server"), "skipped");
}

#[test]
fn a_passphrase_that_cannot_be_read_leaves_the_rest() {
    let house = signed_in();
    let mut command = command(&house, &[]);
    command
        .env_remove("CHIPP_AUTH_PASSPHRASE")
        .env("CHIPP_AUTH_PASSPHRASE_FILE", house.home.path().join("none"));
    let report = Report::from(command);
    assert_eq!((report.status("environment"), report.ended.code), ("fail", 2), "{}", report.json);
    assert_eq!(report.one("store")["error"], "store-sealed");
    assert_eq!(report.status("server"), "ok");
}

fn record(house: &House) -> std::path::PathBuf {
    fs::read_dir(house.home.path().join("sealed")).unwrap().next().unwrap().unwrap().path()
}

#[test]
fn a_damaged_record_is_found_and_reset_is_the_remedy() {
    let house = signed_in();
    let mut bytes = fs::read(record(&house)).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(record(&house), &bytes).unwrap();
    let report = Report::of(&house, &[]);
    report.failed("sign-in", "store-corrupt", 6, &[]);
    assert!(report.remedy("sign-in").starts_with("run `chipp-auth reset`"), "{}", report.json);
    assert_eq!(fs::read(record(&house)).unwrap(), bytes, "nothing is mended behind the user's back");
}

#[test]
fn another_passphrase_is_found() {
    let house = signed_in();
    let mut command = command(&house, &[]);
    command.env("CHIPP_AUTH_PASSPHRASE", "wrong horse");
    Report::from(command).failed("sign-in", "store-sealed", 6, &[]);
}

#[test]
fn a_damaged_entry_of_the_account_list_is_a_warning_for_the_others() {
    let house = signed_in();
    fs::write(house.home.path().join("accounts/rubbish.json"), "{").unwrap();
    fs::set_permissions(house.home.path().join("accounts/rubbish.json"), fs::Permissions::from_mode(0o600))
        .unwrap();
    let report = Report::of(&house, &[]);
    assert_eq!((report.status("accounts"), report.ended.code), ("warn", 0), "{}", report.json);
    assert!(report.remedy("accounts").contains("rubbish.json"), "{}", report.json);
}

#[test]
fn other_accounts_are_counted() {
    let house = signed_in();
    assert_eq!(house.login(&["--account", "work"]).code, 0);
    let report = Report::of(&house, &[]);
    assert_eq!(report.what("accounts"), "one other account is signed in");
}

#[test]
fn who_holds_the_lock_is_named() {
    let house = signed_in();
    let target = Target::resolve(None, house.home.path(), Choices::default()).unwrap();
    let path = house.home.path().join("locks").join(format!("{}.lock", target.key().slug()));
    let held = lock::try_acquire(&path).unwrap().unwrap();
    let report = Report::of(&house, &[]);
    assert_eq!((report.status("locks"), report.ended.code), ("warn", 0), "{}", report.json);
    assert!(report.what("locks").contains(&format!("(process {})", std::process::id())), "{}", report.json);
    drop(held);
    assert_eq!(Report::of(&house, &[]).status("locks"), "ok");
}

#[test]
fn what_other_clients_left_is_told_of() {
    let house = signed_in();
    let put = |place: &str, name: &str| {
        let place = house.home.path().join(place);
        fs::create_dir_all(&place).unwrap();
        fs::write(place.join(name), r#"{"access_token": "s3cret"}"#).unwrap();
    };
    put(".claude/mcp-auth", "chipp-0123.json");
    put(".mcp-auth/mcp-remote-0.1.29", "0123_tokens.json");
    let report = Report::of(&house, &[]);
    assert_eq!((report.status("leftovers"), report.remedy("leftovers")), ("warn", "run `chipp-auth reset`"));
    assert_eq!(report.status("mcp-remote"), "warn");
    assert!(report.what("mcp-remote").contains("in plain text in ~/.mcp-auth"), "{}", report.json);
    assert!(!report.ended.stdout.contains("s3cret"));
    assert_eq!(report.ended.code, 0);
    // What the remedy says is so.
    house.run(&["reset", "--yes"]).ok();
    assert_eq!(Report::of(&house, &[]).status("leftovers"), "ok");
    assert!(house.home.path().join(".mcp-auth/mcp-remote-0.1.29/0123_tokens.json").exists());
}

#[test]
fn no_browser_is_a_warning() {
    let house = signed_in();
    let mut there = command(&house, &[]);
    there.env_remove("BROWSER").env("SSH_TTY", "x");
    let report = Report::from(there);
    assert_eq!((report.status("browser"), report.ended.code), ("warn", 0));
    assert!(report.what("browser").contains("SSH session"), "{}", report.json);
    assert!(report.remedy("browser").starts_with("run `chipp-auth login --no-browser`"), "{}", report.json);
    let mut gone = command(&house, &[]);
    gone.env("BROWSER", house.home.path().join("gone"));
    // A computer with a browser of its own uses that one.
    assert!(["ok", "warn"].contains(&Report::from(gone).status("browser")));
}

/// The profile was pointed elsewhere since.
#[test]
fn a_sign_in_for_another_server_is_found() {
    let house = signed_in();
    let base = house.sandbox.base().as_str().trim_end_matches('/').to_owned();
    let elsewhere = base.replace("127.0.0.1", "localhost");
    let text =
        format!("[profiles.chipp]\nurl = \"{elsewhere}/mcp/messages\"\nauthorization_server = \"{base}\"\n");
    fs::write(house.home.path().join("profiles.toml"), text).unwrap();
    Report::of(&house, &[]).failed("sign-in", "wrong-origin", 7, &[]);
}
