//! Where the proxy gets its authorization from. The only view that this room has of tokens.

use std::fmt;
use std::sync::Arc;

use http::{HeaderValue, Method};
use secrecy::SecretString;
use url::Url;

use super::Challenge;
use crate::error::Result;

/// An access token, and what has to go with it.
#[derive(Debug, Clone)]
pub struct Access {
    /// The token.
    pub token: SecretString,
    /// Set if the token is bound to a key (RFC 9449): each request then needs a proof of its own.
    pub proof: Option<Arc<dyn Proof>>,
}

impl From<SecretString> for Access {
    /// A bearer token.
    fn from(token: SecretString) -> Self {
        Access { token, proof: None }
    }
}

/// A key that an access token is bound to (DPoP, RFC 9449).
pub trait Proof: fmt::Debug + Send + Sync {
    /// The value of the `DPoP` header for one request, never to be used for another one.
    ///
    /// # Errors
    /// `internal` if the key cannot sign.
    fn header(&self, method: &Method, url: &Url, token: &SecretString) -> Result<HeaderValue>;

    /// Learns the nonce that the server at `url` wants in the next proofs (RFC 9449 section 9).
    fn learn(&self, url: &Url, nonce: &HeaderValue);
}

/// A request that was answered with 401.
#[derive(Debug, Clone, Default)]
pub struct Refused {
    /// The token that it carried, if any.
    pub used: Option<SecretString>,
    /// What the server said.
    pub challenge: Challenge,
    /// The token was another one already, got because of a 401 for the same request: what helped to get
    /// it does not help again, and only a sign-in can.
    pub again: bool,
}

/// What a sign-in is ordered for.
#[derive(Debug, Clone, Default)]
pub struct Order {
    /// The scope to ask for, where more than the usual one is wanted.
    pub scope: Option<String>,
    /// What the server said with its 401 or 403, so that it need not be asked again.
    pub challenge: Challenge,
}

/// What can be done about a 403 with `insufficient_scope`.
#[derive(Debug, Clone)]
pub enum StepUp {
    /// Somebody has stepped up meanwhile: use this.
    Use(Access),
    /// The user has to be asked for this scope: the union of what was requested and what is demanded.
    Ask(String),
}

/// Where the proxy gets access tokens from.
pub trait Bearer: Send + Sync + 'static {
    /// What to send with the next request, or `None` to send it without a token (nobody is signed in, or
    /// a static header does the job).
    ///
    /// # Errors
    /// Any named error: the request is answered with it.
    fn bearer(&self) -> impl Future<Output = Result<Option<Access>>> + Send;

    /// The server answered 401. Returns another token to try.
    ///
    /// # Errors
    /// `login-required` if nothing but a sign-in helps; any other named error.
    fn unauthorized(&self, refused: Refused) -> impl Future<Output = Result<Access>> + Send;

    /// The server wants more scope than the token has (RFC 6750 section 3.1). `used` is that token.
    ///
    /// # Errors
    /// `scope-required` if asking for more is of no use, `login-required` if nobody is signed in; any
    /// other named error.
    fn insufficient(
        &self,
        used: Option<SecretString>,
        challenge: Challenge,
    ) -> impl Future<Output = Result<StepUp>> + Send;

    /// A sign-in is about to be made because the server does not take this token, although the clock says
    /// that it is good: whoever else looks at it must not take it for good either.
    ///
    /// # Errors
    /// Those of the store.
    fn give_up(&self, _used: SecretString) -> impl Future<Output = Result<()>> + Send {
        std::future::ready(Ok(()))
    }

    /// The server took a token.
    fn accepted(&self) {}
}
