//! Sealed bytes: text that only the passphrase opens, and only in the place it was sealed for.
//!
//! XChaCha20-Poly1305 under a key that Argon2id makes from the passphrase. The random 24-byte nonce may be
//! drawn anew for each text without counting. The header carries the derivation's salt and cost, so that
//! they can change; it and the name of the place are authenticated with the text, so that a sealed file
//! cannot be moved to another account.
//!
//! ```text
//! 0   7  "chippsl"          20 16  salt                    60  8  checksum of the rest of it
//! 7   1  version            36 24  nonce                   68 16  key check
//! 8  12  memory KiB, passes, lanes (u32 LE each)           84  …  text and tag
//! ```
//!
//! The key check tells a wrong passphrase from damage. It is a hash of the derived key: it makes guessing
//! no easier, since the tag already tells whoever has the file whether a guess is right. Both checks are
//! for good error messages only: what protects the text is the tag alone.

use std::sync::{Arc, Mutex, PoisonError};

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use secrecy::zeroize::Zeroize;
use secrecy::{ExposeSecret, SecretBox, SecretString};
use sha2::{Digest, Sha256};

use crate::credential::record::Damage;
use crate::error::{Error, Name, Result};

const MAGIC: &[u8; 7] = b"chippsl";
const VERSION: u8 = 1;
const HEADER: usize = 84;
/// OWASP's choice for Argon2id: 19 MiB, 2 passes, 1 lane. About 30 ms.
const COST: [u32; 3] = [19 * 1024, 2, 1];
/// The dearest derivation that a file may ask for: a damaged header must not take the memory (I6).
const MAX_COST: [u32; 3] = [256 * 1024, 16, 4];
/// Keys kept in a process. Each file brings a salt of its own at worst.
const MAX_KEYS: usize = 16;

/// What was found in sealed bytes.
#[derive(Debug)]
pub enum Opened {
    /// The text.
    Text(SecretString),
    /// Not ours, torn, changed, moved here from another place, or of a newer version.
    Damaged(Damage),
}

/// Seals and opens with one passphrase. A key is derived once for each salt.
pub struct Sealer {
    passphrase: Option<SecretString>,
    keys: Mutex<Vec<Arc<Keys>>>,
}

/// Salt and cost: what the key depends on besides the passphrase.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Derivation {
    cost: [u32; 3],
    salt: [u8; 16],
}

struct Keys {
    from: Derivation,
    key: SecretBox<[u8; 32]>,
    check: [u8; 16],
}

struct Header {
    from: Derivation,
    nonce: [u8; 24],
    check: [u8; 16],
}

impl Sealer {
    /// A sealer. Without a passphrase (or with an empty one) it names `store-sealed` at each use.
    pub fn new(passphrase: Option<SecretString>) -> Self {
        let passphrase = passphrase.filter(|passphrase| !passphrase.expose_secret().is_empty());
        Sealer { passphrase, keys: Mutex::new(Vec::new()) }
    }

    /// Seals a text for a place, for instance a key's user name. Slow at first use: a key is derived.
    ///
    /// # Errors
    /// `store-sealed` without a passphrase; `internal` without randomness.
    pub fn seal(&self, place: &str, text: &SecretString) -> Result<Vec<u8>> {
        let keys = self.keys_for_writing()?;
        let mut nonce = [0; 24];
        random(&mut nonce)?;
        let header = Header { from: keys.from, nonce, check: keys.check }.encode();
        let aad = aad(&header, place);
        let payload = Payload { msg: text.expose_secret().as_bytes(), aad: &aad };
        let sealed = keys
            .cipher()
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| Error::new(Name::Internal, "the text is too long to be sealed"))?;
        Ok([header.as_slice(), &sealed].concat())
    }

    /// Opens what was sealed for the same place. Total: any bytes give a text, a kind of damage or an error.
    ///
    /// # Errors
    /// `store-sealed` without the right passphrase.
    pub fn open(&self, place: &str, bytes: &[u8]) -> Result<Opened> {
        let header = match Header::decode(bytes) {
            Ok(header) => header,
            Err(damage) => return Ok(Opened::Damaged(damage)),
        };
        let keys = self.keys(header.from)?;
        if keys.check != header.check {
            return Err(Error::new(
                Name::StoreSealed,
                "the encrypted file was sealed with another passphrase",
            ));
        }
        let aad = aad(&bytes[..HEADER], place);
        let payload = Payload { msg: &bytes[HEADER..], aad: &aad };
        let opened = keys.cipher().decrypt(&XNonce::from(header.nonce), payload);
        Ok(match opened.map(String::from_utf8) {
            Ok(Ok(text)) => Opened::Text(text.into()),
            Ok(Err(error)) => {
                error.into_bytes().zeroize();
                Opened::Damaged(Damage::Corrupt)
            }
            Err(_) => Opened::Damaged(Damage::Corrupt),
        })
    }

    /// A key that this process has already derived at today's cost, or else one with a new salt.
    fn keys_for_writing(&self) -> Result<Arc<Keys>> {
        let known = self.cache().iter().find(|keys| keys.from.cost == COST).cloned();
        if let Some(keys) = known {
            return Ok(keys);
        }
        let mut salt = [0; 16];
        random(&mut salt)?;
        self.keys(Derivation { cost: COST, salt })
    }

    fn keys(&self, from: Derivation) -> Result<Arc<Keys>> {
        let Some(passphrase) = &self.passphrase else {
            return Err(Error::new(Name::StoreSealed, "the encrypted store needs its passphrase"));
        };
        let known = self.cache().iter().find(|keys| keys.from == from).cloned();
        if let Some(keys) = known {
            return Ok(keys);
        }
        // Not under the lock: two threads may derive the same key, which only costs time.
        let keys = Arc::new(Keys::derive(passphrase, from)?);
        let mut cache = self.cache();
        cache.truncate(MAX_KEYS - 1);
        cache.insert(0, keys.clone());
        Ok(keys)
    }

    fn cache(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Keys>>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Keys {
    fn derive(passphrase: &SecretString, from: Derivation) -> Result<Self> {
        let internal = |error: argon2::Error| Error::new(Name::Internal, error.to_string());
        let [memory, passes, lanes] = from.cost;
        let params = Params::new(memory, passes, lanes, Some(32)).map_err(internal)?;
        let mut root = [0; 32];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.expose_secret().as_bytes(), &from.salt, &mut root)
            .map_err(internal)?;
        let mut check = [0; 16];
        check.copy_from_slice(&labelled("chipp-auth sealed check", &root)[..16]);
        let key = SecretBox::init_with_mut(|key: &mut [u8; 32]| {
            *key = labelled("chipp-auth sealed key", &root);
        });
        root.zeroize();
        Ok(Keys { from, key, check })
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.key.expose_secret().into())
    }
}

impl Header {
    fn encode(&self) -> [u8; HEADER] {
        let mut out = [0; HEADER];
        out[..7].copy_from_slice(MAGIC);
        out[7] = VERSION;
        for (at, cost) in [8, 12, 16].into_iter().zip(self.from.cost) {
            out[at..at + 4].copy_from_slice(&cost.to_le_bytes());
        }
        out[20..36].copy_from_slice(&self.from.salt);
        out[36..60].copy_from_slice(&self.nonce);
        out[68..84].copy_from_slice(&self.check);
        let sum = checksum(&out);
        out[60..68].copy_from_slice(&sum);
        out
    }

    fn decode(bytes: &[u8]) -> std::result::Result<Self, Damage> {
        if bytes.len() < 8 || &bytes[..7] != MAGIC {
            return Err(Damage::Corrupt);
        }
        if bytes[7] > VERSION {
            return Err(Damage::Newer(bytes[7].into()));
        }
        let header: &[u8; HEADER] = bytes.first_chunk().ok_or(Damage::Corrupt)?;
        if header[7] != VERSION || header[60..68] != checksum(header) {
            return Err(Damage::Corrupt);
        }
        let cost = [8, 12, 16]
            .map(|at| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]));
        if cost.iter().zip(MAX_COST).any(|(cost, max)| *cost == 0 || *cost > max) || cost[0] < 8 * cost[2] {
            return Err(Damage::Corrupt);
        }
        let (mut salt, mut nonce, mut check) = ([0; 16], [0; 24], [0; 16]);
        salt.copy_from_slice(&header[20..36]);
        nonce.copy_from_slice(&header[36..60]);
        check.copy_from_slice(&header[68..84]);
        Ok(Header { from: Derivation { cost, salt }, nonce, check })
    }
}

/// Covers everything in the header but itself, so that damage there is not taken for a wrong passphrase.
fn checksum(header: &[u8; HEADER]) -> [u8; 8] {
    let hash = Sha256::new().chain_update(&header[..60]).chain_update(&header[68..]).finalize();
    let mut sum = [0; 8];
    sum.copy_from_slice(&hash[..8]);
    sum
}

fn labelled(label: &str, root: &[u8; 32]) -> [u8; 32] {
    Sha256::new().chain_update(label).chain_update(root).finalize().into()
}

/// The header has a fixed length, so header and place cannot run into each other.
fn aad(header: &[u8], place: &str) -> Vec<u8> {
    [header, place.as_bytes()].concat()
}

fn random(bytes: &mut [u8]) -> Result<()> {
    getrandom::fill(bytes).map_err(|error| Error::new(Name::Internal, error.to_string()))
}

#[cfg(test)]
mod tests;
