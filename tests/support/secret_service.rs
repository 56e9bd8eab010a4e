//! A real Secret Service on a private bus: `dbus-daemon` and `gnome-keyring-daemon`, in a home of its own.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child as Process, Command, Stdio};

use rustix::process::Signal;

use super::send;

/// What the fixture needs; see [`super::require`].
pub const PROGRAMS: &[&str] = &["dbus-daemon", "gnome-keyring-daemon", "gdbus", "secret-tool"];

/// A bus, and on it a keyring daemon that can be stopped, killed, locked and wiped.
pub struct SecretService {
    home: tempfile::TempDir,
    bus: Process,
    address: String,
    daemon: Option<Process>,
}

impl SecretService {
    /// A bus with an unlocked keyring, whose password is empty.
    pub fn start() -> Self {
        let mut service = Self::bus_only();
        service.start_daemon("\n");
        service
    }

    /// A bus that nobody is on, and where nothing starts by being called.
    pub fn bus_only() -> Self {
        let home = tempfile::tempdir().expect("a temporary directory");
        let run = home.path().join("run");
        fs::create_dir(&run).expect("created");
        fs::set_permissions(&run, fs::Permissions::from_mode(0o700)).expect("ours");
        let config = home.path().join("bus.conf");
        fs::write(
            &config,
            format!(
                r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
                    "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
                <busconfig><type>session</type><listen>unix:dir={}</listen><policy context="default">
                <allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/>
                </policy></busconfig>"#,
                run.display()
            ),
        )
        .expect("written");
        let mut bus = Command::new("dbus-daemon")
            .arg(format!("--config-file={}", config.display()))
            .args(["--nofork", "--nopidfile", "--print-address=1"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("dbus-daemon starts");
        let mut address = String::new();
        BufReader::new(bus.stdout.take().expect("piped")).read_line(&mut address).expect("an address");
        SecretService { home, bus, address: address.trim().into(), daemon: None }
    }

    /// Starts the daemon with this on its standard input: the password and an end of line. A home without a
    /// keyring gets one; nothing at all leaves it without.
    pub fn start_daemon(&mut self, password: &str) {
        assert!(self.daemon.is_none(), "one daemon at a time");
        let mut daemon = self
            .command("gnome-keyring-daemon")
            .args(["--foreground", "--unlock", "--components=secrets"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("gnome-keyring-daemon starts");
        daemon.stdin.take().expect("piped").write_all(password.as_bytes()).expect("it reads");
        self.daemon = Some(daemon);
        let wait = ["wait", "--session", "--timeout", "60", "org.freedesktop.secrets"];
        assert!(self.command("gdbus").args(wait).status().expect("gdbus").success());
    }

    /// The daemon does not answer any more (SIGSTOP).
    pub fn stop(&self) {
        send(self.daemon.as_ref().expect("a daemon"), Signal::STOP);
    }

    /// The daemon answers again.
    pub fn resume(&self) {
        send(self.daemon.as_ref().expect("a daemon"), Signal::CONT);
    }

    /// The daemon is gone.
    pub fn kill(&mut self) {
        let mut daemon = self.daemon.take().expect("a daemon");
        daemon.kill().expect("our own process");
        daemon.wait().expect("killed");
    }

    /// The default keyring is locked; unlocking it would need a prompt that cannot be shown here.
    pub fn lock(&self) {
        let status = self
            .command("gdbus")
            .args(["call", "--session", "--dest", "org.freedesktop.secrets"])
            .args(["--object-path", "/org/freedesktop/secrets"])
            .args(["--method", "org.freedesktop.Secret.Service.Lock"])
            .arg("['/org/freedesktop/secrets/aliases/default']")
            .stdout(Stdio::null())
            .status();
        assert!(status.expect("gdbus").success());
    }

    /// All keyrings are gone from the disk.
    pub fn wipe(&self) {
        fs::remove_dir_all(self.keyrings()).expect("there were keyrings");
    }

    /// Where the daemon keeps its keyrings.
    pub fn keyrings(&self) -> PathBuf {
        self.home.path().join(".local/share/keyrings")
    }

    /// The variables that put a process on this bus.
    pub fn env(&self) -> Vec<(&'static str, PathBuf)> {
        vec![
            ("HOME", self.home.path().into()),
            ("XDG_RUNTIME_DIR", self.home.path().join("run")),
            ("DBUS_SESSION_BUS_ADDRESS", (&self.address).into()),
        ]
    }

    /// What an independent reader finds: the output of `secret-tool search --all service chipp-auth`, which
    /// shows labels, attributes and secrets.
    pub fn secret_tool_search(&self) -> String {
        let mut search = self.command("secret-tool");
        let output = search.args(["search", "--all", "service", "chipp-auth"]).output().expect("it runs");
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    }

    /// Stores a secret with `secret-tool`, under these attributes (`name value …`).
    pub fn secret_tool_store(&self, label: &str, attributes: &[&str], secret: &str) {
        let mut store = self.command("secret-tool");
        store.args(["store", "--label", label]).args(attributes).stdin(Stdio::piped());
        let mut process = store.spawn().expect("it runs");
        process.stdin.take().expect("piped").write_all(secret.as_bytes()).expect("it reads");
        assert!(process.wait().expect("it ends").success());
    }

    /// A command with the variables of this bus.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY").envs(self.env());
        command
    }
}

impl Drop for SecretService {
    fn drop(&mut self) {
        for process in self.daemon.iter_mut().chain([&mut self.bus]) {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}
