//! `client-metadata`: prints the document that makes an address a client id, to be hosted there.

use super::ui::Ui;
use crate::error::{Error, Name, Result};
use crate::oauth::client_document;

#[derive(clap::Args)]
pub(super) struct ClientMetadataArgs {
    /// The address at which the document will be found
    #[arg(long, value_name = "URL")]
    pub(super) url: String,
    /// The name that consent pages show
    #[arg(long, value_name = "NAME", default_value = "chipp-auth")]
    pub(super) name: String,
}

pub(super) fn run(ui: &Ui, args: &ClientMetadataArgs) -> Result<u8> {
    let url = client_document::parse(&args.url)?;
    if args.name.trim().is_empty() || args.name.chars().any(char::is_control) {
        return Err(Error::new(Name::Usage, "the name is empty or contains control characters"));
    }
    ui.object(&client_document::document(&url, &args.name));
    ui.note(&format!(
        "Host this at {url} with the type application/json, and never move it: its address is the client id."
    ));
    Ok(0)
}
