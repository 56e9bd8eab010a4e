//! The steps of a sign-in: the authorization server, the redirect URI, the browser, the code, the refresh.

use super::report::Id;
use super::server::Token;
use super::{TestArgs, Trial};
use crate::cli::login::{self, LoginArgs, Stage};
use crate::credential::Freshness;
use crate::credential::{Credential, now_ms, same_secret};
use crate::error::{Error, Name, Result, clean};
use crate::profile::{Style, Target};
use crate::session::Session;
use crate::store::Store;

impl Trial<'_> {
    /// Has a sign-in, made now if there is none or a new one is wished for, and renews it once.
    pub(super) async fn sign_in(&self, target: &Target, session: &Session, store: &Store) -> Result<Token> {
        let args = login_args(self.args);
        let watch = |stage: Stage<'_>| self.passed(target, &stage);
        let context = self.context;
        let sign_in = login::trial::Trial { context, args: &args, target, session, store, watch: &watch };
        self.begin(Id::AuthorizationServer);
        let there = match context.patiently(store, session.load()).await {
            // What a new sign-in mends.
            Err(error) if error.name() == Name::StoreCorrupt => None,
            there => there?,
        };
        let there = there.filter(|there| !self.args.fresh && usable(there));
        let fresh = there.is_none();
        match &there {
            Some(there) if !there.grant.is_repeatable() => {
                sign_in.look(there).await?;
                self.begin(Id::SignIn);
                self.skip(format!("{} already{}", "signed in", whose(there)));
            }
            Some(_) => {
                self.begin(Id::SignIn);
                self.good("signed in without a person");
            }
            None if target.grant.is_repeatable() => {
                self.begin(Id::SignIn);
                sign_in.run().await?;
                self.good("signed in without a person");
            }
            None => self.in_the_browser(&sign_in, session).await?,
        }
        self.refresh(session, fresh).await
    }

    /// Signs a person in. Which step fails is known by how far it came.
    async fn in_the_browser(&self, sign_in: &login::trial::Trial<'_>, session: &Session) -> Result<()> {
        let Some(credential) = sign_in.run().await.map_err(|error| self.of_style(sign_in.target, error))?
        else {
            self.begin(Id::SignIn);
            self.good("another window has signed in");
            return Ok(());
        };
        // As it is stored.
        let stored = session.load().await?.unwrap_or(credential);
        self.begin(Id::Exchange);
        let style = Style::Named(stored.client.style).name();
        self.good(format!("the token endpoint takes {style}; signed in{}", whose(&stored)));
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
                self.good(format!("{redirect_uri}, and nothing speaks against it"));
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
    async fn refresh(&self, session: &Session, fresh: bool) -> Result<Token> {
        self.begin(Id::Refresh);
        let there = session.load().await?;
        let Some(there) = there.filter(|there| !there.grant.is_repeatable()) else {
            self.skip("tokens are asked for anew when they end");
            return Ok(Token::Proven);
        };
        let token = if fresh { Token::Proven } else { Token::Stored };
        if !there.refreshable() {
            let remedy = "you will have to sign in again when the access ends; some servers issue a refresh token only for the scope `offline_access`, or only at the first sign-in";
            self.report.borrow_mut().warn("the server issued no refresh token".to_owned(), remedy.to_owned());
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
    pub(super) async fn given(&self, target: &Target, session: &Session) -> Result<Token> {
        self.begin(Id::SignIn);
        match session.load().await? {
            Some(_) => {
                self.good("a token of yours is stored");
                Ok(Token::Given)
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

    /// Where the token endpoint does not take the client although the browser came back with a code, the style
    /// may be the wrong one: if one is stated, and not if all were tried.
    fn of_style(&self, target: &Target, error: Error) -> Error {
        let at_exchange = self.report.borrow().is_at(Id::Exchange);
        let stated = target.named_style().is_some() && target.client_secret.is_some();
        if error.name() != Name::ClientRejected || !at_exchange || !stated {
            return error;
        }
        let hint = error.hint();
        error.hinted(format!("{hint}; if they are right, another token request style may be: `--token-style auto` tries them all"))
    }
}

/// The name of the account, where it is known.
fn whose(credential: &Credential) -> String {
    credential.identity.as_ref().map(|identity| format!(" as {}", clean(identity))).unwrap_or_default()
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
