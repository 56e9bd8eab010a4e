//! Which token request style a sign-in uses, and what is remembered of a search for it.

use super::SignIn;
use crate::credential::{Client, TokenStyle};
use crate::oauth::{Provider, search};
use crate::store::style;

impl SignIn<'_> {
    /// The styles to try: the one that is known, or all of them, likeliest first.
    pub(super) fn styles(&self, provider: &Provider, client: &Client) -> Vec<TokenStyle> {
        if !self.target.seeks_style() {
            return vec![client.style];
        }
        let remembered = style::read(&self.note(provider, client));
        // A server that registered us has said what it wants.
        let registered = client.registered_redirect.as_ref().map(|_| client.style);
        search::order(client, provider.auth_methods.as_deref(), remembered.or(registered))
    }

    /// Remembers a style that was found. The next sign-in tries it first, whatever becomes of this one.
    pub(super) fn remember(&self, provider: &Provider, client: &Client, found: TokenStyle) {
        let (paths, note) = (&self.context.paths, self.note(provider, client));
        if style::read(&note) != Some(found)
            && let Err(error) = style::write(paths, &note, &self.target.key(), found)
        {
            // Only time is lost by it.
            tracing::debug!("the token request style could not be noted: {error}");
        }
    }

    /// Says which style was found.
    pub(super) fn tell_style(&self, found: TokenStyle) {
        let line = format!("The token endpoint takes {} (found by trying; remembered).", found.name());
        self.context.ui.note(&line);
    }

    fn note(&self, provider: &Provider, client: &Client) -> std::path::PathBuf {
        style::path(&self.context.paths, &provider.endpoints.token, &client.id)
    }
}
