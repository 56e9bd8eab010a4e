//! What happens when only a sign-in helps: one is started, and the request waits a while for it.
//!
//! MCP clients give up on `initialize` after 30 to 60 seconds, and people need longer than that now and
//! then. So a request waits 20 seconds at most and is then answered with the command that mends it,
//! while the sign-in goes on; the next request finds it done.

use std::sync::Mutex;
use std::time::Duration;

use secrecy::SecretString;
use tokio::sync::watch;

use super::{Access, Bearer, Challenge, Order, Refused, StepUp};
use crate::error::{Error, Name, Result};

/// How long one request waits for the user.
const PATIENCE: Duration = Duration::from_secs(20);

/// A sign-in under way: its outcome, once there is one.
pub type Progress = watch::Receiver<Option<Result<()>>>;

/// Starts sign-ins.
pub trait Start: Send + Sync + 'static {
    /// Starts one and returns at once.
    ///
    /// # Errors
    /// Why none can be started here, for example because no browser could appear.
    fn start(&self, order: Order) -> Result<Progress>;
}

/// A [`Bearer`] that has the user sign in when nothing else helps.
pub struct SigningIn<B, S> {
    bearer: B,
    start: S,
    progress: Mutex<Option<Progress>>,
}

impl<B: Bearer, S: Start> SigningIn<B, S> {
    /// Wraps a bearer.
    pub fn new(bearer: B, start: S) -> Self {
        SigningIn { bearer, start, progress: Mutex::new(None) }
    }

    /// The sign-in of this process: the one under way, or a new one. One that failed is not repeated by
    /// itself; a tab that nobody asked for is answered with another refusal at best.
    fn progress(&self, order: Order) -> Result<Progress> {
        let mut progress = self.progress.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(present) = progress.as_ref().filter(|present| !matches!(*present.borrow(), Some(Ok(()))))
        {
            return Ok(present.clone());
        }
        let started = self.start.start(order)?;
        *progress = Some(started.clone());
        Ok(started)
    }

    /// Waits for the user; `why` is what the request is answered with if that takes too long.
    async fn sign_in(&self, why: Error, order: Order) -> Result<()> {
        let mut progress = self.progress(order)?;
        let outcome = tokio::time::timeout(PATIENCE, progress.wait_for(Option::is_some)).await;
        match outcome {
            Ok(Ok(outcome)) => outcome.clone().unwrap_or(Ok(())),
            Ok(Err(_)) => Err(why),
            Err(_) => {
                let what = format!("{}; a sign-in page is open in your browser", why.what());
                Err(Error::new(Name::LoginRequired, what).hinted(
                    "finish the sign-in in the browser, or run `chipp-auth login{target}`, then try again",
                ))
            }
        }
    }
}

impl<B: Bearer, S: Start> Bearer for SigningIn<B, S> {
    async fn bearer(&self) -> Result<Option<Access>> {
        self.bearer.bearer().await
    }

    async fn unauthorized(&self, refused: Refused) -> Result<Access> {
        let order = Order { scope: None, challenge: refused.challenge.clone() };
        match self.bearer.unauthorized(refused).await {
            Err(error) if error.name() == Name::LoginRequired => {
                self.sign_in(error.clone(), order).await?;
                self.bearer.bearer().await?.ok_or(error)
            }
            outcome => outcome,
        }
    }

    async fn insufficient(&self, used: SecretString, challenge: Challenge) -> Result<StepUp> {
        self.bearer.insufficient(used, challenge).await
    }

    fn accepted(&self) {
        self.bearer.accepted();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use super::*;

    /// Signed in exactly if the flag says so.
    struct Account(Arc<AtomicBool>);

    impl Bearer for Account {
        async fn bearer(&self) -> Result<Option<Access>> {
            Ok(self.0.load(Ordering::SeqCst).then(|| SecretString::from("token").into()))
        }
        async fn unauthorized(&self, _: Refused) -> Result<Access> {
            self.bearer().await?.ok_or_else(|| Error::new(Name::LoginRequired, "you are not signed in"))
        }
        async fn insufficient(&self, _: SecretString, _: Challenge) -> Result<StepUp> {
            Err(Error::new(Name::ScopeRequired, "more permissions"))
        }
    }

    /// A user who needs `after` and then does `outcome`.
    struct User {
        after: Duration,
        outcome: Result<()>,
        signed_in: Arc<AtomicBool>,
        starts: Arc<AtomicUsize>,
    }

    impl Start for User {
        fn start(&self, _: Order) -> Result<Progress> {
            self.starts.fetch_add(1, Ordering::SeqCst);
            let (sender, receiver) = watch::channel(None);
            let (after, outcome, signed_in) = (self.after, self.outcome.clone(), self.signed_in.clone());
            tokio::spawn(async move {
                tokio::time::sleep(after).await;
                signed_in.store(outcome.is_ok(), Ordering::SeqCst);
                let _ = sender.send(Some(outcome));
            });
            Ok(receiver)
        }
    }

    fn with_user(after: u64, outcome: Result<()>) -> (Arc<SigningIn<Account, User>>, Arc<AtomicUsize>) {
        let (signed_in, starts) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let user = User {
            after: Duration::from_secs(after),
            outcome,
            signed_in: signed_in.clone(),
            starts: starts.clone(),
        };
        (Arc::new(SigningIn::new(Account(signed_in), user)), starts)
    }

    #[tokio::test(start_paused = true)]
    async fn all_requests_wait_for_one_sign_in() {
        let (bearer, starts) = with_user(5, Ok(()));
        let ask = |bearer: Arc<SigningIn<Account, User>>| async move {
            bearer.unauthorized(Refused::default()).await.is_ok()
        };
        let (a, b) = tokio::join!(ask(bearer.clone()), ask(bearer));
        assert!(a && b);
        assert_eq!(starts.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_user_gets_an_answer_in_time_and_finds_the_sign_in_done_later() {
        let (bearer, starts) = with_user(60, Ok(()));
        let begun = tokio::time::Instant::now();
        let error = bearer.unauthorized(Refused::default()).await.unwrap_err();
        assert_eq!((error.name(), begun.elapsed().as_secs()), (Name::LoginRequired, 20));
        assert!(error.hint().contains("chipp-auth login"));
        tokio::time::sleep(Duration::from_secs(45)).await;
        assert!(bearer.unauthorized(Refused::default()).await.is_ok());
        assert_eq!(starts.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_not_asked_again() {
        let (bearer, starts) = with_user(1, Err(Error::new(Name::LoginDenied, "no")));
        for _ in 0..3 {
            let error = bearer.unauthorized(Refused::default()).await.unwrap_err();
            assert_eq!(error.name(), Name::LoginDenied);
        }
        assert_eq!(starts.load(Ordering::SeqCst), 1);
    }
}
