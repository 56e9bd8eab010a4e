//! What the user was asked in this process, and whether he may be asked once more without his doing.

use super::Progress;
use crate::error::{Error, Name, Result};

/// How often a token that the server does not take leads to a sign-in by itself. A server that moved to
/// another authorization server does it once; one that refuses a single tool with 401 would do it
/// with every call.
const GIVEN_UP: u32 = 2;
/// How often the user is asked for more scope. A server that thinks of another one for each request must come
/// to an end.
const QUESTIONS: u32 = 16;

/// The pages that were opened.
#[derive(Default)]
pub(super) struct Asked {
    /// The last one, whatever for.
    last: Option<Progress>,
    /// The last one for a sign-in.
    sign_in: Option<Progress>,
    given_up: u32,
    questions: u32,
    scopes: Vec<Question>,
}

/// A page that asks for more scope.
struct Question {
    /// What the server demanded, sorted.
    missing: Vec<String>,
    /// What the page asks for.
    wanted: String,
    page: Progress,
}

impl Asked {
    /// The page that waits for the user now.
    pub(super) fn open(&self) -> Option<Progress> {
        self.last.clone().filter(is_open)
    }

    /// Whether a sign-in may be started; `again`: for a token that the clock says is good; `accepted`: the
    /// server has taken a token since the last one was started.
    ///
    /// # Errors
    /// Why not. One that failed is not repeated by itself: a tab that nobody asked for is answered with
    /// another refusal at best. Unless the server takes tokens again: then the user has signed in by another
    /// way.
    pub(super) fn may_sign_in(&self, again: bool, accepted: bool) -> Result<()> {
        let failed = self.sign_in.as_ref().and_then(|last| last.borrow().clone()?.err());
        if let Some(error) = failed
            && !accepted
        {
            return Err(error);
        }
        let done = self.last.as_ref().is_some_and(|last| matches!(*last.borrow(), Some(Ok(()))));
        let refused = |what| {
            Err(Error::new(Name::LoginRequired, what)
                .hinted("check that your account may use this server, then run `chipp-auth login{target}`"))
        };
        if done && !accepted {
            return refused("the server does not accept the new sign-in either");
        }
        if again && self.given_up == GIVEN_UP {
            return refused("the server refuses this request, and new sign-ins have not helped");
        }
        Ok(())
    }

    pub(super) fn signs_in(&mut self, again: bool, progress: Progress) {
        self.given_up += u32::from(again);
        self.sign_in = Some(progress.clone());
        self.last = Some(progress);
    }

    /// Whether the user may be asked for `wanted`, because these scopes are missing: never twice, unless
    /// the first time he had no chance to answer, or somebody has signed in anew since.
    ///
    /// # Errors
    /// Why not.
    pub(super) fn may_ask(&mut self, missing: &[String], wanted: &str) -> Result<()> {
        if let Some(at) = self.scopes.iter().position(|question| question.missing == missing) {
            let Question { wanted: before, page, .. } = &self.scopes[at];
            if is_open(page) {
                return Ok(());
            }
            let outcome = page.borrow().clone();
            match outcome {
                Some(Err(error)) if !error.name().row().retryable => return Err(error),
                Some(Ok(())) | None if before == wanted => {
                    return Err(Error::new(Name::ScopeRequired, "asking you for it did not help"));
                }
                _ => drop(self.scopes.swap_remove(at)),
            }
        }
        if self.questions == QUESTIONS {
            let what = "the server has asked for more permissions too often";
            return Err(Error::new(Name::ScopeRequired, what));
        }
        Ok(())
    }

    pub(super) fn asks(&mut self, missing: Vec<String>, wanted: String, page: Progress) {
        self.questions += 1;
        self.last = Some(page.clone());
        self.scopes.push(Question { missing, wanted, page });
    }
}

/// Whether the outcome is still to come.
fn is_open(page: &Progress) -> bool {
    page.borrow().is_none() && page.has_changed().is_ok()
}
