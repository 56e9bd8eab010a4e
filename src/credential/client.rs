//! The OAuth client of a sign-in, and how it talks to the token endpoint.

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// How the credentials and parameters of a token request are written (the seed's "token request
/// styles", RFC 6749 section 2.3.1, and Chipp's own JSON body).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenStyle {
    /// Form body; a client secret as body parameter.
    #[default]
    FormPost,
    /// Form body; client id and secret in HTTP Basic.
    FormBasic,
    /// JSON body; a client secret as body member.
    Json,
    /// JSON body; client id and secret in HTTP Basic.
    JsonBasic,
}

impl TokenStyle {
    /// Its name, as in `profiles.toml`.
    pub const fn name(self) -> &'static str {
        match self {
            TokenStyle::FormPost => "form_post",
            TokenStyle::FormBasic => "form_basic",
            TokenStyle::Json => "json",
            TokenStyle::JsonBasic => "json_basic",
        }
    }

    /// Whether the body is JSON; otherwise it is a form.
    pub const fn is_json(self) -> bool {
        matches!(self, TokenStyle::Json | TokenStyle::JsonBasic)
    }

    /// Whether a secret goes into HTTP Basic; otherwise into the body.
    pub const fn is_basic(self) -> bool {
        matches!(self, TokenStyle::FormBasic | TokenStyle::JsonBasic)
    }
}

/// Which scope a refresh request names. Without one it means the same again (RFC 6749 section 6); Entra ID
/// wants it named in places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefreshScope {
    /// None.
    #[default]
    Omit,
    /// The one that was asked for at the sign-in.
    Requested,
    /// The one that the server granted, as far as it said so.
    Granted,
}

/// The OAuth client that the tokens belong to.
#[derive(Debug, Clone, Default)]
pub struct Client {
    /// `client_id`.
    pub id: String,
    /// `client_secret`, for confidential clients.
    pub secret: Option<SecretString>,
    /// The private key of a client that authenticates with `private_key_jwt` (RFC 7523 section 2.2), as
    /// PKCS #8 in PEM.
    pub key: Option<SecretString>,
    /// The algorithm to sign with (RFC 7518 section 3.1), where the server named those that it takes;
    /// otherwise the usual one of the key's type.
    pub algorithm: Option<String>,
    /// The secret of the same party's client at the identity provider ([`Grant::Enterprise`]).
    pub idp_secret: Option<SecretString>,
    /// How this client talks to the token endpoint.
    pub style: TokenStyle,
    /// HTTP Basic carries id and secret as they are, for servers that do not decode them as RFC 6749 section
    /// 2.3.1 says.
    pub raw_basic: bool,
    /// Further parameters of its token requests.
    pub token_params: BTreeMap<String, String>,
    /// Which scope a refresh names (RFC 6749 section 6).
    pub refresh_scope: RefreshScope,
    /// The redirect URI of a dynamic registration (RFC 7591); none for a pre-registered client.
    pub registered_redirect: Option<String>,
}
