//! One sign-in at a time for an account, among all the processes of this user (row 38): a second one waits,
//! and has nothing left to do if the first one succeeds.

use std::path::Path;
use std::time::Duration;

use super::{SignIn, flow};
use crate::credential::{Credential, now};
use crate::error::{Error, Name, Result};
use crate::oauth::scope;
use crate::store::{index, lock};

impl SignIn<'_> {
    /// Has a person sign in, unless another process does it first; `None` if it did.
    pub(super) async fn alone(
        &self,
        last: Option<u64>,
        before: Option<Credential>,
    ) -> Result<Option<Credential>> {
        let locks = self.context.paths.private("locks")?;
        let slug = self.target.key().slug();
        let person = locks.join(format!("{slug}.login.lock"));
        let background = locks.join(format!("{slug}.signin.lock"));
        // A person who types `login` does not wait for a forgotten tab that some proxy opened. A proxy waits
        // for either, and holds only its own: first that, so that of several proxies one at a time looks
        // whether a person is signing in, and none takes the look of another one for a sign-in.
        let Some(_turn) = self.turn(if self.args.background { &background } else { &person }).await? else {
            return Ok(None);
        };
        if self.args.background && self.turn(&person).await?.is_none() {
            return Ok(None);
        }
        if self.args.device {
            return self.by_device(before.as_ref()).await.map(Some);
        }
        let flow = flow::Flow { sign_in: self, before };
        if !self.args.background {
            return flow.run().await.map(Some);
        }
        // Another sign-in may have ended between the refusal that made the proxy start this one and now.
        if self.serves().await {
            return Ok(None);
        }
        tokio::select! {
            outcome = flow.run() => outcome.map(Some),
            // The person signed in by another way: this tab is not needed any more.
            () = self.signed_in_elsewhere(last) => Ok(None),
        }
    }

    /// Takes a lock, if need be after another sign-in of this account; `None` if that succeeded.
    async fn turn(&self, path: &Path) -> Result<Option<lock::Lock>> {
        match lock::try_acquire(path)? {
            None => self.wait_for(path).await,
            lock => Ok(lock),
        }
    }

    /// Waits for another sign-in of this account; `None` if it succeeded, the lock if it did not.
    async fn wait_for(&self, path: &Path) -> Result<Option<lock::Lock>> {
        let name = self.target.title() + &self.target.key().whom(None);
        self.context.ui.note(&format!("Another window is signing in to {name}; waiting for it."));
        let started = now();
        let lock = lock::acquire(path, self.args.timeout + Duration::from_secs(60)).await?;
        // Seconds are coarse: the other one may have ended within the one in which we began.
        let signed_in = self.signed_in_since(started.saturating_sub(1));
        let done = if self.args.background { self.serves().await } else { signed_in };
        if done {
            return Ok(None);
        }
        if self.args.background && !signed_in {
            // Never a second tab for the same refusal.
            return Err(Error::new(Name::LoginRequired, format!("the sign-in to {name} was not finished")));
        }
        Ok(Some(lock))
    }

    /// Whether there is a sign-in that does for what was ordered: one with a token; and if scope was ordered,
    /// one that did not ask for a part of it. Where it asked for something else, somebody has signed
    /// in since the order was made: whoever made it looks again, so that the one does not take away what
    /// the other got.
    async fn serves(&self) -> bool {
        if self.session.token().await.is_err() {
            return false;
        }
        let Some(wanted) = self.args.scope.as_deref() else { return true };
        let there = self.session.load().await.ok().flatten();
        let asked = there.and_then(|there| there.requested_scope);
        scope::exceeds(asked.as_deref(), Some(wanted)) || !scope::exceeds(Some(wanted), asked.as_deref())
    }

    /// Waits for a sign-in after `last`, which may be of the same second.
    async fn signed_in_elsewhere(&self, last: Option<u64>) {
        while self.last_sign_in().is_none_or(|newer| Some(newer) == last) {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    fn signed_in_since(&self, moment: u64) -> bool {
        self.last_sign_in().is_some_and(|last| last >= moment)
    }

    /// Unix seconds. Asked of the account list, which is cheap, and written after the tokens.
    pub(super) fn last_sign_in(&self) -> Option<u64> {
        index::find(&self.context.paths, &self.target.key()).ok().flatten().map(|entry| entry.signed_in_at)
    }
}
