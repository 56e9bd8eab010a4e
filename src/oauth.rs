//! The OAuth client as a library: what the specifications say, and nothing of keychains, browsers or
//! terminals.
//!
//! | file | rule |
//! | --- | --- |
//! | [`challenge`] | `WWW-Authenticate` (RFC 9110 section 11.6.1, RFC 6750 section 3) |
//! | [`discovery`] | RFC 9728, then RFC 8414 or OpenID Connect Discovery; MCP 2025-03-26 |
//! | [`registration`] | RFC 7591 |
//! | [`client_document`] | client ID metadata documents |
//! | [`preflight`] | whether a registration is still good |
//! | [`scope`] | which scope to ask for (A-50, A-52) |
//! | [`authorize`] | the authorization request with PKCE (RFC 7636), `resource` (RFC 8707), `state` |
//! | [`device`] | RFC 8628 |
//! | [`wire`] | token requests (RFC 6749 section 3.2) |
//! | `message` | a request in every style, with the client's credentials |
//! | [`search`] | which style a server takes, found by trying |
//! | [`rejected`] | what a user is told of a refused code |
//! | [`hosts`] | the hosts to which a profile lets a sign-in go |
//! | [`assertion`] | `private_key_jwt` (RFC 7523 section 2.2) |
//! | [`machine`] | grants without a person (RFC 6749 section 4.4, RFC 7523 section 2.1, RFC 8693) |
//! | [`dpop`] | proofs of a key (RFC 9449) |
//! | [`answer`] | the token answer, read tolerantly |
//! | [`remedy`] | what to do about the error codes of providers |
//! | [`identity`] | whose tokens they are (OpenID Connect Core sections 3.1.3.7 and 5.3) |
//! | `depth` | how deep JSON may be nested |
//! | [`revoke`] | RFC 7009 |
//!
//! Each rule carries its id of the checklist (A-01 and so on) where it is implemented and in the test that
//! proves it; `tests/checklist.rs` looks after that. What is left to somebody else:
//!
//! | rule | to whom |
//! | --- | --- |
//! | A-33 | nobody: this program sends no elicitation, neither to the server nor to the MCP client |
//! | A-62 | the MCP server, which judges the audience of a token. Our part is that nothing here listens for MCP traffic and that no token goes to stdout, but for the commands that print one |
//! | A-64 | the authorization server, which shows where the answer will go; a loopback address proves nothing about the program behind it |
//! | X-05 | the MCP client: extensions are declared in its own messages, which pass through as they are |

pub mod answer;
pub mod assertion;
pub mod authorize;
pub mod challenge;
pub mod client_document;
mod depth;
pub mod device;
pub mod discovery;
pub mod dpop;
pub mod hosts;
pub mod identity;
pub mod machine;
mod message;
pub mod preflight;
pub mod registration;
pub mod rejected;
pub mod remedy;
pub mod revoke;
pub mod scope;
pub mod search;
pub mod wire;

use url::Url;

use crate::http::Reach;

/// The endpoints of an authorization server.
#[derive(Debug, Clone)]
pub struct Endpoints {
    /// Authorization endpoint (RFC 6749 section 3.1); the token endpoint where there is none and none is
    /// needed.
    pub authorization: Url,
    /// Token endpoint (RFC 6749 section 3.2).
    pub token: Url,
    /// Revocation endpoint (RFC 7009), if there is one.
    pub revocation: Option<Url>,
    /// Device authorization endpoint (RFC 8628), if there is one.
    pub device: Option<Url>,
}

/// An authorization server as found for one MCP server.
#[derive(Debug, Clone)]
pub struct Provider {
    /// The issuer identifier, verbatim (RFC 8414 section 2).
    pub issuer: String,
    /// Whether that is the server's own word or the profile's; otherwise it only stands for the token endpoint's
    /// origin, and no `iss` is compared with it.
    pub issuer_known: bool,
    /// Where to send what.
    pub endpoints: Endpoints,
    /// Where to register a client (RFC 7591), if that is possible.
    pub registration: Option<Url>,
    /// Whether it says all this in metadata of its own; otherwise only its endpoints are known.
    pub published: bool,
    /// Where the account's name can be asked for (OpenID Connect Core section 5.3), if the server says.
    pub userinfo: Option<Url>,
    /// Whether every authorization response carries `iss` (RFC 9207, A-28).
    pub issuer_in_response: bool,
    /// `token_endpoint_auth_methods_supported`, if the server says.
    pub auth_methods: Option<Vec<String>>,
    /// `token_endpoint_auth_signing_alg_values_supported`; empty if the server does not say.
    pub signing_algorithms: Vec<String>,
    /// `scopes_supported` of the authorization server. Only `offline_access` is looked for in it (A-44,
    ///
    pub scopes: Vec<String>,
    /// `grant_types_supported`, if the server says.
    pub grants: Option<Vec<String>>,
    /// `dpop_signing_alg_values_supported` (RFC 9449 section 5.1); empty without DPoP.
    pub dpop_algorithms: Vec<String>,
    /// `client_id_metadata_document_supported`.
    pub client_metadata_documents: bool,
    /// The scope that the challenge or the resource's metadata names.
    pub scope: Option<String>,
    /// The resource identifier to name in requests (RFC 8707); none if there is to be no such parameter.
    pub resource: Option<String>,
    /// Whether it is asked with PKCE. Without it only where the profile says so.
    pub pkce: bool,
    /// Where requests to this server may go (D1).
    pub reach: Reach,
}

impl Provider {
    /// A server of which only the endpoints are known.
    pub(crate) fn bare(issuer: String, endpoints: Endpoints, reach: Reach) -> Self {
        Provider {
            issuer,
            issuer_known: true,
            endpoints,
            registration: None,
            published: false,
            userinfo: None,
            issuer_in_response: false,
            auth_methods: None,
            signing_algorithms: Vec::new(),
            scopes: Vec::new(),
            grants: None,
            dpop_algorithms: Vec::new(),
            client_metadata_documents: false,
            scope: None,
            resource: None,
            pkce: true,
            reach,
        }
    }
}

/// What to send as `resource` parameter (RFC 8707, A-26).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ResourceChoice {
    /// What the resource's metadata names, else the MCP endpoint's canonical URL.
    #[default]
    Auto,
    /// Nothing, for servers that refuse the parameter.
    Omit,
    /// This value.
    Value(String),
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A server that can do nothing special.
    pub(crate) fn provider() -> Provider {
        let url = |path: &str| Url::parse(&format!("https://as.example/{path}")).unwrap();
        let (authorization, token) = (url("authorize"), url("token"));
        let endpoints = Endpoints { authorization, token, revocation: None, device: None };
        Provider::bare("https://as.example".into(), endpoints, Reach::default())
    }
}
