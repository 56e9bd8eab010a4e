//! What to connect to: a profile (built-in or from `profiles.toml`) or the URL of an MCP server.
//!
//! Everything that is special about one server is a value here. The other rooms see a [`Target`] and
//! do not know the name `chipp`.

mod choice;
mod file;
mod source;

use std::path::Path;

use secrecy::SecretString;
use url::Url;

use crate::credential::{Grant, Key, TokenStyle};
use crate::error::{Error, Name, Result};
use crate::http;
use crate::oauth::Endpoints;

pub use choice::{Choices, GrantChoice, ResourceChoice, key_file};
pub use file::{Entry, load};
use source::{bare, chipp, from_entry};

/// The profile that is meant when no target is given.
pub const DEFAULT: &str = "chipp";

/// A server to sign in to and to talk to, with all that is known about it beforehand.
#[derive(Debug, Clone)]
pub struct Target {
    /// The target as the user typed it; none for the default one.
    pub typed: Option<String>,
    /// The MCP endpoint.
    pub url: Url,
    /// Origins that share this sign-in. The access token goes to no other (I7).
    pub origins: Vec<String>,
    /// The authorization server's issuer, where the profile states it. Otherwise it is discovered
    /// through the MCP server (RFC 9728).
    pub issuer: Option<String>,
    /// Endpoints to use where the authorization server publishes no metadata.
    pub documented: Option<Endpoints>,
    /// A pre-registered client.
    pub client_id: Option<String>,
    /// Its secret.
    pub client_secret: Option<SecretString>,
    /// Its private key, for `private_key_jwt` (PKCS #8 in PEM).
    pub client_key: Option<SecretString>,
    /// The address of our client ID metadata document, which serves as client id where the server
    /// supports such documents.
    pub client_metadata: Option<Url>,
    /// How tokens are granted. All but [`Grant::User`] need no person.
    pub grant: Grant,
    /// Whether tokens are to be bound to a key (DPoP, X-03).
    pub dpop: bool,
    /// What to send as `resource` (RFC 8707, A-26).
    pub resource: ResourceChoice,
    /// The profile states that the server supports PKCE although its metadata does not say so.
    pub pkce_unverified: bool,
    /// How it talks to the token endpoint; otherwise what the metadata allows.
    pub style: Option<TokenStyle>,
    /// The scope to ask for; otherwise what the server names.
    pub scope: Option<String>,
    /// Lifetime of refresh tokens in seconds, where it is documented and the server does not say.
    pub refresh_lifetime: Option<u64>,
    /// Whether the server always names its token type, so that an answer without one is refused
    /// (security.md row 103).
    pub names_token_type: bool,
    /// The account name.
    pub account: String,
    /// Whether the key of the sign-in contains the client id (the user chose one on the command line).
    client_in_key: bool,
}

impl Target {
    /// Resolves what the user typed.
    ///
    /// A URL on an origin of the built-in profile is that profile with another resource: one
    /// sign-in serves all of Chipp's endpoints (DESIGN section 1).
    ///
    /// # Errors
    /// `usage` for an unknown name or a malformed URL, `unsafe-url` for an address that is neither
    /// https nor on this computer, and what [`load`] says of the configuration.
    pub fn resolve(typed: Option<&str>, config: &Path, choices: Choices) -> Result<Self> {
        let profiles = load(config)?;
        let name = typed.unwrap_or(DEFAULT);
        let mut target = if name.contains("://") {
            Self::from_url(name, chipp(profiles.get(DEFAULT))?)?
        } else if name == DEFAULT {
            chipp(profiles.get(DEFAULT))?
        } else {
            let entry = profiles.get(name).ok_or_else(|| {
                Error::new(Name::Usage, format!("there is no profile named {}", crate::error::clean(name)))
                    .hinted("give the URL of an MCP server, or add the profile to profiles.toml")
            })?;
            from_entry(name, entry)?
        };
        target.typed = typed.filter(|typed| *typed != DEFAULT).map(str::to_owned);
        target.account = choices.account.unwrap_or_else(|| "default".to_owned());
        if choices.client_id.is_some() {
            target.client_id = choices.client_id;
            target.client_in_key = true;
        }
        target.client_secret = choices.client_secret.or(target.client_secret);
        target.client_key = choices.client_key.or(target.client_key);
        target.client_metadata = choices.client_metadata.or(target.client_metadata);
        target.grant = choices.grant.unwrap_or(target.grant);
        target.dpop |= choices.dpop;
        target.resource = choices.resource.unwrap_or(target.resource);
        target.style = choices.style.or(target.style);
        let check = if choices.allow_http { http::check_open } else { http::check };
        check(&target.url).map_err(|error| target.mark(error))?;
        Ok(target)
    }

    fn from_url(text: &str, chipp: Target) -> Result<Self> {
        let url = Url::parse(text).map_err(|_| {
            Error::new(Name::Usage, "the target is not a valid URL")
                .hinted("give a profile name or a URL such as https://mcp.example.com/mcp")
        })?;
        let origin = url.origin().ascii_serialization();
        if chipp.origins.contains(&origin) {
            return Ok(Target { url, ..chipp });
        }
        Ok(Target { origins: vec![origin], ..bare(url) })
    }

    /// Which sign-in this target uses.
    pub fn key(&self) -> Key {
        Key {
            server: self.issuer.clone().unwrap_or_else(|| canonical(&self.url)),
            client: self.client_id.clone().filter(|_| self.client_in_key),
            account: self.account.clone(),
        }
    }

    /// The MCP endpoint's canonical URL.
    pub fn canonical(&self) -> String {
        canonical(&self.url)
    }

    /// A name for people.
    pub fn name(&self) -> String {
        match &self.typed {
            None => DEFAULT.to_owned(),
            Some(typed) => Url::parse(typed).map_or_else(|_| typed.clone(), |url| http::show(&url)),
        }
    }

    /// Marks an error with this target, so that its hint names the right command.
    pub fn mark(&self, error: Error) -> Error {
        error.for_target(self.typed.as_deref())
    }
}

/// A URL without fragment, and without a lone trailing slash.
fn canonical(url: &Url) -> String {
    let mut url = url.clone();
    url.set_fragment(None);
    let text = url.to_string();
    if url.path() == "/" && url.query().is_none() { text.trim_end_matches('/').to_owned() } else { text }
}

#[cfg(test)]
mod tests;
