//! The questions of `profile add` and `profile edit`, in the order of the seed's configuration modal. Each answer
//! is looked at as soon as it is there, and asked for again if it is wrong; nothing is kept before the last one.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::facts::{Facts, text};
use super::flags::{Values, of};
use super::{interrupted, secret};
use crate::cli::login::INTERRUPTED;
use crate::cli::terminal::{Echo, Typed};
use crate::cli::ui::Ui;
use crate::error::{Error, Name, Result};
use crate::profile::edit::Value;
use crate::profile::keys::{self, KEYS};
use crate::profile::{Auth, DEFAULT, Entry, hosts, preset};

/// How long to wait for one answer.
const PATIENCE: Duration = Duration::from_secs(600);

/// A dialog under way.
pub(super) struct Dialog<'a> {
    pub(super) ui: &'a Ui,
    pub(super) name: &'a str,
    /// The profile as it is, if it is there.
    pub(super) before: Option<&'a Entry>,
    /// What the flags have said already, and what has been answered.
    pub(super) values: Values,
    /// What is to be taken out.
    pub(super) unset: Vec<String>,
    /// The secret that was typed.
    pub(super) secret: Option<SecretString>,
    /// Whether the secret comes from elsewhere.
    pub(super) has_secret: bool,
}

/// One question.
struct Step {
    key: &'static str,
    question: &'static str,
    /// What an empty answer means.
    usual: Option<String>,
    /// Whether an empty answer will do where nothing is usual.
    optional: bool,
}

impl Dialog<'_> {
    /// Asks for everything that has not been said.
    ///
    /// # Errors
    /// `login-cancelled` at the end of the input, `login-timeout`.
    pub(super) async fn run(&mut self) -> Result<()> {
        let also = if self.before.is_some() { ", `-` removes it" } else { "" };
        self.ui.must_see(&format!(
            "The profile {}. An empty answer takes what stands in brackets{also}; Ctrl-C changes nothing.\n",
            self.name
        ));
        if self.name == DEFAULT {
            for (key, question) in [
                ("url", "MCP server URL"),
                ("authorization_server", "Authorization server"),
                ("client_id", "Client id"),
                ("scope", "Scopes"),
            ] {
                self.step(Step { key, question, usual: None, optional: true }).await?;
            }
            return Ok(());
        }
        // A preset may know the address; those that are there today do not, since the server is one's own.
        let known = self.facts().preset().and_then(|preset| preset.defaults.url.clone());
        self.step(Step { key: "url", question: "MCP server URL", usual: known, optional: false }).await?;
        self.step(Step {
            key: "auth",
            question: "Auth type (oauth, bearer, none)",
            usual: Some("oauth".to_owned()),
            optional: false,
        })
        .await?;
        if self.facts().auth() != Auth::Oauth {
            // What belongs to a sign-in has no meaning any more.
            let members = self.before.map(Entry::members).unwrap_or_default();
            let idle = KEYS.iter().filter(|key| key.oauth && members.contains_key(key.name));
            let idle: Vec<_> = idle.map(|key| key.name.to_owned()).collect();
            self.unset.extend(idle);
            return Ok(());
        }
        let names: Vec<_> = preset::all().iter().map(|preset| preset.id).collect();
        self.ui.must_see(&format!("Known providers: {}.", names.join(", ")));
        self.step(Step { key: "preset", question: "Provider preset", usual: None, optional: true }).await?;
        self.variables().await?;
        self.client().await?;
        self.endpoints().await
    }

    fn facts(&self) -> Facts<'_> {
        Facts { name: self.name, values: &self.values, before: self.before }
    }

    /// What an empty answer stands for: the value that is there, else the preset's.
    fn usual(&self, of: impl Fn(&Entry) -> Option<String>) -> Option<String> {
        self.facts().preset().and_then(|preset| {
            let whole = Entry { variables: self.given_variables(), ..Entry::default() };
            preset.under(&whole).ok().as_ref().and_then(of)
        })
    }

    fn given_variables(&self) -> std::collections::BTreeMap<String, String> {
        let mut variables = self.before.map(|entry| entry.variables.clone()).unwrap_or_default();
        for (key, value) in &self.values {
            if let ("variables", Value::Table(members)) = (*key, value) {
                variables.extend(members.iter().cloned());
            }
        }
        variables
    }

    async fn variables(&mut self) -> Result<()> {
        let Some(preset) = self.facts().preset() else { return Ok(()) };
        let given = self.given_variables();
        let Some(key) = keys::find("variables") else { return Ok(()) };
        for (name, usual) in preset.variables.iter().filter(|(name, _)| !given.contains_key(*name)) {
            loop {
                let shown = if usual.is_empty() { String::new() } else { format!(" [{usual}]") };
                let answer = self.line(&format!("  {name} of {}{shown}:", preset.name), Echo::Shown).await?;
                let answer = answer.expose_secret().trim();
                if answer.is_empty() && !usual.is_empty() {
                    break;
                }
                match of(key, &[format!("{name}={answer}")]) {
                    Ok(value) => {
                        self.values.push(("variables", value));
                        match self.fits(&json!({})) {
                            Ok(()) => break,
                            Err(error) => self.refuse(&error),
                        }
                    }
                    Err(wrong) => self.again(&wrong.what, &wrong.hint),
                }
            }
        }
        Ok(())
    }

    async fn client(&mut self) -> Result<()> {
        let optional = !self.facts().endpoints();
        let question = if optional { "Client id (empty: the server registers one)" } else { "Client id" };
        self.step(Step { key: "client_id", question, usual: None, optional }).await?;
        if self.facts().client_id().is_none() || self.has_secret {
            return Ok(());
        }
        let question = match self.before {
            Some(_) => "Client secret (not shown; empty: as it is):",
            None => "Client secret (not shown; empty if it has none):",
        };
        loop {
            let typed = self.line(question, Echo::Hidden).await?;
            self.ui.must_see("");
            if typed.expose_secret().trim().is_empty() {
                return Ok(());
            }
            match secret::check(&typed) {
                Ok(secret) => {
                    self.secret = Some(secret);
                    return Ok(());
                }
                Err(error) => self.again(error.what(), &error.hint()),
            }
        }
    }

    async fn endpoints(&mut self) -> Result<()> {
        let usual = self.usual(|entry| entry.authorize_url.clone());
        self.step(Step {
            key: "authorize_url",
            question: "Authorize URL (empty: discovered)",
            usual,
            optional: true,
        })
        .await?;
        let stated = text(&self.values, "authorize_url").is_some();
        let usual = self.usual(|entry| entry.token_url.clone());
        let optional = !stated || usual.is_some();
        self.step(Step { key: "token_url", question: "Token URL (empty: discovered)", usual, optional })
            .await?;
        let usual = self.usual(|entry| entry.scope.clone());
        self.step(Step {
            key: "scope",
            question: "Scopes (empty: what the server names)",
            usual,
            optional: true,
        })
        .await?;
        let usual = self.usual(|entry| entry.token_style.map(|style| style.name().to_owned()));
        let usual = usual.or_else(|| Some("auto".to_owned()).filter(|_| self.facts().endpoints()));
        let question = "Token request style (auto, form_post, form_basic, json, json_basic)";
        self.step(Step { key: "token_style", question, usual, optional: true }).await
    }

    /// Asks one question until there is an answer to it, unless a flag has answered it.
    async fn step(&mut self, step: Step) -> Result<()> {
        let Some(key) = keys::find(step.key) else { return Ok(()) };
        if self.values.iter().any(|(given, _)| *given == step.key) {
            return Ok(());
        }
        let before = self.before.and_then(|entry| entry.text(step.key));
        let shown =
            before.as_ref().or(step.usual.as_ref()).map(|usual| format!(" [{usual}]")).unwrap_or_default();
        // What is said of an empty answer does not hold where something is in brackets.
        let question = if shown.is_empty() {
            step.question
        } else {
            step.question.split(" (empty").next().unwrap_or(step.question)
        };
        loop {
            let answer = self.line(&format!("{question}{shown}:"), Echo::Shown).await?;
            let answer = answer.expose_secret().trim().to_owned();
            match answer.as_str() {
                "" if before.is_some() || step.usual.is_some() || step.optional => return Ok(()),
                "" => self.again("is needed", "type it, or press Ctrl-C to stop"),
                "-" if before.is_some() => {
                    self.unset.push(step.key.to_owned());
                    return Ok(());
                }
                _ => match of(key, std::slice::from_ref(&answer)) {
                    Ok(value) => {
                        self.values.push((key.name, value));
                        match self.fits(&json!({key.name: answer})) {
                            Ok(()) => return Ok(()),
                            Err(error) => self.refuse(&error),
                        }
                    }
                    Err(wrong) => self.again(&wrong.what, &wrong.hint),
                },
            }
        }
    }

    /// Whether what was answered last leads only where the preset allows.
    fn fits(&self, answered: &serde_json::Value) -> Result<()> {
        let Some(preset) = self.facts().preset() else { return Ok(()) };
        let entry: Entry = serde_json::from_value(answered.clone()).unwrap_or_default();
        match preset.under(&Entry { variables: self.given_variables(), ..entry }) {
            Ok(whole) => hosts::check(&whole),
            // A variable is still to be asked for.
            Err(_) => Ok(()),
        }
    }

    /// Takes the last answer back.
    fn refuse(&mut self, error: &Error) {
        self.values.pop();
        self.ui.must_see(&format!("  This cannot be: {}.", error.what()));
    }

    fn again(&self, what: &str, hint: &str) {
        self.ui.must_see(&format!("  This {what}: {}.", hint.replace("PROFILE", self.name)));
    }

    async fn line(&self, prompt: &str, echo: Echo) -> Result<SecretString> {
        let mut typed = Typed::start(echo).ok_or_else(|| interrupted(INTERRUPTED))?;
        self.ui.prompt(prompt);
        match tokio::time::timeout(PATIENCE, typed.line()).await {
            Ok(line) => line.ok_or_else(|| interrupted(INTERRUPTED)),
            Err(_) => Err(Error::new(Name::LoginTimeout, "nothing was typed in time; nothing was changed")
                .hinted("run the command again when you are ready")),
        }
    }
}
