//! Secrets that are no sign-in: the secret of a client that the user registered at a provider.
//!
//! Kept like records, under the key of that client ([`Target::secret_key`](crate::profile::Target::secret_key)),
//! with a word before them that no record begins with, so that neither is ever taken for the other.

use secrecy::{ExposeSecret, SecretString};

use super::{Store, Stored, damaged};
use crate::credential::Key;
use crate::credential::record::Damage;
use crate::error::Result;

/// Stands before each secret.
const MARK: &str = "secret:";

impl Store {
    /// Reads a secret.
    ///
    /// # Errors
    /// As [`Store::load`].
    pub async fn secret(&self, key: &Key) -> Result<Option<SecretString>> {
        match self.read(key).await? {
            Stored::Absent => Ok(None),
            Stored::Text(text) => match text.expose_secret().strip_prefix(MARK) {
                Some(secret) => Ok(Some(secret.into())),
                None => Err(damaged(Damage::Corrupt)),
            },
            Stored::Damaged(damage) => Err(damaged(damage)),
        }
    }

    /// Writes a secret in place of the one that is there, and reads it back (I8).
    ///
    /// # Errors
    /// As [`Store::save`].
    pub async fn keep_secret(&self, key: &Key, secret: &SecretString) -> Result<()> {
        let text = SecretString::from(format!("{MARK}{}", secret.expose_secret()));
        self.replace(key, text).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Name;

    #[tokio::test]
    async fn a_secret_is_kept_and_is_no_record() {
        let store = Store::memory();
        let key = Key { server: "https://as.example".into(), client: Some("id".into()), account: "x".into() };
        assert!(store.secret(&key).await.unwrap().is_none());
        store.keep_secret(&key, &"s3:cr et".into()).await.unwrap();
        assert_eq!(store.secret(&key).await.unwrap().unwrap().expose_secret(), "s3:cr et");
        assert_eq!(store.load(&key).await.unwrap_err().name(), Name::StoreCorrupt);
        assert!(store.forget(&key).await.unwrap());
        assert!(store.secret(&key).await.unwrap().is_none());
    }
}
