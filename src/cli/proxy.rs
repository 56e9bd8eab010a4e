//! `proxy`: puts the parts together. Which token, from which store, what to do when nobody is signed in;
//! the traffic itself is the business of [`crate::proxy`].

use std::sync::Arc;
use std::time::Duration;

use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use secrecy::SecretString;
use tokio::process::Child;
use tokio::sync::{mpsc, watch};

use super::context::Context;
use super::{TargetArgs, background, notes};
use crate::credential::Grant;
use crate::error::{Error, Name, Result};
use crate::login::browser;
use crate::proxy::signin::{Progress, SigningIn, Start};
use crate::proxy::{self, Access, Bearer, Challenge, End, Order, Refused, StepUp, Upstream};

/// How long the end of the process waits for a renewal under way: a rotation that is not written down
/// costs the user the sign-in.
const LAST_RENEWAL: Duration = Duration::from_secs(10);

#[derive(clap::Args)]
pub(super) struct ProxyArgs {
    #[command(flatten)]
    pub(super) target: TargetArgs,
    /// A header for every request; repeatable. With `Authorization`, no sign-in takes place
    #[arg(long = "header", value_name = "'NAME: VALUE'", value_parser = header)]
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    /// Never open a browser; answer with the command to run instead
    #[arg(long)]
    pub(super) no_browser: bool,
}

fn header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    // The text is not repeated: it may be a secret.
    let (name, value) = text.split_once(':').ok_or("a header looks like 'Name: value'")?;
    let name = name.trim().parse().map_err(|_| "the header's name is not allowed")?;
    let mut value = HeaderValue::from_str(value.trim()).map_err(|_| "the header's value is not allowed")?;
    value.set_sensitive(true);
    Ok((name, value))
}

pub(super) async fn run(context: &Context<'_>, args: ProxyArgs) -> Result<u8> {
    let target = context.target(&args.target)?;
    let fixed = args.headers.iter().any(|(name, _)| name == AUTHORIZATION);
    let notes = notes::File::about(&context.paths, &target.url);
    let upstream = Upstream {
        url: target.url.clone(),
        headers: args.headers,
        target: target.typed.clone(),
        notes: Some(Arc::new(notes)),
    };
    if fixed {
        return proxy::serve(upstream, Fixed).await.map(exit);
    }
    let session = context.session(&target, context.working_store(&target)?)?;
    // The keychain takes longer than all the rest of the start; ask it while the client is still writing.
    let early = session.clone();
    tokio::spawn(async move { early.bearer().await });
    let (orders, starter) = starter(args.no_browser, target.grant == Grant::User);
    let serving = proxy::serve(upstream, SigningIn::new(session.clone(), starter));
    let end = tokio::select! {
        end = serving => end,
        never = sign_ins(context, &args.target, orders) => never,
    };
    session.settle(LAST_RENEWAL).await;
    end.map(exit)
}

/// The exit code of an end.
fn exit(end: End) -> u8 {
    match end {
        End::Signal(number) => 128_u8.saturating_add(u8::try_from(number).unwrap_or(127)),
        _ => 0,
    }
}

/// The user gave an `Authorization` header: there is nothing to add and nothing to renew.
struct Fixed;

impl Bearer for Fixed {
    async fn bearer(&self) -> Result<Option<Access>> {
        Ok(None)
    }

    async fn unauthorized(&self, _: Refused) -> Result<Access> {
        Err(Error::new(
            Name::LoginRequired,
            "the server refused the Authorization header given with --header",
        )
        .hinted("correct the header in the configuration of your MCP client, or leave it out to sign in"))
    }

    async fn insufficient(&self, _: Option<SecretString>, _: Challenge) -> Result<StepUp> {
        Err(Error::new(Name::ScopeRequired, "the token given with --header has too few permissions")
            .hinted("give a token with more permissions, or leave the header out to sign in"))
    }
}

/// Orders sign-ins from the task that may start processes.
struct Starter {
    orders: mpsc::UnboundedSender<(Order, Report)>,
    no_browser: bool,
    /// Whether the sign-in is a person's.
    personal: bool,
}

type Report = watch::Sender<Option<Result<()>>>;
type Orders = mpsc::UnboundedReceiver<(Order, Report)>;

fn starter(no_browser: bool, personal: bool) -> (Orders, Starter) {
    let (orders, receiver) = mpsc::unbounded_channel();
    (receiver, Starter { orders, no_browser, personal })
}

impl Start for Starter {
    fn check(&self, order: &Order) -> Result<()> {
        let why = if !self.personal {
            "this sign-in is not made by a person, who could be asked".to_owned()
        } else if self.no_browser {
            "--no-browser forbids asking you".to_owned()
        } else if let Some(obstacle) = browser::obstacle() {
            format!("no browser can be opened here: {obstacle}")
        } else {
            return Ok(());
        };
        let lack = if order.scope.is_some() { "" } else { "you are not signed in, and " };
        let error = Error::new(Name::LoginRequired, format!("{lack}{why}"));
        Err(error.hinted(match self.personal {
            true => "run `chipp-auth login{target}` in a terminal",
            false => "check the client's credentials, and what it may do on the server",
        }))
    }

    fn start(&self, order: Order) -> Result<Progress> {
        self.check(&order)?;
        let (sender, progress) = watch::channel(None);
        self.orders
            .send((order, sender))
            .map_err(|_| Error::new(Name::Internal, "the sign-in could not be ordered"))?;
        Ok(progress)
    }
}

/// Starts the sign-ins that are ordered. Never ends by itself.
async fn sign_ins<T>(context: &Context<'_>, target: &TargetArgs, mut orders: Orders) -> T {
    while let Some((order, report)) = orders.recv().await {
        match background::start(context, target, order).await {
            Err(error) => drop(report.send(Some(Err(error)))),
            Ok(child) => {
                tokio::spawn(async move { report.send(Some(outcome(child).await)) });
            }
        }
    }
    std::future::pending().await
}

/// Waits for the sign-in to end. The child is not ended with us: a sign-in half done is finished, and the
/// next start of the client finds it.
async fn outcome(child: Child) -> Result<()> {
    let failed = || Error::new(Name::LoginRequired, "the sign-in was not finished");
    let output = child.wait_with_output().await.map_err(|_| failed())?;
    if output.status.success() {
        return Ok(());
    }
    Err(background::failure(&output.stdout).unwrap_or_else(failed))
}
