//! OAuth clients: which exist, where their answers may go, and how they prove who they are.

use http::HeaderMap;
use http::header::AUTHORIZATION;
use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

use super::params::Params;
use super::secret;

/// An OAuth client.
#[derive(Debug, Clone)]
pub struct Client {
    /// `client_id`.
    pub id: String,
    /// The name that the consent page shows.
    pub name: String,
    /// Where authorization answers may go.
    pub redirects: Redirects,
    /// How the client proves itself at the token endpoint.
    pub auth: ClientAuth,
}

/// Where authorization answers may go.
#[derive(Debug, Clone)]
pub enum Redirects {
    /// `http://localhost:PORT/callback`, `127.0.0.1` and `[::1]` likewise, any port (RFC 8252
    /// section 7.3, and Chipp's documentation).
    LoopbackCallback,
    /// `http://127.0.0.1:PORT/callback` and `[::1]`, any port: the least that OAuth 2.1 section 8.4.2
    /// demands for `http://127.0.0.1/callback` in a client's metadata.
    LoopbackAddress,
    /// One of these, character for character (RFC 9700 section 4.1.3).
    Exact(Vec<String>),
}

/// How a client proves itself at the token endpoint (RFC 6749 section 2.3.1).
#[derive(Debug, Clone)]
pub enum ClientAuth {
    /// Not at all: a public client.
    None,
    /// `client_id` and `client_secret` in HTTP Basic.
    Basic(SecretString),
    /// `client_id` and `client_secret` in the body.
    Post(SecretString),
}

impl Client {
    /// `chipp-mcp-client`, the public client of the product page.
    pub fn chipp() -> Self {
        Client {
            id: "chipp-mcp-client".to_owned(),
            name: "Chipp MCP Server".to_owned(),
            redirects: Redirects::LoopbackCallback,
            auth: ClientAuth::None,
        }
    }

    pub(super) fn allows(&self, redirect: &str) -> bool {
        match &self.redirects {
            Redirects::Exact(all) => all.iter().any(|one| one == redirect),
            Redirects::LoopbackCallback | Redirects::LoopbackAddress => {
                let named = matches!(self.redirects, Redirects::LoopbackCallback);
                Url::parse(redirect).is_ok_and(|url| {
                    let allowed = named || url.domain().is_none();
                    allowed && is_loopback_http(&url) && url.path() == "/callback"
                })
            }
        }
    }
}

/// Plain `http` to this computer, and nothing clever in it.
pub(super) fn is_loopback_http(url: &Url) -> bool {
    let here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address == std::net::Ipv4Addr::LOCALHOST,
        Some(Host::Ipv6(address)) => address == std::net::Ipv6Addr::LOCALHOST,
        None => false,
    };
    let plain = url.username().is_empty() && url.password().is_none();
    here && plain && url.scheme() == "http" && url.query().is_none() && url.fragment().is_none()
}

/// Why a client was not accepted.
pub(super) struct NotThisClient {
    /// Whether it tried HTTP Basic: then the 401 must offer that scheme (RFC 6749 section 5.2).
    pub(super) by_header: bool,
    pub(super) why: &'static str,
}

/// Finds the client of a request to the token or revocation endpoint and checks its proof, in the
/// one place where that client's belongs.
pub(super) fn authenticate(
    clients: &[Client],
    headers: &HeaderMap,
    params: &Params,
) -> Result<Client, NotThisClient> {
    let by_header = headers.contains_key(AUTHORIZATION);
    let refuse = |why| Err(NotThisClient { by_header, why });
    let basic = match headers.get(AUTHORIZATION) {
        None => None,
        Some(value) => match value.to_str().ok().and_then(read_basic) {
            Some(pair) => Some(pair),
            None => return refuse("the Authorization header is not HTTP Basic"),
        },
    };
    let in_body = params.get("client_id");
    let id = match (&basic, in_body) {
        (Some((id, _)), Some(other)) if id != other => return refuse("two different client ids"),
        (Some((id, _)), _) => id.as_str(),
        (None, Some(id)) => id,
        (None, None) => return refuse("no client id"),
    };
    let Some(client) = clients.iter().find(|client| client.id == id) else { return refuse("unknown client") };
    let body_secret = params.get("client_secret");
    let proved = match (&client.auth, &basic, body_secret) {
        (ClientAuth::None, None, None) => true,
        (ClientAuth::Basic(secret), Some((_, given)), None) => {
            secret::same(secret.expose_secret(), given.expose_secret())
        }
        (ClientAuth::Post(secret), None, Some(given)) => secret::same(secret.expose_secret(), given),
        _ => return refuse("this client proves itself in another way"),
    };
    if proved { Ok(client.clone()) } else { refuse("wrong client secret") }
}

/// Id and secret, form-decoded as RFC 6749 section 2.3.1 wants them.
fn read_basic(value: &str) -> Option<(String, SecretString)> {
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = secret::decode(encoded.trim())?;
    let (id, secret) = text.split_once(':')?;
    Some((form_decode(id)?, form_decode(secret)?.into()))
}

fn form_decode(text: &str) -> Option<String> {
    let named = format!("v={}", text.replace('&', "%26"));
    url::form_urlencoded::parse(named.as_bytes()).next().map(|(_, value)| value.into_owned())
}
