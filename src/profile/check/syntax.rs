//! What is no TOML at all, and what no editor shows.

use toml_edit::Document;

use super::Finding;
use crate::error::clean;

/// Reads the text as TOML, with the place of everything in it.
pub(super) fn parse(text: &str) -> Result<Document<&str>, Finding> {
    if text.starts_with('\u{feff}') {
        return Err(Finding {
            at: 0..0,
            what: "the file begins with a byte order mark".to_owned(),
            hint: "save it as UTF-8 without a byte order mark (BOM)".to_owned(),
        });
    }
    // Everywhere, also in comments: such a character shows a reader another file than the one that is used.
    let turned = |c: &char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if let Some((at, c)) = text.char_indices().find(|(_, c)| turned(c)) {
        return Err(Finding {
            at: at..at,
            what: format!("a character that changes the direction of writing (U+{:04X})", u32::from(c)),
            hint: "remove it; most editors can show it".to_owned(),
        });
    }
    Document::parse(text).map_err(|error| {
        let at = error.span().unwrap_or_default();
        let message = clean(error.message());
        let hint = remedy(&message, line_at(text, at.start));
        Finding { at, what: format!("this is no TOML: {message}"), hint }
    })
}

/// The line around a place.
fn line_at(text: &str, at: usize) -> &str {
    let at = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    text[start..].lines().next().unwrap_or_default().trim()
}

/// What is usually meant by such a line.
fn remedy(message: &str, line: &str) -> String {
    let value = line.split_once('=').map(|(_, value)| value.trim());
    let bare = |value: &str| value.starts_with(|c: char| c.is_alphabetic() || c == '/');
    match value {
        _ if message.contains("missing comma") => {
            "put a comma between the values, and close the list or table with its bracket".to_owned()
        }
        _ if message.contains("duplicate key") => "keep one of the two and remove the other".to_owned(),
        _ if line.chars().any(|c| c.is_control() && c != '\t') => {
            "remove the control character; most editors can show it".to_owned()
        }
        _ if line.starts_with('[') => "write the head of a profile as [profiles.NAME]".to_owned(),
        None if line.contains(':') => "write `=` between a key and its value, not `:`".to_owned(),
        None => "write KEY = \"VALUE\", [profiles.NAME], or a comment that begins with #".to_owned(),
        Some("") => "give the key a value in double quotes".to_owned(),
        Some(value) if value.starts_with('"') || value.starts_with('\'') => {
            "check the quotes and the backslashes of this value".to_owned()
        }
        Some(value) if bare(value) => "put the value into double quotes".to_owned(),
        Some(value) if value.starts_with('[') => {
            "check the brackets, quotes and commas of this list".to_owned()
        }
        Some(value) if value.starts_with('{') => {
            "check the braces, quotes and commas of this table".to_owned()
        }
        Some(_) => "check the quotes around this key and its value".to_owned(),
    }
}
