//! Reads `profiles.toml` from the user's own configuration directory.
//!
//! Strict, because a profile decides where tokens go: unknown keys, control characters and a file that
//! others may write are refused, never skipped (security.md F1-F4).

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::manner::{Auth, BasicEncoding, Pkce, RedirectHost, Style};
use crate::credential::RefreshScope;
use crate::error::{Error, Name, Result, clean};
use crate::paths::io_error;

/// The largest configuration file, in bytes.
const LIMIT: u64 = 256 * 1024;

/// One profile as written in the file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The preset whose facts stand behind those of this entry.
    pub preset: Option<String>,
    /// Values for the names that stand in braces in the preset's addresses.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
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

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    profiles: BTreeMap<String, Entry>,
}

/// Reads the profiles in `directory`; none if there is no file.
///
/// # Errors
/// `config-bad` if it is not what it should be, `config-untrusted` if others may write it.
pub fn load(directory: &Path) -> Result<BTreeMap<String, Entry>> {
    let path = directory.join("profiles.toml");
    let file = match fs::File::open(&path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(BTreeMap::new());
        }
        Err(error) => return Err(io_error("read", &path, &error)),
    };
    trusted(&path, &file.metadata().map_err(|error| io_error("look at", &path, &error))?)?;
    let mut text = String::new();
    file.take(LIMIT).read_to_string(&mut text).map_err(|_| bad(&path, "it is not a text file"))?;
    parse(&text).map_err(|why| bad(&path, &why))
}

/// Reads the text of the file. Pure.
fn parse(text: &str) -> Result<BTreeMap<String, Entry>, String> {
    let file: File = toml::from_str(text).map_err(|error| clean(error.message()))?;
    for (name, entry) in &file.profiles {
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) {
            return Err(format!("a profile name may contain only letters, digits and -_. ({})", clean(name)));
        }
        let values = [&entry.url, &entry.authorization_server, &entry.client_id, &entry.scope];
        let more = [&entry.client_metadata_url, &entry.resource, &entry.idp, &entry.idp_client_id];
        if values.into_iter().chain(more).flatten().any(|value| value.chars().any(char::is_control)) {
            return Err(format!("a value of the profile {name} contains a control character"));
        }
    }
    Ok(file.profiles)
}

fn bad(path: &Path, why: &str) -> Error {
    Error::new(Name::ConfigBad, format!("{} cannot be used: {why}", path.display()))
}

#[cfg(unix)]
fn trusted(path: &Path, metadata: &fs::Metadata) -> Result<()> {
    use std::os::unix::fs::MetadataExt;
    let me = rustix::process::geteuid().as_raw();
    if metadata.mode() & 0o022 != 0 || (metadata.uid() != me && metadata.uid() != 0) {
        let what = format!("{} can be changed by other users", path.display());
        return Err(Error::new(Name::ConfigUntrusted, what));
    }
    Ok(())
}

// On Windows the user's profile directory is private by its inherited access list.
#[cfg(not(unix))]
fn trusted(_: &Path, _: &fs::Metadata) -> Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_read_and_anything_unknown_is_refused() {
        let profiles =
            parse("[profiles.work]\nurl = \"https://e.com/mcp\"\ntoken_style = \"form_basic\"").unwrap();
        assert_eq!(
            profiles["work"].token_style,
            Some(Style::Named(crate::credential::TokenStyle::FormBasic))
        );
        for bad in [
            "[profiles.work]\nclient_secret = \"s\"",
            "[profile.work]",
            "[profiles.work]\nurl = \"https://e.com/\\r\\nx\"",
            "[profiles.\"a b\"]",
            "[profiles.work]\ntoken_style = \"soap\"",
            "[",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_may_write_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("profiles.toml");
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(load(home.path()).unwrap().is_empty());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        assert_eq!(load(home.path()).unwrap_err().name(), Name::ConfigUntrusted);
    }
}
