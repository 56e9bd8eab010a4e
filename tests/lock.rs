//! The lock between processes (I2, security.md rows 62-67).
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]

mod support;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, Instant};

use chipp_auth::error::{Name, Result};
use chipp_auth::store::lock;
use rustix::process::Signal;
use support::{Child, LONG, say};

/// `take PATH MILLISECONDS` holds a lock until `give`; the answer is `held PATH`, `given`, or `error …`.
#[test]
#[ignore = "a child process of the other tests"]
fn locker() {
    if !support::is_child() {
        return;
    }
    let mut held = None;
    for line in std::io::stdin().lines().map_while(std::result::Result::ok) {
        match line.split(' ').collect::<Vec<_>>()[..] {
            ["take", path, limit] => {
                match wait(Path::new(path), Duration::from_millis(limit.parse().unwrap())) {
                    Ok(lock) => {
                        held = Some(lock);
                        say("held");
                    }
                    Err(error) => say(format!("error {} {}", error.name(), error.what())),
                }
            }
            _ => {
                held = None;
                say("given");
            }
        }
    }
    drop(held);
}

fn wait(path: &Path, limit: Duration) -> Result<lock::Lock> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(lock::acquire(path, limit))
}

fn locker_at(path: &Path) -> Child {
    let mut child = Child::start("locker", &[]);
    assert_eq!(child.ask(&format!("take {} 20000", path.display())), "held");
    child
}

#[test]
fn one_process_at_a_time_holds_a_lock_and_a_killed_one_frees_it() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("lock");
    let mut first = locker_at(&path);
    assert!(lock::try_acquire(&path).unwrap().is_none());
    let error = wait(&path, Duration::from_millis(300)).unwrap_err();
    assert_eq!(error.name(), Name::LockTimeout);
    assert!(error.what().contains(&format!("(process {})", first.id())), "{error}");

    let mut second = Child::start("locker", &[]);
    second.tell(&format!("take {} 60000", path.display()));
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(first.ask("give"), "given");
    assert_eq!(second.hear(), "held");
    assert!(lock::try_acquire(&path).unwrap().is_none());
    drop(second);
    assert!(lock::try_acquire(&path).unwrap().is_some(), "a killed holder must free it at once");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_stopped_holder_keeps_its_lock() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("lock");
    let mut holder = locker_at(&path);
    holder.signal(Signal::STOP);
    let began = Instant::now();
    assert_eq!(wait(&path, Duration::from_secs(1)).unwrap_err().name(), Name::LockTimeout);
    assert!(began.elapsed() >= Duration::from_secs(1) && began.elapsed() < Duration::from_secs(10));
    holder.signal(Signal::CONT);
    assert_eq!(holder.ask("give"), "given");
    assert!(wait(&path, LONG).is_ok());
}

#[test]
fn many_waiting_holders_take_turns() {
    let home = tempfile::tempdir().unwrap();
    let (path, counter) = (home.path().join("lock"), home.path().join("counter"));
    fs::write(&counter, "0").unwrap();
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                for _ in 0..10 {
                    let _lock = wait(&path, LONG).unwrap();
                    let count: u32 = fs::read_to_string(&counter).unwrap().parse().unwrap();
                    std::thread::sleep(Duration::from_millis(1));
                    fs::write(&counter, (count + 1).to_string()).unwrap();
                }
            });
        }
    });
    assert_eq!(fs::read_to_string(&counter).unwrap(), "60");
}

/// Row 65: whoever opened the file before it was deleted and locks it afterwards is not the holder.
#[test]
fn a_deleted_lock_file_never_makes_two_holders() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("lock");
    let inside = std::sync::atomic::AtomicBool::new(false);
    let order = std::sync::atomic::Ordering::SeqCst;
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                let mut turns = 0;
                while turns < 100 && began.elapsed() < LONG {
                    let Some(_lock) = lock::try_acquire(&path).unwrap() else { continue };
                    turns += 1;
                    assert!(!inside.swap(true, order), "two holders");
                    std::thread::yield_now();
                    inside.store(false, order);
                    fs::remove_file(&path).unwrap();
                }
            });
        }
    });
    let ours = lock::try_acquire(&path).unwrap().unwrap();
    assert!(ours.intact().unwrap());
    fs::remove_file(&path).unwrap();
    assert!(!ours.intact().unwrap());
    drop(ours);

    let first = locker_at(&path);
    fs::remove_file(&path).unwrap();
    let mut second = locker_at(&path);
    assert!(lock::try_acquire(&path).unwrap().is_none(), "the present file has one holder");
    drop(first);
    assert!(lock::try_acquire(&path).unwrap().is_none(), "the end of the old holder frees nothing");
    assert_eq!(second.ask("give"), "given");
    assert!(lock::try_acquire(&path).unwrap().is_some());
}

#[test]
fn a_lock_file_that_is_not_ours_alone_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("lock");
    symlink(home.path().join("elsewhere"), &path).unwrap();
    assert_eq!(lock::try_acquire(&path).unwrap_err().name(), Name::StateDirUnsafe);
    assert!(!home.path().join("elsewhere").exists());
    fs::remove_file(&path).unwrap();
    fs::write(&path, "").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    assert_eq!(lock::try_acquire(&path).unwrap_err().name(), Name::StateDirUnsafe);
    let missing = home.path().join("no/lock");
    assert_eq!(lock::try_acquire(&missing).unwrap_err().name(), Name::StateDirUnsafe);
}

/// Row 67: a browser that a holder started must not keep the lock after it.
#[cfg(target_os = "linux")]
#[test]
fn a_child_of_the_holder_does_not_get_the_lock() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("lock");
    let _lock = lock::try_acquire(&path).unwrap().unwrap();
    let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    let open = fs::read_dir(format!("/proc/{}/fd", child.id())).unwrap();
    let open: Vec<_> = open.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok()).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!open.is_empty() && !open.contains(&path), "{open:?}");
}
