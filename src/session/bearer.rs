//! The sign-in as the proxy sees it: tokens, and what their refusal means.

use secrecy::SecretString;

use super::{Session, renewal};
use crate::credential::{Credential, Grant, now, same_secret};
use crate::error::{Error, Name, Result};
use crate::oauth::scope::{exceeds, union};
use crate::proxy::{Access, Bearer, Challenge, Refused, StepUp, scope};

impl Bearer for Session {
    /// Without a usable sign-in the request goes out as it is: some servers, and some of Chipp's tools,
    /// need none, and only the server knows.
    async fn bearer(&self) -> Result<Option<Access>> {
        match self.access().await {
            Ok(access) => Ok(Some(access)),
            Err(error) if error.wants_login() => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn unauthorized(&self, refused: Refused) -> Result<Access> {
        let outcome = match refused.used {
            // What was refused in spite of a renewal would be refused after another one.
            Some(used) if refused.again => match self.newer(&used).await? {
                Some(_) => self.access().await,
                None => Err(self.refused_again()),
            },
            Some(used) => self.another_access(used).await,
            None => self.access().await,
        };
        match outcome {
            // Whoever chose to give a token by hand is not asked to sign in instead.
            Err(error) if error.wants_login() && self.is_given() => {
                Err(Error::new(Name::LoginDenied, error.what()).hinted(error.hint()))
            }
            outcome => outcome.map_err(|error| self.for_a_person(error)),
        }
    }

    async fn insufficient(&self, used: Option<SecretString>, challenge: Challenge) -> Result<StepUp> {
        let Some(used) = used else {
            let access = self.access().await.map(StepUp::Use);
            return access.map_err(|error| self.for_a_person(error));
        };
        if self.newer(&used).await?.is_some() {
            return self.access().await.map(StepUp::Use);
        }
        let Some(credential) = self.0.cached() else { return Err(self.0.signed_out()) };
        self.0.check(&credential)?;
        let name = &self.0.account.name;
        let whom = self.0.account.key.whom(credential.identity.as_deref());
        let missing = challenge.missing_scopes().unwrap_or_default();
        if missing.is_empty() {
            let what = format!("{name} does not say which scope it wants");
            return Err(self.0.mark(Error::new(Name::ScopeRequired, what)));
        }
        if credential.grant != Grant::User {
            let what = format!("nobody signed in to {name} who could be asked for it");
            let hint = "ask the operator of the server to give this client or token the permission";
            return Err(self.0.mark(Error::new(Name::ScopeRequired, what).hinted(hint)));
        }
        // Where nothing was asked for, what was granted stands for it.
        let before = credential.requested_scope.as_deref().or(credential.tokens.scope.as_deref());
        let missing = missing.join(" ");
        let union = union(before.unwrap_or_default(), &missing);
        if !exceeds(Some(&missing), before) {
            let what = format!("your sign-in to {name}{whom} asked for it and did not get it");
            return Err(self.0.mark(scope::required(what, &union)));
        }
        Ok(StepUp::Ask(union))
    }

    /// Marks the record as refused by the resource, so that neither this process nor another one, nor the
    /// sign-in to come, takes it for a good one. Nothing is deleted (I1).
    async fn give_up(&self, used: SecretString) -> Result<()> {
        let _flight = self.0.flight.lock().await;
        let _lock = self.0.lock().await?;
        let stored = renewal::current(&self.0).await.map_err(|error| self.0.mark(error))?;
        if let Some(stored) = stored.filter(|stored| same_secret(&stored.tokens.access, &used)) {
            let refused = Credential { refused_at: Some(now()), ..stored };
            renewal::dead(&self.0, &renewal::Need::Other(used), refused).await;
        }
        Ok(())
    }
}

impl Session {
    /// Says whose account is wanted, in words that mean something to who has never heard of this program.
    fn for_a_person(&self, error: Error) -> Error {
        match &self.0.account.provider {
            Some(provider) if error.wants_login() => {
                error.context(format!("this action requires access to your {provider} account"))
            }
            _ => error,
        }
    }

    /// Whether the token was given by hand.
    fn is_given(&self) -> bool {
        self.0.cached().is_some_and(|credential| credential.grant == Grant::Static)
    }

    /// The record in force, read anew, if its token is another one than this.
    async fn newer(&self, used: &SecretString) -> Result<Option<Credential>> {
        // Not while a renewal is between its two records.
        let _flight = self.0.flight.lock().await;
        self.0.reload().await?;
        Ok(self.0.cached().filter(|credential| !same_secret(&credential.tokens.access, used)))
    }
}
