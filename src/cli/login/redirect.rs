//! The redirect URI of a sign-in: what the profile states, the port of the command line, and what to say where
//! the two cannot be had.

use super::SignIn;
use crate::error::{Error, Name, Result, clean};
use crate::login::{Host, Listener, Place};
use crate::oauth::authorize::{self, Authorization, Wanted};
use crate::oauth::{Provider, preflight};
use crate::profile::{RedirectHost, Target};

/// The place that the target asks for. The port of the command line wins.
///
/// # Errors
/// `config-bad` for a path that a browser would not bring back as it is written.
pub(in crate::cli) fn wanted(target: &Target, port: Option<u16>) -> Result<Place> {
    let stated = &target.redirect;
    let usual = Place::default();
    let place = Place {
        host: match stated.host {
            None | Some(RedirectHost::Name) => Host::Name,
            Some(RedirectHost::V4) => Host::V4,
            Some(RedirectHost::V6) => Host::V6,
        },
        path: stated.path.clone().unwrap_or(usual.path),
        port: port.or(stated.port),
    };
    if place.is_plain() {
        return Ok(place);
    }
    let what =
        format!("`{}` cannot be the `redirect_path` of the profile {}", clean(&place.path), target.name());
    Err(Error::new(Name::ConfigBad, what)
        .hinted("give a path such as /callback, as it is registered at the provider"))
}

impl SignIn<'_> {
    /// Where this sign-in wants the answer to go.
    pub(super) fn callback(&self) -> Result<Place> {
        wanted(&self.target, self.args.port)
    }

    /// Binds it.
    ///
    /// # Errors
    /// `port-busy`, `network-down`.
    pub(in crate::cli) async fn bind(&self) -> Result<Listener> {
        let bound = Listener::bind_at(self.callback()?).await;
        bound.map_err(|error| self.of_profile(error))
    }

    /// Whether an earlier redirect URI is still one that is asked for.
    pub(super) fn still_wanted(&self, earlier: &Place) -> Result<bool> {
        let (wanted, stated) = (self.callback()?, &self.target.redirect);
        Ok((stated.host.is_none() || wanted.host == earlier.host)
            && wanted.path == earlier.path
            && (wanted.port.is_none() || wanted.port == earlier.port))
    }

    /// A port that the profile states is not to be left for another one in passing: the provider knows it.
    pub(super) fn of_profile(&self, error: Error) -> Error {
        if error.name() != Name::PortBusy || self.args.port.is_some() || self.target.redirect.port.is_none() {
            return error;
        }
        error.hinted(format!(
            "close that program; or give the profile {} another `redirect_port`, and register the redirect URI with that port at the provider",
            self.target.name()
        ))
    }

    /// An authorization request that is only looked at, with a state and a challenge that are thrown away.
    pub(super) fn trial(
        &self,
        provider: &Provider,
        client_id: &str,
        redirect_uri: &str,
    ) -> Result<Authorization> {
        let scope = self.scope(provider);
        let (scope, params) = (scope.as_deref(), Some(&self.target.authorize_params));
        let wanted = Wanted { client_id, redirect_uri, scope, params, ..Default::default() };
        authorize::request(provider, wanted)
    }

    /// Asks, before a browser opens, whether the redirect URI of a client of the user's own is registered: the
    /// server would show its page, and nothing would come back.
    ///
    /// # Errors
    /// `redirect-uri-mismatch`.
    pub(in crate::cli) async fn check_registered(
        &self,
        provider: &Provider,
        client_id: &str,
        redirect_uri: &str,
    ) -> Result<()> {
        let trial = self.trial(provider, client_id, redirect_uri)?;
        if !preflight::refuses_redirect(&trial, &provider.reach).await {
            return Ok(());
        }
        let server = clean(trial.url.host_str().unwrap_or(&provider.issuer));
        let what = format!("{server} does not know the redirect URI {redirect_uri} of this client");
        let (at, keep) = (self.console(), self.kept_port(redirect_uri));
        Err(Error::new(Name::RedirectUriMismatch, what)
            .hinted(format!("register exactly this redirect URI for the client {at}{keep}, then run `chipp-auth login{{target}}`")))
    }

    /// Whether the client is one that the user registered.
    pub(in crate::cli) fn is_own_client(&self) -> bool {
        self.target.client_id.is_some() && self.target.documented.is_none()
    }

    /// Says what may be behind a sign-in that nobody finished, where the client is the user's own: servers show
    /// some errors to the person only.
    pub(super) fn explained(&self, error: Error, redirect_uri: &str) -> Error {
        if !self.is_own_client() || error.name() != Name::LoginTimeout {
            return error;
        }
        let (usual, at) = (Name::LoginTimeout.row().hint, self.console());
        error.hinted(format!(
            "{usual}; if the browser showed a page about `redirect_uri`, register exactly {redirect_uri} {at}"
        ))
    }

    /// Says which redirect URI was sent, where the server does not know it: that is the one to register.
    pub(super) fn sent(&self, error: Error, redirect_uri: &str) -> Error {
        if error.name() != Name::RedirectUriMismatch || error.what().contains(redirect_uri) {
            return error;
        }
        let named = Error::new(error.name(), format!("{} (sent was {redirect_uri})", error.what()));
        match error.own_hint() {
            Some(hint) => named.hinted(hint),
            None => named,
        }
    }

    /// Where clients are registered.
    fn console(&self) -> String {
        let console = self.target.preset.and_then(|preset| preset.console_url.as_deref());
        console.map_or_else(|| "at the provider".to_owned(), |url| format!("at {}", clean(url)))
    }

    /// What makes the next sign-in come with the same port, where nothing does yet.
    fn kept_port(&self, redirect_uri: &str) -> String {
        let port = Place::of(redirect_uri).and_then(|place| place.port);
        let Some(port) = port.filter(|_| self.target.redirect.port.is_none()) else { return String::new() };
        let by_name = self.target.typed.as_deref().is_some_and(|typed| !typed.contains("://"));
        match by_name {
            true => format!(", and keep its port with `redirect_port = {port}` in the profile"),
            false => format!(", and keep its port with `--port {port}`"),
        }
    }
}
