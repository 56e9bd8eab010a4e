//! The steps of a sign-in: the authorization server, the redirect URI, the browser, the code, the refresh.

use super::report::Id;
use super::server::{Ready, Token};
use super::{TestArgs, Trial};
use crate::cli::login::{self, LoginArgs, Stage};
use crate::credential::Freshness;
use crate::credential::{Credential, now_ms, same_secret};
use crate::error::{Error, Name, Result, clean};
use crate::profile::{Style, Target};
use crate::session::Session;
use crate::store::Store;

impl Trial<'_> {
    /// Has a sign-in, made now if there is none or a new one is wished for, and renews it once. Where the
    /// person signs in as somebody else than before, it goes on with the new account: the older one stays.
    pub(super) async fn sign_in(&self, mut target: Target, store: Store) -> Result<Ready> {
        let args = login_args(self.args);
        let context = self.context;
        let mut session = context.session(&target, store.clone())?;
        self.begin(Id::AuthorizationServer);
        let there = match context.patiently(&store, session.load()).await {
            // What a new sign-in mends.
            Err(error) if error.name() == Name::StoreCorrupt => None,
            there => there?,
        };
        let there = there.filter(|there| !self.args.fresh && usable(there));
        let fresh = there.is_none();
        let elsewhere = {
            let watch = |stage: Stage<'_>| self.passed(&target, &stage);
            let (target, session, store) = (&target, &session, &store);
            let sign_in = login::trial::Trial { context, args: &args, target, session, store, watch: &watch };
            match &there {
                Some(there) if !there.grant.is_repeatable() => {
                    sign_in.look(there).await?;
                    self.begin(Id::SignIn);
                    self.skip(format!("signed in already{}", target.key().whom(there.identity.as_deref())));
                    None
                }
                None if !target.grant.is_repeatable() => sign_in.run().await?,
                _ => {
                    self.begin(Id::SignIn);
                    session.access().await?;
                    self.good("signed in without a person");
                    None
                }
            }
        };
        if let Some(elsewhere) = elsewhere {
            let store = context.store(&elsewhere)?;
            (session, target) = (context.session(&elsewhere, store)?, elsewhere);
        }
        if fresh && !target.grant.is_repeatable() {
            self.signed_in(&target, &session).await?;
        }
        let token = self.refresh(&target, &session, fresh).await?;
        Ok(Ready { target, session: Some(session), token })
    }

    /// As whom, and how the code was exchanged.
    async fn signed_in(&self, target: &Target, session: &Session) -> Result<()> {
        // As it is stored: by us, or by another window.
        let lost = || Error::new(Name::Internal, "the sign-in is not there after it was made");
        let stored = session.load().await?.ok_or_else(lost)?;
        self.begin(Id::Exchange);
        let (style, whom) =
            (Style::Named(stored.client.style).name(), target.key().whom(stored.identity.as_deref()));
        self.good(format!("the token endpoint takes {style}; signed in{whom}"));
        Ok(())
    }

    /// Ticks off what a sign-in has behind it.
    fn passed(&self, target: &Target, stage: &Stage<'_>) {
        match stage {
            Stage::Found(provider) => {
                let how = if target.endpoints.is_some() { "its endpoints are stated" } else { "found" };
                self.begin(Id::AuthorizationServer);
                self.good(format!("{} ({how})", clean(&provider.issuer)));
                self.begin(Id::RedirectUri);
            }
            Stage::Listening(redirect_uri) => {
                self.begin(Id::RedirectUri);
                // Only for a client of the user's own was the server asked.
                let own = target.client_id.is_some() && target.documented.is_none();
                let asked = if own { ", to which the server does not object" } else { "" };
                self.good(format!("{redirect_uri}{asked}"));
                self.begin(Id::SignIn);
            }
            Stage::Arrived => {
                self.begin(Id::SignIn);
                self.good("the browser came back");
                self.begin(Id::Exchange);
            }
        }
    }

    /// Renews once, if that is possible and allowed.
    async fn refresh(&self, target: &Target, session: &Session, fresh: bool) -> Result<Token> {
        self.begin(Id::Refresh);
        let there = session.load().await?;
        let Some(there) = there.filter(|there| !there.grant.is_repeatable()) else {
            self.skip("tokens are asked for anew when they end");
            return Ok(Token::Proven);
        };
        let token = if fresh { Token::Proven } else { Token::Stored };
        if !there.refreshable() {
            let usual = "it was refused; run `chipp-auth test --fresh`".to_owned();
            let remedy = login::remedy(target, &there).unwrap_or(usual);
            self.report.borrow_mut().warn("the server issued no refresh token".to_owned(), remedy);
            return Ok(token);
        }
        if self.args.no_refresh {
            self.skip("not tried (--no-refresh)");
            return Ok(token);
        }
        let renewed = session.try_renewal().await?;
        let same = match (&there.tokens.refresh, &renewed.tokens.refresh) {
            (Some(before), Some(after)) => same_secret(before, after),
            _ => false,
        };
        self.good(match same {
            true => "renewed; the server keeps the refresh token",
            false => "renewed; the server rotates refresh tokens",
        });
        Ok(Token::Proven)
    }

    /// A token that the user was given.
    pub(super) async fn given(&self, target: Target, store: Store) -> Result<Ready> {
        self.begin(Id::SignIn);
        let session = self.context.session(&target, store.clone())?;
        match self.context.patiently(&store, session.load()).await? {
            Some(_) => {
                self.good("a token of yours is stored");
                Ok(Ready { target, session: Some(session), token: Token::Given })
            }
            None => {
                let what = format!("no token is stored for {}", target.name());
                Err(Error::new(Name::LoginRequired, what)
                    .hinted("run `chipp-auth login{target}`; it asks for the token"))
            }
        }
    }

    pub(super) fn skip(&self, what: impl Into<String>) {
        self.report.borrow_mut().skip(what.into());
    }
}

/// Whether a sign-in serves, perhaps after a renewal.
fn usable(credential: &Credential) -> bool {
    credential.refreshable() || credential.freshness(now_ms()) != Freshness::Expired
}

/// The same wishes, as `login` takes them.
fn login_args(args: &TestArgs) -> LoginArgs {
    LoginArgs {
        target: args.target.clone(),
        scope: None,
        no_browser: args.no_browser,
        device: false,
        with_token: false,
        port: args.port,
        timeout: args.timeout,
        background: false,
    }
}
