//! The text form of a [`Credential`]: versioned, and with a checksum, so that a torn, edited or
//! foreign value is never taken for a sign-in (security.md S6, rows 116-118).
//!
//! Text and not bytes, because some Secret Services (KWallet) keep UTF-8 only. This is one of the
//! few places that expose secrets: the boundary towards the stores.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use url::Url;

use super::{Client, Credential, Grant, RefreshScope, TokenStyle, Tokens, hex};

/// The version this program writes.
const VERSION: u32 = 1;

/// Why a stored value is not a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// Torn, edited, or never ours.
    Corrupt,
    /// Written by a newer version of this program.
    Newer(u32),
}

#[derive(Serialize, Deserialize)]
struct Envelope<'a> {
    v: u32,
    #[serde(default)]
    sum: String,
    #[serde(borrow)]
    body: &'a RawValue,
}

#[derive(Serialize, Deserialize)]
struct Body {
    issuer: String,
    resource: Option<String>,
    origins: Vec<String>,
    token_endpoint: Url,
    revocation_endpoint: Option<Url>,
    client_id: String,
    #[serde(serialize_with = "expose")]
    client_secret: Option<SecretString>,
    #[serde(default, serialize_with = "expose", skip_serializing_if = "Option::is_none")]
    client_key: Option<SecretString>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_algorithm: Option<String>,
    #[serde(default, serialize_with = "expose", skip_serializing_if = "Option::is_none")]
    idp_secret: Option<SecretString>,
    #[serde(default)]
    grant: Grant,
    #[serde(default, serialize_with = "expose", skip_serializing_if = "Option::is_none")]
    dpop_key: Option<SecretString>,
    style: TokenStyle,
    #[serde(default)]
    raw_basic: bool,
    #[serde(default)]
    token_params: BTreeMap<String, String>,
    #[serde(default)]
    refresh_scope: RefreshScope,
    registered_redirect: Option<String>,
    requested_scope: Option<String>,
    #[serde(default)]
    identity: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(default)]
    instance: Option<String>,
    #[serde(serialize_with = "expose_one")]
    access_token: SecretString,
    #[serde(serialize_with = "expose")]
    refresh_token: Option<SecretString>,
    scope: Option<String>,
    expires_in: Option<u64>,
    received_at_ms: u64,
    refresh_expires_at: Option<u64>,
    generation: u64,
    signed_in_at: u64,
    refused_at: Option<u64>,
    #[serde(default)]
    client_refused_at: Option<u64>,
}

fn expose<S: serde::Serializer>(secret: &Option<SecretString>, to: S) -> Result<S::Ok, S::Error> {
    secret.as_ref().map(ExposeSecret::expose_secret).serialize(to)
}

fn expose_one<S: serde::Serializer>(secret: &SecretString, to: S) -> Result<S::Ok, S::Error> {
    secret.expose_secret().serialize(to)
}

/// Writes a record as text.
///
/// # Errors
/// Never in practice: all members serialize. The error is passed on and not unwrapped.
pub fn encode(credential: &Credential) -> Result<SecretString, serde_json::Error> {
    let Credential { client, tokens, .. } = credential.clone();
    let body = serde_json::value::to_raw_value(&Body {
        issuer: credential.issuer.clone(),
        resource: credential.resource.clone(),
        origins: credential.origins.clone(),
        token_endpoint: credential.token_endpoint.clone(),
        revocation_endpoint: credential.revocation_endpoint.clone(),
        client_id: client.id,
        client_secret: client.secret,
        client_key: client.key,
        client_algorithm: client.algorithm,
        idp_secret: client.idp_secret,
        grant: credential.grant.clone(),
        dpop_key: credential.dpop_key.clone(),
        style: client.style,
        raw_basic: client.raw_basic,
        token_params: client.token_params,
        refresh_scope: client.refresh_scope,
        registered_redirect: client.registered_redirect,
        requested_scope: credential.requested_scope.clone(),
        identity: credential.identity.clone(),
        subject: credential.subject.clone(),
        instance: credential.instance.clone(),
        access_token: tokens.access,
        refresh_token: tokens.refresh,
        scope: tokens.scope,
        expires_in: tokens.expires_in,
        received_at_ms: tokens.received_at_ms,
        refresh_expires_at: tokens.refresh_expires_at,
        generation: credential.generation,
        signed_in_at: credential.signed_in_at,
        refused_at: credential.refused_at,
        client_refused_at: credential.client_refused_at,
    })?;
    let text = serde_json::to_string(&Envelope { v: VERSION, sum: checksum(body.get()), body: &body })?;
    Ok(text.into())
}

/// Reads a record. Total: any text gives a record or the kind of damage.
pub fn decode(text: &str) -> Result<Credential, Damage> {
    let envelope: Envelope = serde_json::from_str(text).map_err(|_| Damage::Corrupt)?;
    if envelope.v > VERSION {
        return Err(Damage::Newer(envelope.v));
    }
    if envelope.v != VERSION || envelope.sum != checksum(envelope.body.get()) {
        return Err(Damage::Corrupt);
    }
    let body: Body = serde_json::from_str(envelope.body.get()).map_err(|_| Damage::Corrupt)?;
    Ok(Credential {
        issuer: body.issuer,
        resource: body.resource,
        origins: body.origins,
        token_endpoint: body.token_endpoint,
        revocation_endpoint: body.revocation_endpoint,
        client: Client {
            id: body.client_id,
            secret: body.client_secret,
            key: body.client_key,
            algorithm: body.client_algorithm,
            idp_secret: body.idp_secret,
            style: body.style,
            raw_basic: body.raw_basic,
            token_params: body.token_params,
            refresh_scope: body.refresh_scope,
            registered_redirect: body.registered_redirect,
        },
        grant: body.grant,
        dpop_key: body.dpop_key,
        requested_scope: body.requested_scope,
        identity: body.identity,
        subject: body.subject,
        instance: body.instance,
        tokens: Tokens {
            access: body.access_token,
            refresh: body.refresh_token,
            scope: body.scope,
            expires_in: body.expires_in,
            received_at_ms: body.received_at_ms,
            refresh_expires_at: body.refresh_expires_at,
        },
        generation: body.generation,
        signed_in_at: body.signed_in_at,
        refused_at: body.refused_at,
        client_refused_at: body.client_refused_at,
    })
}

fn checksum(body: &str) -> String {
    hex(&Sha256::digest(body.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::super::tests::sample;
    use super::*;

    #[test]
    fn a_record_survives_its_text() {
        let text = encode(&sample()).unwrap();
        let read = decode(text.expose_secret()).unwrap();
        assert_eq!(encode(&read).unwrap().expose_secret(), text.expose_secret());
        assert_eq!(read.tokens.refresh.unwrap().expose_secret(), "chipp_rt_1");
    }

    #[test]
    fn every_single_changed_byte_is_noticed() {
        let text = encode(&sample()).unwrap().expose_secret().to_owned();
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            let Ok(changed) = String::from_utf8(bytes) else { continue };
            assert!(decode(&changed).is_err(), "byte {at} changed unnoticed");
        }
        for end in 0..text.len() {
            assert_eq!(decode(&text[..end]).unwrap_err(), Damage::Corrupt);
        }
    }

    #[test]
    fn a_newer_record_is_told_from_a_damaged_one() {
        assert_eq!(decode(r#"{"v":2,"shape":"unknown","body":{}}"#).unwrap_err(), Damage::Newer(2));
        assert_eq!(decode("hello").unwrap_err(), Damage::Corrupt);
        assert_eq!(decode("").unwrap_err(), Damage::Corrupt);
    }
}
