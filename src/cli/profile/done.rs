//! What is said when a profile is made or changed: what to register at the provider, and what comes next.

use super::commit::{Outcome, target};
use super::{present, show};
use crate::cli::context::Context;
use crate::cli::ui::{Tone, paint};
use crate::credential::Grant;
use crate::error::{Result, clean};
use crate::profile::{Auth, DEFAULT, Redirect, RedirectHost, Target, file};

pub(super) fn tell(context: &Context<'_>, name: &str, outcome: &Outcome) -> Result<()> {
    let profiles = present(context)?.profiles;
    let target = target(name, &profiles)?;
    let path = file::path(&context.paths.config);
    let ui = context.ui;
    if ui.json() {
        let mut object = show::object(context, name, &profiles)?;
        object["file"] = path.display().to_string().into();
        object["client_secret"] = if outcome.secret { show::kept(&target).into() } else { "none".into() };
        object["sign_ins_with_new_secret"] = outcome.renewed.into();
        ui.object(&object);
        return Ok(());
    }
    let good = paint(Tone::Good, "✓");
    ui.note(&format!("{good} The profile {} is in {}.", paint(Tone::Strong, name), path.display()));
    if outcome.renewed > 0 {
        let which = if outcome.renewed == 1 {
            "One sign-in has".to_owned()
        } else {
            format!("{} sign-ins have", outcome.renewed)
        };
        ui.note(&format!("{good} {which} the new client secret, and can be renewed with it."));
    }
    if outcome.left_behind && !outcome.secret {
        ui.note(&format!("{} The client secret of before was for another client or server. Give the new one: chipp-auth profile edit {name} --client-secret-stdin", paint(Tone::Warn, "!")));
    }
    register(context, name, &target);
    let preset = target.preset.filter(|_| target.auth == Auth::Oauth);
    for note in preset.into_iter().flat_map(|preset| &preset.notes) {
        ui.note(&format!("  - {}", clean(note)));
    }
    let typed = if name == DEFAULT { String::new() } else { format!(" {name}") };
    ui.note("");
    if target.auth == Auth::Bearer {
        ui.note(&format!("Give it the token:         chipp-auth login{typed} --with-token"));
    }
    ui.note(&format!("Try it:                    chipp-auth test{typed}"));
    ui.note(&format!("Put it into Claude Code:   claude mcp add {name} -- chipp-auth proxy{typed}"));
    Ok(())
}

/// What has to stand at the provider.
fn register(context: &Context<'_>, name: &str, target: &Target) {
    let Some(uri) = redirect_uri(target) else { return };
    let preset = target.preset;
    let provider = preset.map_or("the provider", |preset| &preset.name);
    let place = preset
        .and_then(|preset| preset.console_url.as_deref())
        .map(|url| format!(" ({url})"))
        .unwrap_or_default();
    let ui = context.ui;
    ui.note(&format!(
        "\nRegister this redirect URI at {provider}{place}, exactly as it stands here:\n\n  {uri}\n"
    ));
    if target.redirect.port.is_none() {
        ui.note(&format!("Each sign-in adds a free port to it, as RFC 8252 allows. If the provider compares ports, choose one: chipp-auth profile edit {name} --redirect-port 14721"));
    }
}

/// The redirect URI of a client that the user registers; without a port if any will do.
pub(super) fn redirect_uri(target: &Target) -> Option<String> {
    if target.auth != Auth::Oauth || target.grant != Grant::User || target.secret_key().is_none() {
        return None;
    }
    let Redirect { host, path, port } = &target.redirect;
    let host = match host.unwrap_or_default() {
        RedirectHost::Name => "localhost",
        RedirectHost::V4 => "127.0.0.1",
        RedirectHost::V6 => "[::1]",
    };
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("http://{host}{port}{}", path.as_deref().unwrap_or("/callback")))
}
