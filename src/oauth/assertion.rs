//! A client that authenticates with its private key: `private_key_jwt` (RFC 7523 section 2.2, A-40).
//!
//! The key stays here; the server gets a JWT that lives a minute and serves once.

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use super::dpop::unique;
use crate::credential::{Client, now};
use crate::error::{Error, Name, Result};

/// `client_assertion_type` (RFC 7523 section 2.2).
pub(super) const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// How long an assertion lives, in seconds.
const LIFETIME: u64 = 60;

/// The claims (RFC 7523 section 3).
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    iat: u64,
    exp: u64,
    jti: String,
}

/// The algorithm for a key where the server takes only some; none if it takes all, or none of the key's.
pub fn algorithm(key: &SecretString, taken: &[String]) -> Option<String> {
    let (_, algorithms) = read(key).ok()?;
    let names = algorithms.iter().map(|algorithm| name(*algorithm));
    names.filter(|name| taken.iter().any(|taken| taken == name)).map(str::to_owned).next()
}

/// An assertion of `client` for the authorization server `issuer`, for one request.
///
/// The audience is the issuer identifier and nothing else: an assertion that also named an endpoint could be
/// taken from one server to another (RFC 7523bis section 4).
///
/// # Errors
/// `config-bad` if the key is none that can sign.
pub(super) fn sign(client: &Client, key: &SecretString, issuer: &str) -> Result<String> {
    let issued = now();
    let claims = Claims {
        iss: &client.id,
        sub: &client.id,
        aud: issuer,
        iat: issued,
        exp: issued.saturating_add(LIFETIME),
        jti: unique()?,
    };
    let (key, algorithms) = read(key)?;
    let named = client.algorithm.as_deref();
    let wanted = algorithms.iter().find(|algorithm| named == Some(name(**algorithm)));
    // A curve shows itself only when its key signs: the wrong algorithm's attempt fails.
    wanted
        .into_iter()
        .chain(algorithms)
        .find_map(|algorithm| jsonwebtoken::encode(&Header::new(*algorithm), &claims, &key).ok())
        .ok_or_else(unusable)
}

/// A key in PEM, and the algorithms it may be for, the usual ones first.
fn read(pem: &SecretString) -> Result<(EncodingKey, &'static [Algorithm])> {
    use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
    let pem = pem.expose_secret().as_bytes();
    if let Ok(key) = EncodingKey::from_ec_pem(pem) {
        return Ok((key, &[ES256, ES384]));
    }
    if let Ok(key) = EncodingKey::from_ed_pem(pem) {
        return Ok((key, &[EdDSA]));
    }
    let key = EncodingKey::from_rsa_pem(pem).map_err(|_| unusable())?;
    Ok((key, &[RS256, PS256, RS384, PS384, RS512, PS512]))
}

fn unusable() -> Error {
    Error::new(Name::ConfigBad, "the client's private key cannot be used")
        .hinted("give a private key in PEM (PKCS #8): P-256, P-384, RSA of 2048 bits or more, or Ed25519")
}

/// The name of an algorithm (RFC 7518 section 3.1).
fn name(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::ES256 => "ES256",
        Algorithm::ES384 => "ES384",
        Algorithm::EdDSA => "EdDSA",
        Algorithm::RS256 => "RS256",
        Algorithm::RS384 => "RS384",
        Algorithm::RS512 => "RS512",
        Algorithm::PS256 => "PS256",
        Algorithm::PS384 => "PS384",
        Algorithm::PS512 => "PS512",
        _ => "",
    }
}
