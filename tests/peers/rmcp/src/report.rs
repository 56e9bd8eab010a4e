//! The client's options, and its report.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};

use crate::scenario::scenario;

const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, PartialEq)]
pub enum Era {
    Legacy,
    Auto,
    Modern,
}

pub struct Options {
    pub era: Era,
    pub without: Vec<String>,
    pub command: Vec<String>,
}

impl Options {
    pub fn of(mut args: impl Iterator<Item = String>) -> Result<Options> {
        let mut options = Options { era: Era::Legacy, without: Vec::new(), command: Vec::new() };
        while let Some(arg) = args.next() {
            if arg == "--" {
                options.command = args.collect();
                break;
            }
            let value = args.next().with_context(|| format!("{arg} takes a value"))?;
            match (&*arg, &*value) {
                ("--era", "legacy") => options.era = Era::Legacy,
                ("--era", "auto") => options.era = Era::Auto,
                ("--era", "modern") => options.era = Era::Modern,
                ("--without", _) => options.without.push(value),
                ("--answers", "sse") => {}
                _ => bail!("what is {arg} {value}?"),
            }
        }
        if options.command.is_empty() {
            bail!("no command");
        }
        Ok(options)
    }
}

#[derive(Default)]
pub struct Report {
    pub protocol: Option<String>,
    pub server: Option<String>,
    checks: Map<String, Value>,
    failed: Map<String, Value>,
}

impl Report {
    /// Runs one check; a failure is noted and ends the scenario, for what follows would fail with it.
    pub async fn check<T>(&mut self, name: &str, action: impl Future<Output = Result<T>>) -> Result<T> {
        let start = Instant::now();
        let outcome = action.await;
        self.checks.insert(name.into(), json!(start.elapsed().as_millis() as u64));
        if let Err(error) = &outcome {
            self.failed.insert(name.into(), json!(format!("{error:#}")));
        }
        outcome
    }
}

/// Runs the scenario and prints the report; whether every check held.
pub async fn run(options: Options) -> bool {
    let mut report = Report::default();
    let outcome = tokio::time::timeout(PATIENCE, scenario(&options, &mut report)).await;
    let problem = match outcome {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(format!("{error:#}")),
        Err(_) => Some(format!("not done within {PATIENCE:?}")),
    };
    if let Some(problem) = problem.filter(|_| report.failed.is_empty()) {
        report.failed.insert("scenario".into(), json!(problem));
    }
    let ok = report.failed.is_empty();
    let Report { protocol, server, checks, failed } = report;
    let line = json!({
        "ok": ok, "peer": "rmcp", "transport": "stdio", "protocol": protocol, "server": server,
        "checks": checks, "failed": failed,
    });
    println!("{line}");
    ok
}
