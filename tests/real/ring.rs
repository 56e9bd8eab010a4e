//! A user whose tokens are in a real keychain on a bus of his own.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use chipp_auth::sandbox::Options;

use crate::host::Host;
use crate::house::{Ended, House, Login, follow, wait};
use crate::support::secret_service::SecretService;
use crate::support::tree;

/// The limit without a terminal is 2 s; the rest is for a loaded machine.
pub const LIMIT: Duration = Duration::from_secs(2 + 6);

pub struct Ring {
    pub service: SecretService,
    pub house: House,
    /// The bus that the program is told of.
    pub bus: Option<PathBuf>,
}

impl Ring {
    pub fn new(options: Options) -> Ring {
        Ring::on(SecretService::start(), options)
    }

    pub fn on(service: SecretService, options: Options) -> Ring {
        let bus = service.env().into_iter().find(|(name, _)| *name == "DBUS_SESSION_BUS_ADDRESS");
        Ring { service, house: House::new(options), bus: bus.map(|(_, address)| address) }
    }

    /// The program as users have it: no store is chosen, so it is the keychain. A passphrase is there all the
    /// same: a silent fallback to the file would work, and be seen.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = self.house.command(args);
        command.env_remove("CHIPP_AUTH_STORE");
        // Not the real one: a bus can also be found there.
        command.env("XDG_RUNTIME_DIR", self.house.home.path().join("run"));
        if let Some(bus) = &self.bus {
            command.env("DBUS_SESSION_BUS_ADDRESS", bus);
        }
        command
    }

    pub fn run(&self, args: &[&str]) -> Ended {
        wait(self.command(args).spawn().unwrap())
    }

    pub fn login(&self) -> Ended {
        let mut login = Login::spawn(self.command(&["login", "--no-browser"]));
        follow(&login.url());
        login.wait()
    }

    pub fn proxy(&self) -> Host {
        Host::start(self.command(&["proxy"]))
    }

    /// How many items an independent reader finds.
    pub fn items(&self) -> usize {
        self.service.secret_tool_search().matches("attribute.service = chipp-auth").count()
    }

    /// `token`, `status` and `login` fail with this name, in time; no browser opens and no request is made.
    pub fn all_fail(&self, name: &str, says: &str) {
        for command in ["token", "status", "login"] {
            self.fails(command, name, says);
        }
    }

    pub fn fails(&self, command: &str, name: &str, says: &str) {
        let (opened, before) = (self.house.home.path().join("opened"), self.house.sandbox.log().len());
        let program = self.house.home.path().join("counting-browser");
        crate::house::script(&program, &format!("echo x >> {}", opened.display()));
        let began = Instant::now();
        let ended = wait(self.command(&[command]).env("BROWSER", &program).spawn().unwrap());
        let took = began.elapsed();
        ended.failed(name, 6);
        assert!(ended.stderr.contains(says), "{command}: {ended:?}");
        assert_eq!(ended.stdout, "", "{command}");
        assert!(took < LIMIT, "{command} took {took:?}");
        assert!(!opened.exists(), "{command} opened a browser");
        assert_eq!(self.house.sandbox.log().len(), before, "{command} asked the server");
        self.no_files();
    }

    /// No secret and no sealed record in any file (S1).
    pub fn no_files(&self) {
        for path in tree(self.house.home.path()) {
            assert!(!path.components().any(|part| part.as_os_str() == OsStr::new("sealed")), "{path:?}");
            let bytes = std::fs::read(&path).unwrap();
            let text = String::from_utf8_lossy(&bytes);
            assert!(!text.contains("chipp_at_") && !text.contains("chipp_rt_"), "a token in {path:?}");
        }
    }
}
