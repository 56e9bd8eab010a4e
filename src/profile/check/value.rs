//! What a single value must be. Pure: a text in, nothing or half a sentence and a remedy out.

mod names;
mod request;

use url::Url;

use super::nearest::nearest;
use crate::error::clean;
use crate::http as client;
use crate::profile::preset;
pub use names::{host, place, token_type};
pub use request::{authorize_param, header, token_param};

/// What is wrong with a value, as the end of a sentence that begins with the key, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// Such as "is empty".
    pub what: String,
    /// Such as "write the address of the MCP server".
    pub hint: String,
}

/// The verdict on one value.
pub type Verdict = Result<(), Wrong>;

/// Refuses a value.
pub fn wrong(what: impl Into<String>, hint: impl Into<String>) -> Verdict {
    Err(Wrong { what: what.into(), hint: hint.into() })
}

/// Characters that no value may have: those that a terminal, a header or a reader's eye would take for
/// something else.
pub fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// What holds for every text: something is there, and it can be seen.
pub fn text(text: &str) -> Verdict {
    if let Some(c) = text.chars().find(|c| is_unseen(*c)) {
        let kind = if c.is_control() { "a control character" } else { "an invisible character" };
        return wrong(
            format!("contains {kind} (U+{:04X})", u32::from(c)),
            "type the value again by hand, without it",
        );
    }
    if text.trim().is_empty() {
        return wrong("is empty", "give it a value, or leave the key out");
    }
    if text.trim() != text {
        return wrong("begins or ends with a blank", "remove the blank");
    }
    if text.len() > 2048 {
        return wrong("is longer than 2048 bytes", "give a shorter value");
    }
    Ok(())
}

/// An address to which we may go: https, or http on this computer.
pub fn address(given: &str) -> Verdict {
    text(given)?;
    let example = "write an address such as https://mcp.example.com/mcp";
    if given.contains(['{', '}']) {
        return wrong(
            "has a name in braces, which only a preset's addresses may have",
            "write the address as it is",
        );
    }
    if given.contains(|c: char| c.is_whitespace() || "\\\"<>^`|".contains(c)) {
        return wrong("has a character that no address has", example);
    }
    // The standard of browsers forgives a third slash, and takes the path for the host.
    let parsed = Url::parse(given).ok().filter(|_| !given.contains(":///"));
    let Some(url) = parsed else {
        return match given.split_once("://") {
            None if given.contains('.') => wrong("is no address", format!("write https://{}", clean(given))),
            _ => wrong("is no address", example),
        };
    };
    if !url.username().is_empty() || url.password().is_some() {
        let hint = "leave the part before the @ out; a client secret goes into the keychain (`chipp-auth profile edit PROFILE --client-secret-stdin`)";
        return wrong("has a user name or password in it", hint);
    }
    if url.fragment().is_some() {
        return wrong("has a fragment", "leave out what begins with `#`");
    }
    match url.scheme() {
        "https" if given.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("https://")) => Ok(()),
        "http" if client::is_loopback(&url) => Ok(()),
        "http" => wrong("is not encrypted", "write https; http is for this computer only"),
        _ => wrong("is neither https nor http", example),
    }
}

/// An issuer: an address without query (RFC 8414 section 2).
pub fn issuer(text: &str) -> Verdict {
    address(text)?;
    if text.contains('?') {
        return wrong("has a query", "write the issuer alone, such as https://login.example.com");
    }
    if text.contains("/.well-known/") {
        return wrong(
            "is the address of a metadata document",
            "write the issuer alone: what stands before `/.well-known`",
        );
    }
    Ok(())
}

/// The name of a preset.
pub fn preset(name: &str) -> Verdict {
    text(name)?;
    if preset::all().iter().any(|preset| preset.id == name) {
        return Ok(());
    }
    let known: Vec<_> = preset::all().iter().map(|preset| preset.id).collect();
    let hint = match nearest(&name.to_lowercase(), &known) {
        Some(near) => format!("write `preset = \"{near}\"`, or leave it out"),
        None => "choose one of those that `chipp-auth profile presets` lists, or leave it out".to_owned(),
    };
    wrong(format!("names no preset that there is ({})", clean(name)), hint)
}

/// What goes into a preset's address: a host or a part of one, never more than its place.
pub fn variable(name: &str, value: &str) -> Verdict {
    text(name)?;
    text(value)?;
    if !preset::is_host_part(value) {
        let hint =
            "write the name alone, such as example.my.salesforce.com, without https:// and without a path";
        return wrong("is not a plain name", hint);
    }
    Ok(())
}

/// A client id. RFC 6749 appendix A.1 allows ASCII only; some servers hand out more.
pub fn client_id(given: &str) -> Verdict {
    text(given)
}

/// A scope (RFC 6749 section 3.3).
pub fn scope(given: &str) -> Verdict {
    text(given)?;
    if given.contains("  ") {
        return wrong("has two blanks in a row", "separate the permissions by one blank each");
    }
    match given.chars().find(|c| !c.is_ascii() || "\"\\".contains(*c)) {
        Some(c) => wrong(
            format!("has a character that no scope has ({})", clean(&c.to_string())),
            "write the names of the permissions, separated by blanks",
        ),
        None => Ok(()),
    }
}

/// The path of a redirect URI.
pub fn redirect_path(path: &str) -> Verdict {
    text(path)?;
    let example = "write a path such as /callback";
    if path.contains("://") {
        return wrong(
            "is a whole address",
            "write its path alone; `redirect_host` and `redirect_port` are keys of their own",
        );
    }
    if !path.starts_with('/') {
        return wrong("does not begin with `/`", format!("write /{}", clean(path)));
    }
    if path.contains(['?', '#']) {
        return wrong("has a query or a fragment", example);
    }
    let segments: Vec<_> = path.split('/').skip(1).collect();
    if segments.iter().any(|segment| [".", ".."].contains(segment)) || path.contains("//") {
        return wrong("has an empty part, or one that means another place", example);
    }
    if !path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@".contains(&byte)) {
        return wrong("has a character that would have to be escaped", example);
    }
    Ok(())
}

/// The `resource` parameter (RFC 8707 section 2): a word of ours, or an absolute URI.
pub fn resource(value: &str) -> Verdict {
    text(value)?;
    if ["auto", "omit"].contains(&value) {
        return Ok(());
    }
    if value.contains('#') {
        return wrong("has a fragment", "leave out what begins with `#` (RFC 8707)");
    }
    // Microsoft takes the bare id of an application, too.
    let id = value.len() == 36 && value.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    if id || (Url::parse(value).is_ok() && !value.contains(char::is_whitespace)) {
        return Ok(());
    }
    let hint = match nearest(value, &["auto", "omit"]) {
        Some(near) => format!("write `resource = \"{near}\"`"),
        None => "write auto, omit, or an absolute URI".to_owned(),
    };
    wrong("is neither auto nor omit nor an absolute URI", hint)
}

/// A file: one place, from wherever the program is started.
pub fn path(path: &str) -> Verdict {
    text(path)?;
    match () {
        () if path.starts_with('~') => {
            wrong("begins with `~`, which only a shell understands", "write the whole path")
        }
        () if !std::path::Path::new(path).is_absolute() => wrong(
            "is not an absolute path, and would mean another file in each directory",
            "write the whole path",
        ),
        () => Ok(()),
    }
}

/// What to do with a secret.
pub const SECRET: &str = "remove it; `chipp-auth profile edit PROFILE --client-secret-stdin` puts the client secret into the keychain";
