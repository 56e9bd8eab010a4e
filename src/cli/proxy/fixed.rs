//! Proxies that never sign in: the user's own header does the job, or the connection is no place for a token,
//! or the profile says that none is wanted.

use secrecy::SecretString;

use crate::error::{Error, Name, Result};
use crate::proxy::{Access, Bearer, Challenge, Refused, StepUp};

/// The user gave an `Authorization` header: there is nothing to add and nothing to renew.
pub(super) struct Fixed;

impl Bearer for Fixed {
    async fn bearer(&self) -> Result<Option<Access>> {
        Ok(None)
    }

    async fn unauthorized(&self, _: Refused) -> Result<Access> {
        Err(Error::new(
            Name::LoginRequired,
            "the server refused the Authorization header given with --header",
        )
        .hinted("correct the header in the configuration of your MCP client, or leave it out to sign in"))
    }

    async fn insufficient(&self, _: Option<SecretString>, _: Challenge) -> Result<StepUp> {
        Err(Error::new(Name::ScopeRequired, "the token given with --header has too few permissions")
            .hinted("give a token with more permissions, or leave the header out to sign in"))
    }
}

/// Nobody signs in to this server. Who asks for none is served; who asks for one gets the reason why not.
pub(super) struct Nobody(fn() -> Error);

impl Nobody {
    /// The connection is not encrypted (`--allow-http`), so a token of a sign-in never goes there, however much
    /// the server asks for one (RFC 6750 section 5.3).
    pub(super) const UNENCRYPTED: Nobody = Nobody(|| {
        let what = "the server asks for a sign-in, but the connection is not encrypted, and whoever reads it on the way could use the token";
        Error::new(Name::UnsafeUrl, what)
            .hinted("use the server's https address; or give a token of your own with --header, if you accept that risk")
    });

    /// The profile says `auth = "none"`.
    pub(super) const OPEN: Nobody = Nobody(|| {
        let what = "the server asks for a sign-in, but its profile says `auth = \"none\"`";
        Error::new(Name::LoginRequired, what)
            .hinted("state `auth = \"oauth\"` in the profile, or `auth = \"bearer\"` for a token that you were given; then run `chipp-auth login{target}`")
    });
}

impl Bearer for Nobody {
    async fn bearer(&self) -> Result<Option<Access>> {
        Ok(None)
    }

    async fn unauthorized(&self, _: Refused) -> Result<Access> {
        Err((self.0)())
    }

    async fn insufficient(&self, _: Option<SecretString>, _: Challenge) -> Result<StepUp> {
        Err((self.0)())
    }
}
