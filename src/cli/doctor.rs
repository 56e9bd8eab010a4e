//! `doctor`: every check that somebody who helps would ask for, each with a tick, a warning or a cross, and
//! where something can be done the one thing to do.
//!
//! It opens no browser, signs nobody in and renews nothing. A stranger's request to the MCP server, the
//! documents that lead to the authorization server, and a trial record in the store are all that it does to
//! the world. Checks do not wait for each other, none takes longer than its bound, and none hides another.
//! Warnings are kept for what can really get in the way: a report that cries without need is not read.

mod browser;
mod check;
mod files;
mod leftovers;
mod loopback;
mod paste;
mod provider;
mod proxies;
mod server;
mod show;
mod sign_in;
mod system;
mod tls;

use std::time::Duration;

use super::context::Context;
use super::ui::Ui;
use super::{Global, TargetArgs};
use crate::credential::Grant;
use crate::error::{Error, Name, Result};
use crate::profile::{DEFAULT, Target};
use check::Check;
use paste::Paste;
use show::Group;

#[derive(clap::Args)]
pub(super) struct DoctorArgs {
    #[command(flatten)]
    pub(super) target: TargetArgs,
    /// Leave out what needs the network
    #[arg(long)]
    offline: bool,
}

/// The longest time for what happens on this computer alone: a disk or a resolver may hang. What waits for
/// servers and for the keychain has bounds of its own, of 25 s at most.
const LOCAL: Duration = Duration::from_secs(20);
/// The longest time for the first look, which everything else waits for.
const FIRST: Duration = Duration::from_secs(5);

/// Looks at everything and tells it. The exit code: that of the first failure, if there is one.
pub(super) async fn run(global: Global, ui: &Ui, args: DoctorArgs) -> u8 {
    let (context, trouble) = match Context::without_passphrase(global, ui) {
        Ok((context, trouble)) => (Some(context), trouble),
        Err(error) => (None, Some(error)),
    };
    let target = context.as_ref().map(|context| context.target(&args.target));
    let mut paste = Paste::new();
    let name = named(&args.target, target.as_ref().and_then(|target| target.as_ref().ok()), &mut paste);
    ui.waiting("Looking at everything …");
    let groups = look(context.as_ref(), trouble.as_ref(), target.as_ref(), args.offline).await;
    ui.waited();
    show::report(ui, &name, &groups, &paste);
    let failed = groups.iter().flat_map(|group| &group.checks).find_map(|check| check.name);
    failed.map_or(0, |name| name.row().exit)
}

/// The target's name, and what must not be shown of it: a query may be a secret.
fn named(args: &TargetArgs, target: Option<&Target>, paste: &mut Paste) -> String {
    let Some(target) = target else {
        return args.target.clone().unwrap_or_else(|| DEFAULT.to_owned());
    };
    let name = target.name();
    if let Some(typed) = &target.typed {
        paste.swap(typed, &name);
    }
    name
}

/// All checks, in the order in which they are shown.
async fn look(
    context: Option<&Context<'_>>,
    trouble: Option<&Error>,
    target: Option<&Result<Target>>,
    offline: bool,
) -> Vec<Group> {
    let found = target.and_then(|target| target.as_ref().ok());
    let paths = context.map(|context| context.paths.clone());
    let key = found.map(Target::key);
    // Before anything else makes what is not there.
    let (place, config) = (paths.clone(), paths.clone());
    let first = off_thread(files::DATA, move || place.as_ref().map(files::data).into_iter().collect());
    let mut files =
        tokio::time::timeout(FIRST, first).await.unwrap_or_else(|_| vec![late(files::DATA, FIRST)]);
    let trusted = !files.iter().any(Check::failed);
    let again = found.and_then(Target::again);
    let (url, lock, list) = (found.map(|target| target.url.clone()), key.clone(), paths.clone());
    let (system, profiles, kept, mut back, browser, left, mut remote, seen) = tokio::join!(
        off_thread("system", move || [system::checks(), proxies::checks(url.as_ref())].concat()),
        off_thread("profiles", move || config
            .map(|paths| files::profiles(&paths.config))
            .unwrap_or_default()),
        off_thread(files::LOCKS, move || match list {
            Some(paths) if trusted => {
                vec![files::locks(&paths, lock.as_ref()), sign_in::accounts(&paths, lock.as_ref())]
            }
            _ => [files::LOCKS, sign_in::ACCOUNTS]
                .map(|id| Check::skipped(id, "there is no directory to look into"))
                .to_vec(),
        }),
        off_thread("loopback", loopback::checks),
        browser::check(again.as_deref()),
        off_thread("leftovers", leftovers::checks),
        remote(found, offline),
        signed_in(context, found),
    );
    let own_token = seen.grant == Some(Grant::Static);
    remote.iter_mut().filter(|check| own_token && check.id == provider::ID).for_each(needless);
    back.push(browser);
    // Other words for the same failure would not help.
    let told = |error: &Error| profiles.iter().any(|check| check.name == Some(error.name()));
    if let Some(Err(error)) = target.filter(|target| !matches!(target, Err(error) if told(error))) {
        files.push(Check::fail("target", error));
    }
    files.extend(profiles);
    files.extend(trouble.map(|error| Check::fail("environment", error)));
    let mut sign_in = seen.checks;
    sign_in.extend(kept);
    sign_in.extend(left);
    vec![
        Group { heading: "This computer", checks: system },
        Group { heading: "Files", checks: files },
        Group { heading: "The way back from the browser", checks: back },
        Group { heading: "Servers", checks: remote },
        Group { heading: "Sign-in", checks: sign_in },
    ]
}

/// The store and the sign-in, as far as there is ground to stand on.
async fn signed_in(context: Option<&Context<'_>>, target: Option<&Target>) -> sign_in::Seen {
    match context {
        Some(context) => sign_in::look(context, target).await,
        None => sign_in::Seen::default(),
    }
}

/// The servers, and what is between here and there.
async fn remote(target: Option<&Target>, offline: bool) -> Vec<Check> {
    let roots = off_thread(tls::ID, || vec![tls::roots()]);
    let why = match target {
        _ if offline => "left out (--offline)",
        None => "it is not known which server is meant",
        Some(target) => return asked(target, roots).await,
    };
    let skipped = [server::ID, provider::ID, server::CLOCK].map(|id| Check::skipped(id, why));
    [roots.await, skipped.to_vec()].concat()
}

async fn asked(target: &Target, roots: impl Future<Output = Vec<Check>>) -> Vec<Check> {
    let asked = async {
        // Where the profile names the authorization server, nothing has to be known of the MCP server first.
        if target.issuer.is_some() || target.endpoints.is_some() {
            return tokio::join!(server::look(target), provider::search(target, None));
        }
        let look = server::look(target).await;
        let search = provider::search(target, Some(&look)).await;
        (look, search)
    };
    let (roots, (look, search)) = tokio::join!(roots, asked);
    let address = search.address(target);
    let spoken = look.is_ok().then_some(&target.url).into_iter().chain(&address);
    let encrypted: Vec<_> = spoken.filter(|url| url.scheme() == "https").collect();
    let errors = [look.as_ref().err(), search.error()];
    let mut checks: Vec<_> = roots.into_iter().map(|roots| tls::judged(roots, &encrypted, &errors)).collect();
    checks.extend(server::headers(target));
    checks.extend([server::reachable(&target.url, &look), search.check(target), server::clock(&look)]);
    checks
}

/// A token that the user was given has no authorization server to be found.
fn needless(check: &mut Check) {
    if check.failed() {
        *check = Check::skipped(provider::ID, "the sign-in is a token that you were given");
    }
}

/// Does what blocks elsewhere, and does not wait for ever.
async fn off_thread(id: &'static str, work: impl FnOnce() -> Vec<Check> + Send + 'static) -> Vec<Check> {
    match tokio::time::timeout(LOCAL, tokio::task::spawn_blocking(work)).await {
        Ok(Ok(checks)) => checks,
        Ok(Err(_)) => vec![Check::fail(id, &Error::new(Name::Internal, "the check was interrupted"))],
        Err(_) => vec![late(id, LOCAL)],
    }
}

fn late(id: &'static str, limit: Duration) -> Check {
    let error = Error::new(Name::Timeout, format!("the check did not end in {} s", limit.as_secs()))
        .hinted("look for a disk or a name server that does not answer");
    Check::fail(id, &error)
}
