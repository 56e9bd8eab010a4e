//! What an answer to the authorization request means, wherever it came in: at the listener or pasted.
//!
//! Pure, and the order is the security: `state` first and alone, then the form of the rest, then the
//! issuer, and only then what the server says (L2, A-27 to A-29). The first step is a function of its own,
//! because the listener has to ask between the two whether an answer was taken already.

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::page::Page;
use super::query::{self, Answer};
use super::{Expected, refusal};
use crate::error::{Error, Name, Result};

/// What an answer says: a code, or an error and the page that goes with it.
pub(super) type Outcome = Result<SecretString, (Error, Page)>;

/// An answer with the right `state` that says nothing. It uses nothing up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Void {
    /// Something is repeated, broken, or contradicts itself (row 19).
    Malformed,
    /// There is neither a code nor an error (row 18).
    Empty,
}

/// Whether the query carries the `state` of our request.
pub(super) fn is_ours(query: &str, expected: &Expected) -> bool {
    query::state(query).is_some_and(|state| same(&state, &expected.state))
}

/// What the rest of the query says.
pub(super) fn outcome(query: &str, expected: &Expected) -> Result<Outcome, Void> {
    let Answer { code, error, description, iss } = query::answer(query).map_err(|_| Void::Malformed)?;
    if let Some(error) = issuer_mismatch(iss.as_deref(), expected) {
        return Ok(Err((error, Page::Failed)));
    }
    match (code, error) {
        (Some(code), None) => Ok(Ok(code)),
        (None, Some(error)) => Ok(Err(refusal::named(&error, description.as_deref()))),
        (Some(_), Some(_)) => Err(Void::Malformed),
        (None, None) => Err(Void::Empty),
    }
}

/// RFC 9207 section 2.4: a plain comparison of strings, without any normalisation.
fn issuer_mismatch(iss: Option<&str>, expected: &Expected) -> Option<Error> {
    let what = match (iss, expected.issuer.as_deref()) {
        (Some(iss), Some(issuer)) if iss != issuer => {
            format!("the answer does not come from {}", crate::error::clean(issuer))
        }
        (None, _) if expected.issuer_required => {
            "the server promises to name itself in its answer, and this answer does not".to_owned()
        }
        _ => return None,
    };
    Some(Error::new(Name::IssuerMismatch, what))
}

/// Compares digests, whose bytes tell nothing about the state, whatever the time taken.
fn same(a: &SecretString, b: &SecretString) -> bool {
    Sha256::digest(a.expose_secret()) == Sha256::digest(b.expose_secret())
}
