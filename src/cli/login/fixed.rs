//! `login --with-token`, and `login` for a profile with `auth = "bearer"`: a bearer token that the server handed out otherwise, from stdin and nowhere else:
//! command lines and environments are open to others (I3).

use std::io::{IsTerminal, Read};

use secrecy::{ExposeSecret, SecretString};

use super::SignIn;
use crate::cli::probe::{self, Verdict};
use crate::cli::terminal::Echo;
use crate::cli::ui::Ui;
use crate::credential::{Client, Credential, Grant, Tokens, now, now_ms};
use crate::error::{Error, Name, Result};
use crate::profile::Target;
use crate::proxy::Access;

/// The longest token, in bytes: servers take no longer header.
const LONGEST: usize = 16 * 1024;

impl SignIn<'_> {
    /// Stores a token that the user has, once its server took it; `None` where the server could not be asked.
    /// A token that it refuses replaces nothing.
    pub(super) async fn with_token(&self) -> Result<(Credential, Option<bool>)> {
        let token = self.read_token().await?;
        let access = Access::from(token.clone());
        let accepted = match probe::ask(&self.target, Some(&access)).await {
            Ok(Verdict::Refused) => {
                let what = format!("{} does not accept this token; nothing was stored", self.target.title());
                return Err(Error::new(Name::LoginDenied, what)
                    .hinted("check that the token is complete, still valid, and made for this server"));
            }
            Ok(Verdict::Accepted | Verdict::LacksScope(_)) => Some(true),
            Err(error) => {
                self.context.ui.note(&format!("chipp-auth: {error}."));
                None
            }
        };
        let credential = self.fixed(token);
        self.session.begin(credential.clone()).await?;
        self.record(&credential)?;
        Ok((credential, accepted))
    }

    /// The record. A token of one's own has no authorization server: nothing is renewed, and nothing
    /// revoked.
    fn fixed(&self, token: SecretString) -> Credential {
        let target = &self.target;
        Credential {
            issuer: target.url.origin().ascii_serialization(),
            resource: None,
            origins: target.origins.clone(),
            token_endpoint: target.url.clone(),
            revocation_endpoint: None,
            client: Client::default(),
            grant: Grant::Static,
            dpop_key: None,
            requested_scope: None,
            identity: None,
            subject: None,
            instance: None,
            tokens: Tokens {
                access: token,
                refresh: None,
                scope: None,
                expires_in: None,
                received_at_ms: now_ms(),
                refresh_expires_at: None,
            },
            generation: 1,
            signed_in_at: now(),
            refused_at: None,
            client_refused_at: None,
        }
    }

    async fn read_token(&self) -> Result<SecretString> {
        if std::io::stdin().is_terminal() {
            let typed = self.typed("Paste the token and press Enter (it is not shown):", Echo::Hidden).await;
            self.context.ui.must_see("");
            return check(typed?.expose_secret());
        }
        let read = tokio::task::spawn_blocking(|| {
            let mut text = String::new();
            let read = std::io::stdin().lock().take(LONGEST as u64 + 64).read_to_string(&mut text);
            read.map(|_| SecretString::from(text))
        });
        match tokio::time::timeout(self.args.timeout, read).await {
            Ok(Ok(Ok(text))) => check(text.expose_secret()),
            Ok(_) => Err(bad("is not text")),
            Err(_) => Err(Error::new(Name::LoginTimeout, "no token came on stdin in time")),
        }
    }
}

/// Says that there is nothing to sign in to (`auth = "none"`); the exit code.
pub(super) fn nothing(ui: &Ui, target: &Target) -> u8 {
    let name = target.name();
    ui.note(&format!("{name} needs no sign-in (`auth = \"none\"` in its profile): there is nothing to do."));
    if ui.json() {
        ui.object(&serde_json::json!({"signed_in": false, "target": name, "auth": "none"}));
    }
    0
}

/// Takes a token as people copy it: with blanks around it, and with the name of its scheme before it.
fn check(text: &str) -> Result<SecretString> {
    let text = text.trim();
    let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
    let token = if first.eq_ignore_ascii_case("bearer") { rest.trim_start() } else { text };
    let wrong = match () {
        () if token.is_empty() => "is empty",
        () if token.len() > LONGEST => "is longer than 16 KiB",
        () if token.contains("://") => "is an address",
        () if token.starts_with(['{', '[', '<']) => "is a document",
        // More than RFC 6750 section 2.1 allows: some servers hand out keys with `:` or `|` in them.
        () if !token.bytes().all(|byte| byte.is_ascii_graphic()) => {
            "contains blanks, line ends or characters that no header takes"
        }
        () => return Ok(token.into()),
    };
    Err(bad(wrong))
}

fn bad(why: &str) -> Error {
    Error::new(Name::Usage, format!("what came on stdin is no token: it {why}"))
        .hinted("write the token alone to stdin, such as `chipp-auth login{target} --with-token < FILE`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_taken_as_people_copy_it() {
        for (text, token) in [
            ("abc", "abc"),
            ("  sk-live_1.2~3+4/5==\r\n", "sk-live_1.2~3+4/5=="),
            ("Bearer abc", "abc"),
            ("bearer   12|abc:d\n", "12|abc:d"),
            ("Bearerabc", "Bearerabc"),
        ] {
            assert_eq!(check(text).unwrap().expose_secret(), token);
        }
        let long = "x".repeat(LONGEST + 1);
        for bad in [
            "",
            " \n",
            "Bearer ",
            "two words",
            "two\nlines",
            "caf\u{e9}",
            "nul\0",
            "https://e.com/token",
            "{\"access_token\":\"abc\"}",
            "<html>",
            "ab\u{e9}cdefgh",
            &long,
        ] {
            let error = check(bad).unwrap_err();
            assert_eq!(error.name(), Name::Usage, "{bad}");
            assert!(bad.len() < 3 || !error.to_json().to_string().contains(bad), "{error}");
        }
    }
}
