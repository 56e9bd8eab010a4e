//! The sign-in that `proxy` starts in the background: a child of this same program, which outlives it.
//!
//! Secrets go to the child through its stdin. Its environment has none, since it is readable by every
//! process of the user, and it goes on to the browser (I3).

use std::io::Read;
use std::process::Stdio;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::io::AsyncWriteExt;
use tokio::process::{self, Command};

use super::context::{Context, Secrets};
use super::{StoreKind, TargetArgs};
use crate::error::{Error, Name, Result};
use crate::proxy::{Challenge, Order};

/// The most that is read from stdin, in bytes.
const LIMIT: u64 = 64 * 1024;

/// The variables that may hold secrets; never handed to a child.
const SECRET_VARIABLES: [&str; 3] =
    ["CHIPP_AUTH_PASSPHRASE", "CHIPP_AUTH_CLIENT_SECRET", "CHIPP_AUTH_IDP_CLIENT_SECRET"];

#[derive(Deserialize)]
struct HandedOver {
    passphrase: Option<SecretString>,
    client_secret: Option<SecretString>,
    scope: Option<String>,
    #[serde(default)]
    challenge: Vec<String>,
}

/// What a child is to be told beside its order.
pub(super) struct Child<'a> {
    pub(super) target: &'a TargetArgs,
    /// The callback's port, if it is fixed.
    pub(super) port: Option<u16>,
    /// More variables that hold secrets.
    pub(super) secrets: &'a [String],
}

/// Starts `login --background` for the same target, account and store. Its stdout is one JSON object at
/// its end, if it fails.
///
/// # Errors
/// `internal` if this program cannot start itself.
pub(super) async fn start(context: &Context<'_>, child: &Child<'_>, order: Order) -> Result<process::Child> {
    let failed = |error: std::io::Error| {
        Error::new(Name::Internal, format!("the sign-in could not be started: {error}"))
    };
    let mut command = Command::new(std::env::current_exe().map_err(failed)?);
    command.args(["login", "--background", "--json", "--quiet"]);
    if let Some(account) = &context.global.account {
        command.args(["--account", account]);
    }
    if let Some(kind) = context.global.store {
        command.args([
            "--store",
            match kind {
                StoreKind::Keychain => "keychain",
                StoreKind::File => "file",
            },
        ]);
    }
    command.args(child.port.map(|port| format!("--port={port}")));
    command.args(child.target.arguments());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    for name in SECRET_VARIABLES.into_iter().chain(child.secrets.iter().map(String::as_str)) {
        command.env_remove(name);
    }
    // Its own group: what ends the client and this proxy does not end a sign-in half done.
    #[cfg(unix)]
    command.process_group(0);
    let mut child = command.spawn().map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        let expose = |secret: &Option<SecretString>| secret.as_ref().map(|s| s.expose_secret().to_owned());
        let Secrets { passphrase, client_secret, .. } = &context.secrets;
        let secrets = serde_json::json!({
            "passphrase": expose(passphrase),
            "client_secret": expose(client_secret),
            "scope": order.scope,
            "challenge": order.challenge.values,
        });
        stdin.write_all(secrets.to_string().as_bytes()).await.map_err(failed)?;
    }
    Ok(child)
}

/// The context of the child: that of its command line, with the secrets from stdin; and what is ordered.
///
/// # Errors
/// `usage` if stdin is not what [`start`] writes.
pub(super) fn receive<'a>(context: &Context<'a>) -> Result<(Context<'a>, Order)> {
    let mut text = String::new();
    let read = std::io::stdin().lock().take(LIMIT).read_to_string(&mut text);
    let handed: HandedOver = read.ok().and_then(|_| serde_json::from_str(&text).ok()).ok_or_else(|| {
        Error::new(Name::Usage, "--background is for chipp-auth itself").hinted("run `chipp-auth login`")
    })?;
    let secrets =
        Secrets { passphrase: handed.passphrase, client_secret: handed.client_secret, ..Secrets::default() };
    let order = Order { scope: handed.scope, challenge: Challenge { values: handed.challenge } };
    let global = context.global.clone();
    Ok((Context { global, paths: context.paths.clone(), ui: context.ui, secrets }, order))
}

/// The failure that a child reported on its stdout.
pub(super) fn failure(stdout: &[u8]) -> Option<Error> {
    let report: serde_json::Value = serde_json::from_slice(stdout).ok()?;
    let text = |member: &str| report["error"][member].as_str();
    let name = Name::ALL.iter().find(|name| Some(name.row().text) == text("name"))?;
    Some(Error::new(*name, text("message")?).hinted(text("hint")?))
}
