//! The stdio MCP server that clients start: everything read on stdin goes to the remote server with
//! the bearer token added, every answer comes back as one line on stdout.
//!
//! The room knows tokens only through [`Bearer`]. It never sees a refresh token, a keychain or a
//! browser, so it is tested with a constant.
//!
//! | file | what happens there |
//! | --- | --- |
//! | `stdio`, [`lines`] | the two ends of the pipe; bytes to lines |
//! | [`envelope`], `message` | a look at a message; the messages of our own |
//! | `bridge`, `dispatch` | the whole; each line sent in its right order |
//! | `call`, `pending` | one request to its one answer |
//! | `remote` | the HTTP side: one request, until it is not the authorization that it fails for |
//! | `opening`, `era` | how a session begins, and with which of the two eras of MCP |
//! | `legacy` | sessions: the revisions until 2025-11-25 |
//! | `modern` | what is different for requests without a session |
//! | `translate` | an older host at a newer server |
//! | `sse` | the transport of 2024-11-05, where the newer one is refused |
//! | `challenge`, [`scope`] | what a 401 or 403 asks for |
//! | `events`, [`bound`], [`scan`] | event streams and their size; an answer that passes through in pieces |
//! | `budget` | how many large messages are in memory at a time |
//! | `bearer` | the authorization, as this room sees it |
//! | [`signin`] | waiting for a person, when only a sign-in helps |
//! | `ends`, `latch` | signals and a lost parent; doors that open once |
//!
//! Nothing here listens for anybody: the host is at the other end of a pipe that it made itself (S-14), and needs
//! no authorization (S-13). Each rule carries its id of the checklist (T-01, S-01 and so on) where it is
//! implemented and in the test that proves it; `tests/checklist.rs` looks after that. What is left to somebody
//! else:
//!
//! | rule | to whom |
//! | --- | --- |
//! | T-12 | the `http` crate, whose header names know no case and whose values do |
//! | S-11 | the host, which starts this program again if it ends; nothing that outlives a process is lost by that |
//! | S-12 | the host, which may keep one process for as many conversations as it likes |
//! | S-15 | nobody yet: a transport that is only planned. `stdio` and `lines` would make room for it |

use std::sync::Arc;

use ::http::{HeaderName, HeaderValue};
use tokio::sync::watch;
use url::Url;

use crate::error::Result;
use crate::http::{self, rate_limit::RateLimit};

mod bearer;
pub mod bound;
mod bridge;
mod budget;
mod call;
mod challenge;
mod dispatch;
mod ends;
pub mod envelope;
mod era;
mod events;
mod latch;
mod legacy;
pub mod lines;
mod message;
mod modern;
mod opening;
mod pending;
mod remote;
pub mod scan;
pub mod scope;
pub mod signin;
mod sse;
mod stdio;
mod translate;

pub use bearer::{Access, Bearer, Order, Proof, Refused, StepUp};
pub use bridge::{Limits, Pipe, join};
pub use challenge::Challenge;
pub use era::Notes;
pub use stdio::{Input, Output};

/// The server to connect to.
#[derive(Debug, Clone)]
pub struct Upstream {
    /// The MCP endpoint. The token goes to no other place.
    pub url: Url,
    /// More headers for each request. Those with secrets are marked sensitive.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The target as the user would type it, for the hints of errors; nothing for the default one.
    pub target: Option<String>,
    /// Where to remember what the server speaks; nothing for this run only (T-81).
    pub notes: Option<Arc<dyn Notes>>,
    /// How it is talked to.
    pub transport: Transport,
    /// The user accepts that the connection is not encrypted, on any host. The [`Bearer`] has to be one without
    /// tokens then (RFC 6750 section 5.3).
    pub allow_http: bool,
    /// Where the server's newest word about the rate limit is left.
    pub rate_limit: Option<watch::Sender<Option<RateLimit>>>,
}

impl Upstream {
    /// A server with nothing special about it.
    pub fn new(url: Url) -> Self {
        Upstream {
            url,
            headers: Vec::new(),
            target: None,
            transport: Transport::Auto,
            allow_http: false,
            rate_limit: None,
            notes: None,
        }
    }
}

/// How the server is talked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Streamable HTTP; HTTP+SSE if that is refused and nothing newer answers (T-83).
    Auto,
    /// Streamable HTTP, whatever happens.
    Http,
    /// HTTP+SSE of 2024-11-05 from the start.
    Sse,
}

/// How the proxy ended. None of these is a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The host closed our stdin.
    Eof,
    /// The host closed our stdout.
    OutputClosed,
    /// A signal of this number.
    Signal(i32),
    /// The process that started us is gone.
    Orphaned,
}

/// Serves stdin and stdout until one of them ends (S-01).
///
/// # Errors
/// `unsafe-url` for an address that no token may be sent to. Once it serves, every failure is an answer
/// to the request that failed.
pub async fn serve<B: Bearer>(upstream: Upstream, bearer: B, limits: Limits) -> Result<End> {
    if upstream.allow_http {
        http::check_open(&upstream.url)?;
    } else {
        http::check(&upstream.url)?;
    }
    let ends = ends::watch();
    let pipe = Pipe { input: Input::stdin(), output: Output::stdout(), ends, limits };
    Ok(join(pipe, upstream, bearer).await)
}
