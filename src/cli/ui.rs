//! Every word that a person sees.
//!
//! The rules: stdout is for the answer that was asked for (or for MCP) and nothing else; everything else
//! goes to stderr, where it may be coloured and where a waiting line may be redrawn, if a terminal is
//! there. Sentences that name the program start with its name; what can be copied stands alone on its line.
//! A closed pipe is an end, not an error.

use std::io::{self, BufRead, IsTerminal, Write};
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};

use super::{Color, Global};
use crate::error::{Error, Name};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default().bold();
const WARN: Style = AnsiColor::Yellow.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();

/// The face of the program.
pub(super) struct Ui {
    quiet: bool,
    json: bool,
}

/// How good a word is.
#[derive(Clone, Copy)]
pub(super) enum Tone {
    Good,
    Warn,
    Bad,
    Dim,
    Strong,
}

/// A word in its colour; the colour falls away where the stream is no terminal.
pub(super) fn paint(tone: Tone, text: &str) -> String {
    let style = match tone {
        Tone::Good => GOOD,
        Tone::Warn => WARN,
        Tone::Bad => BAD,
        Tone::Dim => DIM,
        Tone::Strong => BOLD,
    };
    format!("{style}{text}{style:#}")
}

impl Ui {
    pub(super) fn new(global: &Global) -> Self {
        match global.color {
            Color::Auto => {}
            Color::Always => anstream::ColorChoice::Always.write_global(),
            Color::Never => anstream::ColorChoice::Never.write_global(),
        }
        Ui { quiet: global.quiet, json: global.json }
    }

    /// Whether answers are JSON.
    pub(super) fn json(&self) -> bool {
        self.json
    }

    /// Whether a person can read and answer here.
    pub(super) fn interactive() -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Whether stdin, stdout and stderr are terminals.
    pub(super) fn terminals() -> [bool; 3] {
        [io::stdin().is_terminal(), io::stdout().is_terminal(), io::stderr().is_terminal()]
    }

    /// How many columns the terminal has that the answer goes to; none if it goes elsewhere, where lines are
    /// as long as they are.
    pub(super) fn columns() -> Option<usize> {
        if !io::stdout().is_terminal() {
            return None;
        }
        #[cfg(unix)]
        let columns = rustix::termios::tcgetwinsize(io::stdout()).ok().map(|size| usize::from(size.ws_col));
        #[cfg(not(unix))]
        let columns = None;
        columns.filter(|columns| *columns >= 40).or(Some(80))
    }

    /// A line of the answer, on stdout.
    pub(super) fn answer(&self, line: &str) {
        let _ = writeln!(anstream::stdout().lock(), "{line}");
    }

    /// Bytes of the answer, on stdout.
    pub(super) fn raw(&self, bytes: &[u8]) {
        let _ = io::stdout().lock().write_all(bytes);
    }

    /// The answer as JSON, on stdout.
    pub(super) fn object(&self, value: &serde_json::Value) {
        self.answer(&format!("{value:#}"));
    }

    /// A remark, on stderr.
    pub(super) fn note(&self, line: &str) {
        if !self.quiet {
            let _ = writeln!(anstream::stderr().lock(), "{line}");
        }
    }

    /// A remark that must be seen, also when quiet: without it the command cannot be finished.
    pub(super) fn must_see(&self, line: &str) {
        let _ = writeln!(anstream::stderr().lock(), "{line}");
    }

    /// The waiting line: redrawn in place on a terminal, not printed at all elsewhere.
    pub(super) fn waiting(&self, line: &str) {
        if !self.quiet && io::stderr().is_terminal() {
            let mut stderr = anstream::stderr().lock();
            let _ = write!(stderr, "\r\u{1b}[2K{DIM}{line}{DIM:#}");
            let _ = stderr.flush();
        }
    }

    /// Wipes the waiting line.
    pub(super) fn waited(&self) {
        if !self.quiet && io::stderr().is_terminal() {
            let mut stderr = io::stderr().lock();
            let _ = write!(stderr, "\r\u{1b}[2K");
            let _ = stderr.flush();
        }
    }

    /// What stands before something that is to be typed.
    pub(super) fn prompt(&self, text: &str) {
        let mut stderr = anstream::stderr().lock();
        let _ = write!(stderr, "{text} ");
        let _ = stderr.flush();
    }

    /// Asks a question; anything but yes is no.
    pub(super) fn confirm(&self, question: &str) -> bool {
        self.prompt(&format!("{question} [y/N]"));
        let mut line = String::new();
        let read = io::stdin().lock().read_line(&mut line);
        read.is_ok() && matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes")
    }
}

/// A table of names and values, aligned.
pub(super) fn table(rows: &[(&str, String)]) -> String {
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let line = |(name, value): &(&str, String)| format!("  {DIM}{name:width$}{DIM:#}  {value}");
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// A table of several columns with a head, aligned.
pub(super) fn columns<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> String {
    let length = |text: &str| text.chars().count();
    let widths: [usize; N] = std::array::from_fn(|at| {
        let cells = rows.iter().map(|row| length(&row[at]));
        cells.chain([length(head[at])]).max().unwrap_or(0)
    });
    let line = |cells: [&str; N]| {
        let pad = |(cell, width): (&str, usize)| format!("{cell:width$}");
        cells.into_iter().zip(widths).map(pad).collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let first = format!("  {DIM}{}{DIM:#}", line(head));
    let rows = rows.iter().map(|row| format!("  {}", line(row.each_ref().map(String::as_str))));
    [first].into_iter().chain(rows).collect::<Vec<_>>().join("\n")
}

/// A span of seconds for people: the two largest units.
pub(super) fn span(seconds: u64) -> String {
    let rounded = match seconds {
        0..3600 => seconds,
        3600..86_400 => seconds / 60 * 60,
        _ => seconds / 3600 * 3600,
    };
    humantime::format_duration(std::time::Duration::from_secs(rounded)).to_string()
}

/// What clap says of a wrong command line, or the help that was asked for.
pub(super) fn usage(mut error: clap::Error) -> ExitCode {
    use clap::error::{ContextKind, ContextValue};
    if !error.use_stderr() {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    // clap repeats a wrong value. That of a header may be a secret, and clients log what we say.
    let header =
        error.get(ContextKind::InvalidArg).is_some_and(|arg| arg.to_string().starts_with("--header"));
    if header {
        error.insert(ContextKind::InvalidValue, ContextValue::String("…".to_owned()));
    }
    // Nothing is parsed yet, so the wish for JSON is looked for in the words themselves.
    if std::env::args_os().any(|word| word == "--json") {
        let text = error.to_string();
        let what = text.lines().next().unwrap_or_default();
        let what = what.strip_prefix("error: ").unwrap_or(what).trim_end_matches(':');
        let object = Error::new(Name::Usage, what).to_json();
        let _ = writeln!(anstream::stdout().lock(), "{object:#}");
    } else {
        let _ = error.print();
    }
    ExitCode::from(Name::Usage.row().exit)
}
