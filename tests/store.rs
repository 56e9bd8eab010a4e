//! The encrypted file store, the account list and the store in memory (security.md S1, S6, S9, rows 116-121).
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]

mod support;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use chipp_auth::credential::record::Damage;
use chipp_auth::error::{Error, Name, Result};
use chipp_auth::store::index::{self, Account};
use chipp_auth::store::{Found, Kind, Settings, Store};
use support::store_child::{self, credential, key, paths};
use support::tree;

#[test]
#[ignore = "a child process of the other tests"]
fn child() {
    if support::is_child() {
        store_child::serve();
    }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn file_store(home: &Path, passphrase: Option<&str>) -> Store {
    let passphrase = passphrase.map(Into::into);
    Store::open(Settings { kind: Kind::File, passphrase, interactive: false }, &paths(home))
}

/// A home with one saved record, and the path of its file.
fn saved() -> (tempfile::TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    run(file_store(home.path(), Some("right")).save(&key("default"), &credential(1))).unwrap();
    let file = home.path().join("data/sealed").join(key("default").slug());
    (home, file)
}

fn load(home: &Path) -> Result<Option<u64>> {
    let found = run(file_store(home, Some("right")).load(&key("default")))?;
    Ok(found.map(|credential| credential.generation))
}

fn refused(home: &Path) -> Name {
    load(home).unwrap_err().name()
}

#[test]
fn the_file_is_private_holds_no_secret_and_opens_with_its_passphrase_only() {
    let (home, file) = saved();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(file.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(tree(home.path()), std::slice::from_ref(&file));
    assert!(!fs::read(&file).unwrap().windows(6).any(|window| window == b"chipp_"));
    assert_eq!(load(home.path()).unwrap(), Some(1));
    for passphrase in [Some("wrong"), Some(""), None] {
        let store = file_store(home.path(), passphrase);
        assert_eq!(run(store.load(&key("default"))).unwrap_err().name(), Name::StoreSealed);
        assert_eq!(run(store.inspect(&key("default"))).unwrap_err().name(), Name::StoreSealed);
        assert!(run(store.load(&key("other"))).unwrap().is_none());
    }
    // Whoever forgot the passphrase can still clear the place.
    assert!(run(file_store(home.path(), None).forget(&key("default"))).unwrap());
    assert!(!run(file_store(home.path(), None).forget(&key("default"))).unwrap());
    assert_eq!(load(home.path()).unwrap(), None);
}

#[test]
fn opening_touches_nothing() {
    let home = tempfile::tempdir().unwrap();
    file_store(home.path(), Some("right"));
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn a_moved_cut_or_foreign_file_is_damage_and_can_be_forgotten() {
    let (home, file) = saved();
    let store = file_store(home.path(), Some("right"));
    fs::copy(&file, file.with_file_name(key("work").slug())).unwrap();
    assert_eq!(run(store.inspect(&key("work"))).unwrap(), Found::Damaged(Damage::Corrupt));
    for bytes in [&b""[..], b"rubbish", &fs::read(&file).unwrap()[..90], &[0; 2 << 20]] {
        fs::write(&file, bytes).unwrap();
        assert_eq!(refused(home.path()), Name::StoreCorrupt);
        assert_eq!(run(store.inspect(&key("default"))).unwrap(), Found::Damaged(Damage::Corrupt));
    }
    assert!(run(store.forget(&key("default"))).unwrap());
    assert_eq!(run(store.inspect(&key("default"))).unwrap(), Found::Absent);
}

#[test]
fn a_file_or_directory_that_is_not_ours_alone_is_refused() {
    let (home, file) = saved();
    let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    for mode in [0o640, 0o620, 0o610, 0o604, 0o602, 0o601, 0o777] {
        set(&file, mode);
        assert_eq!(refused(home.path()), Name::StateDirUnsafe, "file {mode:o}");
    }
    set(&file, 0o600);
    // Others may look into the data directory, which the user may have made, but not write there.
    let data = (home.path().join("data"), [0o720, 0o702, 0o777]);
    for (directory, modes) in [(file.parent().unwrap().to_owned(), [0o750, 0o705, 0o777]), data] {
        for mode in modes {
            set(&directory, mode);
            assert_eq!(refused(home.path()), Name::StateDirUnsafe, "{} {mode:o}", directory.display());
        }
        set(&directory, 0o700);
    }
    assert_eq!(load(home.path()).unwrap(), Some(1));
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(&file, Some(65534), None).unwrap();
        assert_eq!(refused(home.path()), Name::StateDirUnsafe);
    } else {
        eprintln!("SKIPPED (only root can make a file that belongs to somebody else)");
    }
}

#[test]
fn a_link_pipe_or_directory_in_the_files_place_is_refused_and_never_followed() {
    let (home, file) = saved();
    let target = home.path().join("target");
    fs::rename(&file, &target).unwrap();
    symlink(&target, &file).unwrap();
    let before = fs::read(&target).unwrap();
    assert_eq!(refused(home.path()), Name::StateDirUnsafe);
    // Saving replaces the link, not what it points to.
    run(file_store(home.path(), Some("right")).save(&key("default"), &credential(2))).unwrap();
    assert_eq!(fs::read(&target).unwrap(), before);
    assert_eq!(load(home.path()).unwrap(), Some(2));

    fs::remove_file(&file).unwrap();
    assert!(std::process::Command::new("mkfifo").args(["-m", "600"]).arg(&file).status().unwrap().success());
    assert_eq!(refused(home.path()), Name::StateDirUnsafe);
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    assert_eq!(refused(home.path()), Name::StateDirUnsafe);
}

#[test]
fn readers_see_whole_records_while_writers_in_other_processes_replace_them() {
    let (home, file) = saved();
    let start = || store_child::start("child", home.path(), Some("right"), &[]);
    let mut children: Vec<_> = (0..6).map(|_| start()).collect();
    for round in 0..20 {
        for (n, child) in children.iter_mut().enumerate() {
            match n % 2 {
                0 => child.tell(&format!("save default {}", round * 10 + n)),
                _ => child.tell("load default"),
            }
        }
        for (n, child) in children.iter().enumerate() {
            let answer = child.hear();
            let fine = match n % 2 {
                // Without the session's lock it may read back another's record, and must say so.
                0 => {
                    answer == "saved" || answer.starts_with("error store-corrupt the store did not give back")
                }
                _ => answer.starts_with("generation "),
            };
            assert!(fine, "{answer}");
        }
    }
    assert_eq!(tree(home.path()), [file], "unfinished files were left");
}

#[test]
fn a_writer_killed_at_any_moment_leaves_a_whole_record() {
    let (home, _) = saved();
    for n in 0..12 {
        let mut child = store_child::start("child", home.path(), Some("right"), &[]);
        child.ask("save default 1");
        for generation in 2..40 {
            child.tell(&format!("save default {generation}"));
        }
        std::thread::sleep(Duration::from_micros(300 * n));
        drop(child);
        assert!(load(home.path()).unwrap().is_some());
    }
    run(file_store(home.path(), None).forget(&key("default"))).unwrap();
    assert!(tree(home.path()).is_empty(), "unfinished files were not swept");
}

#[test]
fn the_account_list_remembers_and_pins_the_store() {
    let home = tempfile::tempdir().unwrap();
    let paths = paths(home.path());
    let account = |name: &str, store| Account {
        server: "https://app.chipp.ai".into(),
        client: None,
        account: name.into(),
        target: Some("https://mcp.chipp.ai/mcp/core".into()),
        identity: None,
        provider: None,
        store,
        signed_in_at: 1_000_000,
    };
    assert_eq!(index::pinned(&paths, &key("default")).unwrap(), None);
    for one in [account("work", Kind::File), account("default", Kind::Keychain)] {
        index::record(&paths, &one).unwrap();
    }
    let listing = index::list(&paths).unwrap();
    assert_eq!(listing.accounts, [account("default", Kind::Keychain), account("work", Kind::File)]);
    assert_eq!(index::pinned(&paths, &key("default")).unwrap(), Some(Kind::Keychain));
    assert_eq!(index::pinned(&paths, &key("work")).unwrap(), Some(Kind::File));

    // A damaged entry, and one under another account's name, do not unpin and stop no listing.
    let file = |name: &str| home.path().join("data/accounts").join(format!("{}.json", key(name).slug()));
    fs::copy(file("work"), file("default")).unwrap();
    assert_eq!(index::pinned(&paths, &key("default")).unwrap_err().name(), Name::StoreCorrupt);
    fs::write(file("default"), "{").unwrap();
    assert_eq!(index::pinned(&paths, &key("default")).unwrap_err().name(), Name::StoreCorrupt);
    let listing = index::list(&paths).unwrap();
    assert_eq!(listing.accounts, [account("work", Kind::File)]);
    assert_eq!(listing.damaged, [file("default")]);
    assert!(index::forget(&paths, &key("default")).unwrap());
    assert!(!index::forget(&paths, &key("default")).unwrap());
    assert_eq!(index::pinned(&paths, &key("default")).unwrap(), None);
}

#[test]
fn the_store_in_memory_fails_on_demand() {
    let store = Store::memory();
    let memory = store.faults().unwrap();
    let fault = || Error::new(Name::KeychainLocked, "locked for a test");
    memory.fail_next_save(fault());
    let error = run(store.save(&key("default"), &credential(1))).unwrap_err();
    assert_eq!(error.name(), Name::KeychainLocked);
    assert!(run(store.load(&key("default"))).unwrap().is_none(), "a failed save changes nothing");
    run(store.save(&key("default"), &credential(2))).unwrap();
    memory.fail_next_load(fault());
    assert!(run(store.load(&key("default"))).is_err());
    assert_eq!(run(store.load(&key("default"))).unwrap().unwrap().generation, 2);
    assert_eq!((memory.saves(), memory.loads()), (2, 3));
    memory.tear_next_save();
    let error = run(store.save(&key("default"), &credential(3))).unwrap_err();
    assert_eq!(error.name(), Name::StoreCorrupt, "I8: what is not read back is not saved");
    assert_eq!(run(store.inspect(&key("default"))).unwrap(), Found::Damaged(Damage::Corrupt));
    memory.put_text(&key("default"), r#"{"v":7,"body":{}}"#);
    assert_eq!(run(store.inspect(&key("default"))).unwrap(), Found::Damaged(Damage::Newer(7)));
    assert!(run(store.clone().forget(&key("default"))).unwrap());
    assert_eq!(run(store.inspect(&key("default"))).unwrap(), Found::Absent);
}

#[test]
fn stores_are_named() {
    let home = tempfile::tempdir().unwrap();
    let store = file_store(home.path(), None);
    assert_eq!(store.describe(), format!("encrypted file {}", home.path().join("data/sealed").display()));
    assert_eq!(store.kind().to_string(), "file");
    let settings = Settings { kind: Kind::Keychain, passphrase: None, interactive: true };
    let store = Store::open(settings, &paths(home.path()));
    assert_eq!(store.kind().to_string(), "keychain");
    assert_eq!(store.prompt_limit(), Some(Duration::from_secs(60)));
}
