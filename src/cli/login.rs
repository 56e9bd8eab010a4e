//! `login`: one sign-in for one account, told to the person who waits for it.
//!
//! Also run by `proxy` in the background (`--background`), with its secrets on stdin. The rules of that
//! case: it never opens a second tab while another sign-in of the same account is under way, and it says
//! nothing, because nobody reads it.

mod client;
mod device;
mod fixed;
mod flow;
mod keep;
mod paste;
mod place;
mod question;
mod redirect;
mod report;
mod style;
pub(super) mod trial;
mod trouble;
mod turn;
mod way;

pub(super) use report::remedy;

use std::sync::OnceLock;
use std::time::Duration;

use super::context::Context;
use super::{TargetArgs, background};
use crate::credential::Credential;
use crate::error::{Error, Name, Result};
use crate::oauth::discovery::{Known, discover};
use crate::oauth::{Provider, hosts};
use crate::profile::{Auth, Target};
use crate::session::Session;
use crate::store::{Store, index};

#[derive(clap::Args)]
pub(super) struct LoginArgs {
    #[command(flatten)]
    pub(super) target: TargetArgs,
    /// The permissions to ask for, separated by blanks (Chipp: all, which is `*`)
    #[arg(long, value_name = "SCOPE")]
    pub(super) scope: Option<String>,
    /// Do not open a browser; print the address and wait. On a terminal, what the browser ends on can be
    /// pasted
    #[arg(long)]
    pub(super) no_browser: bool,
    /// Sign in with a code, in any browser on any computer
    #[arg(long, conflicts_with_all = ["with_token", "background", "client_credentials", "assertion_file", "idp"])]
    pub(super) device: bool,
    /// Keep a bearer token that you have already; it is read from stdin
    #[arg(long, conflicts_with_all = ["scope", "no_browser", "port", "dpop", "background"])]
    #[arg(conflicts_with_all = ["client_credentials", "assertion_file", "idp"])]
    pub(super) with_token: bool,
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

pub(super) fn timeout(text: &str) -> Result<Duration, String> {
    let wrong = || "give a time such as 90s or 5m, between 1s and 1h".to_owned();
    let time = humantime::parse_duration(text).map_err(|_| wrong())?;
    let range = Duration::from_secs(1)..=Duration::from_secs(3600);
    if range.contains(&time) { Ok(time) } else { Err(wrong()) }
}

/// The exit code after Ctrl-C.
pub(super) const INTERRUPTED: u8 = 130;

pub(super) fn interrupted() -> Error {
    Error::new(Name::LoginCancelled, "the sign-in was interrupted")
}

/// Waits for a signal that ends this process, and returns its exit code. It is not left to the system: what
/// was set at the terminal has to be put back. Where the terminal itself is gone (SIGHUP) it is, since a
/// handler would undo `nohup`.
#[cfg(unix)]
pub(super) async fn ended() -> u8 {
    use tokio::signal::unix::{SignalKind, signal};
    let of = |kind| async move {
        match signal(kind) {
            Ok(mut signals) => drop(signals.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = of(SignalKind::interrupt()) => INTERRUPTED,
        () = of(SignalKind::terminate()) => 143,
    }
}

#[cfg(not(unix))]
pub(super) async fn ended() -> u8 {
    let _ = tokio::signal::ctrl_c().await;
    INTERRUPTED
}

/// What a sign-in needs at hand.
pub(super) struct SignIn<'a> {
    context: &'a Context<'a>,
    args: &'a LoginArgs,
    target: Target,
    session: Session,
    store: Store,
    /// The `WWW-Authenticate` values that made the proxy order this sign-in.
    challenge: Option<Vec<String>>,
    /// Told how far it is.
    watch: &'a dyn Fn(Stage<'_>),
    /// Where the sign-in was kept, if not where it was meant to be.
    elsewhere: OnceLock<place::Elsewhere>,
}

/// How far a sign-in in the browser is.
pub(super) enum Stage<'a> {
    /// The authorization server is known.
    Found(&'a Provider),
    /// So is the client, and its redirect URI is listened at.
    Listening(&'a str),
    /// The browser has come back.
    Arrived,
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
    let mut target = context.target(&args.target)?;
    match target.auth {
        Auth::Oauth => {}
        Auth::Bearer => args.with_token = true,
        Auth::None => return Ok(fixed::nothing(context.ui, &target)),
    }
    let store = match context.global.store {
        Some(kind) => context.open(kind.into()),
        None => context.store(&target)?,
    };
    context.add_secret(&mut target, &store).await?;
    let session = context.session(&target, store.clone())?;
    let sign_in = SignIn {
        context,
        args: &args,
        target,
        session,
        store,
        challenge,
        elsewhere: OnceLock::new(),
        watch: &|_| {},
    };
    let outcome = tokio::select! {
        // First, so that it is listened to before anything is shown.
        biased;
        code = ended() => {
            sign_in.context.ui.waited();
            // Nobody reads what is said to a service that ends us.
            return if code == INTERRUPTED { Err(interrupted()) } else { Ok(code) };
        }
        outcome = sign_in.by_some_way() => outcome,
    };
    match outcome? {
        Some((credential, accepted)) => {
            if args.background
                && let Some(error) = sign_in.misplaced(&credential)
            {
                return Err(sign_in.target.mark(error));
            }
            sign_in.tell(&credential, accepted);
        }
        None => sign_in.context.ui.note("You were signed in by another window; nothing more to do."),
    }
    Ok(0)
}

impl SignIn<'_> {
    /// Signs in by the way that the arguments say: the new sign-in and, if the MCP server was asked, whether
    /// it takes the token. `None` if another process was first.
    async fn by_some_way(&self) -> Result<Option<(Credential, Option<bool>)>> {
        let last = self.last_sign_in();
        let before = self.before().await?;
        if self.args.with_token {
            return self.with_token().await.map(Some);
        }
        if self.target.grant.is_repeatable() {
            let credential = self.session.sign_in_alone().await?;
            self.record(&credential)?;
            return Ok(Some((credential, None)));
        }
        let signed_in = self.alone(last, before).await?;
        Ok(signed_in.map(|credential| (credential, None)))
    }

    /// The sign-in that will be replaced. A store that cannot be used must be known before the browser
    /// opens, not after. A damaged record is what a new sign-in mends.
    async fn before(&self) -> Result<Option<Credential>> {
        match self.context.patiently(&self.store, self.session.load()).await {
            Err(error) if error.name() == Name::StoreCorrupt => Ok(None),
            Ok(None) => {
                let tried = self.store.try_out(&self.target.key()).await;
                tried.map_err(|error| self.target.mark(error))?;
                Ok(None)
            }
            other => other,
        }
    }

    /// The authorization server: the one of before, if the MCP server still names it.
    async fn discover(&self, before: Option<&Credential>) -> Result<Provider> {
        let target = &self.target;
        let known = Known {
            challenge: self.challenge.clone(),
            preferred: before.map(|before| before.issuer.clone()),
            ..target.known()
        };
        let found = discover(&known).await?;
        // Before anything else is sent there, or opened in a browser.
        let endpoints = &found.endpoints;
        let stated = [&endpoints.authorization, &endpoints.token].into_iter();
        let others = [&endpoints.revocation, &endpoints.device, &found.registration, &target.userinfo];
        hosts::check(target.hosts.as_deref(), stated.chain(others.into_iter().flatten()))?;
        Ok(found)
    }

    /// Puts the account on the list and binds it to its store.
    fn record(&self, credential: &Credential) -> Result<()> {
        let (target, store) = self.kept();
        let key = target.key();
        let account = index::Account {
            server: key.server,
            client: key.client,
            account: key.account,
            target: target.typed.clone(),
            identity: credential.identity.clone(),
            provider: target.provider().map(str::to_owned),
            store: store.kind(),
            signed_in_at: credential.signed_in_at,
        };
        index::record(&self.context.paths, &account)
    }
}
