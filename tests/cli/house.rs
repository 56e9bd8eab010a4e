//! A user with a home of his own, and a sandbox to sign in to.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use chipp_auth::sandbox::{Consent, Options, Sandbox};
use tempfile::TempDir;

/// Longer than anything takes here, on a loaded machine.
pub const LONG: Duration = Duration::from_secs(60);

pub struct House {
    pub sandbox: Sandbox,
    pub home: TempDir,
}

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Asserts success and returns stdout without its line end.
    pub fn ok(&self) -> &str {
        assert_eq!(self.code, 0, "{self:?}");
        self.stdout.trim_end()
    }

    /// Asserts the failure of this name.
    pub fn failed(&self, name: &str, code: i32) {
        assert_eq!(self.code, code, "{self:?}");
        assert!(self.stderr.contains(&format!("chipp-auth: {name}: ")), "{self:?}");
        assert!(self.stderr.contains("chipp-auth: hint: "), "{self:?}");
    }
}

impl House {
    /// A sandbox that approves at once, and a `chipp` that points to it.
    pub fn new(options: Options) -> House {
        let auto_consent = options.auto_consent.or(Some(Consent::Authorize));
        let sandbox = Sandbox::start(Options { auto_consent, ..options }).unwrap();
        let house = House { sandbox, home: tempfile::tempdir().unwrap() };
        house.point_chipp_at(house.sandbox.base().as_str());
        house
    }

    pub fn point_chipp_at(&self, base: &str) {
        let base = base.trim_end_matches('/');
        let profile =
            format!("[profiles.chipp]\nurl = \"{base}/mcp/messages\"\nauthorization_server = \"{base}\"\n");
        std::fs::write(self.home.path().join("profiles.toml"), profile).unwrap();
    }

    /// The program, knowing nothing of the environment of the tests.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chipp-auth"));
        command.env_clear().args(args);
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.home.path()).env("CHIPP_AUTH_HOME", self.home.path());
        command.env("CHIPP_AUTH_STORE", "file").env("CHIPP_AUTH_PASSPHRASE", "correct horse");
        // Whether the tests run in one must not matter.
        command.env("container", "yes");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub fn run(&self, args: &[&str]) -> Ended {
        wait(self.command(args).spawn().unwrap())
    }

    /// Signs in, with these further arguments, by following the printed address.
    pub fn login(&self, args: &[&str]) -> Ended {
        let mut login = Login::start(self, args);
        let url = login.url();
        follow(&url);
        login.wait()
    }
}

/// A `login --no-browser` under way.
pub struct Login {
    child: Child,
    lines: mpsc::Receiver<String>,
    seen: String,
}

impl Login {
    pub fn start(house: &House, args: &[&str]) -> Login {
        Login::spawn(house.command(&[&["login", "--no-browser"], args].concat()))
    }

    pub fn spawn(mut command: Command) -> Login {
        Login::of(command.spawn().unwrap())
    }

    pub fn of(mut child: Child) -> Login {
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Login { child, lines, seen: String::new() }
    }

    /// The address that it printed.
    pub fn url(&mut self) -> String {
        loop {
            let line =
                self.lines.recv_timeout(LONG).unwrap_or_else(|_| panic!("no address in: {}", self.seen));
            self.seen.push_str(&line);
            self.seen.push('\n');
            if line.trim().starts_with("http") {
                return line.trim().to_owned();
            }
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn wait(mut self) -> Ended {
        let mut ended = wait(self.child);
        for line in self.lines {
            self.seen.push_str(&line);
            self.seen.push('\n');
        }
        ended.stderr = self.seen;
        ended
    }
}

/// Waits for a process, within a bound, while its output is read.
pub fn wait(mut child: Child) -> Ended {
    let read = |pipe: Option<Box<dyn Read + Send>>| {
        std::thread::spawn(move || {
            let mut text = String::new();
            if let Some(mut pipe) = pipe {
                let _ = pipe.read_to_string(&mut text);
            }
            text
        })
    };
    let stdout = read(child.stdout.take().map(|pipe| Box::new(pipe) as _));
    let stderr = read(child.stderr.take().map(|pipe| Box::new(pipe) as _));
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if begun.elapsed() > LONG {
            let _ = child.kill();
            panic!("still running after {LONG:?}");
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    Ended {
        code: status.code().unwrap_or(-1),
        stdout: stdout.join().unwrap(),
        stderr: stderr.join().unwrap(),
    }
}

/// What a browser would see in the end: the last address and page.
pub fn follow(url: &str) -> (String, String) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = reqwest::Client::builder().no_proxy().timeout(LONG).build().unwrap();
        let response = client.get(url).send().await.unwrap();
        (response.url().to_string(), response.text().await.unwrap())
    })
}

/// A `BROWSER` that follows the address, and counts.
pub fn browser(house: &House) -> (PathBuf, PathBuf) {
    let (program, count) = (house.home.path().join("browser"), house.home.path().join("opened"));
    script(
        &program,
        &format!("echo x >> {}\nexec curl -sSL --max-time 30 -o /dev/null \"$1\"", count.display()),
    );
    (program, count)
}

/// Makes a program out of shell commands.
pub fn script(program: &Path, commands: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(program, format!("#!/bin/sh\n{commands}\n")).unwrap();
    std::fs::set_permissions(program, std::fs::Permissions::from_mode(0o755)).unwrap();
}
