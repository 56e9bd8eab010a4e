//! The record of one sign-in: who issued it, to which client, for which server, and the tokens.
//!
//! Values only, no input or output: storing is the business of [`crate::store`], renewing that of
//! [`crate::session`]. The text form of a record is in [`record`].

mod client;
pub mod grant;
pub mod record;

use std::time::{SystemTime, UNIX_EPOCH};

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use url::Url;

pub use client::{Client, RefreshScope, TokenStyle};
pub use grant::Grant;

/// Which sign-in a record is. Two keys are equal exactly if their records may be used for each
/// other; a different authorization base, client or account is a different key (security.md S10, F1).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// The server: a profile's authorization server, or the canonical URL of the MCP server.
    pub server: String,
    /// The configured client id, if the user chose one.
    pub client: Option<String>,
    /// The account name that the user chose with `--account`; `default` otherwise.
    pub account: String,
}

impl Key {
    /// The `username` attribute of the keychain item: readable, and unique for the key.
    pub fn user(&self) -> String {
        match &self.client {
            Some(client) => format!("{} {} client={client}", self.account, self.server),
            None => format!("{} {}", self.account, self.server),
        }
    }

    /// As whom one is signed in, to put behind the name of a server: ` as john@example.com (account work)`.
    /// Nothing for the usual account, if it is not known whose it is.
    pub fn whom(&self, identity: Option<&str>) -> String {
        match identity {
            Some(identity) if self.account == "default" || self.account == identity => {
                format!(" as {identity}")
            }
            Some(identity) => format!(" as {identity} (account {})", self.account),
            None if self.account == "default" => String::new(),
            None => format!(" as {}", self.account),
        }
    }

    /// A file name for the key: safe on every file system, unique, and of 32 characters.
    pub fn slug(&self) -> String {
        hex(&Sha256::digest(self.user().as_bytes())[..16])
    }
}

/// What a token endpoint issued.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// The access token.
    pub access: SecretString,
    /// The refresh token, if the server issues them.
    pub refresh: Option<SecretString>,
    /// The granted scope, if the server named it; otherwise the requested one holds.
    pub scope: Option<String>,
    /// Lifetime of the access token in seconds, counted from [`Tokens::received_at_ms`] on the local
    /// clock, so that a constant clock skew does not matter. `None`: unknown.
    pub expires_in: Option<u64>,
    /// Unix milliseconds at which the answer arrived: whole seconds would be too coarse for tokens that
    /// live a few of them.
    pub received_at_ms: u64,
    /// Unix seconds at which the refresh token ends, if the server said so or it is documented.
    pub refresh_expires_at: Option<u64>,
}

/// One sign-in, complete: everything a refresh or a revocation needs without asking anybody.
#[derive(Debug, Clone)]
pub struct Credential {
    /// The authorization server's issuer identifier, verbatim.
    pub issuer: String,
    /// The resource (RFC 8707) the tokens were issued for; sent again on every refresh.
    pub resource: Option<String>,
    /// The MCP server's origins that may receive the access token, as ASCII origins (I7).
    pub origins: Vec<String>,
    /// The token endpoint recorded at sign-in: refresh tokens go nowhere else (I7).
    pub token_endpoint: Url,
    /// The revocation endpoint (RFC 7009), if there is one.
    pub revocation_endpoint: Option<Url>,
    /// The client.
    pub client: Client,
    /// How the tokens were granted, and so how more of them can be had.
    pub grant: Grant,
    /// The private key to which the tokens are bound (DPoP, RFC 9449), as PKCS #8 in PEM. With one, the
    /// access token goes out with the scheme `DPoP` and a proof; without, as a bearer token.
    pub dpop_key: Option<SecretString>,
    /// The scope that was asked for.
    pub requested_scope: Option<String>,
    /// The account's name as the provider tells it, such as `john@example.com`.
    pub identity: Option<String>,
    /// `sub`: the provider's own word for the account, to tell it from another one. Not for people.
    pub subject: Option<String>,
    /// The `instance_url` of the token answer (Salesforce): where the account's own API is.
    pub instance: Option<String>,
    /// The tokens.
    pub tokens: Tokens,
    /// Counts the token answers of this sign-in, from 1.
    pub generation: u64,
    /// Unix seconds of the sign-in.
    pub signed_in_at: u64,
    /// Unix seconds at which the server refused the refresh token; it is kept, not deleted (I1).
    pub refused_at: Option<u64>,
    /// Unix seconds at which the server did not know the client any more: the next sign-in registers
    /// another one, and this record stays until the new tokens are stored.
    pub client_refused_at: Option<u64>,
}

/// How usable an access token is at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// Use it.
    Fresh,
    /// It works still, but it is time to renew it; use it on any trouble.
    Early,
    /// The clock says it has ended.
    Expired,
    /// The server gave no lifetime: use it until the resource server says 401.
    Unknown,
}

impl Credential {
    /// How usable the access token is at `now_ms` (Unix milliseconds).
    ///
    /// It is renewed 5 minutes before its end, but never more than a tenth of its lifetime before,
    /// so that short-lived tokens are not renewed at each call (A-47, DESIGN section 4.2).
    pub fn freshness(&self, now_ms: u64) -> Freshness {
        let Some(seconds) = self.tokens.expires_in else { return Freshness::Unknown };
        let lifetime = seconds.saturating_mul(1000);
        // A clock that was set back makes the age 0: at worst the server answers 401.
        let age = now_ms.saturating_sub(self.tokens.received_at_ms);
        let lead = (lifetime / 10).min(300_000);
        if age >= lifetime {
            Freshness::Expired
        } else if age.saturating_add(lead) >= lifetime {
            Freshness::Early
        } else {
            Freshness::Fresh
        }
    }

    /// Unix seconds at which the access token ends, if known.
    pub fn expires_at(&self) -> Option<u64> {
        self.tokens.expires_in.map(|lifetime| (self.tokens.received_at_ms / 1000).saturating_add(lifetime))
    }

    /// Whether new tokens can be asked for without a person.
    pub fn refreshable(&self) -> bool {
        let means = match self.grant {
            Grant::User => self.tokens.refresh.is_some(),
            Grant::Static => false,
            Grant::ClientCredentials | Grant::JwtBearer { .. } | Grant::Enterprise { .. } => true,
        };
        means && self.refused_at.is_none() && self.client_refused_at.is_none()
    }

    /// Whether another sign-in is known to be that of another account. Where a provider says nothing, or calls
    /// an account by two names, it is not.
    pub fn is_of_another(&self, other: &Credential) -> bool {
        // `sub` means something at one issuer only, and, where it is pairwise, for one client.
        let same = self.issuer == other.issuer && self.client.id == other.client.id;
        let subjects = self.subject.as_ref().zip(other.subject.as_ref()).filter(|_| same);
        let (Some(ours), Some(theirs)) = (&self.identity, &other.identity) else {
            return subjects.is_some_and(|(ours, theirs)| ours != theirs);
        };
        !ours.eq_ignore_ascii_case(theirs) && subjects.is_none_or(|(ours, theirs)| ours != theirs)
    }

    /// The scope in force: what was granted, or else what was asked for (RFC 6749 section 5.1).
    pub fn scope(&self) -> Option<&str> {
        self.tokens.scope.as_deref().or(self.requested_scope.as_deref())
    }
}

/// Compares two secrets without telling by the time taken where they differ.
pub fn same_secret(a: &SecretString, b: &SecretString) -> bool {
    Sha256::digest(a.expose_secret()) == Sha256::digest(b.expose_secret())
}

/// The present time in Unix milliseconds; 0 on a clock before 1970.
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The present time in whole Unix seconds.
pub fn now() -> u64 {
    now_ms() / 1000
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn sample() -> Credential {
        Credential {
            issuer: "https://app.chipp.ai".into(),
            resource: Some("https://mcp.chipp.ai/mcp/messages".into()),
            origins: vec!["https://mcp.chipp.ai".into()],
            token_endpoint: Url::parse("https://app.chipp.ai/api/mcp/oauth/token").unwrap(),
            revocation_endpoint: None,
            client: Client { id: "chipp-mcp-client".into(), style: TokenStyle::Json, ..Client::default() },
            grant: Grant::User,
            dpop_key: None,
            requested_scope: Some("*".into()),
            identity: None,
            subject: None,
            instance: None,
            tokens: Tokens {
                access: "chipp_at_1".into(),
                refresh: Some("chipp_rt_1".into()),
                scope: None,
                expires_in: Some(3600),
                received_at_ms: 1_000_000_000,
                refresh_expires_at: None,
            },
            generation: 1,
            signed_in_at: 1_000_000,
            refused_at: None,
            client_refused_at: None,
        }
    }

    //
    #[test]
    fn a_token_is_renewed_five_minutes_early_but_at_most_a_tenth_of_its_life() {
        let mut credential = sample();
        assert_eq!(credential.freshness(1_000_000_000 + 3_299_999), Freshness::Fresh);
        assert_eq!(credential.freshness(1_000_000_000 + 3_300_000), Freshness::Early);
        assert_eq!(credential.freshness(1_000_000_000 + 3_600_000), Freshness::Expired);
        credential.tokens.expires_in = Some(100);
        assert_eq!(credential.freshness(1_000_000_000 + 89_999), Freshness::Fresh);
        assert_eq!(credential.freshness(1_000_000_000 + 90_000), Freshness::Early);
    }

    // without a lifetime, the 401 is waited for.
    #[test]
    fn a_clock_set_back_or_a_missing_lifetime_never_expires_a_token() {
        let mut credential = sample();
        assert_eq!(credential.freshness(0), Freshness::Fresh);
        credential.tokens.expires_in = None;
        assert_eq!(credential.freshness(u64::MAX), Freshness::Unknown);
    }

    #[test]
    fn keys_that_differ_anywhere_have_different_names() {
        let key = |server: &str, client: Option<&str>, account: &str| Key {
            server: server.into(),
            client: client.map(Into::into),
            account: account.into(),
        };
        let keys = [
            key("https://a", None, "default"),
            key("https://a", Some("x"), "default"),
            key("https://a", None, "work"),
            key("https://b", None, "default"),
        ];
        let slugs: std::collections::HashSet<_> = keys.iter().map(Key::slug).collect();
        assert_eq!(slugs.len(), keys.len());
    }
}
