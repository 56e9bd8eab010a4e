//! `login`: one sign-in for one account, told to the person who waits for it.
//!
//! Also run by `proxy` in the background (`--background`), with its secrets on stdin. The rules of that
//! case: it never opens a second tab while another sign-in of the same account is under way, and it says
//! nothing, because nobody reads it.

mod client;
mod flow;

use std::time::Duration;

use super::context::Context;
use super::ui::{Tone, paint, span, table};
use super::{TargetArgs, background};
use crate::credential::{Credential, now};
use crate::error::{Error, Name, Result};
use crate::profile::Target;
use crate::session::Session;
use crate::store::{Store, index, lock};

#[derive(clap::Args)]
pub(super) struct LoginArgs {
    #[command(flatten)]
    pub(super) target: TargetArgs,
    /// The permissions to ask for, separated by blanks (Chipp: all, which is `*`)
    #[arg(long, value_name = "SCOPE")]
    pub(super) scope: Option<String>,
    /// Do not open a browser; print the address and wait
    #[arg(long)]
    pub(super) no_browser: bool,
    /// The port of the callback address, for servers that insist on one
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) port: Option<u16>,
    /// How long to wait for you
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = timeout)]
    pub(super) timeout: Duration,
    /// Started by `proxy`: reads secrets from stdin and stays silent
    #[arg(long, hide = true)]
    pub(super) background: bool,
}

fn timeout(text: &str) -> Result<Duration, String> {
    let wrong = || "give a time such as 90s or 5m, between 1s and 1h".to_owned();
    let time = humantime::parse_duration(text).map_err(|_| wrong())?;
    let range = Duration::from_secs(1)..=Duration::from_secs(3600);
    if range.contains(&time) { Ok(time) } else { Err(wrong()) }
}

/// What a sign-in needs at hand.
struct SignIn<'a> {
    context: &'a Context<'a>,
    args: &'a LoginArgs,
    target: Target,
    session: Session,
    store: Store,
    /// The `WWW-Authenticate` values that made the proxy order this sign-in.
    challenge: Option<Vec<String>>,
}

pub(super) async fn run(context: &Context<'_>, mut args: LoginArgs) -> Result<u8> {
    let handed_over;
    let mut challenge = None;
    let context = if args.background {
        let (received, order) = background::receive(context)?;
        args.scope = order.scope.or(args.scope);
        challenge = Some(order.challenge.values).filter(|values| !values.is_empty());
        handed_over = received;
        &handed_over
    } else {
        context
    };
    let target = context.target(&args.target)?;
    let store = match context.global.store {
        Some(kind) => context.open(kind.into()),
        None => context.store(&target)?,
    };
    let session = context.session(&target, store.clone())?;
    let sign_in = SignIn { context, args: &args, target, session, store, challenge };
    let outcome = tokio::select! {
        // First, so that it is listened to before anything is shown.
        biased;
        _ = tokio::signal::ctrl_c() => {
            sign_in.context.ui.waited();
            Err(Error::new(Name::LoginCancelled, "the sign-in was interrupted"))
        }
        outcome = sign_in.alone() => outcome,
    };
    match outcome? {
        Some(credential) => sign_in.tell(&credential),
        None => sign_in.context.ui.note("You were signed in by another window; nothing more to do."),
    }
    Ok(0)
}

impl SignIn<'_> {
    /// Signs in unless another process does it first; `None` if it did.
    async fn alone(&self) -> Result<Option<Credential>> {
        let last = self.last_sign_in();
        // A store that cannot be used must be known before the browser opens, not after. A damaged
        // record is what a new sign-in mends.
        let before = match self.context.patiently(&self.store, self.session.load()).await {
            Err(error) if error.name() == Name::StoreCorrupt => None,
            Ok(None) => {
                let tried = self.store.try_out(&self.target.key()).await;
                tried.map_err(|error| self.target.mark(error))?;
                None
            }
            other => other?,
        };
        let locks = self.context.paths.private("locks")?;
        let slug = self.target.key().slug();
        let person = locks.join(format!("{slug}.login.lock"));
        let background = locks.join(format!("{slug}.signin.lock"));
        // A person who types `login` does not wait for a forgotten tab that some proxy opened. A proxy waits
        // for either, and holds only the second one.
        let paths = if self.args.background { vec![person, background] } else { vec![person] };
        let mut held = None;
        for path in paths {
            drop(held.take());
            held = match lock::try_acquire(&path)? {
                None => self.wait_for(&path).await?,
                lock => lock,
            };
            if held.is_none() {
                return Ok(None);
            }
        }
        let flow = flow::Flow { sign_in: self, before };
        if !self.args.background {
            return flow.run().await.map(Some);
        }
        // Another sign-in may have ended between the refusal that made the proxy start this one and now.
        if self.session.token().await.is_ok() && !self.wants_more().await {
            return Ok(None);
        }
        tokio::select! {
            outcome = flow.run() => outcome.map(Some),
            // The person signed in by another way: this tab is not needed any more.
            () = self.signed_in_elsewhere(last) => Ok(None),
        }
    }

    /// Waits for another sign-in of this account; `None` if it succeeded, the lock if it did not.
    async fn wait_for(&self, path: &std::path::Path) -> Result<Option<lock::Lock>> {
        let name = self.target.name();
        self.context.ui.note(&format!("Another window is signing in to {name}; waiting for it."));
        let started = now();
        let lock = lock::acquire(path, self.args.timeout + Duration::from_secs(60)).await?;
        // Seconds are coarse: the other one may have ended within the one in which we began.
        if self.signed_in_since(started.saturating_sub(1)) {
            return Ok(None);
        }
        if self.args.background {
            // Never a second tab for the same refusal.
            return Err(Error::new(Name::LoginRequired, format!("the sign-in to {name} was not finished")));
        }
        Ok(Some(lock))
    }

    /// Waits for a sign-in after `last`, which may be of the same second.
    async fn signed_in_elsewhere(&self, last: Option<u64>) {
        while self.last_sign_in().is_none_or(|newer| Some(newer) == last) {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    /// Whether the scope that was ordered is what the stored sign-in asked for and more. Otherwise
    /// somebody has signed in since the order was made: whoever made it looks again, so that the one does
    /// not take away what the other got.
    async fn wants_more(&self) -> bool {
        let Some(wanted) = &self.args.scope else { return false };
        let stored = self.session.load().await.ok().flatten();
        let asked = stored.and_then(|stored| stored.requested_scope).unwrap_or_default();
        let within =
            |a: &str, b: &str| a.split_whitespace().all(|one| b.split_whitespace().any(|o| o == one));
        within(&asked, wanted) && !within(wanted, &asked)
    }

    fn signed_in_since(&self, moment: u64) -> bool {
        self.last_sign_in().is_some_and(|last| last >= moment)
    }

    /// Unix seconds. Asked of the account list, which is cheap, and written after the tokens.
    fn last_sign_in(&self) -> Option<u64> {
        index::find(&self.context.paths, &self.target.key()).ok().flatten().map(|entry| entry.signed_in_at)
    }

    /// Puts the account on the list and binds it to its store.
    fn record(&self, credential: &Credential) -> Result<()> {
        let key = self.target.key();
        let account = index::Account {
            server: key.server,
            client: key.client,
            account: key.account,
            target: self.target.typed.clone(),
            store: self.store.kind(),
            signed_in_at: credential.signed_in_at,
        };
        index::record(&self.context.paths, &account)
    }

    fn tell(&self, credential: &Credential) {
        let ui = self.context.ui;
        let tokens = &credential.tokens;
        if ui.json() {
            ui.object(&serde_json::json!({
                "signed_in": true,
                "target": self.target.name(),
                "issuer": credential.issuer,
                "scope": credential.scope(),
                "store": self.store.kind().to_string(),
                "access_expires_at": credential.expires_at(),
                "refresh_expires_at": tokens.refresh_expires_at,
                "refreshable": credential.refreshable(),
            }));
            return;
        }
        let left = |end: u64| span(end.saturating_sub(now()));
        ui.note(&format!(
            "{} Signed in to {}.",
            paint(Tone::Good, "✓"),
            paint(Tone::Strong, &self.target.name())
        ));
        let mut rows = vec![("kept in", self.store.describe())];
        rows.push(("scope", credential.scope().unwrap_or("(the server's default)").to_owned()));
        if let Some(end) = credential.expires_at() {
            let renewed = if credential.refreshable() { ", then renewed by itself" } else { "" };
            rows.push(("access", format!("for {}{renewed}", left(end))));
        }
        if let Some(end) = tokens.refresh_expires_at {
            rows.push(("sign-in", format!("for {}", left(end))));
        }
        ui.note(&table(&rows));
        if !credential.refreshable() {
            ui.note(&format!(
                "{} The server issued no refresh token: you will have to sign in again when the access ends.\n  \
                 Some servers issue one only for the scope `offline_access`, or only at the first sign-in.",
                paint(Tone::Warn, "!")
            ));
        }
    }
}
