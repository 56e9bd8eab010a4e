//! What an authorization server says of itself: RFC 8414 section 2, OpenID Connect Discovery 1.0
//! section 3. Only the members that matter here; `null` and an empty address count as absent.

use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::error::{Error, Name, Result, clean};
use crate::http;

/// The members, unjudged.
#[derive(Debug, Deserialize)]
pub(super) struct Metadata {
    pub(super) issuer: String,
    authorization_endpoint: Option<String>,
    token_endpoint: Option<String>,
    revocation_endpoint: Option<String>,
    registration_endpoint: Option<String>,
    device_authorization_endpoint: Option<String>,
    userinfo_endpoint: Option<Value>,
    pub(super) code_challenge_methods_supported: Option<Vec<String>>,
    pub(super) token_endpoint_auth_methods_supported: Option<Vec<String>>,
    pub(super) token_endpoint_auth_signing_alg_values_supported: Option<Vec<String>>,
    pub(super) scopes_supported: Option<Vec<String>>,
    pub(super) grant_types_supported: Option<Vec<String>>,
    pub(super) dpop_signing_alg_values_supported: Option<Vec<String>>,
    pub(super) client_id_metadata_document_supported: Option<bool>,
    pub(super) authorization_response_iss_parameter_supported: Option<bool>,
}

/// The addresses in it.
pub(super) struct Addresses {
    pub(super) authorization: Option<Url>,
    pub(super) token: Option<Url>,
    pub(super) revocation: Option<Url>,
    pub(super) registration: Option<Url>,
    pub(super) device: Option<Url>,
}

impl Addresses {
    /// All that there are.
    pub(super) fn all(&self) -> impl Iterator<Item = &Url> {
        [&self.authorization, &self.token, &self.revocation, &self.registration, &self.device]
            .into_iter()
            .flatten()
    }
}

impl Metadata {
    /// Reads the addresses.
    ///
    /// # Errors
    /// `bad-response` if one of them is not an absolute URL.
    pub(super) fn addresses(&self) -> Result<Addresses> {
        let read = |name: &str, text: &Option<String>| {
            let Some(text) = text.as_deref().filter(|text| !text.is_empty()) else { return Ok(None) };
            Url::parse(text).map(Some).map_err(|_| {
                let what = format!("the {name} in the metadata of {} is not a URL", clean(&self.issuer));
                Error::new(Name::BadResponse, what)
            })
        };
        Ok(Addresses {
            authorization: read("authorization_endpoint", &self.authorization_endpoint)?,
            token: read("token_endpoint", &self.token_endpoint)?,
            revocation: read("revocation_endpoint", &self.revocation_endpoint)?,
            registration: read("registration_endpoint", &self.registration_endpoint)?,
            device: read("device_authorization_endpoint", &self.device_authorization_endpoint)?,
        })
    }

    /// Where the account's name can be asked for. Nothing depends on it, so an address that cannot be used is
    /// none.
    pub(super) fn userinfo(&self) -> Option<Url> {
        Url::parse(self.userinfo_endpoint.as_ref()?.as_str()?).ok().filter(|url| http::check(url).is_ok())
    }

    /// Whether the server promises PKCE with S256 (A-25, D7).
    pub(super) fn promises_pkce(&self) -> bool {
        self.code_challenge_methods_supported.iter().flatten().any(|method| method == "S256")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Metadata {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn null_and_nothing_are_absent_and_rubbish_is_named() {
        let found = read(
            r#"{"issuer":"i","revocation_endpoint":"","registration_endpoint":null,"scopes_supported":null}"#,
        );
        assert_eq!(found.addresses().unwrap().all().count(), 0);
        for text in ["/token", "nonsense", "https://", " "] {
            let found = read(&serde_json::json!({"issuer": "i", "token_endpoint": text}).to_string());
            assert!(found.addresses().is_err_and(|error| error.what().contains("token_endpoint")), "{text}");
        }
    }

    // A-25: the string counts, not something like it.
    #[test]
    fn only_s256_is_a_promise_of_pkce() {
        let promises = |methods: &str| {
            read(&format!(r#"{{"issuer":"i","code_challenge_methods_supported":{methods}}}"#)).promises_pkce()
        };
        assert!(promises(r#"["plain","S256"]"#));
        for methods in ["null", "[]", r#"["plain"]"#, r#"["s256"]"#, r#"["S256 "]"#, r#"["RS256"]"#] {
            assert!(!promises(methods), "{methods}");
        }
        assert!(!read(r#"{"issuer":"i"}"#).promises_pkce());
    }
}
