//! A user whose every secret is known to the test, and who is watched.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

use chipp_auth::paths::Paths;
use chipp_auth::profile::{Choices, Target};
use chipp_auth::sandbox::{Client, ClientAuth, Grace, Options};
use chipp_auth::store::{Kind, Settings, Store};
use secrecy::ExposeSecret;
use tempfile::TempDir;
use url::Url;

use crate::host::Host;
use crate::house::{Ended, House, Login, follow, wait};
use crate::search::Search;
use crate::watch::{Evidence, Watch};

const CLIENT: &str = "canary-client";

pub struct Stage {
    pub house: House,
    pub evidence: Evidence,
    pub passphrase: String,
    pub client_secret: String,
    verbosity: &'static str,
    secrets: Mutex<Vec<(String, String)>>,
    challenges: Mutex<Vec<String>>,
    /// What the browser gets to see: the codes. Not searched, but searched for.
    browser: TempDir,
    _watch: Watch,
}

/// Random, and with characters that the encodings change.
pub fn random(name: &str) -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).unwrap();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{name}/+ %{hex}")
}

impl Stage {
    /// With access tokens of one second.
    pub fn new(verbosity: &'static str) -> Stage {
        let (passphrase, client_secret) = (random("pass"), random("secret"));
        let canary = Client {
            id: CLIENT.to_owned(),
            auth: ClientAuth::Post(client_secret.clone().into()),
            ..Client::chipp()
        };
        let house = House::new(Options {
            clients: vec![canary],
            access_lifetime: Duration::from_secs(1),
            grace: Grace::UntilUsed,
            ..Options::default()
        });
        fs::create_dir(house.home.path().join("tmp")).unwrap();
        let evidence = Evidence::default();
        let watch = Watch::start(house.home.path().to_owned(), evidence.clone());
        let stage = Stage {
            house,
            evidence,
            verbosity,
            secrets: Mutex::default(),
            challenges: Mutex::default(),
            browser: tempfile::tempdir().unwrap(),
            _watch: watch,
            passphrase: passphrase.clone(),
            client_secret: client_secret.clone(),
        };
        stage.secret("passphrase", &passphrase);
        stage.secret("client secret", &client_secret);
        stage
    }

    /// Something that must be seen nowhere.
    pub fn secret(&self, name: &str, secret: &str) {
        self.secrets.lock().unwrap().push((name.to_owned(), secret.to_owned()));
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = self.house.command(args);
        command.args([self.verbosity, "--client-id", CLIENT]);
        command.env("CHIPP_AUTH_PASSPHRASE", &self.passphrase);
        command.env("CHIPP_AUTH_CLIENT_SECRET", &self.client_secret);
        command.env("TMPDIR", self.house.home.path().join("tmp"));
        command
    }

    /// Runs a command and keeps what it says, except for the answer of `token` and `headers`.
    pub fn run(&self, args: &[&str]) -> Ended {
        self.keep(args, wait(self.command(args).spawn().unwrap()))
    }

    pub fn keep(&self, args: &[&str], ended: Ended) -> Ended {
        self.evidence.add(format!("stderr of {args:?}"), ended.stderr.clone());
        if !(ended.code == 0 && ["token", "headers"].contains(&args[0])) {
            self.evidence.add(format!("stdout of {args:?}"), ended.stdout.clone());
        }
        self.learn();
        ended
    }

    /// Signs in by the printed address, as a browser would.
    pub fn login(&self) -> Ended {
        let args = ["login", "--no-browser"];
        let mut login = Login::spawn(self.command(&args));
        let url = login.url();
        self.challenge(&url);
        let back = redirect(&url);
        self.secret("code", &code(&back).unwrap());
        follow(&back);
        self.keep(&args, login.wait())
    }

    /// A `BROWSER` that shows what it was given, and then goes to the address.
    pub fn browser(&self) -> PathBuf {
        let program = self.browser.path().join("browser");
        let script = format!(
            "#!/bin/sh\ncd {}\n\
             {{ env; printf '%s\\n' \"$@\"; }} > $$.given\n\
             curl -sSL --max-time 30 -D $$.headers -o /dev/null \"$1\"\nmv $$.headers $$.done\n",
            self.browser.path().display()
        );
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        program
    }

    /// Where the browser keeps what it has seen.
    pub fn browser_home(&self) -> &Path {
        self.browser.path()
    }

    /// Takes in what the browser was given, and the codes that it was told. How many sign-ins it went through.
    pub fn ask_browser(&self) -> usize {
        let read = |wanted: &str| {
            let files = fs::read_dir(self.browser.path()).unwrap().map(|entry| entry.unwrap().path());
            let files =
                files.filter(move |path| path.extension().is_some_and(|extension| extension == wanted));
            files.map(|path| fs::read_to_string(path).unwrap()).collect::<Vec<_>>()
        };
        for given in read("given") {
            given.lines().filter(|line| line.starts_with("http")).for_each(|url| self.challenge(url));
            self.evidence.add("what the browser was given", given);
        }
        let headers = read("done");
        for line in headers.iter().flat_map(|text| text.lines()) {
            let location = line.split_once(": ").filter(|(name, _)| name.eq_ignore_ascii_case("location"));
            if let Some(code) = location.and_then(|(_, url)| code(url)) {
                self.secret("code", &code);
            }
        }
        headers.len()
    }

    /// A proxy whose stderr is kept; see [`Stage::end`].
    pub fn proxy(&self, browser: Option<PathBuf>) -> Host {
        let mut command = self.command(&["proxy"]);
        command.stderr(File::create(self.browser.path().join("stderr")).unwrap());
        if let Some(browser) = browser {
            command.env("BROWSER", browser);
        }
        Host::start(command)
    }

    pub fn end(&self, host: Host) {
        let said = host.said();
        assert_eq!(host.end().0, 0);
        self.evidence.add("stdout of proxy", said);
        let stderr = fs::read(self.browser.path().join("stderr")).unwrap();
        self.evidence.add("stderr of proxy", stderr);
        self.learn();
    }

    /// The refresh token in force.
    pub fn refresh_token(&self) -> String {
        self.learn();
        let secrets = self.secrets.lock().unwrap();
        secrets.iter().rfind(|(name, _)| name == "refresh token").unwrap().1.clone()
    }

    pub fn access_token(&self) -> String {
        self.learn();
        let secrets = self.secrets.lock().unwrap();
        secrets.iter().rfind(|(name, _)| name == "access token").unwrap().1.clone()
    }

    /// Reads the tokens from the store, as only who knows the passphrase can.
    pub fn learn(&self) {
        let home = self.house.home.path();
        let choices = Choices { client_id: Some(CLIENT.to_owned()), ..Choices::default() };
        let key = Target::resolve(None, home, choices).unwrap().key();
        let passphrase = Some(self.passphrase.clone().into());
        let paths = Paths { config: home.into(), data: home.into() };
        let store = Store::open(Settings { kind: Kind::File, passphrase, interactive: false }, &paths);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        if let Ok(Some(credential)) = runtime.block_on(store.load(&key)) {
            self.secret("access token", credential.tokens.access.expose_secret());
            self.secret("refresh token", credential.tokens.refresh.unwrap().expose_secret());
        }
    }

    fn challenge(&self, url: &str) {
        let url = Url::parse(url).unwrap();
        let challenge = url.query_pairs().find(|(name, _)| name == "code_challenge").unwrap().1.into_owned();
        self.challenges.lock().unwrap().push(challenge);
    }

    /// How many different secrets of a name were there.
    pub fn number_of(&self, name: &str) -> usize {
        let secrets = self.secrets.lock().unwrap();
        let ours = secrets.iter().filter(|(n, _)| n == name);
        ours.map(|(_, secret)| secret).collect::<std::collections::HashSet<_>>().len()
    }

    pub fn search(&self) -> Search {
        Search::new(&self.secrets.lock().unwrap(), &self.challenges.lock().unwrap())
    }

    /// Everything that was seen, searched. One line for each place.
    pub fn leaks(&self) -> Vec<String> {
        let search = self.search();
        let found =
            |(place, bytes): (String, Vec<u8>)| search.find(&bytes).map(|what| format!("{what} in {place}"));
        self.evidence.all().into_iter().filter_map(found).collect()
    }
}

/// Where the server sends the browser.
fn redirect(url: &str) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let none = reqwest::redirect::Policy::none();
        let client = reqwest::Client::builder().no_proxy().redirect(none).build().unwrap();
        let response = client.get(url).send().await.unwrap();
        response.headers()["location"].to_str().unwrap().to_owned()
    })
}

fn code(url: &str) -> Option<String> {
    let url = Url::parse(url.trim()).ok()?;
    url.query_pairs().find(|(name, _)| name == "code").map(|(_, code)| code.into_owned())
}
