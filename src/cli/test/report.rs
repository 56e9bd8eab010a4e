//! What a test has found so far: a line for each step as it ends, and all of them as one object.

use serde_json::{Value, json};

use crate::cli::ui::{Tone, Ui, paint};
use crate::error::Error;
use crate::store::tools::Tool;

/// The steps, in their order.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Id {
    Configuration,
    AuthorizationServer,
    RedirectUri,
    SignIn,
    Exchange,
    Refresh,
    Server,
    Tools,
}

impl Id {
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Id::Configuration => ("configuration", "Configuration"),
            Id::AuthorizationServer => ("authorization-server", "Authorization server"),
            Id::RedirectUri => ("redirect-uri", "Redirect URI"),
            Id::SignIn => ("sign-in", "Sign-in"),
            Id::Exchange => ("exchange", "Code exchange"),
            Id::Refresh => ("refresh", "Refresh"),
            Id::Server => ("server", "MCP server"),
            Id::Tools => ("tools", "Tools"),
        }
    }
}

/// How a step ended that did not fail.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Good,
    /// Good, with something to do.
    Warn,
    /// There was nothing to try.
    Skipped,
}

struct Step {
    id: Id,
    end: End,
    what: String,
    remedy: Option<String>,
}

/// The steps that have ended, and the one under way.
pub(super) struct Report<'a> {
    ui: &'a Ui,
    steps: Vec<Step>,
    now: Id,
}

impl<'a> Report<'a> {
    pub(super) fn new(ui: &'a Ui) -> Self {
        Report { ui, steps: Vec::new(), now: Id::Configuration }
    }

    /// Whatever fails from now on fails in this step.
    pub(super) fn begin(&mut self, id: Id) {
        self.now = id;
    }

    pub(super) fn good(&mut self, what: String) {
        self.end(End::Good, what, None);
    }

    pub(super) fn warn(&mut self, what: String, remedy: String) {
        self.end(End::Warn, what, Some(remedy));
    }

    pub(super) fn skip(&mut self, what: String) {
        self.end(End::Skipped, what, None);
    }

    /// A step that was gone through before is not told again.
    fn end(&mut self, end: End, what: String, remedy: Option<String>) {
        if self.steps.iter().any(|step| step.id == self.now) {
            return;
        }
        let sign = match end {
            End::Good => paint(Tone::Good, "✓"),
            End::Warn => paint(Tone::Warn, "!"),
            End::Skipped => paint(Tone::Dim, "-"),
        };
        self.ui.note(&format!("{sign} {}: {what}", self.now.names().1));
        if let Some(remedy) = &remedy {
            self.ui.note(&format!("  {remedy}"));
        }
        self.steps.push(Step { id: self.now, end, what, remedy });
    }

    /// The mark of the step that failed; what happened and what to do follow as for every failure.
    pub(super) fn mark_failure(&self) {
        self.ui.note(&format!("{} {}", paint(Tone::Bad, "✗"), self.now.names().1));
    }

    /// Everything as one object.
    pub(super) fn object(&self, target: Option<String>, tools: &[Tool]) -> Value {
        let step = |step: &Step| {
            let mut object = json!({
                "id": step.id.names().0,
                "ok": true,
                "what": step.what,
                "remedy": step.remedy,
                "error": null,
            });
            if step.end == End::Skipped {
                object["skipped"] = true.into();
            }
            object
        };
        let steps: Vec<_> = self.steps.iter().map(step).collect();
        let mut object = json!({"ok": true, "steps": steps, "tools": tools});
        if let Some(target) = target {
            object["target"] = target.into();
        }
        object
    }

    /// The same with the failure of the step under way.
    pub(super) fn failed(&self, error: &Error) -> Value {
        let mut object = self.object(None, &[]);
        object["ok"] = false.into();
        if let Some(steps) = object["steps"].as_array_mut() {
            steps.push(json!({
                "id": self.now.names().0,
                "ok": false,
                "what": error.what(),
                "remedy": error.hint(),
                "error": error.name().row().text,
            }));
        }
        object["error"] = error.to_json()["error"].take();
        object
    }
}

/// So many tools.
pub(super) fn counted(tools: usize) -> String {
    match tools {
        0 => "no tools".to_owned(),
        1 => "1 tool".to_owned(),
        many => format!("{many} tools"),
    }
}
