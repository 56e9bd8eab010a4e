//! What the person is told before the wait: where the sign-in goes, and which ways there are to finish it
//! where no browser can appear (row 9).

use url::Url;

use super::SignIn;
use crate::cli::ui::{Tone, Ui, paint};
use crate::error::clean;
use crate::login::browser::{self, Launch, Obstacle};
use crate::oauth::Provider;

/// Shows the server and the scope before anything opens (B6, D9).
pub(super) fn announce(sign_in: &SignIn<'_>, url: &Url, scope: Option<&str>) {
    let server = url.host_str().unwrap_or_default();
    let scope = match scope {
        None => "its default scope".to_owned(),
        Some("*") => "full access (*)".to_owned(),
        Some(scope) => clean(scope),
    };
    let name = paint(Tone::Strong, &(sign_in.target.title() + &sign_in.target.key().whom(None)));
    sign_in.context.ui.note(&format!(
        "Signing in to {name} at {} for {}.",
        paint(Tone::Strong, server),
        paint(Tone::Strong, &scope)
    ));
}

/// The sentence before the address; `None`: no browser was to be opened.
pub(super) fn sentence(launch: Option<&Launch>) -> String {
    const OPEN: &str = "Open this address in a browser on this computer:";
    match launch {
        None => OPEN.to_owned(),
        Some(Launch::Browser) => {
            "Your browser should open now. If it does not, open this address:".to_owned()
        }
        Some(Launch::Obstacle(obstacle)) if obstacle.is_elsewhere() => {
            format!("No browser is tried here, because {obstacle}. Open this address in your browser:")
        }
        Some(Launch::Obstacle(obstacle)) => {
            format!("No browser is tried here, because {obstacle}. {OPEN}")
        }
        Some(Launch::Failed(error)) => format!("chipp-auth: {error}. {OPEN}"),
    }
}

/// Whether the answer may be pasted: where no browser of this computer will bring it, as far as that is
/// known, and somebody can.
pub(super) fn accepts_paste(sign_in: &SignIn<'_>, launch: Option<&Launch>) -> bool {
    let browser = matches!(launch, Some(Launch::Browser)) && !browser::is_wsl();
    !browser && !sign_in.args.background && Ui::interactive()
}

/// The lines after the address: how to finish from another computer.
pub(super) fn others(
    sign_in: &SignIn<'_>,
    launch: Option<&Launch>,
    provider: &Provider,
    port: u16,
) -> Vec<String> {
    let mut lines = Vec::new();
    let obstacle = match launch {
        Some(Launch::Obstacle(obstacle)) => Some(*obstacle),
        // Whoever forbids a browser may do so because his own is elsewhere.
        None => browser::obstacle().filter(|obstacle| *obstacle == Obstacle::Ssh),
        _ => None,
    };
    let here = matches!(launch, Some(Launch::Browser));
    if !here && provider.endpoints.device.is_some() {
        let target = sign_in.target.again().map(|target| format!(" {target}")).unwrap_or_default();
        lines.push(format!("Or sign in from any computer with a code: chipp-auth login{target} --device"));
    }
    if obstacle == Some(Obstacle::Ssh) {
        lines.push(format!(
            "Or let the browser of your computer reach this one: ssh -L {port}:127.0.0.1:{port} THIS-HOST"
        ));
    }
    if accepts_paste(sign_in, launch) {
        let when = if here || obstacle.is_some_and(Obstacle::is_elsewhere) {
            "If your browser ends on a page that cannot be reached"
        } else {
            "If that browser is on another computer"
        };
        lines.push(format!(
            "{when}, paste the address of that page here and press Enter. What you paste is not shown."
        ));
    }
    lines
}
