//! What one check found: a line with a tick, a warning or a cross, and where something can be done the one
//! thing to do.

use crate::error::{Error, Name};

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    /// Nothing to do.
    Ok,
    /// It works, or will, but something is to be known about it.
    Warn,
    /// A sign-in or its use fails because of this.
    Fail,
    /// It was not looked at; the text says why.
    Skipped,
}

impl Status {
    /// The word in JSON.
    pub(super) fn text(self) -> &'static str {
        match self {
            Status::Ok => "ok",
            Status::Warn => "warn",
            Status::Fail => "fail",
            Status::Skipped => "skipped",
        }
    }
}

/// One line of the report.
#[derive(Debug, Clone)]
pub(super) struct Check {
    /// For programs, and to talk about it.
    pub(super) id: &'static str,
    pub(super) status: Status,
    /// What was found: no full stop.
    pub(super) what: String,
    /// What to do: begins with a verb, no full stop.
    pub(super) remedy: Option<String>,
    /// The failure's name, which gives the exit code.
    pub(super) name: Option<Name>,
}

impl Check {
    pub(super) fn ok(id: &'static str, what: impl Into<String>) -> Check {
        Check { id, status: Status::Ok, what: what.into(), remedy: None, name: None }
    }

    pub(super) fn warn(id: &'static str, what: impl Into<String>, remedy: impl Into<String>) -> Check {
        let remedy = Some(remedy.into());
        Check { id, status: Status::Warn, what: what.into(), remedy, name: None }
    }

    pub(super) fn fail(id: &'static str, error: &Error) -> Check {
        let (what, remedy) = (error.what().to_owned(), Some(error.hint()));
        Check { id, status: Status::Fail, what, remedy, name: Some(error.name()) }
    }

    pub(super) fn skipped(id: &'static str, why: impl Into<String>) -> Check {
        Check { id, status: Status::Skipped, what: why.into(), remedy: None, name: None }
    }

    pub(super) fn failed(&self) -> bool {
        self.status == Status::Fail
    }
}
