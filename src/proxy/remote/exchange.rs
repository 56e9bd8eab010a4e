//! One HTTP request until the server takes it or nothing helps any more: what a 401 or 403 asks for is done,
//! a bounded number of times.

use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use http::{HeaderMap, StatusCode};

use crate::error::{Error, Name, Result};
use crate::http::mcp::Answer;
use crate::http::rate_limit;
use crate::proxy::challenge::{Challenge, NONCE};
use crate::proxy::remote::refusal::Refusal;
use crate::proxy::remote::{Draft, Remote, Reply};
use crate::proxy::{Access, Bearer, Refused, StepUp, scope};

/// How often a request is sent again with another token: after 401 with one that was renewed, then with one
/// of a new sign-in; after 403 with more scope. In all no more often than a person may be asked for one
/// request.
const RENEWED: u8 = 2;
const STEPPED_UP: u8 = 2;
const IN_ALL: u8 = 3;
/// The largest body of a refusal that is read, and for how long.
const REFUSAL: (usize, Duration) = (1 << 20, Duration::from_secs(10));

/// What was done for a request already.
#[derive(Default)]
struct Tries {
    renewed: u8,
    stepped_up: u8,
    /// After 429.
    waited: u8,
    /// The present token's proof was made again with the server's nonce.
    nonce: bool,
}

/// What a refusal asks for.
enum Step {
    /// A proof with the nonce that came with it (RFC 9449 section 9).
    Proof,
    /// Another token.
    Token,
    /// A token with these scopes.
    Scope(Vec<String>),
    /// Nothing that could be given.
    None,
}

impl<B: Bearer> Remote<B> {
    /// Sends a request until it is not the authorization that it fails for.
    ///
    /// # Errors
    /// `login-required` and `scope-required`, where the token is at fault; otherwise as a request.
    pub(in crate::proxy) async fn exchange(&self, draft: &Draft<'_>) -> Result<Reply> {
        let mut access = self.bearer.bearer().await?;
        let mut tries = Tries::default();
        if draft.body.is_some_and(|message| message._share.is_some() && !message.sent.is_open()) {
            self.spent[1].fetch_add(1, Ordering::Relaxed);
        }
        loop {
            self.turn(draft).await?;
            let response = self.send(draft, access.as_ref()).await?;
            self.note_limit(response.headers());
            let learned = self.learn(draft, access.as_ref(), &response);
            if response.status().is_success() {
                if access.is_some() {
                    self.bearer.accepted();
                }
                self.reached.notify_waiters();
                return Ok(Reply::Accepted(response));
            }
            if response.status() == StatusCode::TOO_MANY_REQUESTS {
                let refusal = self.refusal(draft, response).await;
                if !self.again_after(&refusal, draft, tries.waited).await? {
                    return Ok(Reply::Refused(refusal));
                }
                tries.waited += 1;
                continue;
            }
            if !matches!(response.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
                return Ok(Reply::Refused(self.refusal(draft, response).await));
            }
            let challenge = Challenge::of(response.headers());
            let step = tries.next(draft, response.status(), &challenge, learned);
            let used = access.as_ref().map(|access| access.token.clone());
            access = match step {
                Step::None => return Ok(Reply::Refused(self.refusal(draft, response).await)),
                Step::Proof => {
                    tries.nonce = true;
                    continue;
                }
                Step::Token => {
                    drop(response);
                    let again = tries.renewed > 0;
                    tries.renewed += 1;
                    Some(self.bearer.unauthorized(Refused { used, challenge, again }).await?)
                }
                Step::Scope(scopes) => {
                    drop(response);
                    let stepped_up = match tries.spent() || tries.stepped_up == STEPPED_UP {
                        true => Err(Error::new(Name::ScopeRequired, "more permissions did not help")),
                        false => self.step_up(used, challenge).await,
                    };
                    let message = draft.body.map(|message| message.bytes.as_ref());
                    tries.stepped_up += 1;
                    Some(stepped_up.map_err(|error| scope::missing_for(message, &scopes, error))?)
                }
            };
            tries.nonce = false;
        }
    }

    async fn step_up(&self, used: Option<secrecy::SecretString>, challenge: Challenge) -> Result<Access> {
        match self.bearer.insufficient(used, challenge).await? {
            StepUp::Use(access) => Ok(access),
            StepUp::Ask(scope) => Err(scope::required("only you can grant it", &scope)),
        }
    }

    /// Leaves the server's word about the rate limit where `status` will find it.
    fn note_limit(&self, headers: &HeaderMap) {
        if let Some(place) = &self.upstream.rate_limit
            && let Some(limit) = rate_limit::read(headers, SystemTime::now())
        {
            place.send_replace(Some(limit));
        }
    }

    /// Remembers the nonce for the next proofs, which may come with any answer (RFC 9449 section 8.2).
    fn learn(&self, draft: &Draft<'_>, access: Option<&Access>, response: &Answer) -> bool {
        let proof = access.and_then(|access| access.proof.as_ref());
        let Some((proof, nonce)) = proof.zip(response.headers().get(NONCE)) else { return false };
        proof.learn(self.place(draft), nonce);
        true
    }

    /// Reads as much of a refusal as can be needed.
    async fn refusal(&self, draft: &Draft<'_>, response: Answer) -> Refusal {
        let status = response.status();
        let headers = response.headers().clone();
        let body = tokio::time::timeout(REFUSAL.1, response.whole(REFUSAL.0, self.host())).await;
        let body = body.ok().and_then(Result::ok).unwrap_or_default();
        Refusal { status, headers, body, in_session: draft.session.id.is_some() || draft.line.is_some() }
    }
}

impl Tries {
    fn next(&self, draft: &Draft<'_>, status: StatusCode, challenge: &Challenge, learned: bool) -> Step {
        if learned && !self.nonce && status == StatusCode::UNAUTHORIZED && challenge.wants_nonce() {
            return Step::Proof;
        }
        match challenge.missing_scopes() {
            // Nobody is asked for the sake of what the host did not send.
            Some(_) if draft.body.is_none() => Step::None,
            Some(scopes) => Step::Scope(scopes),
            // 403 without `insufficient_scope` is a plain error: another sign-in would not change it.
            None if status == StatusCode::FORBIDDEN => Step::None,
            None if self.renewed == RENEWED || self.spent() => Step::None,
            None => Step::Token,
        }
    }

    fn spent(&self) -> bool {
        self.renewed + self.stepped_up >= IN_ALL
    }
}
