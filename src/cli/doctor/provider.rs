//! The authorization server: whether it is found, in which way, and whether it promises PKCE.

use std::time::Duration;

use tokio::time::timeout;
use url::Url;

use crate::error::{Error, Name, Result};
use crate::http::mcp::Client;
use crate::oauth::Provider;
use crate::oauth::discovery::{Known, discover};
use crate::profile::{Auth, Target};

use super::check::Check;
use super::server::Look;

pub(super) const ID: &str = "authorization-server";

/// The longest time for the search.
const LIMIT: Duration = Duration::from_secs(15);

/// What the search led to.
pub(super) enum Search {
    Found(Box<Provider>),
    Failed(Error),
    /// It was not made, for this reason.
    Needless(String),
}

/// Searches as a sign-in does. `look`: what the MCP server said, if it was asked before. It is not asked again
/// where it gave a challenge.
pub(super) async fn search(target: &Target, look: Option<&Result<Look>>) -> Search {
    match target.auth {
        Auth::Oauth => {}
        Auth::Bearer => return Search::Needless("the profile takes a token that you were given".to_owned()),
        Auth::None => return Search::Needless("the profile says that no sign-in is needed".to_owned()),
    }
    let challenge = match look {
        Some(Ok(look)) if look.status == 401 => Some(look.challenge.clone()),
        Some(Err(_)) if target.issuer.is_none() && target.endpoints.is_none() => {
            return Search::Needless("the MCP server, which has to name it, could not be asked".to_owned());
        }
        _ => None,
    };
    let known = Known { challenge, ..target.known() };
    let searched = async {
        let provider = discover(&known).await?;
        if target.endpoints.is_some() {
            // Nobody has been asked yet.
            Client::new(&provider.endpoints.token, false)?.connect().await?;
        }
        Ok(provider)
    };
    let late = || Error::new(Name::Timeout, "the authorization server was not found in time");
    let open = matches!(look, Some(Ok(look)) if look.is_open());
    match timeout(LIMIT, searched).await.unwrap_or_else(|_| Err(late())) {
        Ok(provider) => Search::Found(Box::new(provider)),
        Err(error) if open && error.name() == Name::BadResponse => {
            Search::Needless("the MCP server asks for no sign-in and names none".to_owned())
        }
        Err(error) => Search::Failed(target.mark(error)),
    }
}

impl Search {
    pub(super) fn error(&self) -> Option<&Error> {
        match self {
            Search::Failed(error) => Some(error),
            _ => None,
        }
    }

    /// An address of the server that was spoken with.
    pub(super) fn address(&self, target: &Target) -> Option<Url> {
        match self {
            Search::Found(provider) if target.endpoints.is_some() => Some(provider.endpoints.token.clone()),
            Search::Found(provider) => Url::parse(&provider.issuer).ok(),
            _ => None,
        }
    }

    /// The line of the report.
    pub(super) fn check(&self, target: &Target) -> Check {
        match self {
            Search::Needless(why) => Check::skipped(ID, why),
            Search::Failed(error) if error.name() == Name::TlsFailed => {
                Check::skipped(ID, format!("there is no safe connection to it: see `{}`", super::tls::ID))
            }
            Search::Failed(error) => Check::fail(ID, error),
            Search::Found(provider) => {
                let way = if target.endpoints.is_some() {
                    "its endpoints are those that the profile states"
                } else if !provider.published && target.documented.is_some() {
                    "it publishes no metadata, so its documented endpoints are used"
                } else if !provider.published {
                    "it publishes no metadata; its endpoints are where MCP 2025-03-26 puts them"
                } else if target.pkce_unverified || target.grant.is_repeatable() {
                    "found by its metadata"
                } else {
                    "found by its metadata, which promises PKCE with S256"
                };
                Check::ok(ID, format!("{}: {way}", provider.issuer))
            }
        }
    }
}
