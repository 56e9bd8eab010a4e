//! Which server is meant, and what is to be known about it: the arguments that most commands share.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use url::Url;

use crate::error::{Error, Name, Result};
use crate::profile::{Choices, GrantChoice, ResourceChoice, Style, key_file};

const SERVER: &str = "For a server of your own";
const MACHINE: &str = "Without a person";

/// The server to deal with.
#[derive(Args, Clone, Default)]
pub(super) struct TargetArgs {
    /// A profile name or the URL of an MCP server
    #[arg(value_name = "TARGET")]
    pub(super) target: Option<String>,
    /// A client id registered beforehand (its secret, if any: CHIPP_AUTH_CLIENT_SECRET)
    #[arg(long, value_name = "ID", help_heading = SERVER)]
    pub(super) client_id: Option<String>,
    /// The address of a client ID metadata document, to use as client id where the server can
    #[arg(long, value_name = "URL", help_heading = SERVER)]
    pub(super) client_metadata_url: Option<Url>,
    /// How token requests are written: form_post, form_basic, json, json_basic, or auto
    #[arg(long, value_name = "STYLE", value_parser = style, help_heading = SERVER)]
    pub(super) token_style: Option<Style>,
    /// The `resource` parameter: auto, omit, or a value
    #[arg(long, value_name = "RESOURCE", help_heading = SERVER)]
    pub(super) resource: Option<String>,
    /// Bind the tokens to a key of this computer (DPoP)
    #[arg(long, help_heading = SERVER)]
    pub(super) dpop: bool,
    /// Sign in as the client itself, with its secret or with --client-key
    #[arg(long, help_heading = MACHINE)]
    pub(super) client_credentials: bool,
    /// The client's private key in PEM, to authenticate with (private_key_jwt)
    #[arg(long, value_name = "FILE", help_heading = MACHINE)]
    pub(super) client_key: Option<PathBuf>,
    /// Sign in with the JWT in this file (workload identity)
    #[arg(long, value_name = "FILE", help_heading = MACHINE)]
    pub(super) assertion_file: Option<PathBuf>,
    /// Sign in through your organization's identity provider, with --idp-client-id and --id-token-file
    #[arg(long, value_name = "ISSUER", help_heading = MACHINE)]
    pub(super) idp: Option<String>,
    /// The client id at the identity provider (its secret, if any: CHIPP_AUTH_IDP_CLIENT_SECRET)
    #[arg(long, value_name = "ID", requires = "idp", help_heading = MACHINE)]
    pub(super) idp_client_id: Option<String>,
    /// A file with the user's ID token
    #[arg(long, value_name = "FILE", requires = "idp", help_heading = MACHINE)]
    pub(super) id_token_file: Option<PathBuf>,
}

fn style(text: &str) -> Result<Style, String> {
    Style::of(text).ok_or_else(|| "give form_post, form_basic, json, json_basic or auto".to_owned())
}

impl TargetArgs {
    /// What they say about the target.
    ///
    /// # Errors
    /// `usage` for options that do not go together, `config-bad` if the key file cannot be read.
    pub(super) fn choices(&self) -> Result<Choices> {
        let grant = GrantChoice {
            client_credentials: self.client_credentials,
            assertion: self.assertion_file.clone(),
            idp: self.idp.clone(),
            idp_client: self.idp_client_id.clone(),
            id_token: self.id_token_file.clone(),
        };
        let grant = grant.grant().map_err(|why| Error::new(Name::Usage, format!("the command {why}")))?;
        Ok(Choices {
            client_id: self.client_id.clone(),
            client_key: self.client_key.as_deref().map(key_file).transpose()?,
            client_metadata: self.client_metadata_url.clone(),
            grant,
            dpop: self.dpop,
            resource: self.resource.as_deref().map(ResourceChoice::from),
            style: self.token_style,
            ..Choices::default()
        })
    }

    /// The same arguments for a sign-in by a person, as another process of this program takes them.
    pub(super) fn arguments(&self) -> Vec<OsString> {
        let values = [
            ("--client-id", self.client_id.as_deref()),
            ("--client-metadata-url", self.client_metadata_url.as_ref().map(Url::as_str)),
            ("--token-style", self.token_style.map(Style::name)),
            ("--resource", self.resource.as_deref()),
        ];
        let mut arguments: Vec<OsString> = values
            .into_iter()
            .filter_map(|(name, value)| value.map(|value| format!("{name}={value}").into()))
            .collect();
        arguments.extend(self.client_key.as_ref().map(|path| {
            let mut argument = OsString::from("--client-key=");
            argument.push(path);
            argument
        }));
        arguments.extend(self.dpop.then(|| "--dpop".into()));
        arguments.push("--".into());
        arguments.extend(self.target.as_ref().map(OsString::from));
        arguments
    }
}
