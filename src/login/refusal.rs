//! Names the error that an authorization server sent to the callback (RFC 6749 section 4.1.2.1).

use super::page::Page;
use crate::error::{Error, Name, clean};

/// Turns the server's `error` and `error_description` into one of our errors and the page that
/// goes with it. Only for an answer whose `state` and `iss` were right.
pub(super) fn named(code: &str, description: Option<&str>) -> (Error, Page) {
    let description = description.map(clean).filter(|text| !text.is_empty());
    let because = description.map(|text| format!(" ({text})")).unwrap_or_default();
    let code = clean(code);
    if code == "access_denied" {
        return (Error::new(Name::LoginDenied, format!("the sign-in was refused{because}")), Page::Denied);
    }
    let what = format!("the server ended the sign-in with `{code}`{because}");
    let error = match code.as_str() {
        "server_error" => Error::new(Name::ServerError, what),
        "temporarily_unavailable" => Error::new(Name::ServerBusy, what),
        "invalid_request" | "invalid_client" | "unauthorized_client" | "unsupported_response_type" => {
            Error::new(Name::ClientRejected, what)
        }
        "invalid_scope" => Error::new(Name::LoginDenied, what)
            .hinted("run `chipp-auth login{target}` with a `--scope` that the server offers"),
        // RFC 8707 section 2.
        "invalid_target" => Error::new(Name::LoginDenied, what)
            .hinted("check the address of the MCP server; this authorization server does not serve it"),
        _ => Error::new(Name::LoginDenied, what),
    };
    (error, Page::Failed)
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
    fn the_servers_words_are_cleaned_and_only_a_refusal_shows_the_denial_page() {
        let (error, page) = named("access_denied", Some("no\u{1b}[31m\u{202e} way"));
        assert_eq!(error.what(), "the sign-in was refused (no [31m way)");
        assert!(matches!(page, Page::Denied));
        let (error, page) = named("x\u{1b}]0;t\u{7}", Some("  "));
        assert_eq!(error.what(), "the server ended the sign-in with `x ]0;t`");
        assert!(matches!(page, Page::Failed));
    }
}
