//! `login --device`: with any browser, on any computer (RFC 8628).

use std::time::{Duration, Instant};

use url::Url;

use super::SignIn;
use super::client::registered;
use super::keep::{Asked, token_endpoint};
use super::way;
use crate::cli::ui::{Tone, paint, span};
use crate::credential::{Client, Credential};
use crate::error::{Error, Name, Result, clean};
use crate::login::browser::{self, Launch};
use crate::oauth::Provider;
use crate::oauth::device::Device;
use crate::oauth::rejected::{Tried, explain};
use crate::oauth::search::{self, Found, Missed};
use crate::oauth::wire::{Cause, Endpoint, Refusal};

impl SignIn<'_> {
    /// Signs in by a device code.
    pub(super) async fn by_device(&self, before: Option<&Credential>) -> Result<Credential> {
        let provider = self.discover(before).await?;
        let Some(url) = &provider.endpoints.device else {
            let what = format!("{} offers no sign-in by code", clean(&provider.issuer));
            return Err(Error::new(Name::Usage, what)
                .hinted("run `chipp-auth login{target}` without --device; it says how to go on"));
        };
        let (client, stored) = self.device_client(&provider, before).await?;
        match self.by_code(url, &provider, client).await {
            // Forgotten by the server, or never registered for this kind of sign-in: once more.
            Err(refusal) if stored && refusal.cause == Cause::InvalidClient => {
                let (client, _) = self.device_client(&provider, None).await?;
                self.by_code(url, &provider, client).await
            }
            outcome => outcome,
        }
        .map_err(|refusal| refusal.error)
    }

    /// The client, and whether it was registered at an earlier sign-in.
    async fn device_client(
        &self,
        provider: &Provider,
        before: Option<&Credential>,
    ) -> Result<(Client, bool)> {
        if let Some((client, _)) = self.configured(provider, before)? {
            return Ok((client, false));
        }
        if let Some((client, _)) = before.and_then(|before| registered(before, provider)) {
            return Ok((client, provider.registration.is_some()));
        }
        // The registration has to serve a later sign-in through the browser too, with a port of its own.
        let listener = self.bind().await?;
        Ok((self.register(provider, &listener, true).await?.0, false))
    }

    async fn by_code(&self, url: &Url, provider: &Provider, client: Client) -> Result<Credential, Refusal> {
        let scope = self.scope(provider);
        let bond = self.bond()?;
        let token = token_endpoint(provider, &client, bond.as_ref());
        let mut styles = self.styles(provider, &client);
        let (first, seeking) = (styles.first().copied().unwrap_or_default(), styles.len() > 1);
        let missed = |missed: Missed| {
            explain(missed.refusal, Tried { client: &client, styles: &missed.tried, seeking })
        };
        let endpoint = Endpoint { url, dpop: None, ..token };
        let started = search::start(endpoint, scope.as_deref(), &styles).await.map_err(missed)?;
        let device = started.answer;
        // The client proves itself there as at the token endpoint, so that style comes first.
        styles.sort_by_key(|style| *style != started.style);
        provider.reach.check(&device.page).await?;
        self.show(&device, scope.as_deref()).await?;
        let (ui, limit) = (self.context.ui, self.args.timeout.min(device.lifetime));
        let countdown = async {
            let end = Instant::now() + limit;
            loop {
                let left = end.saturating_duration_since(Instant::now()).as_secs();
                ui.waiting(&format!("Waiting for the code … {} left (Ctrl-C to stop)", span(left)));
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        };
        let outcome = tokio::select! {
            outcome = tokio::time::timeout(limit, device.wait_in(token, &styles)) => outcome,
            never = countdown => never,
        };
        ui.waited();
        let outcome = outcome.map_err(|_| {
            let what = format!("nobody finished the sign-in within {}", span(limit.as_secs()));
            Error::new(Name::LoginTimeout, what)
        })?;
        let Found { answer, style } = outcome.map_err(missed)?;
        let client = Client { style, ..client };
        let key = bond.map(|bond| bond.pem);
        let news = self.remember(provider, &client, style) || first != style;
        let credential = self.keep(answer, Asked { provider: provider.clone(), client, scope, key }).await?;
        if news {
            self.tell_style(style);
        }
        Ok(credential)
    }

    /// Shows the page and the code, and opens the page where that can work. The code stays in view: the
    /// user compares it with what the page shows (RFC 8628 section 5.4).
    async fn show(&self, device: &Device, scope: Option<&str>) -> Result<()> {
        let ui = self.context.ui;
        browser::check(&device.page)?;
        way::announce(self, &device.page, scope);
        ui.must_see("Open this address in any browser, on any computer:");
        ui.must_see(&format!("\n  {}\n", device.page));
        ui.must_see("and enter this code:");
        ui.must_see(&format!("\n  {}\n", paint(Tone::Strong, &device.user_code)));
        // The code must not be sent to another place than the one that is shown.
        let same = |filled: &&Url| filled.origin() == device.page.origin() && browser::check(filled).is_ok();
        let filled = device.filled.as_ref().filter(same);
        if !self.args.no_browser
            && let Launch::Browser = browser::launch(filled.unwrap_or(&device.page)).await?
        {
            ui.note("Your browser should open now.");
        }
        Ok(())
    }
}
