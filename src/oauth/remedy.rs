//! What to do about an error code of a provider: one sentence for each that is known.
//!
//! OAuth has a dozen error codes; providers have hundreds, and put the one that tells what is wrong into
//! `error`, into the text of `error_description`, or into a member of their own. Their own advice is written
//! for whoever builds the app; ours is for the person in front of this program. The sentences are all ours:
//! what a server says is only compared with the [`table`], so that nothing of it becomes an instruction. And
//! nothing but a hint depends on it, because Microsoft keeps the right to change its codes at any time.

mod table;

use table::{REDIRECT, TABLE};

/// What to do about what a server said: its `error`, its `error_description` and whatever else carries a
/// code, as one text. `{target}` in it stands for the target (see [`Error::hint`](crate::error::Error::hint)).
pub fn remedy(said: &str) -> Option<&'static str> {
    let words = words(said);
    let row = TABLE.iter().find(|row| row.codes.iter().any(|code| words.contains(code)));
    match row {
        Some(row) => Some(row.remedy),
        None if is_redirect_mismatch(said) => Some(table::REGISTER),
        None => None,
    }
}

/// Whether a server said that it does not know the redirect URI: by a code, or, where its code is one of
/// OAuth's, by its words.
pub fn is_redirect_mismatch(said: &str) -> bool {
    let words = words(said);
    if REDIRECT.iter().any(|code| words.contains(code)) {
        return true;
    }
    let said = said.to_lowercase();
    // Not `redirection URI`: RFC 6749 section 5.2 names it in its description of `invalid_grant`, which many
    // servers send word for word, whatever was wrong with the grant.
    let named = ["redirect_uri", "redirect uri", "redirect url", "callback url", "callback uri"];
    let wrong =
        ["invalid", "match", "matches", "mismatch", "mismatching", "registered", "allowed", "whitelisted"];
    named.iter().any(|name| said.contains(name)) && self::words(&said).iter().any(|word| wrong.contains(word))
}

/// The words of a text, as codes are written: `invalid_grant` is one, and not two.
fn words(text: &str) -> Vec<&str> {
    let part_of_code = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    text.split(|c| !part_of_code(c)).filter(|word| !word.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn says(said: &str, part: &str) {
        let remedy = remedy(said).unwrap_or_else(|| panic!("nothing for {said}"));
        assert!(remedy.contains(part), "{said}: {remedy}");
    }

    #[test]
    fn a_code_is_found_wherever_the_server_put_it() {
        says("invalid_target (AADSTS9010010: The resource parameter does not match)", "resource = \"omit\"");
        says(
            "invalid_client (AADSTS7000215: Invalid client secret provided. Ensure the)",
            "not its Secret ID",
        );
        says("invalid_grant (AADSTS700082: The refresh token has expired)", "chipp-auth login{target}");
        says(
            "invalid_request (AADSTS90009: Application 'x' is requesting a token for itself)",
            "refresh_scope",
        );
        says("incorrect_client_credentials", "client secret");
        says("OAUTH_APP_BLOCKED (this app is blocked by admin)", "administrator");
        says("invalid_grant (code expired) BAD_AUTH_CODE", "chipp-auth login{target}");
        says("bad_redirect_uri", "redirect URI");
        says("access_denied (The user said no)", "Authorize");
    }

    #[test]
    fn the_more_telling_code_wins_over_that_of_oauth() {
        says("access_denied (AADSTS65004: User declined to consent)", "consent");
        says("invalid_scope (AADSTS70011: The provided value for 'scope' is not valid)", ".default");
    }

    // AADSTS700016 is not AADSTS70001, and a longer word is not the code in it.
    #[test]
    fn a_code_is_a_whole_word() {
        assert_ne!(remedy("AADSTS700016: not found"), remedy("AADSTS70001: disabled"));
        for said in [
            "",
            "invalid_grant",
            "AADSTS",
            "AADSTS1",
            "xaccess_denied",
            "access_denied_by_moon",
            "AADSTS650010",
        ] {
            assert_eq!(remedy(said), None, "{said}");
        }
    }

    #[test]
    fn a_redirect_uri_that_is_not_known_is_told_by_code_or_by_words() {
        for said in [
            "redirect_uri_mismatch",
            "invalid_redirect_uri (x)",
            "invalid_request (AADSTS50011: The reply URL does not match)",
            "invalid_grant (x) MISMATCH_REDIRECT_URI_AUTH_CODE",
            "invalid_request (Invalid redirect_uri)",
            "invalid_request (Mismatching redirect URI.)",
            "invalid_request (The Redirect URL is not registered for this app)",
            "invalid_client (callback URL not allowed)",
        ] {
            assert!(is_redirect_mismatch(said), "{said}");
            assert!(remedy(said).unwrap().contains("redirect"), "{said}");
        }
        for said in [
            "invalid_grant",
            "invalid_request (missing redirect_uri parameter)",
            "invalid_grant (The provided authorization grant is invalid, expired, revoked, does not match the redirection URI used in the authorization request, or was issued to another client.)",
            "access_denied",
            "redirect_uri",
        ] {
            assert!(!is_redirect_mismatch(said), "{said}");
        }
    }

    // A code in two rows would make the second one dead; each sentence is one that can be printed.
    #[test]
    fn the_table_is_in_order() {
        let mut seen = HashSet::new();
        for row in TABLE {
            for code in row.codes {
                assert!(seen.insert(code), "{code} twice");
                assert_eq!(words(code), [*code]);
                assert_eq!(remedy(&format!("error ({code}: text)")), Some(row.remedy), "{code}");
            }
            let (first, last) = (row.remedy.chars().next().unwrap(), row.remedy.chars().last().unwrap());
            assert!(!first.is_uppercase() && last != '.' && !row.remedy.contains('\n'), "{}", row.remedy);
        }
        assert!(REDIRECT.iter().all(|code| remedy(code).is_some()));
    }

    proptest::proptest! {
        // Whatever a server says: a sentence of ours or none.
        #[test]
        fn any_text_is_taken(said in "\\PC{0,200}") {
            let sentences: Vec<_> = TABLE.iter().map(|row| row.remedy).chain([table::REGISTER]).collect();
            proptest::prop_assert!(remedy(&said).is_none_or(|remedy| sentences.contains(&remedy)));
        }
    }
}
