//! `token` and `headers`: a fresh access token for scripts and for clients that can ask for headers.

use secrecy::{ExposeSecret, SecretString};

use super::TargetArgs;
use super::context::Context;
use crate::error::Result;

#[derive(clap::Args)]
pub(super) struct TokenArgs {
    #[command(flatten)]
    pub(super) target: TargetArgs,
}

/// Prints the token alone. The only command that shows a secret, because it is what was asked for (I3).
pub(super) async fn token(context: &Context<'_>, args: TokenArgs) -> Result<u8> {
    let token = fresh(context, &args).await?;
    if context.ui.json() {
        context
            .ui
            .object(&serde_json::json!({"access_token": token.expose_secret(), "token_type": "Bearer"}));
    } else {
        context.ui.answer(token.expose_secret());
    }
    Ok(0)
}

/// Prints `{"Authorization": "Bearer …"}`.
pub(super) async fn headers(context: &Context<'_>, args: TokenArgs) -> Result<u8> {
    let token = fresh(context, &args).await?;
    let value = format!("Bearer {}", token.expose_secret());
    context.ui.answer(&serde_json::json!({"Authorization": value}).to_string());
    Ok(0)
}

async fn fresh(context: &Context<'_>, args: &TokenArgs) -> Result<SecretString> {
    let target = context.target(&args.target)?;
    let store = context.working_store(&target)?;
    let session = context.session(&target, store.clone())?;
    context.patiently(&store, session.token()).await
}
