//! Whether an authorization server's own page complains of the redirect URI: bytes in, a verdict out.
//!
//! A server that does not know the redirect URI must not send the browser back to it (RFC 6749 section
//! 4.1.2.1). It shows a page, in words of its own, and the program that waits hears nothing. So the words are
//! looked for. In doubt nothing is found: the user then sees the page himself.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use url::Url;

/// What says it by itself, in words of letters and digits.
const PLAIN: &[&str] = &[
    "redirect uri mismatch",
    "redirecturi mismatch",
    "redirect url mismatch",
    "redirect mismatch",
    "callback url mismatch",
    "mismatching redirect uri",
    "invalid redirect uri",
    "invalid redirect url",
    "bad redirect uri",
    "unregistered redirect uri",
    "invalid parameter redirect uri",
    "oauth 2 0 parameter redirect uri",
];

/// What is said of the redirect URI after it is named.
const AFTER: &[&str] = &[
    "mismatch",
    "not match",
    "doesn t match",
    "didn t match",
    "must match",
    "must be a",
    "not registered",
    "not valid",
    "is invalid",
    "not allowed",
    "not whitelisted",
    "not in the list",
];

/// How Entra ID says it, on whichever page.
const ENTRA: &str = "aadsts50011 ";

/// How far what is said may be from what it is said of, in bytes.
const NEAR: usize = 60;

/// Whether the answer to an authorization request without a user says that the redirect URI is not known.
pub(super) fn complains(status: u16, location: Option<&Url>, body: &[u8]) -> bool {
    match (status, location) {
        (300..400, Some(location)) => sent_to_trouble(location),
        (400..500, _) => names_it(&words(&String::from_utf8_lossy(body))),
        // A page for people has all kinds of words in it; this one is no word.
        _ => words(&String::from_utf8_lossy(body)).contains(ENTRA),
    }
}

/// Whether a page of the server's own is told about it in its address. Only where it names an error: addresses
/// to come back to, with all our parameters in them, are there as well.
fn sent_to_trouble(location: &Url) -> bool {
    location.query_pairs().any(|(name, value)| {
        let name = name.to_ascii_lowercase();
        let tells = ["error", "message", "reason"].iter().any(|word| name.contains(word));
        tells && (names_it(&words(&value)) || decoded(&value).is_some_and(|text| names_it(&words(&text))))
    })
}

/// What Google writes into `authError`: base64 of a structure with the error's name in it.
fn decoded(value: &str) -> Option<String> {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let alphabets = [alphabet::URL_SAFE, alphabet::STANDARD];
    let bytes = alphabets.iter().find_map(|one| GeneralPurpose::new(one, config).decode(value).ok())?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Letters and digits in lower case, with one blank in the place of everything else, tags included.
fn words(text: &str) -> String {
    let mut words = String::with_capacity(text.len());
    for c in text.chars() {
        match c.to_lowercase().next() {
            Some(lower) if lower.is_alphanumeric() => words.push(lower),
            _ if words.ends_with(' ') => {}
            _ => words.push(' '),
        }
    }
    words.push(' ');
    words
}

fn names_it(words: &str) -> bool {
    PLAIN.iter().any(|plain| words.contains(plain))
        || words.contains(ENTRA)
        || ["redirect uri", "redirecturi", "redirect url", "callback url"].iter().any(|subject| {
            words.match_indices(subject).any(|(at, _)| said_after(&words[at + subject.len()..]))
        })
}

/// Whether what follows is said of the redirect URI, and not of another parameter that is named after it.
fn said_after(rest: &str) -> bool {
    let other =
        |before: &str| ["client", "scope", "state", "challenge"].iter().any(|one| before.contains(one));
    AFTER.iter().any(|said| {
        let before = rest.find(said).map(|at| &rest[..at]);
        before.is_some_and(|before| before.len() <= NEAR && !other(before))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    // As the servers say it; those of which the page is known stand with their name.
    #[test]
    fn what_servers_say_of_a_redirect_uri_is_understood() {
        for (server, page) in [
            ("Google", "<p>Error 400: redirect_uri_mismatch</p>"),
            ("Keycloak", "<p class=\"instruction\">Invalid parameter: redirect_uri</p>"),
            ("Okta", "The 'redirect_uri' parameter must be a Login redirect URI in the client app settings"),
            ("Auth0", "<h2>Callback URL mismatch.</h2>"),
            ("oidc-provider", "redirect_uri did not match any of the client's registered redirect_uris"),
            ("Hydra", "The 'redirect_uri' parameter does not match any of the OAuth 2.0 Client's"),
            ("Doorkeeper", "The requested redirect uri is malformed or doesn't match client redirect URI."),
            ("Django", "<h2>Error: invalid_request</h2><p>Mismatching redirect URI.</p>"),
            ("Spring", "[invalid_request] OAuth 2.0 Parameter: redirect_uri"),
            ("Stripe", "{\"error\":{\"message\":\"Invalid redirect URI 'http://localhost:1/callback'.\"}}"),
            ("Entra", "AADSTS50011: The redirect URI 'http://localhost:1/callback' specified in the request"),
            ("Slack", "redirect_uri did not match any configured URIs."),
            ("", "The <code>redirect_uri</code> is not registered for this application"),
        ] {
            assert!(complains(400, None, page.as_bytes()), "{server}: {page}");
        }
        assert!(complains(200, None, b"\"strServiceExceptionMessage\":\"AADSTS50011: The redirect URI"));
    }

    #[test]
    fn in_doubt_nothing_is_found() {
        let echo = "client_id=x&amp;redirect_uri=http%3A%2F%2Flocalhost%3A1%2Fcallback&amp;scope=a";
        for page in [
            format!("<h1>Unknown client</h1><p>{echo}</p>"),
            format!("<p>{echo}</p>The client is not registered."),
            format!("error=invalid_request&amp;{echo}"),
            format!("error=invalid_scope {echo}"),
            format!("<a href=\"/login?return_to=/authorize?{echo}\">Sign in</a>"),
            "redirect_uri=http://localhost:1/callback&amp;scope=admin: the scope is not allowed".to_owned(),
            "redirect_uri is required".to_owned(),
            "The callback is invalid".to_owned(),
            format!("<p>{echo}</p>{}does not match", "x ".repeat(80)),
            String::new(),
        ] {
            assert!(!complains(400, None, page.as_bytes()), "{page}");
        }
        // A page that is shown to everybody, and trouble of the server's own.
        for status in [200, 301, 500, 503] {
            assert!(!complains(status, None, b"redirect_uri_mismatch"), "{status}");
        }
        assert!(!complains(400, None, &[0xff; 100]));
    }

    #[test]
    fn a_redirect_to_an_error_page_is_read() {
        let to = |text: &str| complains(302, Some(&Url::parse(text).unwrap()), b"");
        for bad in [
            "https://login.example/RemoteAccessErrorPage?error=redirect_uri_mismatch",
            "https://login.example/error?error=invalid_request&error_description=redirect_uri+must+match+configuration",
            "https://accounts.example/signin/oauth/error?authError=ChVyZWRpcmVjdF91cmlfbWlzbWF0Y2gSsAE%3D&client_id=x",
            "https://accounts.example/signin/oauth/error?authError=ChVyZWRpcmVjdF91cmlfbWlzbWF0Y2gSsAE&flowName=y",
            "https://login.example/error?errorMessage=invalid_redirect_uri",
        ] {
            assert!(to(bad), "{bad}");
        }
        for good in [
            "https://login.example/login?return_to=%2Fauthorize%3Fredirect_uri%3Dredirect_uri_mismatch",
            "https://login.example/login?redirect_uri=mismatch&state=invalid_redirect_uri",
            "http://localhost:1/callback?error=login_required&error_description=sign+in",
            "https://login.example/login",
        ] {
            assert!(!to(good), "{good}");
        }
    }
}
