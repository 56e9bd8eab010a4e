//! The browser flow, step by step. The order is the promise: both callback sockets are bound before the
//! browser opens, and the browser is told of success only after the tokens are stored and read back (I8).

use std::time::{Duration, Instant};

use secrecy::SecretString;

use super::client::Chosen;
use super::keep::{Asked, Bond, token_endpoint};
use super::trouble::Trouble;
use super::{SignIn, Stage};
use super::{paste, way};
use crate::cli::ui::span;
use crate::credential::{Client, Credential, TokenStyle};
use crate::error::{Error, Name, Result};
use crate::login::browser::{self, Launch};
use crate::login::{Callback, Expected, Listener, Page};
use crate::oauth::authorize::{self, Authorization, Wanted};
use crate::oauth::search::{self, Found};
use crate::oauth::wire::{Cause, Code};
use crate::oauth::{Provider, scope};

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
    bond: Option<Bond>,
    authorization: Authorization,
    /// The token request styles to try with its code.
    styles: Vec<TokenStyle>,
}

/// Which way the answer came.
enum Arrived {
    /// The browser brought it, and waits for the outcome.
    Browser(Callback),
    /// Somebody pasted it.
    Pasted(SecretString),
}

impl Arrived {
    fn code(&self) -> &SecretString {
        match self {
            Arrived::Browser(callback) => callback.code(),
            Arrived::Pasted(code) => code,
        }
    }

    async fn finish(self, page: Page) {
        if let Arrived::Browser(callback) = self {
            callback.finish(page).await;
        }
    }
}

impl Flow<'_> {
    pub(super) async fn run(self) -> Result<Credential> {
        let provider = self.sign_in.discover(self.before.as_ref()).await?;
        (self.sign_in.watch)(Stage::Found(&provider));
        let chosen = self.sign_in.client(&provider, self.before.as_ref()).await?;
        let stored = chosen.stored;
        let styles = self.sign_in.styles(&provider, &chosen.client);
        let refusal = match self.once(&provider, chosen, styles).await {
            Ok(credential) => return Ok(credential),
            Err(Trouble::Spent(style)) => return self.again(&provider, style).await,
            Err(Trouble::Refused(refusal)) => refusal,
        };
        if !stored || refusal.cause != Cause::InvalidClient {
            return Err(refusal.error);
        }
        // The page knew an earlier registration, the token endpoint does not. Once, and only for
        // such a registration: a new one that is refused would be refused again.
        let ui = self.sign_in.context.ui;
        ui.must_see(
            "The server does not know this program any more, so it is registered anew. Please authorize it once more.",
        );
        let chosen = self.sign_in.client(&provider, None).await?;
        let styles = self.sign_in.styles(&provider, &chosen.client);
        Ok(self.once(&provider, chosen, styles).await?)
    }

    /// A second authorization request, after the search for the style has burned the code of the first. Once,
    /// and in the style that was found alone.
    async fn again(&self, provider: &Provider, style: TokenStyle) -> Result<Credential> {
        self.sign_in.context.ui.must_see(&format!(
            "The token endpoint takes {}, but the code was spent by a try in another style. Please authorize once more.",
            style.name()
        ));
        let chosen = self.sign_in.client(provider, self.before.as_ref()).await?;
        let credential = self.once(provider, chosen, vec![style]).await?;
        self.sign_in.tell_style(style);
        Ok(credential)
    }

    /// One authorization request, from the browser to the stored tokens.
    async fn once(
        &self,
        provider: &Provider,
        chosen: Chosen,
        styles: Vec<TokenStyle>,
    ) -> Result<Credential, Trouble> {
        let Chosen { client, listener, redirect_uri, .. } = chosen;
        (self.sign_in.watch)(Stage::Listening(&redirect_uri));
        let scope = self.sign_in.scope(provider);
        let bond = self.sign_in.bond()?;
        let jkt = bond.as_ref().map(|bond| bond.key.thumbprint()).transpose()?;
        let (client_id, scope_asked) = (client.id.as_str(), scope.as_deref());
        let consent = scope::wants_consent(scope_asked, self.before.as_ref());
        let wanted = Wanted {
            client_id,
            redirect_uri: &redirect_uri,
            scope: scope_asked,
            jkt: jkt.as_deref(),
            consent,
            login_hint: self.sign_in.login_hint(scope_asked, self.before.as_ref()),
            params: Some(&self.sign_in.target.authorize_params),
        };
        authorize::guarded(provider, &client)?;
        let authorization = authorize::request(provider, wanted)?;
        let provider = provider.clone();
        let request = Request { provider, client, redirect_uri, scope, bond, authorization, styles };
        let launch = self.open(&request, listener.port()).await?;
        let arrived = self.wait(listener, &request, launch).await?;
        (self.sign_in.watch)(Stage::Arrived);
        self.finish(arrived, request).await
    }

    /// Shows where the sign-in goes and what it asks for, and opens the browser. `None` if none was to be
    /// opened.
    async fn open(&self, request: &Request, port: u16) -> Result<Option<Launch>> {
        let (ui, url) = (self.sign_in.context.ui, &request.authorization.url);
        browser::check(url)?;
        way::announce(self.sign_in, url, request.scope.as_deref());
        let launch = match self.sign_in.args.no_browser {
            true => None,
            false => Some(browser::launch(url).await?),
        };
        let sentence = way::sentence(launch.as_ref());
        if matches!(launch, Some(Launch::Browser)) {
            ui.note(&sentence);
        } else {
            ui.must_see(&sentence);
        }
        ui.must_see(&format!("\n  {url}\n"));
        for line in way::others(self.sign_in, launch.as_ref(), &request.provider, port) {
            ui.must_see(&line);
        }
        Ok(launch)
    }

    /// Waits for the browser to come back, or for somebody to paste what it shows, with a countdown on a
    /// terminal.
    async fn wait(&self, listener: Listener, request: &Request, launch: Option<Launch>) -> Result<Arrived> {
        let (ui, limit) = (self.sign_in.context.ui, self.sign_in.args.timeout);
        let expected = Expected {
            state: request.authorization.state.clone(),
            issuer: Some(request.provider.issuer.clone()).filter(|_| request.provider.issuer_known),
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
        let typed = way::accepts_paste(self.sign_in, launch.as_ref()).then(paste::start).flatten();
        let outcome = tokio::select! {
            outcome = listener.wait(expected.clone(), limit) => outcome.map(Arrived::Browser),
            outcome = paste::pasted(ui, typed, &expected) => outcome.map(Arrived::Pasted),
            never = countdown => never,
        };
        ui.waited();
        outcome.map_err(|error| match launch {
            Some(Launch::Obstacle(_) | Launch::Failed(_)) if error.name() == Name::LoginTimeout => {
                let what = format!("no browser could be started here, and {}", error.what());
                Error::new(Name::BrowserMissing, what)
            }
            _ => {
                let error = self.sign_in.sent(error, &request.redirect_uri);
                self.sign_in.explained(error, &request.redirect_uri)
            }
        })
    }

    /// Exchanges the code and stores the tokens, then tells the browser how it went.
    async fn finish(&self, arrived: Arrived, request: Request) -> Result<Credential, Trouble> {
        let work = self.exchange(arrived.code().clone(), request);
        tokio::pin!(work);
        let mut arrived = Some(arrived);
        let outcome = match tokio::time::timeout(PATIENCE, &mut work).await {
            Ok(outcome) => outcome,
            Err(_) => {
                if let Some(arrived) = arrived.take() {
                    arrived.finish(Page::Pending).await;
                }
                work.await
            }
        };
        if let Some(arrived) = arrived {
            let page = match &outcome {
                Ok(_) => Page::SignedIn,
                // It goes on, in another tab.
                Err(Trouble::Spent(_)) => Page::Pending,
                Err(Trouble::Refused(_)) => Page::Failed,
            };
            arrived.finish(page).await;
        }
        outcome
    }

    async fn exchange(&self, code: SecretString, request: Request) -> Result<Credential, Trouble> {
        let Request { provider, client, redirect_uri, scope, bond, authorization, styles } = request;
        let endpoint = token_endpoint(&provider, &client, bond.as_ref());
        let code = Code { code, verifier: authorization.verifier, redirect_uri: redirect_uri.clone() };
        let Found { answer, style } = match search::exchange(endpoint, code, &styles).await {
            Ok(found) => found,
            Err(missed) => {
                let trouble = self.sign_in.missed(missed, (&provider, &client), styles.len() > 1).await;
                return Err(trouble.map(|error| self.sign_in.sent(error, &redirect_uri)));
            }
        };
        if self.sign_in.target.seeks_style() {
            self.sign_in.remember(&provider, &client, style);
        }
        let client = Client { style, ..client };
        let asked = Asked { provider, client, scope, key: bond.map(|bond| bond.pem) };
        let credential = self.sign_in.keep(answer, asked).await?;
        if styles.first() != Some(&style) {
            self.sign_in.tell_style(style);
        }
        Ok(credential)
    }
}
