//! Why an authorization request brought no sign-in, and what follows.

use super::SignIn;
use super::keep::discard;
use crate::credential::{Client, TokenStyle};
use crate::error::{Error, Name};
use crate::oauth::Provider;
use crate::oauth::rejected::{Tried, explain};
use crate::oauth::remedy;
use crate::oauth::search::Missed;
use crate::oauth::wire::{Cause, Refusal};

/// Why an authorization request brought no sign-in.
pub(super) enum Trouble {
    Refused(Refusal),
    /// The token endpoint takes this style, and its code was burned by a try in another one.
    Spent(TokenStyle),
}

impl Trouble {
    /// With another error, where it is one.
    pub(super) fn map(self, change: impl FnOnce(Error) -> Error) -> Self {
        match self {
            Trouble::Refused(refusal) => {
                let error = change(refusal.error.clone());
                Trouble::Refused(Refusal { error, ..refusal })
            }
            spent @ Trouble::Spent(_) => spent,
        }
    }
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Trouble::Refused(refusal)
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Trouble::Refused(error.into())
    }
}

impl From<Trouble> for Error {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Refused(refusal) => refusal.error,
            Trouble::Spent(_) => Error::new(Name::LoginDenied, "the server did not accept its own code"),
        }
    }
}

impl SignIn<'_> {
    /// What a code that brought no tokens means.
    pub(super) async fn missed(
        &self,
        missed: Missed,
        (provider, client): (&Provider, &Client),
        seeking: bool,
    ) -> Trouble {
        let Missed { mut refusal, tried, spent } = missed;
        let style = tried.last().copied().unwrap_or(client.style);
        if spent {
            self.remember(provider, client, style);
            return Trouble::Spent(style);
        }
        // In an answer that is otherwise of no use.
        let salvaged = refusal.salvaged.take();
        discard(provider, &Client { style, ..client.clone() }, salvaged).await;
        if refusal.cause != Cause::InvalidGrant {
            return explain(refusal, Tried { client, styles: &tried, seeking }).into();
        }
        let what = format!("the server did not accept its own code: {}", refusal.said);
        // RFC 6749 section 5.2 has the same code for a code that is dead and for a redirect URI that is another.
        let name = match remedy::is_redirect_mismatch(&refusal.said) {
            true => Name::RedirectUriMismatch,
            false => Name::LoginDenied,
        };
        let error = Error::new(name, what);
        match refusal.error.own_hint() {
            Some(hint) => error.hinted(hint),
            None if seeking => error.hinted(
                "run `chipp-auth login{target}` again; if it stays, name the token request style, such as \
                 `--token-style form_basic`",
            ),
            None => error,
        }
        .into()
    }
}
