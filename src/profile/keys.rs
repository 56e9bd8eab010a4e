//! The keys of a profile: one table, from which the strict reader, the flags of `profile add` and the steps of
//! its dialog come. The JSON schema and the structure that is read are held to it by tests.

use super::check::value::{self, Verdict};

/// What may stand behind a key.
#[derive(Clone, Copy)]
pub enum Form {
    /// A text that passes this check.
    Text(fn(&str) -> Verdict),
    /// One of these words.
    Word(&'static [&'static str]),
    /// `true` or `false`.
    Switch,
    /// A port.
    Port,
    /// A list of texts that each pass this check.
    List(fn(&str) -> Verdict),
    /// A table of texts, each of which passes this check with its name.
    Table(fn(&str, &str) -> Verdict),
}

/// One key.
pub struct Key {
    /// As it stands in the file.
    pub name: &'static str,
    /// What may stand behind it.
    pub form: Form,
    /// The flag that sets it, without its dashes.
    pub flag: &'static str,
    /// What stands behind the flag in the help.
    pub value: &'static str,
    /// What it is for, in one line.
    pub about: &'static str,
    /// Whether it makes sense only where users sign in with OAuth.
    pub oauth: bool,
}

const fn key(
    name: &'static str,
    form: Form,
    flag: &'static str,
    value: &'static str,
    about: &'static str,
) -> Key {
    Key { name, form, flag, value, about, oauth: true }
}

const fn plain(key: Key) -> Key {
    Key { oauth: false, ..key }
}

use Form::{List, Port, Switch, Table, Text, Word};

/// The token request styles, as words.
pub const STYLES: &[&str] = &["auto", "form_post", "form_basic", "json", "json_basic"];
/// The ways to authorize requests, as words.
pub const AUTHS: &[&str] = &["oauth", "bearer", "none"];

/// Every key, in the order in which a new profile is written.
#[rustfmt::skip]
pub const KEYS: &[Key] = &[
    plain(key("preset", Text(value::preset), "preset", "PRESET", "A provider whose facts stand behind this profile; `profile presets` lists them")),
    plain(key("variables", Table(value::variable), "set", "NAME=VALUE", "A value for a name that stands in braces in the preset's addresses")),
    plain(key("url", Text(value::address), "url", "URL", "The address of the MCP server")),
    plain(key("auth", Word(AUTHS), "auth", "TYPE", "How requests are authorized: oauth (each user signs in), bearer (a token you have), none")),
    plain(key("store", Word(&["keychain", "file"]), "store", "STORE", "Where the sign-ins and the client secret are kept: keychain or file")),
    key("authorization_server", Text(value::issuer), "authorization-server", "ISSUER", "The authorization server, if the MCP server does not name it"),
    key("authorize_url", Text(value::address), "authorize-url", "URL", "The authorization endpoint; with --token-url, and then nothing is discovered"),
    key("token_url", Text(value::address), "token-url", "URL", "The token endpoint"),
    key("revoke_url", Text(value::address), "revoke-url", "URL", "The revocation endpoint"),
    key("userinfo_url", Text(value::address), "userinfo-url", "URL", "The userinfo endpoint, to learn the account's name"),
    key("client_id", Text(value::client_id), "client-id", "ID", "The client id that the provider gave you"),
    key("scope", Text(value::scope), "scope", "SCOPE", "The permissions to ask for, separated by blanks"),
    key("token_style", Word(STYLES), "token-style", "STYLE", "How token requests are written: auto, form_post, form_basic, json, json_basic"),
    key("basic_encoding", Word(&["form", "raw"]), "basic-encoding", "HOW", "How id and secret stand in HTTP Basic: form (RFC 6749) or raw"),
    key("authorize_params", Table(value::authorize_param), "authorize-param", "NAME=VALUE", "A further parameter of the authorization request"),
    key("token_params", Table(value::token_param), "token-param", "NAME=VALUE", "A further parameter of token requests"),
    key("redirect_host", Word(&["localhost", "127.0.0.1", "[::1]"]), "redirect-host", "HOST", "The host of the redirect URI: localhost, 127.0.0.1 or [::1]"),
    key("redirect_path", Text(value::redirect_path), "redirect-path", "PATH", "The path of the redirect URI; otherwise /callback"),
    key("redirect_port", Port, "redirect-port", "PORT", "The port of the redirect URI; otherwise any that is free"),
    key("resource", Text(value::resource), "resource", "RESOURCE", "The `resource` parameter: auto, omit, or a value"),
    key("refresh_scope", Word(&["omit", "requested", "granted"]), "refresh-scope", "WHICH", "The scope that a refresh names: omit, requested or granted"),
    plain(key("headers", Table(value::header), "header", "'NAME: VALUE'", "A header for the MCP server; ${NAME} stands for a variable of the environment")),
    plain(key("hosts", List(value::host), "host", "HOST", "A host to which sign-in and tokens may go, such as *.example.com; then no other")),
    key("token_types", List(value::token_type), "token-type", "TYPE", "A token type to take besides Bearer"),
    key("account_from", List(value::place), "account-from", "PLACE", "Where the account's name is, such as id_token.email"),
    key("client_metadata_url", Text(value::address), "client-metadata-url", "URL", "The address of a client ID metadata document"),
    key("client_key_file", Text(value::path), "client-key-file", "FILE", "The client's private key in PEM (private_key_jwt)"),
    key("pkce_unverified", Switch, "pkce-unverified", "", "The server supports PKCE, although its metadata does not say so"),
    key("pkce", Word(&["s256", "omit"]), "pkce", "HOW", "PKCE of the authorization request: s256, or omit for a provider that refuses it"),
    key("dpop", Switch, "dpop", "", "Bind the tokens to a key of this computer (DPoP)"),
    key("client_credentials", Switch, "client-credentials", "", "Sign in as the client itself, without a person"),
    key("assertion_file", Text(value::path), "assertion-file", "FILE", "Sign in with the JWT in this file (workload identity)"),
    key("idp", Text(value::issuer), "idp", "ISSUER", "Sign in through your organization's identity provider"),
    key("idp_client_id", Text(value::client_id), "idp-client-id", "ID", "The client id at the identity provider"),
    key("id_token_file", Text(value::path), "id-token-file", "FILE", "A file with the user's ID token"),
];

/// The key of this name.
pub fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// The keys that the built-in `chipp` takes: where it is, and as which client.
pub const OF_CHIPP: &[&str] = &["url", "authorization_server", "client_id", "scope", "store"];
