//! What happens when only a person can help: a sign-in is started, and the request waits a while for it.
//!
//! MCP clients give up on `initialize` after 30 to 60 seconds, and people need longer than that now and
//! then. So a request waits 20 seconds at most and is then answered with the command that mends it,
//! while the sign-in goes on; the next request finds it done.
//!
//! A tab that opens by itself has to be worth it. One is open at a time. A refusal is not asked about again.
//! A sign-in that the server did not take is not followed by another one.

mod asked;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use secrecy::SecretString;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::{Access, Bearer, Challenge, Order, Refused, StepUp, scope};
use crate::error::{Error, Name, Result};
use asked::Asked;

/// How long one request waits for the user.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often a request looks whether it still needs to ask: another one's page may have been open, then its
/// own, and then the answer is there.
const LOOKS: usize = 4;

/// A sign-in under way: its outcome, once there is one.
pub type Progress = watch::Receiver<Option<Result<()>>>;

/// Starts sign-ins.
pub trait Start: Send + Sync + 'static {
    /// Whether one can be started here.
    ///
    /// # Errors
    /// Why not, for example because no browser could appear.
    fn check(&self, order: &Order) -> Result<()>;

    /// Starts one and returns at once.
    ///
    /// # Errors
    /// As [`Start::check`].
    fn start(&self, order: Order) -> Result<Progress>;
}

/// A [`Bearer`] that has the user sign in when nothing else helps.
pub struct SigningIn<B, S> {
    bearer: B,
    start: S,
    asked: Mutex<Asked>,
    /// Whether the server has taken a token since a sign-in was last started.
    accepted: AtomicBool,
}

impl<B: Bearer, S: Start> SigningIn<B, S> {
    /// Wraps a bearer.
    pub fn new(bearer: B, start: S) -> Self {
        SigningIn { bearer, start, asked: Mutex::default(), accepted: AtomicBool::new(false) }
    }

    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn was_accepted(&self) -> bool {
        self.accepted.load(Ordering::Relaxed)
    }

    /// The sign-in that is under way, or a new one; `given_up` is the token in whose place it is made.
    async fn progress(&self, why: &Error, order: Order, given_up: Option<SecretString>) -> Result<Progress> {
        let again = given_up.is_some();
        if let Some(used) = given_up {
            // Nothing is given up for a sign-in that is not made.
            if let Some(open) = self.asked().open() {
                return Ok(open);
            }
            self.asked().may_sign_in(again, self.was_accepted())?;
            self.start.check(&order).map_err(|_| why.clone())?;
            self.bearer.give_up(used).await?;
        }
        let mut asked = self.asked();
        if let Some(open) = asked.open() {
            return Ok(open);
        }
        asked.may_sign_in(again, self.was_accepted())?;
        let started = self.begin(order).map_err(|error| unstarted(why, error))?;
        asked.signs_in(again, started.clone());
        Ok(started)
    }

    fn begin(&self, order: Order) -> Result<Progress> {
        let started = self.start.start(order)?;
        self.accepted.store(false, Ordering::Relaxed);
        Ok(started)
    }

    /// Waits for the user; `why` is what the request is answered with if that takes too long.
    async fn sign_in(&self, why: &Error, order: Order, given_up: Option<SecretString>) -> Result<()> {
        let end = Instant::now() + PATIENCE;
        let mut progress = self.progress(why, order, given_up).await?;
        match timeout_at(end, progress.wait_for(Option::is_some)).await {
            Ok(Ok(outcome)) => outcome.clone().unwrap_or(Ok(())),
            Ok(Err(_)) => Err(why.clone()),
            Err(_) => {
                let what = format!("{}; a sign-in page is open in your browser", why.what());
                Err(Error::new(Name::LoginRequired, what).hinted(
                    "finish the sign-in in the browser, or run `chipp-auth login{target}`, then try again",
                ))
            }
        }
    }

    /// The page that asks for more scope, or another one that is open already.
    fn ask(&self, wanted: &str, challenge: &Challenge) -> Result<Progress> {
        let mut missing = challenge.missing_scopes().unwrap_or_default();
        missing.sort();
        let mut asked = self.asked();
        asked.may_ask(&missing, wanted)?;
        if let Some(open) = asked.open() {
            return Ok(open);
        }
        let order = Order { scope: Some(wanted.to_owned()), challenge: challenge.clone() };
        let started = self.begin(order)?;
        asked.asks(missing, wanted.to_owned(), started.clone());
        Ok(started)
    }
}

impl<B: Bearer, S: Start> Bearer for SigningIn<B, S> {
    async fn bearer(&self) -> Result<Option<Access>> {
        self.bearer.bearer().await
    }

    async fn unauthorized(&self, refused: Refused) -> Result<Access> {
        let order = Order { scope: None, challenge: refused.challenge.clone() };
        let given_up = refused.used.clone().filter(|_| refused.again);
        match self.bearer.unauthorized(refused).await {
            Err(error) if error.wants_login() => {
                self.sign_in(&error, order, given_up).await?;
                self.bearer.bearer().await?.ok_or(error)
            }
            outcome => outcome,
        }
    }

    async fn insufficient(&self, used: Option<SecretString>, challenge: Challenge) -> Result<StepUp> {
        let end = Instant::now() + PATIENCE;
        for _ in 0..LOOKS {
            let wanted = match self.bearer.insufficient(used.clone(), challenge.clone()).await {
                Ok(StepUp::Ask(scope)) => scope,
                Err(error) if error.wants_login() => {
                    let order = Order { scope: None, challenge: challenge.clone() };
                    self.sign_in(&error, order, None).await?;
                    continue;
                }
                outcome => return outcome,
            };
            let mut progress = self.ask(&wanted, &challenge).map_err(|error| unasked(error, &wanted))?;
            // Whatever the page was for, and however it ended: the next look tells what that means here.
            match timeout_at(end, progress.wait_for(Option::is_some)).await {
                Err(_) => return Err(still_open(&wanted)),
                Ok(Ok(outcome)) => {
                    if let Some(Err(error)) = &*outcome
                        && error.name().row().retryable
                    {
                        return Err(error.clone());
                    }
                }
                Ok(Err(_)) => {}
            }
        }
        Err(Error::new(Name::ScopeRequired, "asking you for it did not help"))
    }

    async fn give_up(&self, used: SecretString) -> Result<()> {
        self.bearer.give_up(used).await
    }

    fn accepted(&self) {
        self.accepted.store(true, Ordering::Relaxed);
        self.bearer.accepted();
    }
}

/// Why there is no sign-in although one is needed: what ended the last one, and why none was started. Trouble of
/// other kinds keeps its name.
fn unstarted(why: &Error, error: Error) -> Error {
    if error.name() != Name::LoginRequired {
        return error;
    }
    let what = format!("{}, and {}", why.what(), error.what());
    // That hint knows more than the command.
    let hint = if why.name() == Name::RefreshMissing { why } else { &error }.hint();
    Error::new(why.name(), what).hinted(hint)
}

/// The answer to a request that cannot wait any longer for the user.
fn still_open(wanted: &str) -> Error {
    let error = scope::required("a page that asks you for it is open in your browser", wanted);
    let otherwise = scope::command(wanted).map(|command| format!(", or run {command}")).unwrap_or_default();
    error.hinted(format!("approve it there{otherwise}, then try again"))
}

/// Why the user is not asked for a scope, with the command to do it by hand. Trouble of other kinds keeps
/// its name.
fn unasked(error: Error, wanted: &str) -> Error {
    let about_sign_in = error.name().row().code == Name::LoginRequired.row().code;
    if about_sign_in { scope::required(error.what(), wanted) } else { error }
}

#[cfg(test)]
mod tests;
