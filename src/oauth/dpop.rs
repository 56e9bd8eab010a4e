//! Tokens that only the owner of a key can use: DPoP (RFC 9449, X-03).
//!
//! A [`Key`] makes one proof for each request: a JWT that names the method, the address and, towards the
//! resource, the token. A server may ask for a nonce in it; the last one of each origin is remembered. The
//! key is made at the sign-in and never leaves this computer.

use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{CommonParameters, Jwk, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use sha2::{Digest, Sha256};
use url::Url;

use crate::credential::{hex, now};
use crate::error::{Error, Name, Result};

/// The longest nonce taken from a server, in bytes.
const LONGEST_NONCE: usize = 1024;
/// How many origins' nonces are remembered: an authorization server and the MCP servers of one sign-in.
const ORIGINS: usize = 8;

/// A key to which tokens are bound: P-256, for `ES256`. Clones are the same key and share its nonces.
#[derive(Clone)]
pub struct Key(Arc<Inner>);

struct Inner {
    signing: EncodingKey,
    public: Jwk,
    /// The last nonce of each origin, the newest at the end.
    nonces: Mutex<Vec<(String, String)>>,
}

/// What a proof is for. Each one serves one request only.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The HTTP method.
    pub method: &'a str,
    /// The address, with or without query.
    pub url: &'a Url,
    /// The access token that goes out with the request; none at the token endpoint.
    pub token: Option<&'a SecretString>,
}

/// The claims of a proof (RFC 9449 section 4.2).
#[derive(Serialize)]
struct Claims<'a> {
    jti: String,
    htm: &'a str,
    htu: String,
    iat: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    ath: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<String>,
}

impl Key {
    /// A new key, as PKCS #8 in PEM: the form in which a record keeps it
    /// ([`Credential::dpop_key`](crate::credential::Credential::dpop_key)).
    ///
    /// # Errors
    /// `internal` if the system gives no randomness.
    pub fn generate() -> Result<SecretString> {
        let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
        let key = key.map_err(|_| Error::new(Name::Internal, "no key could be made"))?;
        let lines = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
        Ok(pem::encode_config(&pem::Pem::new("PRIVATE KEY", key.as_ref()), lines).into())
    }

    /// Reads a key in the form that [`Key::generate`] gives.
    ///
    /// # Errors
    /// `store-corrupt` if it is none: it comes out of a record.
    pub fn from_pem(pem: &SecretString) -> Result<Key> {
        let damaged = |_| Error::new(Name::StoreCorrupt, "the key of the stored sign-in is damaged");
        let signing = EncodingKey::from_ec_pem(pem.expose_secret().as_bytes()).map_err(damaged)?;
        let mut public = Jwk::from_encoding_key(&signing, Algorithm::ES256).map_err(damaged)?;
        public.common = CommonParameters::default();
        Ok(Key(Arc::new(Inner { signing, public, nonces: Mutex::default() })))
    }

    /// The value of the `DPoP` header for one request.
    ///
    /// # Errors
    /// `internal` if the key cannot sign.
    pub fn proof(&self, request: Request<'_>) -> Result<String> {
        let mut htu = request.url.clone();
        htu.set_query(None);
        htu.set_fragment(None);
        let digest =
            |token: &SecretString| URL_SAFE_NO_PAD.encode(Sha256::digest(token.expose_secret().as_bytes()));
        let claims = Claims {
            jti: unique()?,
            htm: request.method,
            htu: htu.into(),
            iat: now(),
            ath: request.token.map(digest),
            nonce: self.nonce(request.url),
        };
        let mut header = Header::new(Algorithm::ES256);
        header.typ = Some("dpop+jwt".to_owned());
        header.jwk = Some(self.0.public.clone());
        jsonwebtoken::encode(&header, &claims, &self.0.signing)
            .map_err(|_| Error::new(Name::Internal, "the key of the sign-in cannot sign"))
    }

    /// The key's thumbprint (RFC 7638): `dpop_jkt` of an authorization request (RFC 9449 section 10), and
    /// `cnf.jkt` of the tokens.
    ///
    /// # Errors
    /// `internal`, never in practice: the key is of a kind that has one.
    pub fn thumbprint(&self) -> Result<String> {
        let thumbprint = self.0.public.thumbprint(ThumbprintHash::SHA256);
        thumbprint.map_err(|_| Error::new(Name::Internal, "the key of the sign-in has no thumbprint"))
    }

    /// Learns the `DPoP-Nonce` of an answer (RFC 9449 section 8.2). What cannot be a nonce is ignored.
    /// Whether it is another one than before.
    pub fn learn(&self, url: &Url, nonce: &str) -> bool {
        let allowed = |b: u8| b.is_ascii_graphic() && b != b'"' && b != b'\\';
        if nonce.is_empty() || nonce.len() > LONGEST_NONCE || !nonce.bytes().all(allowed) {
            return false;
        }
        let origin = url.origin().ascii_serialization();
        let mut nonces = self.0.nonces.lock().unwrap_or_else(PoisonError::into_inner);
        if nonces.iter().any(|(known, last)| *known == origin && last == nonce) {
            return false;
        }
        nonces.retain(|(known, _)| *known != origin);
        if nonces.len() >= ORIGINS {
            nonces.remove(0);
        }
        nonces.push((origin, nonce.to_owned()));
        true
    }

    fn nonce(&self, url: &Url) -> Option<String> {
        let origin = url.origin().ascii_serialization();
        let nonces = self.0.nonces.lock().unwrap_or_else(PoisonError::into_inner);
        nonces.iter().find(|(known, _)| *known == origin).map(|(_, nonce)| nonce.clone())
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key")
    }
}

/// An identifier that no other JWT of ours has: 128 random bits.
pub(super) fn unique() -> Result<String> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|error| Error::new(Name::Internal, error.to_string()))?;
    Ok(hex(&random))
}
