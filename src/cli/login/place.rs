//! Where a new sign-in is kept: in the place that was meant, unless the sign-in there is that of another
//! account. People sign in as somebody else without noticing, because a browser remembers accounts of its own;
//! that must not cost them the sign-in they had.

use super::SignIn;
use crate::credential::{Credential, Key};
use crate::error::{Error, Name, Result};
use crate::profile::Target;
use crate::session::Begun;
use crate::store::{Store, index};

/// How many names are tried for an account, if others have them already.
const TRIES: usize = 9;

/// A place that was not meant, because another account has the one that was.
pub(super) struct Elsewhere {
    pub(super) target: Target,
    pub(super) store: Store,
    /// The account that stays where it is.
    pub(super) stays: String,
}

impl SignIn<'_> {
    /// Stores a new sign-in: in its place, or as an account of its own. Whose place it is, is looked at while
    /// nobody else can change it.
    pub(super) async fn place(&self, credential: &Credential) -> Result<()> {
        let identity = credential.identity.as_deref().unwrap_or_default();
        let stays = match self.meant(identity) {
            Some(other) => other,
            None => match self.session.begin(credential.clone()).await? {
                Begun::Stored => return Ok(()),
                Begun::Taken(identity) if identity.is_empty() => "the one that is signed in".to_owned(),
                Begun::Taken(identity) => identity,
            },
        };
        for account in self.names(identity) {
            let mut target = self.target.clone();
            target.account = account;
            let store = match (self.context.global.store, index::pinned(&self.context.paths, &target.key())?)
            {
                (None, Some(kind)) => self.context.open(kind),
                _ => self.store.clone(),
            };
            let session = self.context.session(&target, store.clone())?;
            // Nobody meant this place: what is there without a name, or cannot be read, may be anybody's.
            match session.load().await {
                Ok(None) => {}
                Ok(Some(there)) if there.identity.is_some() => {}
                _ => continue,
            }
            if session.begin(credential.clone()).await? == Begun::Stored {
                let _ = self.elsewhere.set(Elsewhere { target, store, stays });
                return Ok(());
            }
        }
        let what = format!("{stays} is signed in there, and every name for {identity} is taken as well");
        Err(self.target.mark(
            Error::new(Name::Usage, what).hinted("choose a name for the new account with `--account NAME`"),
        ))
    }

    /// Whose the place is by its name, if not this account's: that of an address of mail is for nobody else.
    fn meant(&self, identity: &str) -> Option<String> {
        let name = &self.target.account;
        let both = name.contains('@') && identity.contains('@');
        (both && !name.eq_ignore_ascii_case(identity)).then(|| name.clone())
    }

    /// The account to name to the provider, so that its page does not offer another one: where one was chosen
    /// here, and is known by an address of mail. Only to servers of OpenID Connect, which says what this means;
    /// others may refuse what they do not know. Not for the usual account: a sign-in there may well be meant
    /// for somebody new.
    pub(super) fn login_hint<'a>(
        &'a self,
        scope: Option<&str>,
        before: Option<&'a Credential>,
    ) -> Option<&'a str> {
        self.context.global.account.as_ref()?;
        let openid = scope.unwrap_or_default().split_whitespace().any(|word| word == "openid");
        let stated = self.target.authorize_params.contains_key("login_hint");
        let known = before.and_then(|before| before.identity.as_deref());
        let names = known.into_iter().chain([self.target.account.as_str()]);
        names.filter(|_| openid && !stated).find(|name| name.contains('@'))
    }

    /// The names under which an account may be kept: that of the place where it is already; else its own.
    fn names(&self, identity: &str) -> impl Iterator<Item = String> {
        let key = Key { account: name_of(identity), ..self.target.key() };
        let siblings = index::siblings(&self.context.paths, &key).unwrap_or_default();
        let same = move |account: &index::Account| {
            account.identity.as_ref().is_some_and(|other| other.eq_ignore_ascii_case(identity))
        };
        let known: Vec<_> = siblings.into_iter().filter(same).map(|account| account.account).collect();
        let numbered = (2..=TRIES).map({
            let own = key.account.clone();
            move |number| format!("{own}-{number}")
        });
        known.into_iter().chain([key.account]).chain(numbered)
    }

    /// Where the sign-in was kept.
    pub(super) fn kept(&self) -> (&Target, &Store) {
        let elsewhere = self.elsewhere.get();
        elsewhere.map_or((&self.target, &self.store), |elsewhere| (&elsewhere.target, &elsewhere.store))
    }

    /// What a proxy is told that ordered this sign-in for another account.
    pub(super) fn misplaced(&self, credential: &Credential) -> Option<Error> {
        let Elsewhere { target, stays, .. } = self.elsewhere.get()?;
        let identity = credential.identity.as_deref().unwrap_or("somebody else");
        let title = self.target.title();
        let what = format!("you signed in to {title} as {identity}, but this client uses {stays}");
        let command = target.again().unwrap_or_default();
        Some(Error::new(Name::LoginDenied, what).hinted(format!(
            "run `chipp-auth login{{target}}` and sign in as {stays}, or let the client start `chipp-auth proxy {command}` to use {identity}"
        )))
    }

    /// Other places where the same account is signed in.
    pub(super) fn doubles(&self, credential: &Credential) -> Vec<String> {
        let key = self.kept().0.key();
        let Some(identity) = &credential.identity else { return Vec::new() };
        let siblings = index::siblings(&self.context.paths, &key).unwrap_or_default();
        let others = siblings.into_iter().filter(|other| other.account != key.account);
        let same = others.filter(|other| {
            other.identity.as_ref().is_some_and(|other| other.eq_ignore_ascii_case(identity))
        });
        same.map(|other| other.account).collect()
    }
}

/// The name of an account, out of a text of its provider: nothing but letters, digits and what addresses of
/// mail have. A blank above all is not for others to choose: the keychain's names of accounts have blanks
/// between their parts ([`Key::user`]).
fn name_of(identity: &str) -> String {
    let safe = |c: char| if c.is_alphanumeric() || "@.+_-".contains(c) { c } else { '-' };
    let name: String = identity.chars().map(safe).collect();
    // One that begins like an option could not be typed.
    let name = name.trim_matches('-');
    if name.is_empty() { "other" } else { name }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_identity_has_the_name_of_another_key() {
        assert_eq!(name_of("jane+test@example.com"), "jane+test@example.com");
        assert_eq!(name_of("John Smith"), "John-Smith");
        assert_eq!(name_of("default https://mcp.example.com via"), "default-https---mcp.example.com-via");
        assert_eq!(name_of("(client secret)"), "client-secret");
        assert_eq!(name_of("Zoë"), "Zoë");
        assert_eq!((name_of("--json"), name_of("???")), ("json".into(), "other".into()));
    }
}
