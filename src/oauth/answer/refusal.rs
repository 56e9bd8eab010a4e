//! An answer that brought no tokens: what it is called, and what its reader may do about it.

use secrecy::SecretString;

use super::Reply;
use super::against::Against;
use super::said::Said;
use crate::error::{Error, Name, clean};
use crate::http::retry_after::Wait;
use crate::oauth::remedy;

/// Why a token request brought no tokens.
#[derive(Debug)]
pub struct Refusal {
    /// What its reader may do about it.
    pub cause: Cause,
    /// OAuth's error code and the server's words, cleaned; empty if it gave none.
    pub said: String,
    /// The same for people, named.
    pub error: Error,
    /// What it says against the way in which the request was written.
    pub against: Against,
    /// A refresh token that came in an answer which is otherwise unusable (rows 97 and 98, and 2xx
    /// answers with an error in them). The server may have rotated, so this one replaces the presented
    /// one before anything else is done (I1).
    pub salvaged: Option<SecretString>,
}

/// What a refusal means for its reader. Only [`Cause::InvalidGrant`] ends a sign-in; nothing deletes
/// one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The code, device code or refresh token is not valid any more (RFC 6749 section 5.2).
    InvalidGrant,
    /// The server does not know this client or its secret (`invalid_client`, `unauthorized_client`): a
    /// dynamic registration is made anew, a configured client is the user's to correct. A
    /// refresh token is kept.
    InvalidClient,
    /// A proof of possession must carry the nonce that came in `DPoP-Nonce` (RFC 9449 section 8): ask
    /// again with it, once.
    NonceRequired,
    /// The user has not decided yet (RFC 8628 section 3.5): ask again after the interval.
    Pending,
    /// The same, with five seconds more between requests from now on.
    SlowDown,
    /// The device code has ended.
    Expired,
    /// The user or a policy said no.
    Denied,
    /// Too many requests, or a server in trouble (429, 5xx; rows 82 to 84): ask again with the *same*
    /// token, not before the wait is over. After 5xx the outcome is unknown.
    Busy(Option<Wait>),
    /// Anything else: see the error.
    Failed,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let (cause, against) = (Cause::Failed, Against::Nothing);
        Refusal { cause, said: String::new(), error, against, salvaged: None }
    }
}

impl Refusal {
    fn new(cause: Cause, name: Name, what: String) -> Self {
        Refusal { cause, ..Error::new(name, what).into() }
    }

    /// The answer cannot be understood.
    pub(super) fn bad(host: &str, why: &str) -> Self {
        Self::new(Cause::Failed, Name::BadResponse, format!("the token answer of {host} {why}"))
    }

    /// The answer failed and does not say why in OAuth's words: never the end of a sign-in (rows 80 to
    /// 84).
    pub(super) fn unnamed(reply: Reply<'_>) -> Self {
        Refusal { against: Against::of(reply.status, None), ..Self::by_status(reply) }
    }

    fn by_status(reply: Reply<'_>) -> Self {
        let Reply { status, host, .. } = reply;
        match status {
            429 => Self::busy(reply),
            503 if reply.wait.is_some() => Self::busy(reply),
            // Something on the way answered, and not the server (rows 92 and 109).
            407 => Self::new(
                Cause::Failed,
                Name::NetworkDown,
                format!("the proxy in front of {host} wants a sign-in"),
            ),
            511 => {
                let what = "the network wants a sign-in of its own".to_owned();
                Self::new(Cause::Failed, Name::CaptivePortal, what)
            }
            _ => {
                let cause = if status >= 500 { Cause::Busy(reply.wait) } else { Cause::Failed };
                Self::new(cause, Name::ServerError, format!("{host} answered {status} to the token request"))
            }
        }
    }

    /// Whether any of its words contain this.
    pub fn says(&self, text: &str) -> bool {
        self.said.contains(text) || self.error.what().contains(text)
    }

    /// Without the server's words, which repeat a secret (row 107, T6).
    #[must_use]
    pub fn silenced(self) -> Self {
        let what = "the token endpoint answered with an error that repeats a secret, so it is not shown";
        let error = Error::new(self.error.name(), what);
        Refusal { said: "an error that repeats a secret".to_owned(), error, ..self }
    }

    fn busy(reply: Reply<'_>) -> Self {
        let what = format!("{} asks us to wait before the next request", reply.host);
        let mut refusal = Self::new(Cause::Busy(reply.wait), Name::ServerBusy, what);
        if let Some(wait) = reply.wait {
            let wait = humantime::format_duration(wait.duration());
            refusal.error = refusal.error.hinted(format!("try again in {wait}"));
        }
        refusal
    }

    /// Judges an OAuth error (RFC 6749 section 5.2; Auth0 sends it with 403, GitHub with 200).
    pub(super) fn named(reply: Reply<'_>, words: &Said) -> Self {
        let Said { code, description, beside } = words;
        let said = match (clean(code), clean(description)) {
            (code, description) if description.is_empty() => code,
            (code, description) => format!("{code} ({description})"),
        };
        let judged = Self::judge(reply, code, &said).remedied(reply.host, &said, beside);
        // Who names the redirect URI has understood the request.
        let against = match judged.error.name() {
            Name::RedirectUriMismatch => Against::Nothing,
            _ => Against::of(reply.status, Some(code)),
        };
        Refusal { said, against, ..judged }
    }

    /// With the remedy for what was said, where one is known, and where waiting is none. A redirect URI that is
    /// not known has a name of its own; but what kind of refusal it is, the code of the standard decides.
    fn remedied(self, host: &str, said: &str, beside: &str) -> Self {
        let waits = [Cause::Pending, Cause::SlowDown, Cause::NonceRequired].contains(&self.cause);
        if waits || matches!(self.cause, Cause::Busy(_)) {
            return self;
        }
        let all = format!("{said} {beside}");
        let error = if self.cause == Cause::Failed && remedy::is_redirect_mismatch(&all) {
            Error::new(Name::RedirectUriMismatch, format!("{host} does not know the redirect URI: {said}"))
        } else {
            self.error
        };
        let error = match remedy::remedy(&all) {
            Some(remedy) => error.hinted(remedy),
            None => error,
        };
        Refusal { error, ..self }
    }

    fn judge(reply: Reply<'_>, code: &str, said: &str) -> Self {
        let Reply { status, host, .. } = reply;
        let success = (200..300).contains(&status);
        let is = |cause, name, what: &str| Self::new(cause, name, format!("{host} {what}: {said}"));
        match code {
            // A server in trouble may say anything; it is believed only where a verdict is expected.
            _ if is_grant_dead(code) && (success || matches!(status, 400 | 401 | 403 | 404)) => {
                is(Cause::InvalidGrant, Name::LoginRequired, "does not accept the sign-in any more")
            }
            _ if is_client_dead(code) && (success || matches!(status, 400 | 401 | 403 | 404 | 422)) => {
                is(Cause::InvalidClient, Name::ClientRejected, "does not accept this client id or secret")
            }
            "use_dpop_nonce" if matches!(status, 400 | 401) => {
                is(Cause::NonceRequired, Name::ServerError, "wants a proof with its nonce")
            }
            "slow_down" => Refusal { cause: Cause::SlowDown, ..Self::busy(reply) },
            "temporarily_unavailable" | "ratelimited" | "rate_limit_exceeded" => Self::busy(reply),
            _ if status == 429 => Self::busy(reply),
            _ if status >= 500 => is(Cause::Busy(reply.wait), Name::ServerError, "answered with an error"),
            "authorization_pending" => is(Cause::Pending, Name::LoginTimeout, "waits for the user"),
            "expired_token" => is(Cause::Expired, Name::LoginTimeout, "waited too long for the user"),
            "access_denied" => is(Cause::Denied, Name::LoginDenied, "says no"),
            "invalid_request"
            | "invalid_scope"
            | "unsupported_grant_type"
            | "invalid_target"
            | "invalid_dpop_proof" => is(Cause::Failed, Name::ClientRejected, "refused the request"),
            // OpenID Connect Core section 3.1.2.6; Entra sends them when a policy changed. The refresh
            // token stays: the same one works again once the policy is met.
            "interaction_required" | "login_required" | "consent_required" => {
                is(Cause::Failed, Name::LoginRequired, "wants you to sign in again")
            }
            _ => is(Cause::Failed, Name::ServerError, "answered with an error"),
        }
    }
}

/// `invalid_grant` and its known spellings: GitHub, Slack, Supabase, HubSpot.
pub(super) fn is_grant_dead(code: &str) -> bool {
    let spellings = [
        "invalid_grant",
        "bad_refresh_token",
        "bad_verification_code",
        "invalid_refresh_token",
        "invalid_code",
        "code_already_used",
        "refresh_token_not_found",
        "refresh_token_already_used",
        "session_not_found",
        "session_expired",
        "BAD_AUTH_CODE",
        "EXPIRED_AUTH_CODE",
        "BAD_REFRESH_TOKEN",
    ];
    spellings.contains(&code)
}

/// `invalid_client`, `unauthorized_client` and their known spellings: Google, GitHub, Slack, HubSpot.
pub(super) fn is_client_dead(code: &str) -> bool {
    let spellings = [
        "invalid_client",
        "unauthorized_client",
        "deleted_client",
        "disabled_client",
        "incorrect_client_credentials",
        "invalid_client_id",
        "bad_client_secret",
        "BAD_CLIENT_ID",
        "BAD_CLIENT_SECRET",
    ];
    spellings.contains(&code)
}
