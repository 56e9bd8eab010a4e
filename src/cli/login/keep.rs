//! Turns issued tokens into a stored sign-in, or takes them back.

use secrecy::SecretString;
use url::Url;

use super::SignIn;
use crate::credential::{Client, Credential, Grant, now};
use crate::error::Result;
use crate::oauth::answer::Issued;
use crate::oauth::identity::{self, Identity, Userinfo};
use crate::oauth::wire::{self, Endpoint, Types};
use crate::oauth::{Provider, dpop, hosts, revoke};

/// What tokens were issued for.
pub(super) struct Asked {
    pub(super) provider: Provider,
    pub(super) client: Client,
    pub(super) scope: Option<String>,
    /// The key that they have to be bound to.
    pub(super) key: Option<SecretString>,
}

/// A new key to bind tokens to (RFC 9449), and its text.
pub(super) struct Bond {
    pub(super) key: dpop::Key,
    pub(super) pem: SecretString,
}

/// Where the tokens of a sign-in come from.
pub(super) fn token_endpoint<'a>(
    provider: &'a Provider,
    client: &'a Client,
    bond: Option<&'a Bond>,
) -> Endpoint<'a> {
    Endpoint {
        url: &provider.endpoints.token,
        issuer: &provider.issuer,
        client,
        resource: provider.resource.as_deref(),
        reach: &provider.reach,
        dpop: bond.map(|bond| &bond.key),
    }
}

impl SignIn<'_> {
    /// Makes a key, if the tokens are to be bound to one.
    pub(super) fn bond(&self) -> Result<Option<Bond>> {
        let pem = self.target.dpop.then(dpop::Key::generate).transpose()?;
        pem.map(|pem| Ok(Bond { key: dpop::Key::from_pem(&pem)?, pem })).transpose()
    }

    /// Stores the tokens with everything that they are bound to: issuer, resource, client and the endpoints
    /// that may see them again. Those that cannot be stored, or may not be used, do not live on at the
    /// server (row 37); the older sign-in stays.
    pub(super) async fn keep(&self, issued: Issued, asked: Asked) -> Result<Credential> {
        let target = &self.target;
        let bound = asked.key.is_some();
        let types = Types { bound, named: target.names_token_type, also: &target.token_types };
        let typed = wire::check_type(issued.token_type.as_deref(), types);
        let identity = match typed {
            Ok(()) => self.identity(&issued, &asked).await,
            Err(_) => Identity::default(),
        };
        let Asked { provider, client, scope, key } = asked;
        let credential = Credential {
            issuer: provider.issuer.clone(),
            resource: provider.resource.clone(),
            origins: target.origins.clone(),
            token_endpoint: provider.endpoints.token.clone(),
            revocation_endpoint: provider.endpoints.revocation.clone(),
            client: client.clone(),
            grant: Grant::User,
            dpop_key: key,
            requested_scope: scope,
            identity: identity.name,
            subject: identity.subject,
            instance: issued.told.instance(),
            tokens: wire::tokens(issued, target.refresh_lifetime),
            generation: 1,
            signed_in_at: now(),
            refused_at: None,
            client_refused_at: None,
        };
        let refresh = credential.tokens.refresh.clone();
        let stored = match typed {
            Ok(()) => self.place(&credential).await,
            Err(wrong) => Err(wrong),
        };
        if let Err(error) = stored {
            discard(&provider, &client, refresh).await;
            return Err(error);
        }
        self.record(&credential)?;
        Ok(credential)
    }

    /// Whose tokens they are. The userinfo endpoint that a server names itself is shown the token only if it
    /// was asked for such a token (`openid`); the one that the profile states always. A token that is bound to a
    /// key goes to neither: it is not worth a proof.
    async fn identity(&self, issued: &Issued, asked: &Asked) -> Identity {
        let (target, provider) = (&self.target, &asked.provider);
        let scope = issued.scope.as_deref().or(asked.scope.as_deref());
        let named = provider.userinfo.as_ref().filter(|url| permits(target.hosts.as_deref(), scope, url));
        let url = target.userinfo.as_ref().or(named).filter(|_| asked.key.is_none());
        let userinfo = url.map(|url| Userinfo { url, access: &issued.access, reach: &provider.reach });
        identity::find(&issued.told, &target.account_from, userinfo).await
    }
}

/// Whether a token of this scope may be shown to a userinfo endpoint that the server names. The profile's own
/// was looked at when the profile was read.
fn permits(hosts: Option<&[String]>, scope: Option<&str>, url: &Url) -> bool {
    let openid = scope.unwrap_or_default().split([' ', ',']).any(|word| word == "openid");
    openid && hosts::check(hosts, [url]).is_ok()
}

/// Gives a refresh token back that nobody will use. Best effort.
pub(super) async fn discard(provider: &Provider, client: &Client, token: Option<SecretString>) {
    let (Some(url), Some(token)) = (&provider.endpoints.revocation, token) else { return };
    let endpoint = Endpoint { url, resource: None, ..token_endpoint(provider, client, None) };
    if let Err(error) = revoke::revoke(endpoint, &token, "refresh_token").await {
        tracing::warn!("tokens that could not be stored could not be revoked either: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_userinfo_endpoint_is_asked_where_the_user_is_asked_about_it() {
        let url = Url::parse("https://graph.example.com/userinfo").unwrap();
        let pinned = ["*.example.com".to_owned()];
        let elsewhere = ["login.example.com".to_owned()];
        assert!(permits(None, Some("files openid"), &url) && permits(Some(&pinned), Some("a,openid"), &url));
        assert!(!permits(Some(&elsewhere), Some("openid"), &url));
        assert!(!permits(None, Some("files openid2"), &url) && !permits(None, None, &url));
    }
}
