//! Makes the report safe to paste: whatever a check says goes through here, so that no check has to think of
//! it.
//!
//! What is known to be secret never gets into a check. This is about what identifies the user: the home
//! directory is `~`, the user's name in other paths and e-mail addresses are gone, and so are queries,
//! fragments and credentials of addresses. Coarse on purpose: a word too much may go, none too few.

use std::path::Path;

use crate::error::clean;

/// Cleans the texts of one report.
#[derive(Debug, Default)]
pub(super) struct Paste {
    /// What is replaced word for word, and by what; the longest first.
    swaps: Vec<(String, String)>,
    user: Option<String>,
}

/// What stands in the place of the user's name, and of an e-mail address.
const USER: &str = "[user]";
const EMAIL: &str = "[email]";

impl Paste {
    /// For the user of this process.
    pub(super) fn new() -> Paste {
        let home = directories::BaseDirs::new().map(|directories| directories.home_dir().to_owned());
        let named = ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(|name| std::env::var(name).ok());
        Paste::of(home.as_deref(), named)
    }

    fn of(home: Option<&Path>, named: Option<String>) -> Paste {
        let mut paste = Paste::default();
        let real = home.and_then(|home| home.canonicalize().ok());
        for home in home.into_iter().chain(real.as_deref()) {
            // Nobody's home is the root of all files, but that of some service accounts.
            if home.parent().is_some() {
                paste.swap(&home.display().to_string(), "~");
            }
        }
        let directory = home.and_then(Path::file_name).and_then(|name| name.to_str()).map(str::to_owned);
        // `root` tells nothing, and is a word of its own in too many paths.
        paste.user = named.or(directory).filter(|user| !user.is_empty() && user != "root");
        paste
    }

    /// Shows `shown` wherever `text` would stand.
    pub(super) fn swap(&mut self, text: &str, shown: &str) {
        if !text.is_empty() && text != shown {
            self.swaps.push((text.to_owned(), shown.to_owned()));
            self.swaps.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
        }
    }

    /// The text as it may be shown to anybody.
    pub(super) fn clean(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (from, to) in &self.swaps {
            text = replace(&text, from, to);
        }
        let text = addresses(&text);
        let text = match &self.user {
            Some(user) => path_parts(&text, user),
            None => text,
        };
        clean(&emails(&text))
    }
}

/// Replaces whole names only: the home of `ad` is no part of that of `ada`.
fn replace(text: &str, from: &str, to: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(at) = rest.find(from) {
        let (before, after) = (&rest[..at], &rest[at + from.len()..]);
        let inside = |c: char| c.is_alphanumeric() || c == '_';
        out.push_str(before);
        let part = before.ends_with(inside) || after.starts_with(inside);
        out.push_str(if part { from } else { to });
        rest = after;
    }
    out + rest
}

/// Takes user name, password, query, fragment and keys out of every address.
fn addresses(text: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        let end = after.find(|c: char| c.is_whitespace() || "`\"'<>".contains(c)).unwrap_or(after.len());
        let (address, after) = after.split_at(end);
        let authority = address.find(['/', '?', '#', '\\']).unwrap_or(address.len());
        let host = address[..authority].rfind('@').map_or(0, |at| at + 1);
        let shown = address.find(['?', '#']).unwrap_or(address.len());
        let parts: Vec<_> =
            address[host..shown].split('/').map(|part| if is_key(part) { "…" } else { part }).collect();
        out.push_str(&parts.join("/"));
        rest = after;
    }
    out + rest
}

/// Whether a part of a path looks like a key: some servers are addressed by one.
fn is_key(part: &str) -> bool {
    let has = |kind: fn(&u8) -> bool| part.as_bytes().iter().any(kind);
    part.len() >= 20 && !part.contains('.') && has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic)
}

/// Takes the user's name out of paths, where it is a whole part.
fn path_parts(text: &str, user: &str) -> String {
    let mut out = String::new();
    let mut part = String::new();
    let mut in_path = false;
    let end = |out: &mut String, part: &mut String, in_path: bool| {
        out.push_str(if in_path && part == user { USER } else { part });
        part.clear();
    };
    for c in text.chars() {
        if c == '/' || c == '\\' || c.is_whitespace() || "`\"',;:()".contains(c) {
            end(&mut out, &mut part, in_path);
            in_path = c == '/' || c == '\\';
            out.push(c);
        } else {
            part.push(c);
        }
    }
    end(&mut out, &mut part, in_path);
    out
}

/// Takes e-mail addresses out.
fn emails(text: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    let local = |c: char| c.is_alphanumeric() || "._%+-".contains(c);
    while let Some(at) = rest.find('@') {
        let (before, after) = (&rest[..at], &rest[at + 1..]);
        let start = before
            .rfind(|c| !local(c))
            .map_or(0, |last| last + before[last..].chars().next().map_or(1, char::len_utf8));
        let domain = after.find(|c: char| !(c.is_alphanumeric() || ".-".contains(c))).unwrap_or(after.len());
        out.push_str(&before[..start]);
        if start < before.len() && domain > 0 {
            out.push_str(EMAIL);
            // A full stop that ends the sentence is not the domain's.
            rest = &after[after[..domain].trim_end_matches('.').len()..];
        } else {
            out.push_str(&before[start..]);
            out.push('@');
            rest = after;
        }
    }
    out + rest
}

#[cfg(test)]
mod tests;
