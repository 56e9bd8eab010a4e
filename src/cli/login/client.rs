//! Which OAuth client a sign-in uses: the configured one, the one registered before, or a new one
//! and the callback port that goes with it.

use url::Url;

use super::SignIn;
use crate::credential::{Client, Credential, TokenStyle};
use crate::error::{Name, Result};
use crate::login::Listener;
use crate::oauth::{Provider, registration};

impl SignIn<'_> {
    /// Chooses the client and binds its callback address.
    ///
    /// A registration is bound to its issuer and to its redirect URI, which many servers compare
    /// with its port. So the port of the old registration is tried first; if it is taken, a new
    /// registration is made. The old one stays stored until the new tokens are.
    pub(super) async fn client(
        &self,
        provider: &Provider,
        before: Option<&Credential>,
    ) -> Result<(Client, Listener)> {
        let port = self.args.port;
        if let Some(id) = self.target.client_id.clone() {
            let secret = self.target.client_secret.clone();
            let style = self.target.style.unwrap_or_else(|| style(provider, secret.is_some()));
            let client = Client { id, secret, style, ..Client::default() };
            return Ok((client, Listener::bind(port).await?));
        }
        if let Some((client, old)) = before.and_then(|before| registered(before, provider))
            && port.is_none_or(|port| port == old)
        {
            match Listener::bind(Some(old)).await {
                Ok(listener) => return Ok((client, listener)),
                Err(error) if error.name() == Name::PortBusy && port.is_none() => {}
                Err(error) => return Err(error),
            }
        }
        let listener = Listener::bind(port).await?;
        let scope = self.scope(provider);
        let client = registration::register(provider, &listener.redirect_uri(), scope.as_deref()).await?;
        Ok((client, listener))
    }

    /// The scope to ask for: the user's, the profile's, the challenge's, or none.
    pub(super) fn scope(&self, provider: &Provider) -> Option<String> {
        let chosen = self.args.scope.clone().or_else(|| self.target.scope.clone());
        chosen.or_else(|| provider.scope.clone()).filter(|scope| !scope.trim().is_empty())
    }
}

/// The client registered at an earlier sign-in with the same issuer, and its port.
fn registered(before: &Credential, provider: &Provider) -> Option<(Client, u16)> {
    let redirect = before.client.registered_redirect.as_deref()?;
    let port = Url::parse(redirect).ok()?.port()?;
    (before.issuer == provider.issuer).then(|| (before.client.clone(), port))
}

/// The token endpoint's authentication method for a configured client: Basic where a secret is
/// there and the server names nothing else (RFC 8414 section 2).
fn style(provider: &Provider, secret: bool) -> TokenStyle {
    let supports = |method: &str| {
        provider.auth_methods.as_ref().is_none_or(|methods| methods.iter().any(|m| m == method))
    };
    if secret && supports("client_secret_basic") { TokenStyle::FormBasic } else { TokenStyle::FormPost }
}
