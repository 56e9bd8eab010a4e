//! The MCP server: reached by a proxy of our own, in this process, so that what works here works in a client.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use secrecy::SecretString;
use tokio::sync::mpsc;

use super::report::{Id, counted};
use super::talk::{Failed, Talk};
use super::{Trial, judge};
use crate::cli::notes;
use crate::cli::proxy::header;
use crate::error::{Error, Name, Result, clean};
use crate::profile::Target;
use crate::proxy::{
    self, Access, Bearer, Challenge, Input, Limits, Output, Pipe, Refused, StepUp, Upstream, scope,
};
use crate::session::Session;
use crate::store::tools::Tool;

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long the proxy may take to end the MCP session.
const FAREWELL: Duration = Duration::from_secs(3);
/// Bytes on the way between the proxy and us.
const BUFFER: usize = 64 * 1024;
/// How many tools are named.
const NAMED: usize = 10;

/// What is known of the token that the server will see.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    /// There is none.
    None,
    /// The user was given it.
    Given,
    /// It was stored by an earlier sign-in, and may have ended before its time.
    Stored,
    /// The authorization server issued it just now.
    Proven,
}

/// A target with all that it takes to use it.
pub(super) struct Ready {
    pub(super) target: Target,
    pub(super) session: Option<Session>,
    pub(super) token: Token,
}

/// Fetches all tools.
pub(super) async fn fetch(trial: &Trial<'_>, ready: Ready) -> Result<Vec<Tool>> {
    let Ready { target, session, token } = ready;
    let target = &target;
    trial.begin(Id::Server);
    let said = Arc::default();
    let renewable = match &session {
        Some(session) if token == Token::Stored => {
            session.load().await?.is_some_and(|there| there.refreshable())
        }
        _ => false,
    };
    let bearer = Presenter { session, renewable, said: Arc::clone(&said) };
    let upstream = Upstream {
        headers: header::of(target)?.list,
        target: target.again(),
        notes: Some(Arc::new(notes::File::about(&trial.context.paths, &target.url))),
        ..Upstream::new(target.url.clone())
    };
    let (ours, theirs) = tokio::io::duplex(BUFFER);
    let (input, output) = tokio::io::split(theirs);
    let limits = Limits { silence: PATIENCE, stream: PATIENCE, total: PATIENCE };
    let (_stop, ends) = mpsc::channel(1);
    let pipe = Pipe { input: Input::new(input), output: Output::new(output), ends, limits };
    let mut proxy = std::pin::pin!(proxy::join(pipe, upstream, bearer));
    let outcome = tokio::select! {
        _ = &mut proxy => Err(Failed::Ended),
        outcome = converse(trial, Talk::new(ours)) => outcome,
    };
    // Our end is closed now; the proxy tells the server that the session is over.
    let _ = tokio::time::timeout(FAREWELL, proxy).await;
    let said = said.lock().unwrap_or_else(PoisonError::into_inner).take();
    outcome.map_err(|failed| judge::named(failed, target, token, said))
}

async fn converse(trial: &Trial<'_>, mut talk: Talk) -> Result<Vec<Tool>, Failed> {
    let server = talk.initialize().await?;
    trial.good(server.introduction);
    trial.begin(Id::Tools);
    if !server.has_tools {
        return Err(Failed::NoTools);
    }
    let tools = talk.tools().await?;
    if tools.is_empty() {
        let remedy = Name::ToolsUnavailable.row().hint.to_owned();
        trial.report.borrow_mut().warn("the server has no tools for you".to_owned(), remedy);
        return Ok(tools);
    }
    let mut names = tools.iter().take(NAMED).map(|tool| tool.name.as_str()).collect::<Vec<_>>().join(", ");
    if tools.len() > NAMED {
        names.push_str(", …");
    }
    trial.good(format!("{}: {names}", counted(tools.len())));
    Ok(tools)
}

/// What came of a 401.
pub(super) enum Said {
    /// The token is not taken.
    Refused(Challenge),
    /// It had ended, and cannot be renewed.
    Ended(Error),
}

/// Shows the server the token, and writes down why it does not take it. It renews a token once that may have
/// ended before its time, as the proxy of a client does; it never marks a sign-in as useless.
struct Presenter {
    session: Option<Session>,
    renewable: bool,
    said: Arc<Mutex<Option<Said>>>,
}

impl Presenter {
    /// The first word counts: what follows an ended sign-in is asked without a token.
    fn note(&self, said: Said) {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(said);
    }
}

impl Bearer for Presenter {
    async fn bearer(&self) -> Result<Option<Access>> {
        match &self.session {
            Some(session) => session.bearer().await,
            None => Ok(None),
        }
    }

    async fn unauthorized(&self, refused: Refused) -> Result<Access> {
        match (&self.session, &refused.used) {
            (Some(session), Some(_)) if self.renewable && !refused.again => {
                session.unauthorized(refused).await.inspect_err(|error| self.note(Said::Ended(error.clone())))
            }
            _ => {
                self.note(Said::Refused(refused.challenge));
                Err(Error::new(Name::LoginRequired, "the server answered 401"))
            }
        }
    }

    async fn insufficient(&self, _: Option<SecretString>, challenge: Challenge) -> Result<StepUp> {
        let missing = challenge.missing_scopes().unwrap_or_default().join(" ");
        let why = "the server wants more scope than the sign-in has";
        Err(match missing.is_empty() {
            true => Error::new(Name::ScopeRequired, why),
            false => scope::required(why, &clean(&missing)),
        })
    }
}
