//! What a refused token request says against the way in which it was written.

use super::refusal::{is_client_dead, is_grant_dead};

/// What a refusal says against the way in which the request was written, so that another way may be tried with
/// the same code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Against {
    /// Nothing, or it is not known what became of the request.
    Nothing,
    /// The client was not recognized, and RFC 6749 section 3.2.1 has that looked at first.
    Client,
    /// The body could not be read: it is of the wrong type, or no `grant_type` was found in it.
    Body,
    /// Something is missing in the request (`invalid_request`), such as all that stood in another form.
    Request,
    /// It was refused in no words of RFC 6749.
    Unsaid,
}

impl Against {
    /// Judges a status and OAuth's error code, if there was one.
    pub(super) fn of(status: u16, code: Option<&str>) -> Self {
        let success = (200..300).contains(&status);
        match (status, code) {
            // Somebody on the way, a request that may have been cut off, and those who ask for patience.
            (407 | 408 | 425 | 429, _) => Against::Nothing,
            (415, _) => Against::Body,
            (400..500, None) => Against::Unsaid,
            (_, Some(code)) if success || (400..500).contains(&status) => match code {
                _ if is_client_dead(code) => Against::Client,
                "unsupported_grant_type" => Against::Body,
                "invalid_request" => Against::Request,
                _ if success || is_verdict(code) => Against::Nothing,
                _ => Against::Unsaid,
            },
            _ => Against::Nothing,
        }
    }
}

/// Other codes that say what was decided about a request that was understood: RFC 6749 section 5.2, RFC 8628
/// section 3.5, RFC 8707, RFC 9449, OpenID Connect Core section 3.1.2.6, and what GitHub says of an address.
fn is_verdict(code: &str) -> bool {
    let verdicts = [
        "access_denied",
        "authorization_pending",
        "consent_required",
        "expired_token",
        "interaction_required",
        "invalid_dpop_proof",
        "invalid_scope",
        "invalid_target",
        "login_required",
        "rate_limit_exceeded",
        "ratelimited",
        "redirect_uri_mismatch",
        "server_error",
        "slow_down",
        "temporarily_unavailable",
        "use_dpop_nonce",
    ];
    is_grant_dead(code) || verdicts.contains(&code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_speaks_against_the_way_of_asking_does() {
        for (status, code, against) in [
            (401, Some("invalid_client"), Against::Client),
            (400, Some("unauthorized_client"), Against::Client),
            (200, Some("incorrect_client_credentials"), Against::Client),
            (400, Some("invalid_request"), Against::Request),
            (400, Some("unsupported_grant_type"), Against::Body),
            (415, None, Against::Body),
            (415, Some("Unsupported Media Type"), Against::Body),
            (400, None, Against::Unsaid),
            (404, None, Against::Unsaid),
            (400, Some("Bad Request"), Against::Unsaid),
            (400, Some("invalid_grant"), Against::Nothing),
            (400, Some("bad_verification_code"), Against::Nothing),
            (400, Some("access_denied"), Against::Nothing),
            (400, Some("redirect_uri_mismatch"), Against::Nothing),
            (200, Some("something_else"), Against::Nothing),
            (429, None, Against::Nothing),
            (408, None, Against::Nothing),
            (407, None, Against::Nothing),
            (429, Some("invalid_client"), Against::Nothing),
            (500, None, Against::Nothing),
            (503, Some("invalid_client"), Against::Nothing),
            (302, None, Against::Nothing),
        ] {
            assert_eq!(Against::of(status, code), against, "{status} {code:?}");
        }
    }
}
