//! A report, read.

use std::process::Command;

use serde_json::Value;

use crate::house::{Ended, House, wait};

/// Every id, in the order of the report.
pub const IDS: [&str; 18] = [
    "version",
    "system",
    "started",
    "proxy",
    "data-dir",
    "profiles",
    "loopback-ipv4",
    "loopback-ipv6",
    "localhost",
    "browser",
    "certificates",
    "server",
    "authorization-server",
    "clock",
    "store",
    "sign-in",
    "locks",
    "accounts",
];

pub struct Report {
    pub ended: Ended,
    pub json: Value,
}

impl Report {
    /// The report of this house, as JSON.
    pub fn of(house: &House, args: &[&str]) -> Report {
        Report::from(command(house, args))
    }

    pub fn from(mut command: Command) -> Report {
        let ended = wait(command.arg("--json").spawn().unwrap());
        let report = Report { json: ended.json(), ended };
        report.check();
        report
    }

    /// What holds for each report.
    fn check(&self) {
        for check in self.all() {
            let status = check["status"].as_str().unwrap();
            assert!(["ok", "warn", "fail", "skipped"].contains(&status), "{check}");
            assert!(check["what"].as_str().is_some_and(|what| !what.is_empty()), "{check}");
            assert_eq!(check["remedy"].is_string(), ["warn", "fail"].contains(&status), "{check}");
            assert_eq!(check["error"].is_string(), status == "fail", "{check}");
            if let Some(remedy) = check["remedy"].as_str() {
                assert!(remedy.starts_with(|c: char| c.is_ascii_lowercase()), "begins with a verb: {check}");
                assert!(!remedy.ends_with('.') && !remedy.contains('{'), "{check}");
            }
        }
        let fails = self.all().iter().any(|check| check["status"] == "fail");
        assert_eq!(self.json["ok"], !fails);
        assert_eq!(self.ended.code == 0, !fails, "{:?}", self.ended);
    }

    pub fn all(&self) -> &Vec<Value> {
        self.json["checks"].as_array().unwrap()
    }

    pub fn one(&self, id: &str) -> &Value {
        self.all().iter().find(|check| check["id"] == id).unwrap_or_else(|| panic!("{id}: {}", self.json))
    }

    pub fn status(&self, id: &str) -> &str {
        self.one(id)["status"].as_str().unwrap()
    }

    pub fn what(&self, id: &str) -> &str {
        self.one(id)["what"].as_str().unwrap()
    }

    pub fn remedy(&self, id: &str) -> &str {
        self.one(id)["remedy"].as_str().unwrap_or_default()
    }

    /// Asserts that this check fails with this name and exit code, and that all others are there, and in order
    /// but for these.
    pub fn failed(&self, id: &str, name: &str, code: i32, but: &[&str]) {
        assert_eq!(self.ended.code, code, "{}", self.json);
        assert_eq!((self.status(id), self.one(id)["error"].as_str()), ("fail", Some(name)), "{}", self.json);
        for other in IDS.iter().filter(|other| **other != id) {
            assert!(but.contains(other) || self.is_good(other), "{other}: {}", self.json);
        }
    }

    /// Whether the computer on which the test runs may be like that. It may well have no IPv6.
    pub fn is_good(&self, id: &str) -> bool {
        self.status(id) == "ok" || (id == "loopback-ipv6" && self.status(id) == "warn")
    }
}

/// `doctor` in this house, where a browser is named that must never be started.
pub fn command(house: &House, args: &[&str]) -> Command {
    let (browser, _) = crate::house::browser(house);
    let mut command = house.command(&[&["doctor"], args].concat());
    command.env("BROWSER", browser);
    command
}
