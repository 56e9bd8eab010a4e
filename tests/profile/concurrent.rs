//! Changes at the same time lose nothing, and one that is killed leaves the file as it was or as it should be.

use std::os::unix::fs::PermissionsExt;
use std::process::Child;

use chipp_auth::profile::file;
use chipp_auth::sandbox::Options;

use crate::house::{House, wait};

fn start(house: &House, args: &[&str]) -> Child {
    house.command(args).spawn().unwrap()
}

#[test]
fn sixteen_at_once_all_find_their_place() {
    let house = House::new(Options::default());
    let names: Vec<_> = (0..16).map(|number| format!("p{number}")).collect();
    let children: Vec<_> = names
        .iter()
        .map(|name| {
            start(&house, &["profile", "add", name, "--url", &format!("https://{name}.example.com/mcp")])
        })
        .collect();
    for child in children {
        wait(child).ok();
    }
    let profiles = file::load(house.home.path()).unwrap();
    for name in &names {
        assert_eq!(
            profiles[name].url.as_deref(),
            Some(&*format!("https://{name}.example.com/mcp")),
            "{name}"
        );
    }
    assert!(profiles.contains_key("chipp"));
}

#[test]
fn keys_of_one_profile_changed_at_once_are_all_changed() {
    let house = House::new(Options::default());
    house.run(&["profile", "add", "work", "--url", "https://mcp.example.com/mcp"]).ok();
    let flags: [&[&str]; 8] = [
        &["--scope", "read"],
        &["--client-id", "abc"],
        &["--redirect-port", "8765"],
        &["--redirect-path", "/back"],
        &["--header", "X-A: 1"],
        &["--header", "X-B: 2"],
        &["--authorize-param", "prompt=login"],
        &["--authorize-param", "audience=x"],
    ];
    let edit = |flags: &&[&str]| start(&house, &[&["profile", "edit", "work"], *flags].concat());
    let children: Vec<_> = flags.iter().map(edit).collect();
    for child in children {
        wait(child).ok();
    }
    let work = file::load(house.home.path()).unwrap().remove("work").unwrap();
    assert_eq!(work.scope.as_deref(), Some("read"));
    assert_eq!(work.client_id.as_deref(), Some("abc"));
    assert_eq!((work.redirect_port, work.redirect_path.as_deref()), (Some(8765), Some("/back")));
    assert_eq!((work.headers.len(), work.authorize_params.len()), (2, 2));
}

/// One of the same name at once: one makes it, the other is told.
#[test]
fn two_of_one_name_do_not_become_one() {
    let house = House::new(Options::default());
    let add = |host: &str| {
        start(&house, &["profile", "add", "work", "--url", &format!("https://{host}.example.com")])
    };
    let ended: Vec<_> = [add("a"), add("b")].into_iter().map(wait).collect();
    let (good, bad): (Vec<_>, Vec<_>) = ended.iter().partition(|ended| ended.code == 0);
    assert_eq!((good.len(), bad.len()), (1, 1), "{ended:?}");
    bad[0].failed("usage", 2);
}

#[test]
fn whoever_is_killed_leaves_a_whole_file() {
    let house = House::new(Options::default());
    let path = file::path(house.home.path());
    // Large enough that half a write would be seen.
    let filler: String =
        (0..500).map(|number| format!("# a line that fills the file, number {number}\n")).collect();
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{filler}{text}")).unwrap();
    house.run(&["profile", "add", "work", "--url", "https://mcp.example.com/mcp"]).ok();
    for round in 0..40_u64 {
        let scope = format!("round-{round}");
        let mut child = start(&house, &["profile", "edit", "work", "--scope", &scope]);
        // Each time at another moment of its short life.
        std::thread::sleep(std::time::Duration::from_micros(round * 700));
        child.kill().unwrap();
        child.wait().unwrap();
        let profiles = file::load(house.home.path()).unwrap();
        assert!(profiles.contains_key("work") && profiles.contains_key("chipp"));
        assert!(std::fs::read_to_string(&path).unwrap().contains("number 499\n"));
    }
    house.run(&["profile", "edit", "work", "--scope", "last"]).ok();
    assert_eq!(file::load(house.home.path()).unwrap()["work"].scope.as_deref(), Some("last"));
}

#[test]
fn a_link_stays_a_link_and_the_file_is_private() {
    let house = House::new(Options::default());
    let dotfiles = tempfile::tempdir().unwrap();
    let (link, real) = (file::path(house.home.path()), dotfiles.path().join("chipp.toml"));
    std::fs::remove_file(&link).unwrap();
    std::fs::write(&real, "# mine\n[profiles.old]\nurl = \"https://old.example.com\"\n").unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    house.run(&["profile", "add", "new", "--url", "https://new.example.com"]).ok();
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    let text = std::fs::read_to_string(&real).unwrap();
    assert!(text.starts_with("# mine\n") && text.contains("[profiles.new]"), "{text}");
    assert_eq!(std::fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o600);

    // Others may write its target: nobody knows who wrote it.
    std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o666)).unwrap();
    house.run(&["profile", "edit", "new", "--scope", "x"]).failed("config-untrusted", 2);
    std::fs::remove_file(&real).unwrap();
    house.run(&["profile", "add", "new", "--url", "https://new.example.com"]).failed("config-bad", 2);
    assert!(!real.exists());
}

#[test]
fn the_first_file_is_private_and_has_its_schema_beside_it() {
    let house = House::new(Options::default());
    let home = house.home.path().join("deep/er");
    let mut command = house.command(&["profile", "add", "work", "--url", "https://mcp.example.com/mcp"]);
    wait(command.env("CHIPP_AUTH_HOME", &home).spawn().unwrap()).ok();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&home), mode(&file::path(&home))), (0o700, 0o600));
    assert!(
        std::fs::read_to_string(file::path(&home)).unwrap().starts_with("#:schema ./profiles.schema.json\n")
    );
    let beside = std::fs::read_to_string(home.join("profiles.schema.json")).unwrap();
    assert_eq!(beside, chipp_auth::profile::schema::SCHEMA);
}
