//! `proxy`: puts the parts together. Which token, from which store, what to do when nobody is signed in;
//! the traffic itself is the business of [`crate::proxy`].

mod fixed;
pub(super) mod header;
mod limits;

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::ValueEnum;
use tokio::sync::{mpsc, watch};

use super::background::{self, Child};
use super::context::Context;
use super::{TargetArgs, notes};
use crate::credential::Grant;
use crate::error::{Error, Name, Result};
use crate::http;
use crate::login::browser;
use crate::profile::{Auth, Target};
use crate::proxy::signin::{Progress, SigningIn, Start};
use crate::proxy::{self, Bearer, End, Limits, Order, Transport, Upstream};
use fixed::{Fixed, Nobody};
use header::{Given, Typed};
use limits::Keeper;

/// How long the end of the process waits for a renewal under way: a rotation that is not written down
/// costs the user the sign-in.
const LAST_RENEWAL: Duration = Duration::from_secs(10);

/// The bounds of both time limits.
const TIMES: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(24 * 3600);
const CONNECTION: &str = "Connection";
const ENCRYPT: &str = "use https; where the server has none, and whoever reads the traffic on its way may do so, \
    --allow-http permits it for servers without a sign-in, or with a token of your own in --header";

#[derive(clap::Args)]
pub(super) struct ProxyArgs {
    #[command(flatten)]
    pub(super) target: TargetArgs,
    /// A header for every request; repeatable. `${NAME}` in it stands for an environment variable, so that no
    /// secret has to be on the command line. With `Authorization`, no sign-in takes place
    #[arg(long = "header", value_name = "'NAME: VALUE'", value_parser = header::parse)]
    headers: Vec<Given>,
    /// More headers, one on each line of this file
    #[arg(long, value_name = "FILE")]
    header_file: Option<PathBuf>,
    /// Never open a browser; answer with the command to run instead
    #[arg(long)]
    pub(super) no_browser: bool,
    /// The port of the callback address when a sign-in begins here, for servers that insist on one
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
    /// Streamable HTTP (http), HTTP+SSE of 2024-11-05 (sse), or the second where the first is refused
    #[arg(long, value_name = "TRANSPORT", default_value = "auto", help_heading = CONNECTION)]
    transport: TransportKind,
    /// Allow http to other computers, for servers without a sign-in or with `--header`: the tokens of a sign-in
    /// are never sent unencrypted
    #[arg(long, help_heading = CONNECTION)]
    allow_http: bool,
    /// How long the server may be silent while a request waits [default: 5m, and 30m once it has opened a
    /// stream for the answer]
    #[arg(long, value_name = "TIME", value_parser = time, help_heading = CONNECTION)]
    timeout: Option<Duration>,
    /// How long one request may take in all
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = time, help_heading = CONNECTION)]
    max_time: Duration,
}

#[derive(Clone, Copy, ValueEnum)]
enum TransportKind {
    Auto,
    Http,
    Sse,
}

impl From<TransportKind> for Transport {
    fn from(kind: TransportKind) -> Self {
        match kind {
            TransportKind::Auto => Transport::Auto,
            TransportKind::Http => Transport::Http,
            TransportKind::Sse => Transport::Sse,
        }
    }
}

fn time(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(text).ok().filter(|time| TIMES.contains(time));
    time.ok_or_else(|| "give a time such as 90s or 10m, between 1s and 24h".to_owned())
}

pub(super) async fn run(context: &Context<'_>, args: ProxyArgs) -> Result<u8> {
    let mut target =
        context.target_over(&args.target, args.allow_http).map_err(|error| match error.name() {
            Name::UnsafeUrl
                if args.target.target.as_deref().is_some_and(|typed| typed.starts_with("http:")) =>
            {
                error.hinted(ENCRYPT)
            }
            _ => error,
        })?;
    let typed = Typed { given: &args.headers, file: args.header_file.as_deref() };
    let headers = header::resolve(&typed, &target.headers, header::environment);
    let headers = headers.map_err(|error| target.mark(error))?;
    let fixed = headers.authorize();
    let unencrypted = target.url.scheme() == "http" && !http::is_loopback(&target.url);
    let mut upstream = Upstream {
        headers: headers.list,
        target: target.again(),
        transport: args.transport.into(),
        allow_http: unencrypted,
        notes: Some(Arc::new(notes::File::about(&context.paths, &target.url))),
        ..Upstream::new(target.url.clone())
    };
    let usual = Limits::default();
    let limits = Limits {
        silence: args.timeout.unwrap_or(usual.silence).min(args.max_time),
        stream: args.timeout.unwrap_or(usual.stream).min(args.max_time),
        total: args.max_time,
    };
    if fixed {
        return proxy::serve(upstream, Fixed, limits).await.map(exit);
    }
    if unencrypted {
        return proxy::serve(upstream, Nobody::UNENCRYPTED, limits).await.map(exit);
    }
    if target.auth == Auth::None {
        return proxy::serve(upstream, Nobody::OPEN, limits).await.map(exit);
    }
    context.add_machine_secret(&mut target).await?;
    let session = context.session(&target, context.working_store(&target)?)?;
    // The keychain takes longer than all the rest of the start; ask it while the client is still writing.
    let early = session.clone();
    tokio::spawn(async move { early.bearer().await });
    let (sender, newest) = watch::channel(None);
    upstream.rate_limit = Some(sender);
    let paths = context.paths.clone();
    let mut keeper = Keeper { newest, paths, key: target.key(), url: target.canonical() };
    let (orders, starter) = starter(args.no_browser, &target);
    let serving = proxy::serve(upstream, SigningIn::new(session.clone(), starter), limits);
    let child = Child { target: &args.target, port: args.port, secrets: &headers.variables };
    let end = tokio::select! {
        end = serving => end,
        never = sign_ins(context, (&child, &target), orders) => never,
        never = keeper.run() => never,
    };
    keeper.write();
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

/// Orders sign-ins from the task that may start processes.
struct Starter {
    orders: mpsc::UnboundedSender<(Order, Report)>,
    no_browser: bool,
    way: Way,
    /// The target as it is typed.
    target: Option<String>,
}

/// How this target is signed in to.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    /// By a person in the browser.
    Browser,
    /// With a token that the person was given.
    Token,
    /// By a machine.
    Alone,
}

impl Way {
    fn of(target: &Target) -> Way {
        match (target.auth, &target.grant) {
            (Auth::Bearer, _) => Way::Token,
            (_, Grant::User) => Way::Browser,
            _ => Way::Alone,
        }
    }
}

type Report = watch::Sender<Option<Result<()>>>;
type Orders = mpsc::UnboundedReceiver<(Order, Report)>;

fn starter(no_browser: bool, target: &Target) -> (Orders, Starter) {
    let (orders, receiver) = mpsc::unbounded_channel();
    (receiver, Starter { orders, no_browser, way: Way::of(target), target: target.again() })
}

impl Start for Starter {
    fn check(&self, _: &Order) -> Result<()> {
        let why = if self.way == Way::Alone {
            "this sign-in is not made by a person, who could be asked".to_owned()
        } else if self.way == Way::Token {
            "the server takes a token that you were given, and none is stored".to_owned()
        } else if self.no_browser {
            "--no-browser forbids asking you".to_owned()
        } else if let Some(obstacle) = browser::obstacle() {
            format!("no browser can be opened here: {obstacle}")
        } else {
            return Ok(());
        };
        let error = Error::new(Name::LoginRequired, why).for_target(self.target.as_deref());
        Err(error.hinted(match self.way {
            Way::Browser => "run `chipp-auth login{target}` in a terminal",
            Way::Token => "run `chipp-auth login{target}` in a terminal; it asks for the token",
            Way::Alone => "check the client's credentials, and what it may do on the server",
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
async fn sign_ins<T>(context: &Context<'_>, (child, target): (&Child<'_>, &Target), mut orders: Orders) -> T {
    let name = target.title() + &target.key().whom(None);
    while let Some((order, report)) = orders.recv().await {
        match background::start(context, child, order).await {
            Err(error) => drop(report.send(Some(Err(error)))),
            Ok(child) => {
                let name = name.clone();
                tokio::spawn(async move { report.send(Some(outcome(child, &name).await)) });
            }
        }
    }
    std::future::pending().await
}

/// Waits for the sign-in to end. The child is not ended with us: a sign-in half done is finished, and the
/// next start of the client finds it.
async fn outcome(child: tokio::process::Child, name: &str) -> Result<()> {
    let failed = || Error::new(Name::LoginRequired, format!("the sign-in to {name} was not finished"));
    let output = child.wait_with_output().await.map_err(|_| failed())?;
    if output.status.success() {
        return Ok(());
    }
    Err(background::failure(&output.stdout).unwrap_or_else(failed))
}
