//! Names that others give: hosts, token types, and the places where an account's name is.

use super::{Verdict, text, wrong};
use crate::error::clean;
use crate::profile::check::nearest::nearest;

/// A host, or all below one.
pub fn host(host: &str) -> Verdict {
    text(host)?;
    let example = "write a host such as login.example.com, or *.example.com for all below it";
    if host.contains("://") || host.contains('/') {
        return wrong(format!("has more than a host in it ({})", clean(host)), example);
    }
    let name = host.strip_prefix("*.");
    let plain = name.unwrap_or(host);
    if host == "*" || name.is_some_and(|name| !name.contains('.')) {
        return wrong(format!("stands for too many hosts ({})", clean(host)), example);
    }
    let address = plain.parse::<std::net::Ipv4Addr>().is_ok()
        || plain.trim_start_matches('[').trim_end_matches(']').parse::<std::net::Ipv6Addr>().is_ok();
    if address && name.is_none() {
        return Ok(());
    }
    if plain.contains(':') {
        return wrong(format!("has a port in it ({})", clean(host)), "write the host alone");
    }
    let label = |label: &str| {
        (1..64).contains(&label.len())
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if plain.len() > 253 || !plain.split('.').all(label) {
        return wrong(format!("has a name in it that no host has ({})", clean(host)), example);
    }
    Ok(())
}

/// A token type (RFC 6749 section 7.1).
pub fn token_type(name: &str) -> Verdict {
    text(name)?;
    match () {
        () if name.eq_ignore_ascii_case("bearer") => {
            wrong("names Bearer, which is taken anyway", "remove it")
        }
        () if name.eq_ignore_ascii_case("dpop") => {
            wrong("names DPoP, which needs a key", "remove it and write `dpop = true`")
        }
        () if !name.chars().all(|c| c.is_ascii_alphanumeric() || "-._:/".contains(c)) => wrong(
            "has a name in it that is no token type",
            "write the word that the server gives as `token_type`",
        ),
        () => Ok(()),
    }
}

/// A place where the account's name is.
pub fn place(place: &str) -> Verdict {
    text(place)?;
    let sources = ["id_token", "userinfo", "token"];
    let (source, rest) = place.split_once('.').unwrap_or((place, ""));
    if !sources.contains(&source) {
        let near = nearest(source, &sources).unwrap_or("id_token");
        return wrong(
            format!("has a place that begins with none of id_token, userinfo and token ({})", clean(place)),
            format!("write a place such as {near}.email"),
        );
    }
    let named = |part: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_:/@".contains(c))
    };
    if rest.is_empty() || !rest.split('.').all(named) {
        return wrong(
            format!("has a place without a member ({})", clean(place)),
            format!("write a place such as {source}.email"),
        );
    }
    Ok(())
}
