//! Which token request style a sign-in uses, and what is remembered of a search for it.

use super::SignIn;
use crate::credential::{Client, TokenStyle};
use crate::oauth::Provider;
use crate::oauth::answer::Against;
use crate::oauth::search::{self, Missed};
use crate::store::style::{self, Known};

impl SignIn<'_> {
    /// The styles to try: the one that is known, or all of them, likeliest first.
    pub(super) fn styles(&self, provider: &Provider, client: &Client) -> Vec<TokenStyle> {
        if !self.target.seeks_style() {
            return vec![client.style];
        }
        let Known { style, refused } = style::read(&self.note(provider, client));
        // A server that registered us has said what it wants.
        let registered = client.registered_redirect.as_ref().map(|_| client.style);
        let known = search::Known {
            methods: provider.auth_methods.as_deref(),
            worked: style.or(registered),
            refused: &refused,
        };
        search::order(client, known)
    }

    /// Remembers a style that was found, if one was sought. The next sign-in tries it first, whatever becomes of
    /// this one. Whether sign-ins before this one had looked for it in vain.
    pub(super) fn remember(&self, provider: &Provider, client: &Client, found: TokenStyle) -> bool {
        let known = style::read(&self.note(provider, client));
        if self.target.seeks_style() && known.style != Some(found) {
            self.write(provider, client, Known { style: Some(found), refused: Vec::new() });
        }
        !known.refused.is_empty()
    }

    /// Remembers what a search that found nothing has proven: that its first style is a wrong one. The others
    /// may have met a spent code, so the next sign-in begins with another one.
    pub(super) fn remember_refused(&self, provider: &Provider, client: &Client, missed: &Missed) {
        let (Some(&first), true) = (missed.tried.first(), missed.tried.len() > 1) else { return };
        // Whoever names the client has looked at it, and stands to it in every style.
        if matches!(missed.refusal.against, Against::Nothing | Against::Client) {
            return;
        }
        let mut refused = style::read(&self.note(provider, client)).refused;
        refused.push(first);
        if missed.tried.iter().all(|style| refused.contains(style)) {
            // Each has had its turn.
            refused.clear();
        }
        self.write(provider, client, Known { style: None, refused });
    }

    fn write(&self, provider: &Provider, client: &Client, known: Known) {
        let (paths, note) = (&self.context.paths, self.note(provider, client));
        if let Err(error) = style::write(paths, &note, &self.target.key(), known) {
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
