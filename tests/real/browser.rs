//! A real Chromium in front of the sandbox's consent page (issue 2 point 3). What a person sees is read from
//! the page, what the browser did from its own record of its network.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use chipp_auth::sandbox::{Fault, Options};
use serde_json::Value;
use tempfile::TempDir;

use crate::host::Host;
use crate::house::{Ended, House, LONG, Login, follow, script, wait};
use crate::parts::{chromium, peer};

/// A person in front of a browser.
struct Person {
    out: TempDir,
}

impl Person {
    fn new() -> Person {
        let out = tempfile::tempdir().unwrap();
        // Chromium as it is, with its own record of everything it asked the network for: Playwright, for
        // one, says nothing of icons.
        let record = out.path().join("net.json");
        let chromium = format!("exec /usr/bin/chromium --log-net-log={} \"$@\"", record.display());
        script(&out.path().join("chromium"), &chromium);
        Person { out }
    }

    /// Puts the person before a command: clicks `click` in a browser that prefers `scheme`.
    fn before<'a>(&self, command: &'a mut Command, click: &str, scheme: &str) -> &'a mut Command {
        command.env("BROWSER", peer("browser")).env("BROWSE_OUT", self.out.path());
        command.env("BROWSE_CHROMIUM", self.out.path().join("chromium"));
        command.env("BROWSE_CLICK", click).env("BROWSE_SCHEME", scheme)
    }

    /// What was seen, once the browser is closed.
    fn report(&self) -> Value {
        let (path, began) = (self.out.path().join("page.json"), Instant::now());
        while !path.exists() {
            assert!(began.elapsed() < LONG, "no report: {:?}", fs::read_to_string(self.log()));
            std::thread::sleep(Duration::from_millis(20));
        }
        let report: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        assert_eq!(report["ok"], true, "{report} {:?}", fs::read_to_string(self.log()));
        report
    }

    fn log(&self) -> PathBuf {
        self.out.path().join("browser.log")
    }

    /// The paths of an origin that the browser asked for, by its own record.
    fn asked(&self, origin: &str) -> Vec<String> {
        let record = fs::read(self.out.path().join("net.json")).unwrap();
        let record: Value = serde_json::from_slice(&record).unwrap();
        let constants = &record["constants"];
        let kind = &constants["logEventTypes"]["URL_REQUEST_START_JOB"];
        let begin = &constants["logEventPhase"]["PHASE_BEGIN"];
        assert!(kind.is_u64() && begin.is_u64(), "{constants}");
        let events = record["events"].as_array().unwrap().iter();
        let urls = events
            .filter(|event| event["type"] == *kind && event["phase"] == *begin)
            .filter_map(|event| event["params"]["url"].as_str()?.strip_prefix(origin));
        urls.map(|rest| rest.split('?').next().unwrap().to_owned()).collect()
    }

    /// Keeps what was seen, to be looked at: `target/screenshots/NAME-SCHEME.png`.
    fn keep(&self, name: &str, scheme: &str) {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("screenshots");
        fs::create_dir_all(&directory).unwrap();
        for (shot, name) in [("consent.png", "consent"), ("final.png", name)] {
            let to = directory.join(format!("{name}-{scheme}.png"));
            fs::copy(self.out.path().join(shot), to).unwrap();
        }
    }
}

/// A sandbox that asks a person.
fn house() -> House {
    let house = House::new(Options::default());
    house.sandbox.set(|options| options.auto_consent = None);
    house
}

/// One `login` with a person who clicks: how it ended, and the browser's report.
fn login(house: &House, click: &str, (name, scheme): (&str, &str)) -> (Ended, Value) {
    let person = Person::new();
    let mut command = house.command(&["login"]);
    let ended = wait(person.before(&mut command, click, scheme).spawn().unwrap());
    let report = person.report();
    person.keep(name, scheme);
    let (address, origin) = address(&report);
    assert_eq!(address, format!("{origin}/done"), "no code and no state in the address bar");
    assert_eq!(person.asked(&origin), ["/callback", "/done"], "and nothing else, no icon either");
    assert_eq!(report["console"], serde_json::json!([]), "no complaint, of the policy for one");
    for request in report["requests"].as_array().unwrap() {
        let foreign = request["url"].as_str().unwrap().starts_with(&origin);
        assert!(!foreign || request["referer"].is_null(), "{request}");
    }
    consent(&report["consent"]);
    (ended, report)
}

/// The last address, and its origin, which is the callback's.
fn address(report: &Value) -> (&str, String) {
    let address = report["url"].as_str().unwrap();
    let url = url::Url::parse(address).unwrap();
    assert_eq!((url.scheme(), url.host_str()), ("http", Some("localhost")));
    (address, url.origin().ascii_serialization())
}

/// The consent page says who asks, whose account it is, and for what.
fn consent(page: &Value) {
    assert!(page["h1"].as_str().unwrap().ends_with("wants to access your account"), "{page}");
    let text = page["text"].as_str().unwrap();
    for part in ["Signed in as ada@example.com", "Authorize", "Deny", "localhost"] {
        assert!(text.contains(part), "{text}");
    }
}

fn shows(report: &Value, h1: &str, texts: &[&str]) {
    assert_eq!(report["h1"], h1, "{report}");
    assert_eq!(report["title"], format!("{h1} · chipp-auth"));
    let text = report["text"].as_str().unwrap();
    assert!(texts.iter().all(|part| text.contains(part)), "{text}");
    assert_eq!(report["status"], 200);
    let policy = report["headers"]["content-security-policy"].as_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
}

/// Light, then dark: both pages have another background.
fn in_both(mut visit: impl FnMut(&str) -> Value) {
    let [light, dark] = ["light", "dark"].map(&mut visit);
    for page in [(&light, &dark), (&light["consent"], &dark["consent"])] {
        assert_ne!(page.0["background"], page.1["background"]);
    }
}

#[test]
fn a_person_clicks_authorize() {
    if !chromium() {
        return;
    }
    in_both(|scheme| {
        let house = house();
        let (ended, report) = login(&house, "authorize", ("success", scheme));
        assert_eq!(ended.code, 0, "{ended:?}");
        shows(&report, "You’re signed in", &["There is nothing more to do here.", "You can close this tab."]);
        let counts = house.sandbox.counts();
        assert_eq!((counts.authorize, counts.consents, counts.families), (1, 1, 1));
        assert!(house.run(&["token"]).ok().starts_with("chipp_at_"));
        report
    });
}

#[test]
fn a_person_clicks_deny() {
    if !chromium() {
        return;
    }
    in_both(|scheme| {
        let house = house();
        let (ended, report) = login(&house, "deny", ("denied", scheme));
        ended.failed("login-denied", 3);
        shows(&report, "Sign-in declined", &["No access was given", "choose Authorize"]);
        let counts = house.sandbox.counts();
        assert_eq!((counts.authorize, counts.denials, counts.families), (1, 1, 0));
        house.run(&["token"]).failed("login-required", 4);
        report
    });
}

#[test]
fn a_sign_in_that_fails_after_the_consent_says_so() {
    if !chromium() {
        return;
    }
    in_both(|scheme| {
        let house = house();
        house.sandbox.fail_next(Fault::token(400, "application/json", r#"{"error":"invalid_grant"}"#));
        let (ended, report) = login(&house, "authorize", ("failed", scheme));
        ended.failed("login-denied", 3);
        shows(&report, "Sign-in didn’t work", &["Your terminal says what happened"]);
        assert_eq!(house.sandbox.counts().families, 0);
        house.run(&["token"]).failed("login-required", 4);
        report
    });
}

/// What `proxy` opens by itself when nobody is signed in.
#[test]
fn a_proxy_that_starts_signed_out_waits_for_the_person() {
    if !chromium() {
        return;
    }
    let house = house();
    let person = Person::new();
    let mut command = house.command(&["proxy"]);
    person.before(&mut command, "authorize", "light");
    let mut host = Host::start(command);
    let began = Instant::now();
    let answer = host.initialize();
    assert!(answer["result"]["serverInfo"].is_object(), "{answer}");
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    assert!(host.call("list_apps").get("result").is_some());
    let report = person.report();
    shows(&report, "You’re signed in", &["You can close this tab."]);
    let (address, origin) = address(&report);
    assert_eq!(address, format!("{origin}/done"));
    assert_eq!(host.end().0, 0);
    assert_eq!(house.sandbox.counts().families, 1);
}

/// A tab that a proxy opened and nobody looks at is not waited for by who types `login`.
#[test]
fn a_person_who_types_login_does_not_wait_for_a_forgotten_tab() {
    let house = House::new(Options::default());
    let (program, opened) = (house.home.path().join("forgetful"), house.home.path().join("opened"));
    script(&program, &format!("echo x >> {}", opened.display()));
    let mut command = house.command(&["proxy"]);
    command.env("BROWSER", &program);
    let mut host = Host::start(command);
    let waiting = std::thread::spawn(move || (host.initialize(), host));
    let began = Instant::now();
    while !opened.exists() {
        assert!(began.elapsed() < LONG, "no browser was opened");
        std::thread::sleep(Duration::from_millis(5));
    }
    let mut login = Login::start(&house, &[]);
    follow(&login.url());
    assert_eq!(login.wait().code, 0);
    let (answer, host) = waiting.join().unwrap();
    assert!(answer.get("result").is_some(), "{answer}");
    assert_eq!(host.end().0, 0);
    assert_eq!(house.sandbox.counts().families, 1);
}
