//! Parameters of the OAuth endpoints, out of a JSON body (Chipp), a form body (RFC 6749) or a query.

use std::collections::HashMap;

use http::HeaderMap;
use http::header::CONTENT_TYPE;
use secrecy::{ExposeSecret, SecretString};

use super::options::TokenStyle;

/// Named values, each at most once. Any of them may be a secret, so all are treated as such.
#[derive(Debug, Default)]
pub(super) struct Params(HashMap<String, SecretString>);

impl Params {
    /// Reads a query or a form. Empty values count as missing, repeated names are an error
    /// (RFC 6749 section 3.1).
    pub(super) fn form(bytes: &[u8]) -> Result<Self, &'static str> {
        let mut all = HashMap::new();
        for (name, value) in url::form_urlencoded::parse(bytes) {
            if all.insert(name.into_owned(), SecretString::from(value.into_owned())).is_some() {
                return Err("a parameter is repeated");
            }
        }
        Ok(Params(all).without_empty())
    }

    /// Reads a body by its content type, where the endpoint takes that type.
    pub(super) fn body(headers: &HeaderMap, bytes: &[u8], style: TokenStyle) -> Result<Self, &'static str> {
        match (media_type(headers), style) {
            ("application/json", TokenStyle::Json | TokenStyle::Any) => serde_json::from_slice(bytes)
                .map(|all| Params(all).without_empty())
                .map_err(|_| "the body is not a JSON object of strings"),
            ("application/x-www-form-urlencoded", TokenStyle::Form | TokenStyle::Any) => Params::form(bytes),
            (_, TokenStyle::Json) => Err("the body must be application/json"),
            (_, TokenStyle::Form) => Err("the body must be application/x-www-form-urlencoded"),
            (_, TokenStyle::Any) => Err("the body must be JSON or a form"),
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(ExposeSecret::expose_secret)
    }

    fn without_empty(mut self) -> Self {
        self.0.retain(|_, value| !value.expose_secret().is_empty());
        self
    }
}

/// The content type without its parameters.
pub(super) fn media_type(headers: &HeaderMap) -> &str {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim()
}
