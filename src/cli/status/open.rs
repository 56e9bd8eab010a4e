//! A server that needs no sign-in (`auth = "none"`).

use serde_json::json;

use crate::cli::context::Context;
use crate::cli::probe::{self, Verdict};
use crate::cli::ui::{Tone, paint};
use crate::error::{Name, Result};
use crate::http;
use crate::profile::Target;

/// Tells of it, and asks it if that is wanted.
pub(super) async fn show(context: &Context<'_>, target: &Target, asked: bool) -> Result<u8> {
    let refused = asked && probe::ask(target, None).await? == Verdict::Refused;
    if context.ui.json() {
        let mut object = json!({"target": target.name(), "url": http::show(&target.url), "auth": "none", "signed_in": false});
        if asked {
            object["checked"] = json!({"accepted": !refused});
        }
        context.ui.object(&object);
    } else {
        let said = if refused { "; but the server asks for a sign-in" } else { "" };
        let name = paint(Tone::Strong, &target.name());
        context.ui.answer(&format!("{name}: needs no sign-in (`auth = \"none\"`){said}."));
    }
    Ok(if refused { Name::LoginRequired.row().exit } else { 0 })
}
