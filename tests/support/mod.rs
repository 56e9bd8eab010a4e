//! What several test files share: missing components, and children made of the test binary itself.
//!
//! Environment variables cannot be changed safely inside a test process, and storage is about several
//! processes anyway. So a test starts its own binary again, for one ignored test that plays the child:
//!
//! ```ignore
//! #[test]
//! #[ignore = "a child process of the other tests"]
//! fn child() {
//!     if support::is_child() { /* read lines from stdin, answer each with support::say */ }
//! }
//! ```
#![allow(dead_code, unreachable_pub, missing_docs)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]

pub mod secret_service;
pub mod store_child;
pub mod tls;

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child as Process, ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// Longer than anything takes, on a machine with much else to do.
pub const LONG: Duration = Duration::from_secs(60);

/// Whether all these programs are installed. Use: `if !require(&[…]) { return }`. Without one the test is
/// skipped, visibly; where `CI` is set it fails, so that a gap cannot go unnoticed.
pub fn require(programs: &[&str]) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let installed = |program: &str| std::env::split_paths(&path).any(|dir| dir.join(program).is_file());
    let missing: Vec<_> = programs.iter().filter(|program| !installed(program)).copied().collect();
    if missing.is_empty() {
        return true;
    }
    let missing = missing.join(", ");
    assert!(std::env::var_os("CI").is_none(), "missing {missing}");
    eprintln!("SKIPPED (missing {missing})");
    false
}

const CHILD: &str = "CHIPP_AUTH_TEST_CHILD";

/// Whether this process is a child started with [`Child::start`].
pub fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

/// In a child: sends one line to the parent.
pub fn say(line: impl std::fmt::Display) {
    // The test harness writes on the same stream, also without an end of line.
    println!("\n=> {line}");
    std::io::stdout().flush().expect("the parent reads");
}

/// A child process, killed when it goes out of scope.
pub struct Child {
    process: Process,
    stdin: Option<ChildStdin>,
    lines: mpsc::Receiver<String>,
}

impl Child {
    /// Starts the ignored test `role` of this binary with these variables.
    pub fn start(role: &str, env: &[(&str, PathBuf)]) -> Child {
        let mut command = Command::new(std::env::current_exe().expect("our own path"));
        command.args([role, "--exact", "--ignored", "--nocapture", "--test-threads=1"]);
        for name in ["DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"] {
            command.env_remove(name);
        }
        command.env(CHILD, "1").envs(env.iter().map(|(name, value)| (*name, value)));
        let mut process =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the test binary starts");
        let stdout = BufReader::new(process.stdout.take().expect("piped"));
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if let Some(said) = line.strip_prefix("=> ") {
                    let _ = sender.send(said.to_owned());
                }
            }
        });
        Child { stdin: process.stdin.take(), process, lines }
    }

    /// Writes a line without waiting for the answer.
    pub fn tell(&mut self, line: &str) {
        writeln!(self.stdin.as_mut().expect("open"), "{line}").expect("the child reads");
    }

    /// The next line that the child says.
    pub fn hear(&self) -> String {
        self.lines.recv_timeout(LONG).expect("the child answers")
    }

    /// Writes a line and waits for the answer.
    pub fn ask(&mut self, line: &str) -> String {
        self.tell(line);
        self.hear()
    }

    /// Ends the child's input and waits until it has ended. How long that took.
    pub fn end(mut self) -> Duration {
        let began = Instant::now();
        drop(self.stdin.take());
        while self.process.try_wait().expect("our child").is_none() {
            assert!(began.elapsed() < LONG, "the child does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
        began.elapsed()
    }

    pub fn id(&self) -> u32 {
        self.process.id()
    }

    pub fn signal(&self, signal: Signal) {
        send(&self.process, signal);
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Sends a signal to a process of ours that has not been waited for.
pub fn send(process: &Process, signal: Signal) {
    let id = Pid::from_raw(process.id() as i32).expect("not zero");
    kill_process(id, signal).expect("our own process");
}

/// All file names below a directory, sorted.
pub fn tree(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        // Links are not followed: they could lead anywhere.
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => found.extend(tree(&entry.path())),
            _ => found.push(entry.path()),
        }
    }
    found.sort();
    found
}
