//! What a server says with its 401 or 403, and what follows from it. The header is read by the house's one
//! parser, a pure function of the room [`oauth`](crate::oauth).

use http::{HeaderMap, HeaderName};

use crate::oauth::challenge::{self, Challenge as Parsed};

/// The header with the nonce for the next proofs (RFC 9449 section 8.2).
pub(super) const NONCE: HeaderName = HeaderName::from_static("dpop-nonce");
/// The most that is kept of a challenge, in bytes: it is handed on to a sign-in, and its scopes become part
/// of an address for the browser.
const LONGEST: usize = 8 << 10;

/// The `WWW-Authenticate` header values of a 401 or 403, as they came.
#[derive(Debug, Clone, Default)]
pub struct Challenge {
    /// The header's values, in order.
    pub values: Vec<String>,
}

impl Challenge {
    /// The challenges of an answer. What makes them longer than any real one is left out.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut left = LONGEST;
        let values = headers.get_all(http::header::WWW_AUTHENTICATE).iter();
        let values = values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let values = values.filter(|value| {
            let fits = value.len() <= left;
            left -= if fits { value.len() } else { 0 };
            fits
        });
        Challenge { values: values.collect() }
    }

    /// The scopes that the server demands for the request at hand (A-51, RFC 6750 section 3.1): `None` if it
    /// complains of something else, empty if it does not say which.
    pub fn missing_scopes(&self) -> Option<Vec<String>> {
        let said = self.said("insufficient_scope").next()?;
        let mut scopes: Vec<String> = Vec::new();
        for scope in said.get("scope").unwrap_or_default().split(' ').filter(|scope| is_scope(scope)) {
            if !scopes.iter().any(|other| other == scope) {
                scopes.push(scope.to_owned());
            }
        }
        Some(scopes)
    }

    /// Whether the server takes no proof without its nonce (RFC 9449 section 9).
    pub(super) fn wants_nonce(&self) -> bool {
        self.said("use_dpop_nonce").any(|challenge| challenge.scheme == "dpop")
    }

    /// The challenges with this `error`. Other schemes than these two have errors of their own.
    fn said<'a>(&'a self, error: &'a str) -> impl Iterator<Item = Parsed> + 'a {
        let all = self.values.iter().flat_map(|value| challenge::parse(value));
        all.filter(move |challenge| {
            matches!(challenge.scheme.as_str(), "bearer" | "dpop") && challenge.get("error") == Some(error)
        })
    }
}

/// RFC 6749 section 3.3.
fn is_scope(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[&str]) -> Challenge {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("www-authenticate", value.parse().unwrap());
        }
        Challenge::of(&headers)
    }

    // A-51, A-54, RFC 6750 section 3.1.
    #[test]
    fn the_scopes_are_those_of_the_challenge_that_complains_of_scope() {
        let scopes = |values: &[&str]| of(values).missing_scopes();
        let some = |scopes: &[&str]| Some(scopes.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>());
        assert_eq!(scopes(&[r#"Bearer error="insufficient_scope", scope="b a  b""#]), some(&["b", "a"]));
        assert_eq!(scopes(&["Basic realm=x", "DPoP error=insufficient_scope, SCOPE=a"]), some(&["a"]));
        assert_eq!(scopes(&["Bearer error=insufficient_scope"]), some(&[]));
        assert_eq!(scopes(&["Bearer error=invalid_token, scope=a"]), None);
        assert_eq!(scopes(&["Basic error=insufficient_scope, scope=a"]), None);
        assert_eq!(scopes(&[r#"Bearer realm="error=insufficient_scope, scope=a""#]), None);
        // What cannot stand in a scope cannot be asked for.
        assert_eq!(scopes(&["Bearer error=insufficient_scope, scope=\"\u{e9} a\\\"b c\""]), some(&["c"]));
        assert_eq!(scopes(&[]), None);
    }

    // X-03.
    #[test]
    fn a_nonce_is_demanded_by_the_scheme_that_has_one() {
        assert!(of(&["Bearer", r#"DPoP algs="ES256", error="use_dpop_nonce""#]).wants_nonce());
        assert!(!of(&["Bearer error=use_dpop_nonce", "DPoP error=invalid_token"]).wants_nonce());
    }

    #[test]
    fn a_challenge_beyond_measure_is_left_out() {
        let long = format!("Bearer error=insufficient_scope, scope=\"{}\"", "a ".repeat(LONGEST));
        assert_eq!(of(&[&long]).missing_scopes(), None);
        assert_eq!(of(&[&long, "Bearer error=insufficient_scope"]).values.len(), 1);
        assert_eq!(of(&vec!["Bearer"; 10_000]).values.len(), LONGEST / "Bearer".len());
    }
}
