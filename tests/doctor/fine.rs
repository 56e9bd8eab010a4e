//! Where nothing is wrong, and what the report costs.

use std::time::Duration;

use chipp_auth::sandbox::Options;

use crate::house::House;
use crate::report::{IDS, Report, command};

fn signed_in(options: Options) -> House {
    let house = House::new(options);
    assert_eq!(house.login(&[]).code, 0);
    house
}

#[test]
fn in_a_house_in_order_every_check_is_good() {
    let house = signed_in(Options::default());
    let before = house.sandbox.counts();
    let report = Report::of(&house, &[]);
    assert_eq!((report.ended.code, &report.json["ok"]), (0, &true.into()), "{}", report.json);
    let ids: Vec<_> = report.all().iter().map(|check| check["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [&IDS[..], &["leftovers", "mcp-remote"]].concat());
    assert!(ids.iter().all(|id| report.is_good(id)), "{}", report.json);
    assert_eq!(report.json["target"], "chipp");
    assert_eq!(report.json["version"], env!("CARGO_PKG_VERSION"));
    for (id, part) in [
        ("version", env!("CARGO_PKG_VERSION")),
        ("system", std::env::consts::ARCH),
        ("started", "without a terminal, in a container"),
        ("store", "wrote, read and removed a trial record"),
        ("sign-in", "signed in; access for"),
        ("server", "asks for a sign-in"),
        ("authorization-server", "found by its metadata, which promises PKCE"),
        ("profiles", "with one profile"),
        ("browser", "BROWSER names browser"),
    ] {
        assert!(report.what(id).contains(part), "{id}: {}", report.what(id));
    }
    // The trial record and the trial lock are gone.
    let files = |name: &str| std::fs::read_dir(house.home.path().join(name)).unwrap().count();
    assert_eq!(files("sealed"), 1);
    let locks = std::fs::read_dir(house.home.path().join("locks")).unwrap().flatten();
    assert!(locks.map(|lock| lock.file_name()).all(|name| !name.to_string_lossy().contains("doctor")));

    let after = house.sandbox.counts();
    assert_eq!(after.mcp_posts - before.mcp_posts, 1);
    assert_eq!(after.authorize, before.authorize);
    assert_eq!(after.token_refresh, 0);
    assert!(!house.home.path().join("opened").exists(), "a browser was started");
}

#[test]
fn people_get_ticks_and_a_sum() {
    let house = signed_in(Options::default());
    let ended = crate::house::wait(command(&house, &[]).spawn().unwrap());
    assert_eq!(ended.code, 0, "{ended:?}");
    for heading in ["This computer", "Files", "The way back from the browser", "Servers", "Sign-in"] {
        assert!(ended.stdout.lines().any(|line| line == heading), "{ended:?}");
    }
    assert!(ended.stdout.lines().any(|line| line.starts_with("  ✓ sign-in  ")), "{ended:?}");
    let sum = ended.stdout.lines().last().unwrap();
    assert!(["Everything is in order.", "Nothing fails. 1 warning."].contains(&sum), "{ended:?}");
    assert!(ended.stderr.contains("it can be pasted"), "{ended:?}");
}

#[test]
fn an_access_token_that_has_ended_is_told_of_and_left_alone() {
    let house = signed_in(Options { access_lifetime: Duration::from_secs(1), ..Options::default() });
    std::thread::sleep(Duration::from_millis(1100));
    let report = Report::of(&house, &[]);
    assert_eq!(report.status("sign-in"), "ok");
    assert!(report.what("sign-in").contains("access has ended, renewed by itself"), "{}", report.json);
    assert_eq!(house.sandbox.counts().token_refresh, 0);
}

#[test]
fn a_sign_in_that_the_server_ended_is_a_warning() {
    let house = signed_in(Options { access_lifetime: Duration::from_secs(1), ..Options::default() });
    house.sandbox.revoke_all();
    std::thread::sleep(Duration::from_millis(1100));
    house.run(&["token"]).failed("login-required", 4);
    let report = Report::of(&house, &[]);
    assert_eq!((report.status("sign-in"), report.remedy("sign-in")), ("warn", "run `chipp-auth login`"));
}

#[test]
fn a_sign_in_without_a_refresh_token_is_a_warning_only_if_it_ends() {
    for (ends, status) in [(true, "warn"), (false, "ok")] {
        let house = House::new(Options::default());
        house.sandbox.fail_next(chipp_auth::sandbox::Fault::edit(move |members| {
            members.remove("refresh_token");
            if !ends {
                members.remove("expires_in");
            }
        }));
        assert_eq!(house.login(&[]).code, 0);
        let report = Report::of(&house, &[]);
        assert_eq!(report.status("sign-in"), status, "{}", report.json);
        assert_eq!(report.what("sign-in").contains("offline_access"), ends, "{}", report.json);
    }
}

#[test]
fn who_is_not_signed_in_is_told_how() {
    let house = House::new(Options::default());
    let report = Report::of(&house, &[]);
    assert_eq!((report.status("sign-in"), report.remedy("sign-in")), ("warn", "run `chipp-auth login`"));
    assert_eq!(report.ended.code, 0);
}

#[test]
fn offline_nobody_is_asked() {
    let house = signed_in(Options::default());
    let before = house.sandbox.log().len();
    let report = Report::of(&house, &["--offline"]);
    assert_eq!(house.sandbox.log().len(), before);
    for id in ["server", "authorization-server", "clock"] {
        assert_eq!(report.status(id), "skipped");
    }
    for id in ["store", "sign-in", "localhost", "certificates"] {
        assert_eq!(report.status(id), "ok", "{}", report.json);
    }
}

/// Whoever is named by no profile is found by the challenge, which costs the same one request.
#[test]
fn a_server_given_by_its_address_is_asked_once() {
    let house = House::new(Options::default());
    let url = house.sandbox.mcp_url().to_string();
    std::fs::remove_file(house.home.path().join("profiles.toml")).unwrap();
    let report = Report::of(&house, &[&url]);
    assert_eq!(report.status("authorization-server"), "ok", "{}", report.json);
    assert_eq!(report.remedy("sign-in"), format!("run `chipp-auth login {url}`"));
    assert_eq!(house.sandbox.counts().mcp_posts, 1);
}

#[test]
fn a_server_without_a_sign_in_is_in_order_after_two_requests() {
    let house = House::new(Options { anonymous: true, discovery: false, ..Options::default() });
    let url = house.sandbox.mcp_url().to_string();
    std::fs::remove_file(house.home.path().join("profiles.toml")).unwrap();
    let report = Report::of(&house, &[&url]);
    assert_eq!(report.ended.code, 0, "{}", report.json);
    assert_eq!(report.status("authorization-server"), "skipped");
    assert!(report.what("server").contains("without asking for a sign-in"), "{}", report.json);
    assert_eq!(house.sandbox.counts().mcp_posts, 2);
}

/// A job of a machine has no keychain, and needs none.
#[test]
fn who_needs_no_store_is_not_told_that_there_is_none() {
    let house = House::new(Options::default());
    let mut command = command(&house, &["--client-credentials", "--client-id", "x"]);
    command.env_remove("CHIPP_AUTH_STORE");
    let report = Report::from(command);
    assert_eq!((report.status("store"), report.status("sign-in")), ("skipped", "ok"), "{}", report.json);
    assert_eq!(report.ended.code, 0);
}

#[test]
fn a_profile_without_a_sign_in_needs_no_authorization_server() {
    let house = House::new(Options { anonymous: true, ..Options::default() });
    let text = format!("[profiles.open]\nurl = \"{}\"\nauth = \"none\"\n", house.sandbox.mcp_url());
    std::fs::write(house.home.path().join("profiles.toml"), text).unwrap();
    let report = Report::of(&house, &["open"]);
    assert_eq!(report.ended.code, 0, "{}", report.json);
    for id in ["authorization-server", "store", "sign-in"] {
        assert_eq!(report.status(id), "skipped", "{}", report.json);
    }
}

/// A token that was given stands for itself.
#[test]
fn a_token_of_the_users_own_needs_no_authorization_server() {
    use std::io::Write;
    let house = signed_in(Options::default());
    let token = house.run(&["token"]).ok().to_owned();
    house.sandbox.set(|options| options.discovery = false);
    let url = house.sandbox.mcp_url().to_string();
    std::fs::remove_file(house.home.path().join("profiles.toml")).unwrap();
    let mut login = house.command(&["login", &url, "--with-token"]);
    let mut login = login.stdin(std::process::Stdio::piped()).spawn().unwrap();
    login.stdin.take().unwrap().write_all(token.as_bytes()).unwrap();
    assert_eq!(crate::house::wait(login).code, 0);
    // The server does not say who would make a sign-in.
    for _ in 0..2 {
        house.sandbox.fail_next(chipp_auth::sandbox::Fault::mcp(403, "{}"));
    }
    let report = Report::of(&house, &[&url]);
    assert_eq!(report.what("sign-in"), "a token of yours, which works until its server ends it");
    assert_eq!(report.what("authorization-server"), "the sign-in is a token that you were given");
    assert!(!report.ended.stdout.contains(&token));
}
