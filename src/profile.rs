//! What to connect to: a profile (built-in or from `profiles.toml`) or the URL of an MCP server.
//!
//! Everything that is special about one server is a value here. The other rooms see a [`Target`] and
//! do not know the name `chipp`.

pub mod check;
mod choice;
pub mod edit;
mod entry;
pub mod file;
pub mod hosts;
pub mod keys;
mod known;
mod manner;
mod naming;
pub mod preset;
pub mod schema;
mod source;

use std::collections::BTreeMap;
use std::path::Path;

use secrecy::SecretString;
use url::Url;

use crate::credential::{Grant, Key, RefreshScope, TokenStyle};
use crate::error::{Error, Name, Result};
use crate::http;
use crate::oauth::Endpoints;
use crate::store;

pub use choice::{Choices, GrantChoice, ResourceChoice, key_file};
pub use entry::Entry;
pub use file::load;
pub use manner::{Auth, BasicEncoding, Pkce, Redirect, RedirectHost, Style};
pub use naming::{titled, words};
pub use preset::Preset;
use source::{bare, chipp, from_entry};

/// The profile that is meant when no target is given.
pub const DEFAULT: &str = "chipp";

/// A server to sign in to and to talk to, with all that is known about it beforehand.
#[derive(Debug, Clone)]
pub struct Target {
    /// The target as the user typed it; none for the default one.
    pub typed: Option<String>,
    /// The preset of the profile.
    pub preset: Option<&'static Preset>,
    /// Where the profile wants the sign-ins and the client secret to be kept.
    pub store: Option<store::Kind>,
    /// The MCP endpoint.
    pub url: Url,
    /// How requests to it are authorized.
    pub auth: Auth,
    /// Further headers of requests to it; `${NAME}` in a value stands for a variable of the environment.
    pub headers: BTreeMap<String, String>,
    /// Origins that share this sign-in. The access token goes to no other (I7).
    pub origins: Vec<String>,
    /// The authorization server's issuer, where the profile states it. Otherwise it is discovered
    /// through the MCP server (RFC 9728).
    pub issuer: Option<String>,
    /// Endpoints that the profile states: they are used, and nothing is discovered.
    pub endpoints: Option<Endpoints>,
    /// The userinfo endpoint that it states.
    pub userinfo: Option<Url>,
    /// Where the account's name is looked for, in this order.
    pub account_from: Vec<String>,
    /// The only hosts to which the sign-in and the tokens may go, if the profile names any.
    pub hosts: Option<Vec<String>>,
    /// Further parameters of the authorization request.
    pub authorize_params: BTreeMap<String, String>,
    /// Further parameters of token requests.
    pub token_params: BTreeMap<String, String>,
    /// The scope that a refresh names.
    pub refresh_scope: RefreshScope,
    /// The redirect URI that the provider wants.
    pub redirect: Redirect,
    /// Token types that are taken besides `Bearer`.
    pub token_types: Vec<String>,
    /// How id and secret stand in HTTP Basic.
    pub basic: BasicEncoding,
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
    /// Whether PKCE is used at all.
    pub pkce: Pkce,
    /// How it talks to the token endpoint; otherwise what the metadata allows.
    pub style: Option<Style>,
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
        Self::among(typed, &load(config)?, choices)
    }

    /// The same among these profiles.
    ///
    /// # Errors
    /// As [`Target::resolve`].
    pub fn among(typed: Option<&str>, profiles: &BTreeMap<String, Entry>, choices: Choices) -> Result<Self> {
        let name = typed.unwrap_or(DEFAULT);
        let mut target = if name.contains("://") {
            Self::from_url(name, chipp(profiles.get(DEFAULT))?)?
        } else if name == DEFAULT {
            chipp(profiles.get(DEFAULT))?
        } else {
            let entry = profiles.get(name).ok_or_else(|| {
                Error::new(Name::Usage, format!("there is no profile named {}", crate::error::clean(name)))
                    .hinted(
                        "give the URL of an MCP server, or make the profile with `chipp-auth profile add`",
                    )
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

    /// Which sign-in this target uses. A different MCP server, authorization server, client or account is a
    /// different one (security.md F1, S10); all of Chipp's endpoints share theirs.
    pub fn key(&self) -> Key {
        let server = match (&self.documented, &self.issuer, self.base()) {
            (Some(_), Some(issuer), _) => issuer.clone(),
            (_, _, Some(base)) => format!("{} via {base}", canonical(&self.url)),
            _ => canonical(&self.url),
        };
        Key {
            server,
            client: self.client_id.clone().filter(|_| self.client_in_key),
            account: self.account.clone(),
        }
    }

    /// The key under which the secret of its client is kept: for this client at this authorization server,
    /// so that no other server is ever shown it. None without a client of the user's own.
    pub fn secret_key(&self) -> Option<Key> {
        let server = self.base().unwrap_or_else(|| canonical(&self.url));
        let client = Some(self.client_id.clone().filter(|_| self.client_in_key)?);
        Some(Key { server, client, account: "(client secret)".to_owned() })
    }

    /// The authorization server, as far as it is stated.
    fn base(&self) -> Option<String> {
        // Where endpoints are stated, they are what sees the secret and the tokens; an issuer beside them is only
        // a name to compare with.
        let stated = self.endpoints.as_ref().map(|endpoints| endpoints.token.to_string());
        stated.or_else(|| self.issuer.clone())
    }

    /// The token request style, if one is named.
    pub fn named_style(&self) -> Option<TokenStyle> {
        match self.style {
            Some(Style::Named(style)) => Some(style),
            _ => None,
        }
    }

    /// Whether the token request style has to be found: where that is wished, and where endpoints are stated
    /// for a client with a secret and no style is.
    pub fn seeks_style(&self) -> bool {
        let unknown = self.style.is_none() && self.endpoints.is_some() && self.client_secret.is_some();
        self.style == Some(Style::Auto) || unknown
    }

    /// The addresses that the user named himself (security.md D1).
    pub fn named(&self) -> Vec<String> {
        let endpoints = self.endpoints.iter();
        let endpoints = endpoints.flat_map(|endpoints| [&endpoints.authorization, &endpoints.token]);
        let userinfo = endpoints.chain(&self.userinfo).chain([&self.url]);
        userinfo.map(ToString::to_string).chain(self.issuer.clone()).collect()
    }

    /// The MCP endpoint's canonical URL.
    pub fn canonical(&self) -> String {
        canonical(&self.url)
    }

    /// Marks an error with this target, so that its hint names the right command.
    pub fn mark(&self, error: Error) -> Error {
        error.for_target(self.again().as_deref())
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
