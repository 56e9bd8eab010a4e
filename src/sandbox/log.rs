//! What happened, as the server saw it. Tests read only this as the truth.
//!
//! An entry holds names and numbers and never a secret: of a request it keeps what is known to be
//! harmless (a known client, a known path, a JSON-RPC method cut short) and nothing else. Tokens
//! appear as *family* (one sign-in) and *generation* (how many pairs that sign-in had before, plus one).

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// Entries kept; the oldest go first. [`Counts`] go on.
const KEPT: usize = 50_000;

/// What kind of request an entry is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Kind {
    /// GET on the authorization endpoint.
    Authorize,
    /// The consent form came back.
    Consent,
    /// POST on the token endpoint.
    Token,
    /// POST on the token endpoint with a refresh token (or code) that was used before.
    Reuse,
    /// POST on the revocation endpoint.
    Revoke,
    /// POST on the registration endpoint.
    Register,
    /// POST on the device authorization endpoint.
    Device,
    /// A metadata document.
    Discovery,
    /// POST of a JSON-RPC message.
    Mcp,
    /// GET of the MCP event stream.
    Stream,
    /// DELETE of an MCP session.
    Delete,
    /// Anything else.
    #[default]
    Other,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Entry {
    /// Arrival, counted from the start of the sandbox.
    pub at: Duration,
    /// What it was.
    pub kind: Kind,
    /// The path, if it is one of ours; empty otherwise.
    pub path: &'static str,
    /// Status of the answer; 0 if there was none: the connection was dropped on purpose, or the
    /// caller left first.
    pub status: u16,
    /// The client, if it is a known one.
    pub client: Option<String>,
    /// `authorization_code`, `refresh_token` or `device_code`.
    pub grant: Option<&'static str>,
    /// The sign-in that the presented token or code belongs to.
    pub family: Option<u64>,
    /// Generation of the presented token.
    pub generation: Option<u64>,
    /// Generation of the pair that was issued.
    pub issued: Option<u64>,
    /// The `resource` parameter (RFC 8707), if it names this server.
    pub resource: Option<String>,
    /// JSON-RPC method, at most 64 characters.
    pub method: Option<String>,
    /// Tool of a `tools/call`, if it exists.
    pub tool: Option<&'static str>,
    /// Whether an MCP request named a session.
    pub session: bool,
    /// The `MCP-Protocol-Version` header, if it names a known version.
    pub version: Option<&'static str>,
    /// Why it was refused, or what was special: an OAuth error code, `expired`, `early`, `fault`, …
    pub note: Option<&'static str>,
}

/// Sums over everything since the start.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
    /// Authorization requests, good or bad.
    pub authorize: u64,
    /// Consents given.
    pub consents: u64,
    /// Consents refused.
    pub denials: u64,
    /// Token requests with a code, good or bad.
    pub token_code: u64,
    /// Token requests with a refresh token, good or bad.
    pub token_refresh: u64,
    /// Pairs issued, whether their answer arrived or not.
    pub pairs_issued: u64,
    /// Refreshes that were answered out of grace.
    pub graced: u64,
    /// Refresh tokens and codes presented after they were used, beyond any grace.
    pub reuse: u64,
    /// Revocation requests.
    pub revoke: u64,
    /// Clients registered.
    pub registrations: u64,
    /// Metadata documents asked for.
    pub discovery: u64,
    /// MCP POSTs, good or bad.
    pub mcp_posts: u64,
    /// 401 answers of the MCP server.
    pub unauthorized: u64,
    /// 403 `insufficient_scope` answers.
    pub insufficient_scope: u64,
    /// 429 answers.
    pub rate_limited: u64,
    /// Tools that ran, by name.
    pub tool_calls: BTreeMap<&'static str, u64>,
    /// Sign-ins that began.
    pub families: u64,
    /// Sign-ins that were revoked, for whatever reason.
    pub families_revoked: u64,
    /// Refresh requests by the (family, generation) that they presented. More than 1 is a token used twice.
    pub refreshes_per_generation: BTreeMap<(u64, u64), u64>,
}

/// The log of one sandbox.
#[derive(Debug, Default)]
pub(super) struct Log {
    entries: VecDeque<Entry>,
    pub(super) counts: Counts,
}

impl Log {
    pub(super) fn push(&mut self, entry: Entry) {
        if self.entries.len() == KEPT {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
    }

    pub(super) fn entries(&self) -> Vec<Entry> {
        self.entries.iter().cloned().collect()
    }
}
