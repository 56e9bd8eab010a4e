//! A real keychain: GNOME's, on a message bus of its own, with a token in it that a sign-in has put there.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::{env, fs};

use super::client::Outcome;
use super::peers::private;
use super::watchdog;
use std::os::unix::process::CommandExt;
use std::time::Duration;

/// What must be installed.
const NEEDS: [&str; 5] = ["dbus-run-session", "gnome-keyring-daemon", "gdbus", "curl", "sh"];
const BOUND: Duration = Duration::from_secs(20);

/// Tells the address of its bus, opens the keyring with an empty password, and waits for its end.
const SESSION: &str = r#"
    echo "$DBUS_SESSION_BUS_ADDRESS"
    echo | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1
    gdbus wait --session --timeout 10 org.freedesktop.secrets && echo ready
    cat >/dev/null
"#;

pub(crate) struct Keychain {
    home: PathBuf,
    bus: String,
    pub(crate) url: String,
    /// Ends when its stdin does.
    session: Child,
}

impl Keychain {
    /// Starts the keyring and signs in to the server at this address.
    pub(crate) fn start(program: &Path, address: &str, home: &Path) -> Outcome<Self> {
        if let Some(missing) = NEEDS.into_iter().find(|name| !is_installed(name)) {
            return Err(format!("{missing} is not installed"));
        }
        let home = home.join("keychain");
        let prepare = || {
            fs::create_dir_all(&home)?;
            fs::DirBuilder::new().mode(0o700).create(home.join("run"))?;
            let browser = home.join("browser");
            fs::write(&browser, "#!/bin/sh\nexec curl -sSL -o /dev/null \"$1\"\n")?;
            fs::set_permissions(browser, fs::Permissions::from_mode(0o755))?;
            let mut command = Command::new("dbus-run-session");
            command
                .args(["--", "sh", "-c", SESSION])
                .envs(private(&home))
                .env("XDG_RUNTIME_DIR", home.join("run"));
            command
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .process_group(0)
                .spawn()
        };
        let mut session = prepare().map_err(|error| error.to_string())?;
        let armed = watchdog::arm(session.id(), BOUND);
        let mut lines = BufReader::new(session.stdout.take().unwrap()).lines().map_while(Result::ok);
        let bus = lines.next().unwrap_or_default();
        let is_ready = lines.next().is_some_and(|line| line == "ready");
        drop(armed);
        let keychain = Keychain { home, bus, url: format!("http://{address}/mcp"), session };
        if !is_ready {
            return Err("the keyring does not start".to_owned());
        }
        let mut login = keychain.command(program, &["login", &keychain.url, "--timeout", "15s"]);
        let output = login.env("BROWSER", keychain.home.join("browser")).stderr(Stdio::piped()).output();
        match output {
            Ok(output) if output.status.success() => Ok(keychain),
            Ok(output) => Err(format!("no sign-in: {}", String::from_utf8_lossy(&output.stderr).trim())),
            Err(error) => Err(error.to_string()),
        }
    }

    /// chipp-auth, with this keychain.
    pub(crate) fn command(&self, program: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).envs(private(&self.home)).env("XDG_RUNTIME_DIR", self.home.join("run"));
        command.env("DBUS_SESSION_BUS_ADDRESS", &self.bus).stderr(Stdio::null());
        command
    }
}

impl Drop for Keychain {
    fn drop(&mut self) {
        let _armed = watchdog::arm(self.session.id(), BOUND);
        drop(self.session.stdin.take());
        let _ = self.session.wait();
    }
}

fn is_installed(name: &str) -> bool {
    env::split_paths(&env::var_os("PATH").unwrap_or_default()).any(|directory| directory.join(name).is_file())
}
