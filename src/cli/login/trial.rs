//! The parts of a sign-in that `test` looks at one by one.

use std::sync::OnceLock;

use super::{LoginArgs, SignIn, Stage};
use crate::cli::context::Context;
use crate::credential::Credential;
use crate::error::Result;
use crate::profile::Target;
use crate::session::Session;
use crate::store::Store;

/// What is tried out.
pub(in crate::cli) struct Trial<'a> {
    pub(in crate::cli) context: &'a Context<'a>,
    pub(in crate::cli) args: &'a LoginArgs,
    pub(in crate::cli) target: &'a Target,
    pub(in crate::cli) session: &'a Session,
    pub(in crate::cli) store: &'a Store,
    pub(in crate::cli) watch: &'a dyn Fn(Stage<'_>),
}

impl<'a> Trial<'a> {
    fn sign_in(&self) -> SignIn<'a> {
        SignIn {
            context: self.context,
            args: self.args,
            target: self.target.clone(),
            session: self.session.clone(),
            store: self.store.clone(),
            challenge: None,
            elsewhere: OnceLock::new(),
            watch: self.watch,
        }
    }

    /// Signs in. Where it is kept, if that is not where it was meant to be: the account may be another one.
    pub(in crate::cli) async fn run(&self) -> Result<Option<Target>> {
        let sign_in = self.sign_in();
        sign_in.by_some_way().await?;
        Ok(sign_in.elsewhere.into_inner().map(|elsewhere| elsewhere.target))
    }

    /// Everything that can be looked at without signing in, for a sign-in that is there already.
    pub(in crate::cli) async fn look(&self, there: &Credential) -> Result<()> {
        let sign_in = self.sign_in();
        let provider = sign_in.discover(Some(there)).await?;
        (self.watch)(Stage::Found(&provider));
        if let Some(client) = sign_in.target.client_id.as_deref().filter(|_| sign_in.is_own_client()) {
            let redirect_uri = sign_in.bind().await?.redirect_uri();
            sign_in.check_registered(&provider, client, &redirect_uri).await?;
            (self.watch)(Stage::Listening(&redirect_uri));
        }
        Ok(())
    }
}
