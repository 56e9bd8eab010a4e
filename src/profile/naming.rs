//! What a target is called: as it is typed, and for people.

use url::Url;

use super::{DEFAULT, Target};
use crate::http;

impl Target {
    /// This target as it has to be typed again, with its account; none for the default one.
    pub fn again(&self) -> Option<String> {
        words(self.typed.as_deref(), &self.account)
    }

    /// A name for people.
    pub fn name(&self) -> String {
        named(self.typed.as_deref())
    }

    /// The provider behind it, for people, if it is known.
    pub fn provider(&self) -> Option<&'static str> {
        self.preset.map(|preset| preset.name.as_str())
    }

    /// A name for people, with the provider: `crm (Salesforce)`.
    pub fn title(&self) -> String {
        titled(self.typed.as_deref(), self.provider())
    }

    /// The same with the account, where it is not the usual one: `crm (Salesforce), account work`.
    pub fn label(&self) -> String {
        let account = (self.account != "default").then(|| format!(", account {}", self.account));
        self.title() + &account.unwrap_or_default()
    }
}

/// How a target and its account are typed; none for the default of both.
pub fn words(typed: Option<&str>, account: &str) -> Option<String> {
    let account = (account != "default").then(|| format!("--account {}", quoted(account)));
    let words: Vec<_> = typed.into_iter().map(quoted).chain(account).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// The name of a target with its provider, for people.
pub fn titled(typed: Option<&str>, provider: Option<&str>) -> String {
    let name = named(typed);
    match provider {
        Some(provider) if provider.eq_ignore_ascii_case(&name) => provider.to_owned(),
        Some(provider) => format!("{name} ({provider})"),
        None => name,
    }
}

fn named(typed: Option<&str>) -> String {
    let typed = typed.unwrap_or(DEFAULT);
    Url::parse(typed).map_or_else(|_| typed.to_owned(), |url| http::show(&url))
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_.,:/@%+=~[]".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}
