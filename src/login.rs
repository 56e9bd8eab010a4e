//! The loopback half of one interactive sign-in: the callback listener, the pages it shows, and
//! the way a browser is opened.
//!
//! Parts, and no story: preparing the authorization request, exchanging the code and storing the
//! tokens belong to others, and the command line composes them. The order that keeps the promises
//! is: [`Listener::bind`], then [`browser::launch`], then [`Listener::wait`], then exchange and
//! store, and [`Callback::finish`] last, so that no page says "signed in" before it is true (I8).
//!
//! The listener is reachable by every web page in the user's browser and by every user of this
//! computer. So each step from bytes to an accepted code is a small file of its own: [`bind`]
//! takes the sockets, `serve` bounds the connections, `guard` refuses what a browser that was sent
//! here would not send, [`query`] parses, `verdict` judges, and `gate` lets one answer through
//! (security.md 3.1, L1 to L12). Where no browser can reach it, a person may paste the answer
//! ([`paste`]), which is judged by the same rules.

pub mod bind;
pub mod browser;
mod callback;
mod clock;
mod gate;
mod guard;
mod notice;
pub mod page;
pub mod paste;
pub mod place;
pub mod query;
mod refusal;
mod serve;
mod verdict;

pub use bind::{Ignored, Listener};
pub use callback::Callback;
pub use page::Page;
pub use place::{Host, Place};
use secrecy::SecretString;

/// What the answer to one authorization request has to look like.
#[derive(Debug, Clone)]
pub struct Expected {
    /// The `state` that went out: 256 random bits, used for this request only.
    pub state: SecretString,
    /// The issuer identifier from validated metadata, verbatim. `None` where there was no
    /// metadata: then there is nothing that an `iss` could be compared with.
    pub issuer: Option<String>,
    /// Whether the metadata promised an `iss` in each answer
    /// (`authorization_response_iss_parameter_supported`, RFC 9207 section 3).
    pub issuer_required: bool,
}
