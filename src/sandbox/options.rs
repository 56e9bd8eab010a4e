//! How the sandbox behaves. [`Options::default`] is Chipp as its documentation describes it; every
//! field can be changed before the start and, but for the port, while the sandbox runs.

use std::time::Duration;

use super::client::Client;

/// The behaviour of a sandbox.
#[derive(Debug, Clone)]
pub struct Options {
    /// Life of an access token: 1 hour.
    pub access_lifetime: Duration,
    /// Life of each refresh token: 30 days.
    pub refresh_lifetime: Duration,
    /// Time from the authorization request to the code's redemption: 5 minutes.
    pub code_lifetime: Duration,
    /// Whether token answers carry `expires_in`.
    pub say_expires_in: bool,
    /// What happens to a refresh token that was already used.
    pub grace: Grace,
    /// Whether reuse of a rotated refresh token ends the whole sign-in (RFC 9700 section 4.14.2).
    pub revoke_family_on_reuse: bool,
    /// The MCP server answers 401 this long after issue, whatever `expires_in` says.
    pub reject_early: Option<Duration>,
    /// Serves `initialize`, `ping`, notifications, `tools/list` and the tool `search_documentation`
    /// without a token. Otherwise every MCP request needs one.
    pub anonymous: bool,
    /// The form of answers to JSON-RPC requests.
    pub answers: Answers,
    /// Sessions: `Mcp-Session-Id`, the GET stream and DELETE.
    pub sessions: bool,
    /// Limit of MCP POSTs. None by default, so that tests are not throttled by accident;
    /// [`RateLimit::pro`] is Chipp's smallest plan.
    pub rate_limit: Option<RateLimit>,
    /// Whether `/.well-known/*` exists and 401 answers point to it.
    pub discovery: bool,
    /// Another authorization server than this one, named by the MCP server's metadata.
    pub authorization_server: Option<String>,
    /// Dynamic registration (RFC 7591). Chipp's documentation knows none.
    pub registration: bool,
    /// Whether registration takes `localhost` in redirect URIs, or only `127.0.0.1` and `[::1]`.
    pub localhost_redirects: bool,
    /// Whether the server says that it reads client ID metadata documents. It knows those whose
    /// address is the id of one of the `clients`.
    pub client_documents: bool,
    /// The device authorization endpoint (RFC 8628). `auto_consent` is what its user decides.
    pub device: bool,
    /// Whether authorization answers carry `iss`, and the metadata promises it (RFC 9207).
    pub issuer_in_response: bool,
    /// The port to bind; any free one by default. Read once, at the start.
    pub port: Option<u16>,
    /// The account that is signed in at the sandbox's imaginary website.
    pub email: String,
    /// Body formats that the token, revocation and registration endpoints read.
    pub token_style: TokenStyle,
    /// Time between the commit of a token request and its answer: a caller that gives up within it
    /// has lost the rotation.
    pub token_delay: Duration,
    /// Answers the authorization request at once, without a page, for tests without a browser.
    pub auto_consent: Option<Consent>,
    /// The clients known from the start.
    pub clients: Vec<Client>,
    /// MCP servers elsewhere for which tokens may be asked here (RFC 8707), besides the sandbox's own.
    pub resources: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            access_lifetime: Duration::from_secs(3600),
            refresh_lifetime: Duration::from_secs(30 * 24 * 3600),
            code_lifetime: Duration::from_secs(300),
            say_expires_in: true,
            grace: Grace::None,
            revoke_family_on_reuse: true,
            reject_early: None,
            anonymous: false,
            answers: Answers::Json,
            sessions: true,
            rate_limit: None,
            discovery: true,
            authorization_server: None,
            registration: false,
            localhost_redirects: true,
            client_documents: false,
            device: false,
            issuer_in_response: true,
            port: None,
            email: "ada@example.com".to_owned(),
            token_style: TokenStyle::Json,
            token_delay: Duration::ZERO,
            auto_consent: None,
            clients: vec![Client::chipp()],
            resources: Vec::new(),
        }
    }
}

/// What a server grants to a refresh token that was already used (security.md 5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Grace {
    /// Nothing: it is reuse.
    #[default]
    None,
    /// The direct predecessor gets another pair for this long after its first use (Okta, Auth0).
    For(Duration),
    /// The predecessor gets the same pair again until either token of that pair was used (Airlock,
    /// and what Chipp is asked for).
    UntilUsed,
}

/// The form of answers to JSON-RPC requests; clients must take both (T-03).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Answers {
    /// One `application/json` body.
    #[default]
    Json,
    /// A `text/event-stream`, with a comment first and progress before the answer where asked for.
    Sse,
}

/// What the imaginary user decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// The Authorize button.
    Authorize,
    /// The Deny button.
    Deny,
}

/// Body formats of the OAuth endpoints. HTTP Basic is accepted with each, for clients that have a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TokenStyle {
    /// `application/json` only, as Chipp.
    #[default]
    Json,
    /// `application/x-www-form-urlencoded` only, as RFC 6749 says.
    Form,
    /// Either.
    Any,
}

/// A fixed-window limit on MCP POSTs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateLimit {
    /// Requests in one window.
    pub limit: u32,
    /// Length of the window.
    pub window: Duration,
    /// Name of the plan, as `X-RateLimit-Tier` says it.
    pub tier: String,
}

impl RateLimit {
    /// Chipp's PRO plan: 30 requests a minute.
    pub fn pro() -> Self {
        RateLimit { limit: 30, window: Duration::from_secs(60), tier: "PRO".to_owned() }
    }
}
