//! The browser flow, step by step. The order is the promise: both callback sockets are bound before the
//! browser opens, and the browser is told of success only after the tokens are stored and read back (I8).

use std::time::{Duration, Instant};

use secrecy::SecretString;

use super::SignIn;
use crate::cli::ui::{Tone, paint, span};
use crate::credential::{Client, Credential, Grant, now};
use crate::error::{Error, Name, Result, clean};
use crate::http::Reach;
use crate::login::browser::{self, Launch};
use crate::login::{Callback, Expected, Listener, Page};
use crate::oauth::authorize::{self, Authorization};
use crate::oauth::discovery::{Known, discover};
use crate::oauth::wire::{self, Cause, Code, Endpoint};
use crate::oauth::{Provider, revoke};

/// How long the browser is kept waiting for the outcome before it gets a neutral page (L9).
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) struct Flow<'a> {
    pub(super) sign_in: &'a SignIn<'a>,
    /// The sign-in that will be replaced.
    pub(super) before: Option<Credential>,
}

/// An authorization request on its way.
struct Request {
    provider: Provider,
    client: Client,
    redirect_uri: String,
    scope: Option<String>,
    authorization: Authorization,
}

impl Flow<'_> {
    pub(super) async fn run(self) -> Result<Credential> {
        let target = &self.sign_in.target;
        let known = Known {
            choice: target.resource.clone(),
            issuer: target.issuer.clone(),
            documented: target.documented.clone(),
            challenge: self.sign_in.challenge.clone(),
            preferred: self.before.as_ref().map(|before| before.issuer.clone()),
            pkce_unverified: target.pkce_unverified,
            ..Known::new(target.url.clone(), target.canonical())
        };
        let provider = discover(&known).await?;
        let (client, listener) = self.sign_in.client(&provider, self.before.as_ref()).await?;
        let redirect_uri = listener.redirect_uri();
        let scope = self.sign_in.scope(&provider);
        let authorization = authorize::request(&provider, &client.id, &redirect_uri, scope.as_deref())?;
        let request = Request { provider, client, redirect_uri, scope, authorization };
        let launch = self.open(&request).await?;
        let callback = self.wait(listener, &request, launch).await?;
        self.finish(callback, request).await
    }

    /// Shows where the sign-in goes and what it asks for, and opens the browser.
    async fn open(&self, request: &Request) -> Result<Launch> {
        let (ui, url) = (self.sign_in.context.ui, &request.authorization.url);
        browser::check(url)?;
        let server = url.host_str().unwrap_or_default();
        let scope = match request.scope.as_deref() {
            None => "its default scope".to_owned(),
            Some("*") => "full access (*)".to_owned(),
            Some(scope) => clean(scope),
        };
        let name = paint(Tone::Strong, &self.sign_in.target.name());
        ui.note(&format!(
            "Signing in to {name} at {} for {}.",
            paint(Tone::Strong, server),
            paint(Tone::Strong, &scope)
        ));
        let launch = if self.sign_in.args.no_browser {
            ui.must_see("Open this address in a browser on this computer:");
            Launch::Printed
        } else if let Some(obstacle) = browser::obstacle() {
            ui.must_see(&format!("No browser is tried here, because {obstacle}. Open this address in a browser on this computer:"));
            Launch::Printed
        } else {
            match browser::open(url).await {
                Ok(()) => {
                    ui.note("Your browser should open now. If it does not, open this address:");
                    Launch::Browser
                }
                Err(error) => {
                    ui.must_see(&format!(
                        "chipp-auth: {error}. Open this address in a browser on this computer:"
                    ));
                    Launch::Printed
                }
            }
        };
        ui.must_see(&format!("\n  {url}\n"));
        Ok(launch)
    }

    /// Waits for the browser to come back, with a countdown on a terminal.
    async fn wait(&self, listener: Listener, request: &Request, launch: Launch) -> Result<Callback> {
        let (ui, limit) = (self.sign_in.context.ui, self.sign_in.args.timeout);
        let expected = Expected {
            state: request.authorization.state.clone(),
            issuer: Some(request.provider.issuer.clone()),
            issuer_required: request.provider.issuer_in_response,
        };
        let ignored = listener.ignored();
        // Never ends by itself; the listener keeps the limit.
        let countdown = async {
            let end = Instant::now() + limit;
            let mut noted = false;
            loop {
                let left = end.saturating_duration_since(Instant::now()).as_secs();
                ui.waiting(&format!("Waiting for you in the browser … {} left (Ctrl-C to stop)", span(left)));
                if ignored.count() > 0 && !noted {
                    noted = true;
                    ui.waited();
                    ui.note("A callback that is not ours was ignored.");
                }
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        };
        let outcome = tokio::select! {
            outcome = listener.wait(expected, limit) => outcome,
            never = countdown => never,
        };
        ui.waited();
        outcome.map_err(|error| match launch {
            Launch::Printed if error.name() == Name::LoginTimeout && !self.sign_in.args.no_browser => {
                Error::new(
                    Name::BrowserMissing,
                    format!("no browser could be started here, and {}", error.what()),
                )
            }
            _ => error,
        })
    }

    /// Exchanges the code and stores the tokens, then tells the browser how it went.
    async fn finish(&self, callback: Callback, request: Request) -> Result<Credential> {
        let work = self.exchange(callback.code().clone(), request);
        tokio::pin!(work);
        let mut callback = Some(callback);
        let outcome = match tokio::time::timeout(PATIENCE, &mut work).await {
            Ok(outcome) => outcome,
            Err(_) => {
                if let Some(callback) = callback.take() {
                    callback.finish(Page::Pending).await;
                }
                work.await
            }
        };
        if let Some(callback) = callback {
            callback.finish(if outcome.is_ok() { Page::SignedIn } else { Page::Failed }).await;
        }
        outcome
    }

    async fn exchange(&self, code: SecretString, request: Request) -> Result<Credential> {
        let target = &self.sign_in.target;
        let Request { provider, client, redirect_uri, scope, authorization } = request;
        let endpoint = Endpoint {
            url: &provider.endpoints.token,
            issuer: &provider.issuer,
            client: &client,
            resource: provider.resource.as_deref(),
            dpop: None,
            reach: &provider.reach,
        };
        let issued = endpoint.exchange(Code { code, verifier: authorization.verifier, redirect_uri }).await;
        let issued = issued.map_err(|refusal| match refusal.cause {
            Cause::InvalidGrant => Error::new(
                Name::LoginDenied,
                format!("the server did not accept its own code: {}", refusal.said),
            ),
            _ => refusal.error,
        })?;
        wire::check_type(issued.token_type.as_deref(), false, target.names_token_type)?;
        let credential = Credential {
            issuer: provider.issuer,
            resource: provider.resource,
            origins: target.origins.clone(),
            token_endpoint: provider.endpoints.token,
            revocation_endpoint: provider.endpoints.revocation,
            client,
            grant: Grant::User,
            dpop_key: None,
            requested_scope: scope,
            tokens: wire::tokens(issued, target.refresh_lifetime),
            generation: 1,
            signed_in_at: now(),
            refused_at: None,
            client_refused_at: None,
        };
        if let Err(error) = self.sign_in.session.begin(credential.clone()).await {
            discard(&credential, &provider.reach).await;
            return Err(error);
        }
        self.sign_in.record(&credential)?;
        Ok(credential)
    }
}

/// Tokens that could not be stored must not live on at the server (row 37). Best effort.
async fn discard(credential: &Credential, reach: &Reach) {
    let (Some(url), Some(token)) = (&credential.revocation_endpoint, &credential.tokens.refresh) else {
        return;
    };
    let issuer = &credential.issuer;
    let endpoint = Endpoint { url, issuer, client: &credential.client, resource: None, reach, dpop: None };
    if let Err(error) = revoke::revoke(endpoint, token, "refresh_token").await {
        tracing::warn!("tokens that could not be stored could not be revoked either: {error}");
    }
}
