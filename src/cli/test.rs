//! `test`: everything that has to work before a client can use the tools, tried one by one, until the first
//! that does not (the seed's "Test OAuth Configuration").
//!
//! Nothing is lost by it: a sign-in that is there is only replaced by a new one that succeeded, and what cannot
//! be renewed stays as it is.

mod judge;
mod oauth;
mod report;
mod server;
mod talk;

use std::cell::RefCell;
use std::time::Duration;

use super::context::Context;
use super::login::{self, INTERRUPTED, interrupted};
use super::{TargetArgs, failure};
use crate::credential::{TokenStyle, now};
use crate::error::{Error, Name, Result, clean};
use crate::http;
use crate::profile::{Auth, DEFAULT, Style, Target};
use crate::store::tools::{self, Offer, Tool};
use report::{Id, Report};
use server::{Ready, Token};

#[derive(clap::Args)]
pub(super) struct TestArgs {
    #[command(flatten)]
    pub(super) target: TargetArgs,
    /// Sign in anew, even if a sign-in is there
    #[arg(long)]
    fresh: bool,
    /// Do not renew the sign-in to see whether that works
    #[arg(long)]
    no_refresh: bool,
    /// Do not open a browser; print the address and wait
    #[arg(long)]
    no_browser: bool,
    /// The port of the callback address, for servers that insist on one
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
    /// How long to wait for you
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = login::timeout)]
    timeout: Duration,
}

pub(super) async fn run(context: &Context<'_>, args: TestArgs) -> Result<u8> {
    let report = RefCell::new(Report::new(context.ui));
    let trial = Trial { context, args: &args, report: &report };
    let outcome = tokio::select! {
        biased;
        code = login::ended() => {
            context.ui.waited();
            return if code == INTERRUPTED { Err(interrupted()) } else { Ok(code) };
        }
        outcome = trial.run() => outcome,
    };
    let report = report.borrow();
    match outcome {
        Ok((target, tools)) => {
            if context.ui.json() {
                context.ui.object(&report.object(Some(target.name()), &tools));
            } else {
                context.ui.answer(&format!("{} works: {}.", target.name(), report::counted(tools.len())));
            }
            Ok(0)
        }
        Err(error) => {
            let typed = args.target.target.as_deref().filter(|typed| *typed != DEFAULT);
            let error = error.for_target(typed);
            if context.ui.json() {
                context.ui.object(&report.failed(&error));
                return Ok(error.exit());
            }
            report.mark_failure();
            Ok(failure::report(&error, context.ui))
        }
    }
}

/// One test.
struct Trial<'a> {
    context: &'a Context<'a>,
    args: &'a TestArgs,
    report: &'a RefCell<Report<'a>>,
}

impl Trial<'_> {
    async fn run(&self) -> Result<(Target, Vec<Tool>)> {
        self.begin(Id::Configuration);
        let mut target = self.context.target(&self.args.target)?;
        let store = self.context.working_store(&target)?;
        if target.auth == Auth::Oauth {
            self.context.add_machine_secret(&mut target).await?;
            self.context.add_secret(&mut target, &store).await?;
        }
        self.good(configuration(&target)?);
        let marked = target.clone();
        let ready = match target.auth {
            Auth::Oauth => self.sign_in(target, store).await,
            Auth::Bearer => self.given(target, store).await,
            Auth::None => Ok(Ready { target, session: None, token: Token::None }),
        };
        let ready = ready.map_err(|error| marked.mark(error))?;
        let target = ready.target.clone();
        let tools = server::fetch(self, ready).await.map_err(|error| target.mark(error))?;
        let path = tools::path(&self.context.paths, &target.key(), &target.canonical());
        if let Err(error) = tools::write(&self.context.paths, &path, &Offer::new(&tools, now())) {
            tracing::debug!("the tools could not be noted: {error}");
        }
        Ok((target, tools))
    }

    fn begin(&self, id: Id) {
        self.report.borrow_mut().begin(id);
    }

    fn good(&self, what: impl Into<String>) {
        self.report.borrow_mut().good(what.into());
    }
}

/// What is configured, in one line.
///
/// # Errors
/// `config-bad` where a secret is missing without which no token comes.
fn configuration(target: &Target) -> Result<String> {
    const BARE: &str = "without a secret";
    let url = http::show(&target.url);
    let client = match (target.auth, &target.client_id) {
        (Auth::None, _) => return Ok(format!("{url}, without a sign-in")),
        (Auth::Bearer, _) => return Ok(format!("{url}, with a token that you were given")),
        (_, None) => return Ok(format!("{url}, no client of your own")),
        (_, Some(id)) => clean(id),
    };
    let credentials = match (&target.client_secret, &target.client_key) {
        (_, Some(_)) => "with its private key",
        (Some(_), _) => "with its secret",
        (None, None) => BARE,
    };
    let basic =
        target.named_style().filter(|style| matches!(style, TokenStyle::FormBasic | TokenStyle::JsonBasic));
    if let (Some(style), BARE) = (basic, credentials) {
        let name = Style::Named(style).name();
        let what =
            format!("the token request style {name} needs the secret of the client, and none is there");
        return Err(Error::new(Name::ConfigBad, what).hinted(
            "store the secret that the provider gave you with the client id: `chipp-auth profile edit{target} --client-secret-stdin`; or set CHIPP_AUTH_CLIENT_SECRET",
        ));
    }
    Ok(format!("{url}, client {client} {credentials}"))
}
