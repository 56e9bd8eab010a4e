//! How tokens are granted (RFC 6749 section 1.3, and the extensions of MCP's authorization).

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A way to get tokens. All but [`Grant::User`] need no person, so they can be repeated at any time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum Grant {
    /// A person signed in: authorization code (RFC 6749 section 4.1) or device (RFC 8628). Renewed with
    /// the refresh token.
    #[default]
    User,
    /// The client for itself (RFC 6749 section 4.4, X-01).
    ClientCredentials,
    /// A JWT that the platform keeps fresh in a file (RFC 7523 section 2.1, X-04). Read anew each time.
    JwtBearer {
        /// The file.
        assertion: PathBuf,
    },
    /// Enterprise-managed authorization: the identity provider exchanges the user's ID token
    /// (RFC 8693) for an assertion that the authorization server takes (RFC 7523 section 2.1).
    Enterprise {
        /// The identity provider's issuer identifier.
        idp: String,
        /// The client id at the identity provider.
        idp_client: String,
        /// The file with the user's ID token. Read anew each time.
        id_token: PathBuf,
    },
    /// A token that the user pasted. It cannot be renewed.
    Static,
}

impl Grant {
    /// Whether more tokens can be had without a person and without a refresh token.
    pub fn is_repeatable(&self) -> bool {
        !matches!(self, Grant::User | Grant::Static)
    }
}
