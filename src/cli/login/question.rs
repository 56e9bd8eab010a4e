//! The last resort where a server registers no clients: the user, who can.

use secrecy::{ExposeSecret, SecretString};

use super::SignIn;
use crate::cli::terminal::{Echo, Typed};
use crate::cli::ui::Ui;
use crate::credential::Client;
use crate::error::{Error, Name, Result, clean};
use crate::oauth::{Provider, registration};

impl SignIn<'_> {
    /// Asks for a client that the user registers by hand. Where nobody can answer, `refused` is the end.
    ///
    /// It is kept like a registration of our own, with its redirect URI, so that the next sign-in uses
    /// the same port.
    pub(super) async fn ask_for_client(
        &self,
        refused: Error,
        provider: &Provider,
        redirect_uri: &str,
    ) -> Result<Client> {
        if self.args.background || !Ui::interactive() {
            return Err(refused);
        }
        let ui = self.context.ui;
        ui.must_see(&format!("chipp-auth: {}.", refused.what()));
        ui.must_see(&format!(
            "Register chipp-auth by hand at {}, as a native (public) application with this redirect URI:\n\n  \
             {redirect_uri}\n",
            clean(&provider.issuer)
        ));
        let id = self.typed("Its client id:", Echo::Shown).await?;
        let id = id.expose_secret().trim();
        if id.is_empty() {
            return Err(registration::by_hand("no client id was given"));
        }
        // RFC 6749 appendix A.1.
        if !id.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
            return Err(Error::new(Name::Usage, "a client id has only printable ASCII characters"));
        }
        let secret = self.typed("Its client secret (not shown; empty if it has none):", Echo::Hidden).await?;
        ui.must_see("");
        let secret = Some(secret).filter(|secret| !secret.expose_secret().is_empty());
        let registered_redirect = Some(redirect_uri.to_owned());
        Ok(Client { id: id.to_owned(), secret, registered_redirect, ..Client::default() })
    }

    /// One typed line, within the time of the sign-in.
    pub(super) async fn typed(&self, prompt: &str, echo: Echo) -> Result<SecretString> {
        let none = || Error::new(Name::LoginCancelled, "nothing was typed");
        let mut typed = Typed::start(echo).ok_or_else(none)?;
        self.context.ui.prompt(prompt);
        match tokio::time::timeout(self.args.timeout, typed.line()).await {
            Ok(line) => line.ok_or_else(none),
            Err(_) => Err(Error::new(Name::LoginTimeout, "nothing was typed in time")),
        }
    }
}
