//! What to connect to: a profile (built-in or from `profiles.toml`) or the URL of an MCP server.
//!
//! Everything that is special about one server is a value here. The other rooms see a [`Target`] and
//! do not know the name `chipp`.

mod file;

use std::path::Path;

use secrecy::SecretString;
use url::Url;

use crate::credential::{Key, TokenStyle};
use crate::error::{Error, Name, Result};
use crate::http;
use crate::oauth::Endpoints;

pub use file::{Entry, load};

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

/// What the command line adds to a target.
#[derive(Debug, Clone, Default)]
pub struct Choices {
    /// `--account`.
    pub account: Option<String>,
    /// `--client-id`.
    pub client_id: Option<String>,
    /// `CHIPP_AUTH_CLIENT_SECRET`.
    pub client_secret: Option<SecretString>,
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
        if choices.client_secret.is_some() {
            target.client_secret = choices.client_secret;
        }
        http::check(&target.url).map_err(|error| target.mark(error))?;
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

    /// The `resource` parameter (RFC 8707, A-26): the MCP endpoint's canonical URL.
    pub fn resource(&self) -> String {
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

/// A target about which nothing is known but its URL.
fn bare(url: Url) -> Target {
    Target {
        typed: None,
        origins: vec![url.origin().ascii_serialization()],
        url,
        issuer: None,
        documented: None,
        client_id: None,
        client_secret: None,
        style: None,
        scope: None,
        refresh_lifetime: None,
        names_token_type: false,
        account: "default".to_owned(),
        client_in_key: false,
    }
}

/// The built-in profile: Chipp's documented facts, which an entry of the same name may point at
/// another server. Another server means another key, so no token of one ever reaches the other (F1).
fn chipp(entry: Option<&Entry>) -> Result<Target> {
    let issuer =
        entry.and_then(|entry| entry.authorization_server.as_deref()).unwrap_or("https://app.chipp.ai");
    let url = entry.and_then(|entry| entry.url.as_deref()).unwrap_or("https://mcp.chipp.ai/mcp/messages");
    let base = format!("{}/api/mcp/oauth", issuer.trim_end_matches('/'));
    let url = parse(url)?;
    let mut origins = vec![url.origin().ascii_serialization()];
    if url.host_str() == Some("mcp.chipp.ai") {
        origins.push("https://build.chipp.ai".to_owned());
    }
    Ok(Target {
        origins,
        issuer: Some(issuer.to_owned()),
        documented: Some(Endpoints {
            authorization: parse(&format!("{base}/authorize"))?,
            token: parse(&format!("{base}/token"))?,
            revocation: Some(parse(&format!("{base}/revoke"))?),
        }),
        client_id: Some(
            entry.and_then(|e| e.client_id.clone()).unwrap_or_else(|| "chipp-mcp-client".to_owned()),
        ),
        style: Some(TokenStyle::Json),
        scope: Some(entry.and_then(|e| e.scope.clone()).unwrap_or_else(|| "*".to_owned())),
        refresh_lifetime: Some(30 * 24 * 3600),
        names_token_type: true,
        ..bare(url)
    })
}

/// A profile of the user's own.
fn from_entry(name: &str, entry: &Entry) -> Result<Target> {
    let missing = || Error::new(Name::ConfigBad, format!("the profile {name} in profiles.toml has no `url`"));
    let url = entry.url.as_deref().ok_or_else(missing)?;
    Ok(Target {
        issuer: entry.authorization_server.clone(),
        client_id: entry.client_id.clone(),
        style: entry.token_style,
        scope: entry.scope.clone(),
        ..bare(parse(url)?)
    })
}

fn parse(text: &str) -> Result<Url> {
    let url = Url::parse(text).map_err(|_| {
        Error::new(Name::ConfigBad, format!("`{}` in profiles.toml is not a URL", crate::error::clean(text)))
    })?;
    http::check(&url)?;
    Ok(url)
}

#[cfg(test)]
mod tests;
