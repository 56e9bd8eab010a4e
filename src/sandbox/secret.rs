//! Making and comparing secrets. Kept secrets are found by their SHA-256, never by their text, so
//! that no table in memory and no comparison depends on a secret's bytes.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

/// The SHA-256 of a secret.
pub(super) type Print = [u8; 32];

/// 256 random bits in 43 characters, after a prefix.
#[expect(clippy::expect_used, reason = "without the system's random numbers no sandbox can run")]
pub(super) fn fresh(prefix: &str) -> String {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the system's random numbers are available");
    format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes))
}

pub(super) fn print(secret: &str) -> Print {
    Sha256::digest(secret.as_bytes()).into()
}

/// Compares in a time that says nothing about where two secrets differ.
pub(super) fn same(left: &str, right: &str) -> bool {
    print(left) == print(right)
}

/// The S256 challenge of a verifier (RFC 7636 section 4.2). Not the OAuth library's function: the
/// sandbox judges what that library computed.
pub(super) fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(print(verifier))
}

/// A source expression for a Content-Security-Policy.
pub(super) fn csp_hash(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(print(text)))
}

/// The text behind padded Base64, as HTTP Basic carries it.
pub(super) fn decode(text: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(text).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_is_that_of_rfc_7636_appendix_b() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(challenge(verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn secrets_are_long_and_never_twice_the_same() {
        let (one, two) = (fresh("chipp_at_"), fresh("chipp_at_"));
        assert_ne!(one, two);
        assert_eq!(one.len(), "chipp_at_".len() + 43);
    }
}
