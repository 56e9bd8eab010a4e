//! Looks for secrets in bytes: as they are, backwards, percent-encoded, in hexadecimal and in Base64 at each
//! alignment; and not only for whole ones.

use std::collections::{HashMap, HashSet};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

/// So many bytes in a row are a leak, also of a secret that was cut short; in a form that takes two or three bytes
/// for one, so many more.
const WINDOW: usize = 12;
const WIDE: usize = 3 * WINDOW;
/// A PKCE verifier of 32 random bytes.
const VERIFIER: usize = 43;

pub struct Search {
    windows: [HashMap<Vec<u8>, String>; 2],
    challenges: HashSet<String>,
}

impl Search {
    /// `secrets` with their names, and the S256 challenges of verifiers, which nobody but the program and the server
    /// sees: a verifier is known by its hash.
    pub fn new(secrets: &[(String, String)], challenges: &[String]) -> Search {
        let mut windows = [HashMap::new(), HashMap::new()];
        for (name, secret) in secrets {
            for (form, bytes) in forms(secret) {
                let wide = bytes.len() >= 2 * secret.len();
                for window in bytes.windows(if wide { WIDE } else { WINDOW }) {
                    windows[usize::from(wide)].insert(window.to_vec(), format!("{name}, {form}"));
                }
            }
        }
        Search { windows, challenges: challenges.iter().cloned().collect() }
    }

    /// What is found in these bytes.
    pub fn find(&self, bytes: &[u8]) -> Option<String> {
        let narrow = || bytes.windows(WINDOW).find_map(|window| self.windows[0].get(window).cloned());
        let wide = || bytes.windows(WIDE).find_map(|window| self.windows[1].get(window).cloned());
        let reversed: Vec<u8> = bytes.iter().rev().copied().collect();
        let verifier = || [bytes, &reversed].into_iter().any(|bytes| self.holds_verifier(bytes));
        narrow().or_else(wide).or_else(|| verifier().then(|| "PKCE verifier".to_owned()))
    }

    fn holds_verifier(&self, bytes: &[u8]) -> bool {
        let unreserved = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
        let runs = bytes.split(|byte| !unreserved(byte)).filter(|run| run.len() >= VERIFIER);
        runs.flat_map(|run| run.windows(VERIFIER))
            .any(|window| self.challenges.contains(&URL_SAFE_NO_PAD.encode(Sha256::digest(window))))
    }
}

/// Every form of a secret.
pub fn forms(secret: &str) -> Vec<(&'static str, Vec<u8>)> {
    let bytes = secret.as_bytes();
    let each = |show: fn(u8) -> String| bytes.iter().map(|byte| show(*byte)).collect::<String>().into_bytes();
    let mut forms = vec![
        ("raw", bytes.to_vec()),
        ("reversed", bytes.iter().rev().copied().collect()),
        ("form-encoded", url::form_urlencoded::byte_serialize(bytes).collect::<String>().into_bytes()),
        ("percent-encoded", each(|byte| format!("%{byte:02X}"))),
        ("percent-encoded in small letters", each(|byte| format!("%{byte:02x}"))),
        ("hexadecimal", each(|byte| format!("{byte:02x}"))),
    ];
    // In front of the secret stand 0, 1 or 2 bytes of another group. The characters that mix both are left out.
    for (before, mixed) in [(0, 0), (1, 2), (2, 3)] {
        let shifted = [&vec![0; before], bytes].concat();
        let whole = |text: String| text.as_bytes()[mixed..text.len() - 1].to_vec();
        forms.push(("Base64", whole(STANDARD_NO_PAD.encode(&shifted))));
        forms.push(("Base64 for URLs", whole(URL_SAFE_NO_PAD.encode(&shifted))));
    }
    forms
}
