//! The stdio MCP server that clients start: everything read on stdin goes to the remote server with
//! the bearer token added, every answer comes back as one line on stdout.
//!
//! The room knows tokens only through [`Bearer`]. It never sees a refresh token, a keychain or a
//! browser, so it is tested with a constant.

pub mod signin;

use secrecy::SecretString;

use crate::error::Result;

/// Where the proxy gets access tokens from.
pub trait Bearer: Send + Sync + 'static {
    /// The token for the next request, or `None` to send the request without one (nobody is signed
    /// in, or a static header does the job).
    ///
    /// # Errors
    /// Any named error: the request is answered with it.
    fn bearer(&self) -> impl Future<Output = Result<Option<SecretString>>> + Send;

    /// The server answered 401 to a request that carried `used`. Returns another token to try once.
    ///
    /// # Errors
    /// `login-required` if nothing but a sign-in helps; any other named error.
    fn unauthorized(
        &self,
        used: Option<SecretString>,
        challenge: Challenge,
    ) -> impl Future<Output = Result<SecretString>> + Send;
}

/// What a server said with its 401 or 403: the `WWW-Authenticate` header values, as they came.
#[derive(Debug, Clone, Default)]
pub struct Challenge {
    /// The header's values, in order.
    pub values: Vec<String>,
}
