//! Which OAuth client a sign-in uses: the configured one, our client ID metadata document, the one
//! registered before, a new registration, or what the user answers; and the callback address that goes with
//! it.

use super::SignIn;
use crate::credential::{Client, Credential, Grant, TokenStyle};
use crate::error::{Error, Name, Result, clean};
use crate::login::{Listener, Place};
use crate::oauth::registration::{self, Refusal};
use crate::oauth::{Provider, assertion, client_document, machine, preflight, scope};
use crate::profile::BasicEncoding;

/// A client, and where its answers go.
pub(super) struct Chosen {
    pub(super) client: Client,
    pub(super) listener: Listener,
    /// Byte for byte the same in registration, authorization and token request.
    pub(super) redirect_uri: String,
    /// It was registered at an earlier sign-in, so the server may have forgotten it.
    pub(super) stored: bool,
}

impl SignIn<'_> {
    /// Chooses the client and binds its callback address.
    ///
    /// A registration is bound to its issuer and to its redirect URI, which many servers compare
    /// with its port. So the port of the old registration is tried first; if it is taken, or the server
    /// has forgotten the client, a new registration is made. The old one stays stored until the new tokens
    /// are.
    pub(super) async fn client(&self, provider: &Provider, before: Option<&Credential>) -> Result<Chosen> {
        if let Some((client, form)) = self.configured(provider, before)? {
            let listener = self.bind().await?;
            let redirect_uri = match form {
                Form::Address if self.target.redirect.host.is_none() => listener.redirect_uri_by_address(),
                _ => listener.redirect_uri(),
            };
            if self.is_own_client() {
                self.check_registered(provider, &client.id, &redirect_uri).await?;
            }
            return Ok(Chosen { client, listener, redirect_uri, stored: false });
        }
        let mut free = None;
        if let Some((client, redirect_uri)) = before.and_then(|before| registered(before, provider)) {
            free = self.bind_again(&redirect_uri).await?;
            if provider.registration.is_none() {
                // The user registered it by hand, so it cannot be replaced, and has to do with any port.
                let (listener, redirect_uri) = match free {
                    Some(listener) => (listener, redirect_uri),
                    None => {
                        let listener = self.bind().await?;
                        let redirect_uri = listener.redirect_uri();
                        (listener, redirect_uri)
                    }
                };
                self.check_registered(provider, &client.id, &redirect_uri).await?;
                return Ok(Chosen { client, listener, redirect_uri, stored: false });
            }
            if let Some(listener) = free.take() {
                if !self.is_forgotten(provider, &client, &redirect_uri).await? {
                    return Ok(Chosen { client, listener, redirect_uri, stored: true });
                }
                free = Some(listener);
            }
        }
        let listener = match free {
            Some(listener) => listener,
            None => self.bind().await?,
        };
        let (client, redirect_uri) = self.register(provider, &listener, false).await?;
        Ok(Chosen { client, listener, redirect_uri, stored: false })
    }

    /// The client that needs no registration: the pre-registered one, or our document where the
    /// server reads such.
    pub(super) fn configured(
        &self,
        provider: &Provider,
        before: Option<&Credential>,
    ) -> Result<Option<(Client, Form)>> {
        let target = &self.target;
        let key = target.client_key.clone();
        let algorithm = key.as_ref().and_then(|key| assertion::algorithm(key, &provider.signing_algorithms));
        if let Some(id) = target.client_id.clone() {
            moved(before, &id, provider)?;
            let secret = target.client_secret.clone();
            let style = self.style(provider, secret.is_some());
            let client = Client {
                id,
                secret,
                key,
                algorithm,
                style,
                raw_basic: target.basic == BasicEncoding::Raw,
                token_params: target.token_params.clone(),
                refresh_scope: target.refresh_scope,
                ..Client::default()
            };
            return Ok(Some((client, Form::Name)));
        }
        let Some(url) = target.client_metadata.as_ref().filter(|_| provider.client_metadata_documents) else {
            return Ok(None);
        };
        client_document::check(url)?;
        let (id, style) = (url.to_string(), self.style(provider, false));
        // Any port, which only the form by address has at every server.
        Ok(Some((Client { id, key, algorithm, style, ..Client::default() }, Form::Address)))
    }

    /// Binds the place of an earlier registration; `None` if it is taken, or another one is wanted.
    async fn bind_again(&self, redirect_uri: &str) -> Result<Option<Listener>> {
        let Some(place) = Place::of(redirect_uri) else { return Ok(None) };
        if !self.still_wanted(&place)? {
            return Ok(None);
        }
        let any = self.callback()?.port.is_none();
        match Listener::bind_at(place).await {
            Ok(listener) => Ok(Some(listener)),
            Err(error) if error.name() == Name::PortBusy && any => Ok(None),
            Err(error) => Err(self.of_profile(error)),
        }
    }

    /// Whether the server has forgotten a registration, which must be known before the user stands before
    /// its error page.
    async fn is_forgotten(&self, provider: &Provider, client: &Client, redirect_uri: &str) -> Result<bool> {
        let trial = self.trial(provider, &client.id, redirect_uri)?;
        let forgotten = preflight::is_dead(&trial, &provider.reach).await;
        if forgotten {
            self.context.ui.note("The server does not know this program any more, so it is registered anew.");
        }
        Ok(forgotten)
    }

    /// Gets a new client: by registration, with the other form of the redirect URI if the server does not
    /// like the first one, else from the user.
    pub(super) async fn register(
        &self,
        provider: &Provider,
        listener: &Listener,
        device: bool,
    ) -> Result<(Client, String)> {
        let scope = self.scope(provider);
        let wanted = |redirect_uri| registration::Wanted { redirect_uri, scope: scope.as_deref(), device };
        let (redirect_uri, by_address) = (listener.redirect_uri(), listener.redirect_uri_by_address());
        let free = self.target.redirect.host.is_none();
        let outcome = match registration::register(provider, wanted(&redirect_uri)).await {
            Err(Refusal::RedirectUri(_)) if free => {
                registration::register(provider, wanted(&by_address)).await.map(|client| (client, by_address))
            }
            // Some servers know the resource's scopes as the resource's only, and refuse a client that names
            // them as its own; it may ask for them all the same.
            Err(Refusal::Failed(error)) if error.name() == Name::ClientRejected && scope.is_some() => {
                let bare = registration::Wanted { scope: None, ..wanted(&redirect_uri) };
                let outcome = registration::register(provider, bare).await;
                outcome.map(|client| (client, redirect_uri.clone()))
            }
            outcome => outcome.map(|client| (client, redirect_uri.clone())),
        };
        match outcome.map_err(Error::from) {
            Ok((mut client, redirect_uri)) => {
                client.style = self.target.named_style().unwrap_or(client.style);
                Ok((client, redirect_uri))
            }
            Err(refused) if refused.name() == Name::ClientRejected => {
                let mut client = self.ask_for_client(refused, provider, &redirect_uri).await?;
                client.style = self.style(provider, client.secret.is_some());
                Ok((client, redirect_uri))
            }
            Err(error) => Err(error),
        }
    }

    /// How a client that nobody registered just now talks to the token endpoint.
    fn style(&self, provider: &Provider, secret: bool) -> TokenStyle {
        self.target.named_style().unwrap_or_else(|| machine::style(provider.auth_methods.as_deref(), secret))
    }

    /// The scope to ask for.
    pub(super) fn scope(&self, provider: &Provider) -> Option<String> {
        scope::select(self.args.scope.as_deref().or(self.target.scope.as_deref()), provider)
    }
}

/// The form of a redirect URI that belongs to no registration of ours.
pub(super) enum Form {
    Name,
    Address,
}

/// Refuses to show a pre-registered client to another authorization server than the one it was used at: it
/// is not known there, and its secret is none of that server's business.
fn moved(before: Option<&Credential>, id: &str, provider: &Provider) -> Result<()> {
    let was = before.filter(|before| before.grant != Grant::Static && before.client.id == id);
    match was.map(|before| before.issuer.as_str()).filter(|issuer| *issuer != provider.issuer) {
        None => Ok(()),
        Some(issuer) => {
            let what = format!(
                "the server's sign-in moved from {} to {}, where the client `{}` is not known to be yours",
                clean(issuer),
                clean(&provider.issuer),
                clean(id)
            );
            Err(Error::new(Name::IssuerMismatch, what).hinted(
                "ask the operator whether that is true; if so, register a client there and run \
                 `chipp-auth logout{target} --local`, then `chipp-auth login{target}` with its id",
            ))
        }
    }
}

/// The client registered at an earlier sign-in with the same issuer, and its redirect URI.
pub(super) fn registered(before: &Credential, provider: &Provider) -> Option<(Client, String)> {
    let redirect_uri = before.client.registered_redirect.clone()?;
    let good = before.issuer == provider.issuer && before.client_refused_at.is_none();
    good.then(|| (before.client.clone(), redirect_uri))
}
