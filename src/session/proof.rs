//! Access tokens as the proxy takes them: with a proof for each request where the token is bound to a key
//! (RFC 9449 section 7).

use std::sync::{Arc, PoisonError};

use http::{HeaderValue, Method};
use secrecy::SecretString;
use url::Url;

use super::{Inner, Session};
use crate::credential::{Credential, same_secret};
use crate::error::{Error, Name, Result};
use crate::oauth::dpop::{Key, Request};
use crate::proxy::{Access, Proof};

impl Session {
    /// As [`Session::token`], with what has to go with the token.
    ///
    /// # Errors
    /// As [`Session::token`], and `store-corrupt` if the record's key is damaged.
    pub async fn access(&self) -> Result<Access> {
        let credential = self.credential().await?;
        self.0.access(credential)
    }

    /// As [`Session::another`], with what has to go with the token.
    ///
    /// # Errors
    /// As [`Session::access`].
    pub async fn another_access(&self, used: SecretString) -> Result<Access> {
        let credential = self.another_credential(used).await?;
        self.0.access(credential)
    }
}

impl Inner {
    fn access(&self, credential: Credential) -> Result<Access> {
        let key = self.key(&credential)?;
        let proof = key.map(|key| Arc::new(Bound(key)) as Arc<dyn Proof>);
        Ok(Access { token: credential.tokens.access, proof })
    }

    /// The key of a record. One key as long as the record has it, because it remembers nonces.
    pub(super) fn key(&self, credential: &Credential) -> Result<Option<Key>> {
        let Some(pem) = &credential.dpop_key else { return Ok(None) };
        let mut known = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, key)) = known.as_ref().filter(|(known, _)| same_secret(known, pem)) {
            return Ok(Some(key.clone()));
        }
        let key = Key::from_pem(pem).map_err(|error| self.mark(error))?;
        *known = Some((pem.clone(), key.clone()));
        Ok(Some(key))
    }
}

/// A key as the proxy knows it.
#[derive(Debug)]
struct Bound(Key);

impl Proof for Bound {
    fn header(&self, method: &Method, url: &Url, token: &SecretString) -> Result<HeaderValue> {
        let proof = self.0.proof(Request { method: method.as_str(), url, token: Some(token) })?;
        HeaderValue::from_str(&proof)
            .map_err(|_| Error::new(Name::Internal, "a proof does not fit into a header"))
    }

    fn learn(&self, url: &Url, nonce: &HeaderValue) {
        if let Ok(nonce) = nonce.to_str() {
            self.0.learn(url, nonce);
        }
    }
}
