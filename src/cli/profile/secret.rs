//! The client secret: from where it comes, and where it goes. Never through the command line, the environment of
//! a child, or the file.

use std::io::Read;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use crate::cli::context::Context;
use crate::cli::terminal::{Echo, Typed};
use crate::cli::ui::Ui;
use crate::credential::Key;
use crate::error::{Error, Name, Result};
use crate::profile::check::value::is_unseen;
use crate::store::Store;

/// The longest secret, in bytes.
const LONGEST: usize = 8 * 1024;
/// How long it may take to come.
const PATIENCE: Duration = Duration::from_secs(300);

/// Reads the secret from stdin; on a terminal it is asked for and not shown.
///
/// # Errors
/// `usage` if it is none, `login-timeout` if none comes.
pub(super) async fn from_stdin(context: &Context<'_>) -> Result<SecretString> {
    let late = || {
        Error::new(Name::LoginTimeout, "no client secret came on stdin in time")
            .hinted("write the secret to stdin, such as `… --client-secret-stdin < FILE`")
    };
    if Ui::interactive() {
        let mut typed = Typed::start(Echo::Hidden).ok_or_else(late)?;
        context.ui.prompt("Client secret (not shown):");
        let line = tokio::time::timeout(PATIENCE, typed.line()).await;
        context.ui.must_see("");
        return check(&line.ok().flatten().ok_or_else(late)?);
    }
    let read = tokio::task::spawn_blocking(|| {
        let mut text = String::new();
        std::io::stdin()
            .lock()
            .take(LONGEST as u64 + 64)
            .read_to_string(&mut text)
            .map(|_| SecretString::from(text))
    });
    match tokio::time::timeout(PATIENCE, read).await {
        Ok(Ok(Ok(text))) => check(&text),
        Ok(_) => Err(bad("is no text")),
        Err(_) => Err(late()),
    }
}

/// Takes a secret as people copy it, with blanks or a line end around it.
///
/// # Errors
/// `usage`.
pub(super) fn check(text: &SecretString) -> Result<SecretString> {
    let secret = text.expose_secret().trim();
    match () {
        () if secret.is_empty() => Err(bad("is empty")),
        () if secret.len() > LONGEST => Err(bad("is longer than 8 KiB")),
        () if secret.chars().any(is_unseen) => Err(bad("contains line ends or invisible characters")),
        () => Ok(secret.into()),
    }
}

fn bad(why: &str) -> Error {
    Error::new(Name::Usage, format!("what came as client secret {why}"))
        .hinted("give the secret alone, as the provider shows it")
}

/// Where a secret is.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) key: Key,
    pub(super) store: Store,
}

impl Place {
    /// Whether both are one place.
    pub(super) fn is(&self, other: &Place) -> bool {
        self.key == other.key && self.store.kind() == other.store.kind()
    }

    /// The secret that is there.
    pub(super) async fn read(&self, context: &Context<'_>) -> Result<Option<SecretString>> {
        context.patiently(&self.store, self.store.secret(&self.key)).await
    }

    /// Puts a secret there.
    pub(super) async fn keep(&self, context: &Context<'_>, secret: &SecretString) -> Result<()> {
        context.patiently(&self.store, self.store.keep_secret(&self.key, secret)).await
    }

    /// Takes it away, or puts that of before back.
    pub(super) async fn restore(&self, before: Option<&SecretString>) {
        let done = match before {
            Some(before) => self.store.keep_secret(&self.key, before).await,
            None => self.store.forget(&self.key).await.map(|_| ()),
        };
        if let Err(error) = done {
            tracing::warn!("the client secret could not be put back: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_taken_as_people_copy_it() {
        for (text, secret) in [("abc", "abc"), ("  s3:cr et/+=\r\n", "s3:cr et/+="), ("pässwort", "pässwort")]
        {
            assert_eq!(check(&text.into()).unwrap().expose_secret(), secret);
        }
        for bad in ["", " \n", "two\nlines", "nul\0", "zero\u{200b}width", &"x".repeat(LONGEST + 1)] {
            let error = check(&bad.into()).unwrap_err();
            assert_eq!(error.name(), Name::Usage);
            assert!(bad.len() < 3 || !error.to_json().to_string().contains(bad));
        }
    }
}
