//! `token` and `headers`: a fresh access token for scripts and for clients that can ask for headers.

use secrecy::ExposeSecret;

use super::TargetArgs;
use super::context::Context;
use crate::error::{Error, Name, Result};
use crate::profile::Auth;
use crate::proxy::Access;

#[derive(clap::Args)]
pub(super) struct TokenArgs {
    #[command(flatten)]
    pub(super) target: TargetArgs,
}

/// Prints the token alone. The only command that shows a secret, because it is what was asked for (I3).
pub(super) async fn token(context: &Context<'_>, args: TokenArgs) -> Result<u8> {
    let access = fresh(context, &args).await?;
    let token = access.token.expose_secret();
    if context.ui.json() {
        let kind = if access.proof.is_some() { "DPoP" } else { "Bearer" };
        context.ui.object(&serde_json::json!({"access_token": token, "token_type": kind}));
    } else {
        context.ui.answer(token);
    }
    Ok(0)
}

/// Prints `{"Authorization": "Bearer …"}`.
///
/// # Errors
/// `wrong-token-type` for a token that is bound to a key: no header serves for more than one request then.
pub(super) async fn headers(context: &Context<'_>, args: TokenArgs) -> Result<u8> {
    let access = fresh(context, &args).await?;
    if access.proof.is_some() {
        let what = "the token is bound to a key of this computer (DPoP), so that each request needs a proof of its own";
        return Err(Error::new(Name::WrongTokenType, what)
            .hinted("let `chipp-auth proxy{target}` make the requests, or sign in without `--dpop`"));
    }
    let value = format!("Bearer {}", access.token.expose_secret());
    context.ui.answer(&serde_json::json!({"Authorization": value}).to_string());
    Ok(0)
}

async fn fresh(context: &Context<'_>, args: &TokenArgs) -> Result<Access> {
    let mut target = context.target(&args.target)?;
    if target.auth == Auth::None {
        let what = format!("{} needs no sign-in, so there is no token", target.name());
        return Err(target
            .mark(Error::new(Name::Usage, what).hinted("correct `auth` in its profile, if that is wrong")));
    }
    context.add_machine_secret(&mut target).await?;
    let store = context.working_store(&target)?;
    let session = context.session(&target, store.clone())?;
    context.patiently(&store, session.access()).await
}
