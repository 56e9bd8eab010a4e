//! One profile, as it is written in the file.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::manner::{Auth, BasicEncoding, Pkce, RedirectHost, Style};
use crate::credential::RefreshScope;
use crate::store::Kind;

/// One profile as written in the file.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The preset whose facts stand behind those of this entry.
    pub preset: Option<String>,
    /// Values for the names that stand in braces in the preset's addresses.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    /// Where the sign-ins and the client secret are kept.
    pub store: Option<Kind>,
    /// The MCP endpoint.
    pub url: Option<String>,
    /// How requests to it are authorized.
    pub auth: Option<Auth>,
    /// The authorization server's issuer.
    pub authorization_server: Option<String>,
    /// The authorization endpoint. Stated together with the token endpoint; then nothing is discovered.
    pub authorize_url: Option<String>,
    /// The token endpoint.
    pub token_url: Option<String>,
    /// The revocation endpoint.
    pub revoke_url: Option<String>,
    /// The userinfo endpoint, to learn the account's name.
    pub userinfo_url: Option<String>,
    /// A pre-registered client id.
    pub client_id: Option<String>,
    /// The scope to ask for.
    pub scope: Option<String>,
    /// The token request style.
    pub token_style: Option<Style>,
    /// How id and secret stand in HTTP Basic.
    pub basic_encoding: Option<BasicEncoding>,
    /// Further parameters of the authorization request.
    #[serde(default)]
    pub authorize_params: BTreeMap<String, String>,
    /// Further parameters of token requests.
    #[serde(default)]
    pub token_params: BTreeMap<String, String>,
    /// The host of the redirect URI.
    pub redirect_host: Option<RedirectHost>,
    /// Its path; `/callback` otherwise.
    pub redirect_path: Option<String>,
    /// Its port; otherwise any that is free.
    pub redirect_port: Option<u16>,
    /// The scope that a refresh names.
    pub refresh_scope: Option<RefreshScope>,
    /// Further headers of requests to the MCP server.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The only hosts to which the sign-in and the tokens may go; `*.example.com` stands for those below.
    pub hosts: Option<Vec<String>>,
    /// Token types that are taken besides `Bearer`.
    pub token_types: Option<Vec<String>>,
    /// Where the account's name is looked for, in this order.
    pub account_from: Option<Vec<String>>,
    /// The address of our client ID metadata document.
    pub client_metadata_url: Option<String>,
    /// The client's private key (`private_key_jwt`), a PEM file.
    pub client_key_file: Option<PathBuf>,
    /// `auto`, `omit`, or the value of the `resource` parameter.
    pub resource: Option<String>,
    /// States that the server supports PKCE, where its metadata does not.
    #[serde(default)]
    pub pkce_unverified: bool,
    /// `s256`, or `omit` for a provider that refuses PKCE.
    pub pkce: Option<Pkce>,
    /// Binds tokens to a key (DPoP).
    #[serde(default)]
    pub dpop: bool,
    /// The client signs in for itself, without a person.
    #[serde(default)]
    pub client_credentials: bool,
    /// A file with a JWT to sign in with (workload identity).
    pub assertion_file: Option<PathBuf>,
    /// The issuer of the identity provider (enterprise-managed authorization).
    pub idp: Option<String>,
    /// The client id at the identity provider.
    pub idp_client_id: Option<String>,
    /// A file with the user's ID token.
    pub id_token_file: Option<PathBuf>,
}

impl Entry {
    /// The keys that are stated, with their values.
    pub fn members(&self) -> Map<String, Value> {
        let Ok(Value::Object(mut members)) = serde_json::to_value(self) else { return Map::new() };
        members.retain(|_, value| match value {
            Value::Null | Value::Bool(false) => false,
            Value::Object(inner) => !inner.is_empty(),
            _ => true,
        });
        members
    }

    /// The value of a key, if it is a text.
    pub fn text(&self, key: &str) -> Option<String> {
        self.members().get(key).and_then(Value::as_str).map(str::to_owned)
    }
}
