//! What the user chooses for a target, on the command line or in `profiles.toml`.

use std::io::Read;
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use url::Url;

use super::{Entry, Style};
use crate::credential::Grant;
use crate::error::{Error, Name, Result};
pub use crate::oauth::ResourceChoice;

/// The largest key file, in bytes.
const KEY_LIMIT: u64 = 64 * 1024;

/// What the command line adds to a target.
#[derive(Debug, Clone, Default)]
pub struct Choices {
    /// `--account`.
    pub account: Option<String>,
    /// `--client-id`.
    pub client_id: Option<String>,
    /// `CHIPP_AUTH_CLIENT_SECRET`.
    pub client_secret: Option<SecretString>,
    /// The content of `--client-key`.
    pub client_key: Option<SecretString>,
    /// `--client-metadata-url`.
    pub client_metadata: Option<Url>,
    /// `--client-credentials`, `--assertion-file`, `--idp`.
    pub grant: Option<Grant>,
    /// `--dpop`.
    pub dpop: bool,
    /// `--resource`.
    pub resource: Option<ResourceChoice>,
    /// `--token-style`.
    pub style: Option<Style>,
    /// `--allow-http`: a URL on the command line may be unencrypted on any host.
    pub allow_http: bool,
}

impl From<&str> for ResourceChoice {
    fn from(text: &str) -> Self {
        match text {
            "auto" => ResourceChoice::Auto,
            "omit" => ResourceChoice::Omit,
            value => ResourceChoice::Value(value.to_owned()),
        }
    }
}

/// The options that together name a [`Grant`].
#[derive(Debug, Clone, Default)]
pub struct GrantChoice {
    /// The client for itself.
    pub client_credentials: bool,
    /// A file with a JWT (workload identity).
    pub assertion: Option<PathBuf>,
    /// The issuer of the identity provider (enterprise-managed authorization), and what goes with it.
    pub idp: Option<String>,
    /// The client id at the identity provider.
    pub idp_client: Option<String>,
    /// A file with the user's ID token.
    pub id_token: Option<PathBuf>,
}

impl From<&Entry> for GrantChoice {
    fn from(entry: &Entry) -> Self {
        GrantChoice {
            client_credentials: entry.client_credentials,
            assertion: entry.assertion_file.clone(),
            idp: entry.idp.clone(),
            idp_client: entry.idp_client_id.clone(),
            id_token: entry.id_token_file.clone(),
        }
    }
}

impl GrantChoice {
    /// The grant that is meant; none if no option was given.
    ///
    /// # Errors
    /// Half a sentence about options that do not go together.
    pub fn grant(self) -> Result<Option<Grant>, &'static str> {
        match self {
            GrantChoice { client_credentials: true, assertion: None, idp: None, .. } => {
                Ok(Some(Grant::ClientCredentials))
            }
            GrantChoice { client_credentials: false, assertion: Some(assertion), idp: None, .. } => {
                Ok(Some(Grant::JwtBearer { assertion }))
            }
            GrantChoice {
                client_credentials: false,
                assertion: None,
                idp: Some(idp),
                idp_client,
                id_token,
            } => {
                let (Some(idp_client), Some(id_token)) = (idp_client, id_token) else {
                    return Err("needs the client id at the identity provider and the file of the ID token");
                };
                Ok(Some(Grant::Enterprise { idp, idp_client, id_token }))
            }
            GrantChoice { client_credentials: false, assertion: None, idp: None, .. } => Ok(None),
            _ => Err("states more than one way to get tokens"),
        }
    }
}

/// Reads a private key.
///
/// # Errors
/// `config-bad` if the file cannot be read.
pub fn key_file(path: &Path) -> Result<SecretString> {
    let unreadable = |why: String| {
        Error::new(Name::ConfigBad, format!("the key file {} cannot be used: {why}", path.display()))
            .hinted("give the path of a private key in PEM (PKCS #8)")
    };
    let file = std::fs::File::open(path).map_err(|error| unreadable(error.to_string()))?;
    let mut text = String::new();
    file.take(KEY_LIMIT).read_to_string(&mut text).map_err(|error| unreadable(error.to_string()))?;
    Ok(text.into())
}
