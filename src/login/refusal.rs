//! Names the error that an authorization server sent to the callback (RFC 6749 section 4.1.2.1).

use super::page::Page;
use crate::error::{Error, Name, clean};
use crate::oauth::remedy;

/// The user said no, in the words of OAuth, Salesforce and LinkedIn.
const DENIALS: [&str; 4] =
    ["access_denied", "access-denied", "user_cancelled_login", "user_cancelled_authorize"];

/// Turns the server's `error` and `error_description` into one of our errors and the page that
/// goes with it. Only for an answer whose `state` and `iss` were right.
pub(super) fn named(code: &str, description: Option<&str>) -> (Error, Page) {
    let description = description.map(clean).filter(|text| !text.is_empty());
    let because = description.map(|text| format!(" ({text})")).unwrap_or_default();
    let code = clean(code);
    let said = format!("{code}{because}");
    let (error, page) = if DENIALS.contains(&code.as_str()) {
        (Error::new(Name::LoginDenied, format!("the sign-in was refused{because}")), Page::Denied)
    } else {
        let what = format!("the server ended the sign-in with `{code}`{because}");
        let error = match remedy::is_redirect_mismatch(&said) {
            true => Error::new(Name::RedirectUriMismatch, what),
            false => by_code(&code, what),
        };
        (error, Page::Failed)
    };
    match remedy::remedy(&said) {
        Some(remedy) => (error.hinted(remedy), page),
        None => (error, page),
    }
}

fn by_code(code: &str, what: String) -> Error {
    match code {
        "server_error" => Error::new(Name::ServerError, what),
        "temporarily_unavailable" => Error::new(Name::ServerBusy, what),
        "invalid_request" | "invalid_client" | "unauthorized_client" | "unsupported_response_type" => {
            Error::new(Name::ClientRejected, what)
        }
        // RFC 8707 section 2.
        "invalid_target" => Error::new(Name::LoginDenied, what)
            .hinted("check the address of the MCP server; this authorization server does not serve it"),
        _ => Error::new(Name::LoginDenied, what),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_of_the_standard_has_its_name() {
        for (code, name) in [
            ("access_denied", Name::LoginDenied),
            ("invalid_request", Name::ClientRejected),
            ("unauthorized_client", Name::ClientRejected),
            ("unsupported_response_type", Name::ClientRejected),
            ("invalid_scope", Name::LoginDenied),
            ("invalid_target", Name::LoginDenied),
            ("server_error", Name::ServerError),
            ("temporarily_unavailable", Name::ServerBusy),
            ("something_new", Name::LoginDenied),
        ] {
            assert_eq!(named(code, None).0.name(), name, "{code}");
        }
    }

    #[test]
    fn a_denial_is_known_in_each_spelling() {
        for code in DENIALS {
            let (error, page) = named(code, None);
            assert_eq!(error.name(), Name::LoginDenied, "{code}");
            assert!(matches!(page, Page::Denied), "{code}");
            assert!(error.hint().contains("choose Authorize; if you did"), "{code}");
        }
    }

    #[test]
    fn the_hint_is_the_remedy_for_what_the_provider_said() {
        for (code, description, hint) in [
            ("invalid_target", "AADSTS9010010: The resource parameter", "resource = \"omit\""),
            ("invalid_client", "AADSTS650053: scope 'x' does not exist", "Microsoft Graph"),
            ("unauthorized_scope_error", "Scope x is not authorized", "LinkedIn app"),
            ("OAUTH_APP_BLOCKED", "this app is blocked by admin", "administrator"),
            ("invalid_scope", "", "`--scope`"),
        ] {
            let (error, page) = named(code, Some(description));
            assert!(error.hint().contains(hint), "{code}: {}", error.hint());
            assert!(matches!(page, Page::Failed));
        }
        for (code, description) in [
            ("redirect_uri_mismatch", ""),
            ("invalid_request", "The redirect_uri does not match the registered one"),
            ("invalid_request", "AADSTS50011: The reply URL specified"),
        ] {
            let (error, _) = named(code, Some(description));
            assert_eq!(error.name(), Name::RedirectUriMismatch, "{code}");
            assert!(error.hint().contains("redirect URI"), "{}", error.hint());
        }
        assert_eq!(named("something_new", None).0.hint(), Error::new(Name::LoginDenied, "").hint());
    }

    #[test]
    fn the_servers_words_are_cleaned_and_only_a_refusal_shows_the_denial_page() {
        let (error, page) = named("access_denied", Some("no\u{1b}[31m\u{202e} way"));
        assert_eq!(error.what(), "the sign-in was refused (no [31m way)");
        assert!(matches!(page, Page::Denied));
        let (error, page) = named("x\u{1b}]0;t\u{7}", Some("  "));
        assert_eq!(error.what(), "the server ended the sign-in with `x ]0;t`");
        assert!(matches!(page, Page::Failed));
    }
}
