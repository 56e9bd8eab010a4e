//! The grammar of RFC 9110 sections 5.6 and 11.6.1 as it stands there, by trying everything: slow, and
//! easy to compare with the text of the RFC. A text outside of the grammar gives nothing.

use super::super::Challenge;

/// `#challenge`, where an element is one comma-separated piece: `#auth-param` has commas too, so a
/// piece either starts a challenge or continues the one before it.
pub(super) fn parse(text: &str) -> Option<Vec<Challenge>> {
    let mut challenges: Vec<Challenge> = Vec::new();
    for piece in pieces(text)? {
        let piece = piece.trim_matches([' ', '\t']);
        if piece.is_empty() {
            continue;
        }
        match (param(piece), challenges.last_mut()) {
            (Some(param), Some(challenge)) => challenge.params.push(param),
            (Some(_), None) => return None,
            (None, _) => challenges.push(first(piece)?),
        }
    }
    Some(challenges)
}

/// Splits at the commas that stand outside of quoted strings; nothing if one never ends, or begins
/// where none may.
fn pieces(text: &str) -> Option<Vec<String>> {
    let mut pieces = vec![String::new()];
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            ',' => pieces.push(String::new()),
            '"' => {
                let piece = pieces.last_mut()?;
                piece.push(c);
                loop {
                    let c = chars.next()?;
                    piece.push(c);
                    match c {
                        '"' => break,
                        '\\' => piece.push(chars.next()?),
                        _ => {}
                    }
                }
            }
            c => pieces.last_mut()?.push(c),
        }
    }
    Some(pieces)
}

/// `auth-scheme [ 1*SP ( token68 / auth-param ) ]`.
fn first(piece: &str) -> Option<Challenge> {
    let end = piece.find([' ', '\t']).unwrap_or(piece.len());
    let (scheme, rest) = piece.split_at(end);
    let rest = rest.trim_matches([' ', '\t']);
    let challenge = |params| Challenge { scheme: scheme.to_ascii_lowercase(), params };
    match (is_token(scheme), param(rest)) {
        (false, _) => None,
        (true, Some(param)) => Some(challenge(vec![param])),
        (true, None) => (rest.is_empty() || is_token68(rest)).then(|| challenge(vec![])),
    }
}

/// `token BWS "=" BWS ( token / quoted-string )`: any `=` in it may be the one.
fn param(piece: &str) -> Option<(String, String)> {
    piece.match_indices('=').find_map(|(at, _)| {
        let name = piece[..at].trim_end_matches([' ', '\t']);
        let value = piece[at + 1..].trim_start_matches([' ', '\t']);
        let value = if is_token(value) { value.to_owned() } else { unquote(value)? };
        is_token(name).then(|| (name.to_ascii_lowercase(), value))
    })
}

fn unquote(text: &str) -> Option<String> {
    let mut inner = text.strip_prefix('"')?.strip_suffix('"')?.chars();
    let mut value = String::new();
    while let Some(c) = inner.next() {
        match c {
            '"' => return None,
            '\\' => value.push(inner.next()?),
            c => value.push(c),
        }
    }
    Some(value)
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c))
}

fn is_token68(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    !body.is_empty() && body.chars().all(|c| c.is_ascii_alphanumeric() || "-._~+/".contains(c))
}
