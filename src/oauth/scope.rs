//! Which scope to ask for. Pure: texts in, text out.
//!
//! Scopes are opaque words (RFC 6749 section 3.3): no word contains another one, whatever it looks like,
//! so a union is that of two sets, and what is asked for need not be among what a server lists.

use super::Provider;
use crate::credential::Credential;

/// The scope that is worth a refresh token at some servers (OpenID Connect Core section 11).
const OFFLINE: &str = "offline_access";

/// The scope of a sign-in: what the user, his profile or a step-up chose, exactly as it is; else
/// what the challenge or the resource's metadata names; else none.
///
/// Only to the second kind `offline_access` is added, and only where the authorization server itself lists
/// it. Where no scope is sent the server's default holds, and a lone `offline_access` would replace
/// it.
pub fn select(chosen: Option<&str>, provider: &Provider) -> Option<String> {
    let named = |text: &&str| !text.trim().is_empty();
    if let Some(chosen) = chosen.filter(named) {
        return Some(chosen.to_owned());
    }
    let found = provider.scope.as_deref().filter(named)?;
    let offline = provider.scopes.iter().any(|scope| scope == OFFLINE);
    Some(if offline { union(found, OFFLINE) } else { found.trim().to_owned() })
}

/// All words of both, each once, in the order of their first occurrence (A-52: what was requested, and what
/// is demanded).
pub fn union(requested: &str, demanded: &str) -> String {
    let mut all: Vec<&str> = Vec::new();
    for word in requested.split_whitespace().chain(demanded.split_whitespace()) {
        if !all.contains(&word) {
            all.push(word);
        }
    }
    all.join(" ")
}

/// Whether `scope` has a word that `requested` has not. No `scope` is the server's default, of which nothing
/// is known.
pub fn exceeds(scope: Option<&str>, requested: Option<&str>) -> bool {
    let known: Vec<&str> = requested.unwrap_or_default().split_whitespace().collect();
    scope.unwrap_or_default().split_whitespace().any(|word| !known.contains(&word))
}

/// Whether the user should be asked for his consent once more: a sign-in for `offline_access` brought no
/// refresh token, and OpenID servers give one only with a fresh consent (OpenID Connect Core section 11).
/// Not at the first sign-in: elsewhere that question may be more than a user is allowed to answer.
pub fn wants_consent(scope: Option<&str>, before: Option<&Credential>) -> bool {
    let offline =
        |scope: Option<&str>| scope.unwrap_or_default().split_whitespace().any(|word| word == OFFLINE);
    let fruitless =
        |old: &Credential| old.tokens.refresh.is_none() && offline(old.requested_scope.as_deref());
    offline(scope) && before.is_some_and(fruitless)
}

#[cfg(test)]
mod tests {
    use super::super::tests::provider;
    use super::*;

    //
    #[test]
    fn consent_is_asked_for_only_after_a_sign_in_without_a_refresh_token() {
        let offline = Some("a offline_access");
        let mut before = crate::credential::tests::sample();
        before.requested_scope = offline.map(str::to_owned);
        assert!(!wants_consent(offline, None));
        assert!(!wants_consent(offline, Some(&before)), "it brought one");
        before.tokens.refresh = None;
        assert!(wants_consent(offline, Some(&before)));
        assert!(!wants_consent(Some("a"), Some(&before)));
        before.requested_scope = Some("a".to_owned());
        assert!(!wants_consent(offline, Some(&before)), "it was not asked for one");
    }

    //
    #[test]
    fn the_first_source_that_names_a_scope_decides() {
        for (chosen, named, listed, expected) in [
            (Some("mine"), Some("theirs"), "offline_access", Some("mine")),
            (Some("a  b"), None, "", Some("a  b")),
            (Some("*"), Some("theirs"), "offline_access", Some("*")),
            (Some(" "), Some("theirs"), "", Some("theirs")),
            (None, Some(" a b "), "a", Some("a b")),
            (None, Some("a b"), "a offline_access", Some("a b offline_access")),
            (None, Some("offline_access a"), "offline_access", Some("offline_access a")),
            (None, Some("a"), "OFFLINE_ACCESS offline_access_x", Some("a")),
            (None, Some("  "), "a offline_access", None),
            (None, None, "a offline_access", None),
            (Some(""), None, "offline_access", None),
        ] {
            let provider = Provider {
                scope: named.map(str::to_owned),
                scopes: listed.split_whitespace().map(str::to_owned).collect(),
                ..provider()
            };
            assert_eq!(select(chosen, &provider).as_deref(), expected, "{chosen:?} {named:?} {listed}");
        }
    }

    //
    #[test]
    fn a_union_has_each_word_once_and_knows_no_hierarchy() {
        for (requested, demanded, expected) in [
            ("a b", "b c", "a b c"),
            ("", "a", "a"),
            ("a", "", "a"),
            ("*", "apps:write", "* apps:write"),
            ("apps", "apps:read  apps", "apps apps:read"),
            (" b\ta ", "a b", "b a"),
        ] {
            assert_eq!(union(requested, demanded), expected);
        }
    }

    #[test]
    fn more_than_before_is_noticed() {
        assert!(exceeds(Some("a b"), Some("a")) && exceeds(Some("a"), None));
        assert!(!exceeds(Some("b a"), Some("a b c")) && !exceeds(None, None) && !exceeds(None, Some("a")));
    }
}
