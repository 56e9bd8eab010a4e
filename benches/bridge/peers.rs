//! The ways to the server: directly, and through each bridge.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use super::check::Faults;
use super::client::direct::Direct;
use super::client::piped::Piped;
use super::client::{Client, Outcome};
use super::messages::TOKEN;
use super::metric::Metric;

#[derive(Debug, Clone)]
pub(crate) enum Way {
    Direct,
    /// The binary to measure.
    ChippAuth(PathBuf),
    /// npm's, as an installed program or its `.js` file.
    McpRemote(PathBuf),
    /// PyPI's.
    McpProxy(PathBuf),
}

impl Way {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Way::Direct => "direct",
            Way::ChippAuth(_) => "chipp-auth",
            Way::McpRemote(_) => "mcp-remote",
            Way::McpProxy(_) => "mcp-proxy",
        }
    }

    /// The bridge, with a token of the command line.
    fn command(&self, url: &str, home: &Path) -> Option<Command> {
        let header = format!("Authorization: Bearer {TOKEN}");
        let (program, arguments) = match self {
            Way::Direct => return None,
            Way::ChippAuth(program) => (program, vec!["proxy", url, "--header", &header]),
            Way::McpRemote(program) => {
                (program, vec![url, "--header", &header, "--allow-http", "--transport", "http-only"])
            }
            Way::McpProxy(program) => {
                let bearer = header.split_once(": ").map_or("", |(_, value)| value);
                (program, vec!["--transport", "streamablehttp", "-H", "Authorization", bearer, url])
            }
        };
        let is_script = program.extension().is_some_and(|extension| extension == "js");
        let mut command = Command::new(if is_script { Path::new("node") } else { program });
        command.args(is_script.then_some(program)).args(arguments);
        for (name, value) in private(home) {
            command.env(name, value);
        }
        command.stderr(Stdio::null());
        Some(command)
    }
}

/// An environment in which nothing of the user's is read or written.
pub(crate) fn private(home: &Path) -> [(&'static str, OsString); 4] {
    let own = home.join("chipp-auth");
    [
        ("HOME", home.into()),
        ("XDG_CONFIG_HOME", home.into()),
        ("CHIPP_AUTH_HOME", own.into()),
        ("NO_PROXY", "127.0.0.1".into()),
    ]
}

/// One column of the table: a way, and all that was seen on it.
pub(crate) struct Column {
    pub(crate) way: Way,
    pub(crate) faults: Arc<Faults>,
    pub(crate) samples: BTreeMap<Metric, Vec<f64>>,
    pub(crate) failures: BTreeMap<Metric, String>,
}

impl Column {
    pub(crate) fn new(way: Way) -> Self {
        Column { way, faults: Arc::default(), samples: BTreeMap::new(), failures: BTreeMap::new() }
    }

    /// Opens a session to the server at this address: and the milliseconds until `initialize` is answered.
    pub(crate) fn start(&self, address: &str, home: &Path) -> Outcome<(Box<dyn Client>, f64)> {
        let faults = Arc::clone(&self.faults);
        match self.way.command(&format!("http://{address}/mcp"), home) {
            Some(mut command) => {
                let (client, cold_ms) = Piped::start(&mut command, faults)?;
                Ok((Box::new(client), cold_ms))
            }
            None => {
                let (client, cold_ms) = Direct::start(address, faults)?;
                Ok((Box::new(client), cold_ms))
            }
        }
    }

    pub(crate) fn add(&mut self, metric: Metric, value: f64) {
        self.samples.entry(metric).or_default().push(value);
    }

    /// One figure for all samples.
    pub(crate) fn figure(&self, metric: Metric, statistic: Statistic) -> Option<f64> {
        let mut values = self.samples.get(&metric)?.clone();
        values.sort_by(f64::total_cmp);
        match statistic {
            Statistic::Median => values.get(values.len() / 2),
            Statistic::Best if metric.is_rate() => values.last(),
            Statistic::Best => values.first(),
        }
        .copied()
    }
}

/// How many samples become one figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Statistic {
    Median,
    Best,
}
