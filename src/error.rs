//! Every failure this program can name, in one table.
//!
//! A failure is a [`Name`] plus one sentence that says what happened. The table gives each name
//! its exit code, its JSON-RPC code, whether trying again can help, and the one thing to do. There
//! is a single error type for the whole house, and not one enum per room, because every error here
//! ends in front of a person or a model: what matters is that no failure reaches them unnamed.
//!
//! Text from servers is cleaned ([`clean`]) before it may become part of an error. Secrets,
//! bodies and URLs with queries never do.

mod clean;

use std::fmt;

use serde_json::json;

pub use clean::clean;

/// The result of everything that can fail with a named error.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What the table says about one name.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The name as people and scripts see it.
    pub text: &'static str,
    /// Process exit code.
    pub exit: u8,
    /// JSON-RPC error code towards the MCP host. The `-310xx` codes lie outside the range that
    /// JSON-RPC and MCP reserve, so that they cannot be mistaken for the server's own (T-65).
    pub code: i32,
    /// Whether the same call may succeed later without anybody doing anything.
    pub retryable: bool,
    /// The one thing to do. `{target}` stands for the target as it would be typed, if it is not
    /// the default one.
    pub hint: &'static str,
}

macro_rules! names {
    ($($(#[$doc:meta])* $variant:ident = $text:literal, $exit:literal, $code:literal, $retryable:literal, $hint:literal;)*) => {
        /// The name of a failure.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Name { $($(#[$doc])* $variant,)* }

        impl Name {
            /// Every name, in the order of the table.
            pub const ALL: &'static [Name] = &[$(Name::$variant,)*];

            /// The row of the table.
            pub const fn row(self) -> Row {
                match self {
                    $(Name::$variant => Row { text: $text, exit: $exit, code: $code, retryable: $retryable, hint: $hint },)*
                }
            }
        }
    };
}

names! {
    /// A bug in this program.
    Internal = "internal", 1, -32603, false, "report this bug of chipp-auth, with the output of `chipp-auth --version`";
    /// The command line is wrong.
    Usage = "usage", 2, -31004, false, "see `chipp-auth --help`";
    /// A configuration file cannot be used.
    ConfigBad = "config-bad", 2, -31004, false, "correct the file, or move it away";
    /// The authorization server does not accept this client.
    ClientRejected = "client-rejected", 2, -31004, false, "check the client id and secret of this server, then run `chipp-auth login{target}`";
    /// The authorization server knows another redirect URI of this client.
    RedirectUriMismatch = "redirect-uri-mismatch", 2, -31004, false, "register the redirect URI that the message names at the provider, exactly as it stands there, then run `chipp-auth login{target}`";
    /// The token endpoint refused a code and does not say why.
    ExchangeRejected = "exchange-rejected", 2, -31004, false, "try another token request style: `chipp-auth login{target} --token-style auto` tries them all";
    /// A configuration file could have been written by somebody else.
    ConfigUntrusted = "config-untrusted", 2, -31004, false, "make yourself its owner, and remove the write permission of everybody else (chmod go-w)";
    /// The user or the server said no.
    LoginDenied = "login-denied", 3, -31001, false, "run `chipp-auth login{target}` and choose Authorize";
    /// Nobody finished the sign-in in time.
    LoginTimeout = "login-timeout", 3, -31001, false, "run `chipp-auth login{target}` again and finish in the browser; `--timeout` gives you more time";
    /// No browser could be started, and nobody opened the address by hand.
    BrowserMissing = "browser-missing", 3, -31001, false, "run `chipp-auth login{target}` again and open the printed address in a browser on this computer, or set BROWSER to the program to use";
    /// The user interrupted the sign-in.
    LoginCancelled = "login-cancelled", 130, -31001, false, "run `chipp-auth login{target}` when you are ready";
    /// There is no usable sign-in.
    LoginRequired = "login-required", 4, -31001, false, "run `chipp-auth login{target}`";
    /// The sign-in lacks a permission that this request needs.
    ScopeRequired = "scope-required", 4, -31001, false, "run `chipp-auth login{target}` with the missing `--scope`";
    /// The access has ended, and the server never issued a refresh token.
    RefreshMissing = "refresh-missing", 4, -31001, false, "run `chipp-auth login{target}`; some servers issue a refresh token only for the scope `offline_access`, or only at the first sign-in";
    /// The server renewed the sign-in, but the answer was lost.
    RefreshLost = "refresh-lost", 4, -31001, false, "run `chipp-auth login{target}`";
    /// The server cannot be reached.
    NetworkDown = "network-down", 5, -31002, true, "check the connection (and HTTPS_PROXY, if you use one), then try again";
    /// The server's certificate does not hold.
    TlsFailed = "tls-failed", 5, -31002, false, "check this computer's clock and its certificate store; a company proxy needs its certificate there";
    /// Something between here and the server answered in its place.
    CaptivePortal = "captive-portal", 5, -31002, true, "open a browser and sign in to the network, then try again";
    /// The server asks for patience.
    ServerBusy = "server-busy", 5, -31002, true, "try again later";
    /// The server failed.
    ServerError = "server-error", 5, -31002, true, "try again in a minute; nothing was lost";
    /// The server's answer cannot be understood.
    BadResponse = "bad-response", 5, -31002, true, "try again; if it stays, the address may not be that of an MCP or OAuth server";
    /// The sign-in is good, and the MCP server shows no tools.
    ToolsUnavailable = "tools-unavailable", 5, -31002, true, "check that the MCP server runs, that its address is right, and that it answers `tools/list`; its own log says more";
    /// The server forgot the MCP session and it could not be opened again as it was.
    SessionLost = "session-lost", 5, -31002, false, "restart the MCP client, so that it opens a new session";
    /// No answer within the limit.
    Timeout = "timeout", 5, -31007, true, "try again";
    /// The answer's stream ended before the answer.
    StreamLost = "stream-lost", 5, -31005, false, "look whether the server has acted before you repeat the call";
    /// A message is larger than the limit.
    TooLarge = "too-large", 5, -31006, false, "ask for less at a time";
    /// The keychain is locked.
    KeychainLocked = "keychain-locked", 6, -31003, true, "unlock your keychain and try again";
    /// There is no keychain here.
    KeychainMissing = "keychain-missing", 6, -31003, false, "start a Secret Service (gnome-keyring, KWallet), or choose the encrypted file with `--store file`";
    /// The keychain does not answer.
    KeychainTimeout = "keychain-timeout", 6, -31003, true, "look for an unlock prompt behind your windows, or restart the keychain service";
    /// The keychain refused access.
    KeychainDenied = "keychain-denied", 6, -31003, false, "allow chipp-auth in your keychain and try again";
    /// The stored record is damaged.
    StoreCorrupt = "store-corrupt", 6, -31003, false, "run `chipp-auth reset{target}`, then `chipp-auth login{target}`";
    /// The stored record was written by a newer version.
    StoreNewer = "store-newer", 6, -31003, false, "update chipp-auth; nothing was changed";
    /// The encrypted file cannot be opened with this passphrase.
    StoreSealed = "store-sealed", 6, -31003, false, "set CHIPP_AUTH_PASSPHRASE (or CHIPP_AUTH_PASSPHRASE_FILE) to the passphrase of the encrypted store";
    /// The disk is full or refuses to write.
    DiskFull = "disk-full", 6, -31003, true, "free some space and try again; nothing was lost";
    /// Our directory is not ours alone.
    StateDirUnsafe = "state-dir-unsafe", 6, -31003, false, "make the directory yours alone (chmod 700), or set CHIPP_AUTH_HOME to another one";
    /// An address that must not be opened or sent to.
    UnsafeUrl = "unsafe-url", 7, -31004, false, "use https, or http on this computer only";
    /// The answer came from another authorization server than the one asked.
    IssuerMismatch = "issuer-mismatch", 7, -31004, false, "do not continue; tell the operator of the server";
    /// The server tried to send a request with secrets elsewhere.
    RedirectRefused = "redirect-refused", 7, -31004, false, "check the address of the server; requests with secrets are never redirected";
    /// The token was issued for another server.
    WrongOrigin = "wrong-origin", 7, -31004, false, "check the address of the MCP server, or sign in to it with `chipp-auth login{target}`";
    /// The authorization server does not promise PKCE.
    PkceUnsupported = "pkce-unsupported", 7, -31004, false, "ask the operator of the server to support PKCE with S256";
    /// The server issued a token of a type that is not a bearer token.
    WrongTokenType = "wrong-token-type", 7, -31004, false, "ask the operator of the server for bearer tokens";
    /// Another process holds the lock for too long.
    LockTimeout = "lock-timeout", 8, -31002, true, "look for a stopped chipp-auth process and end it";
    /// The callback port is taken.
    PortBusy = "port-busy", 8, -31004, true, "close that program, or choose another port with `--port`";
}

/// A named failure: what happened, and what to do about it.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    name: Name,
    what: String,
    hint: Option<String>,
    target: Option<String>,
    lasts: bool,
}

impl Error {
    /// Names a failure. `what` is one sentence in lower case, without a full stop.
    pub fn new(name: Name, what: impl Into<String>) -> Self {
        Error(Box::new(Inner { name, what: what.into(), hint: None, target: None, lasts: false }))
    }

    /// Replaces the table's hint, where the place of the failure knows better.
    #[must_use]
    pub fn hinted(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Says that trying again changes nothing, although it may for other failures of this name.
    #[must_use]
    pub fn lasting(mut self) -> Self {
        self.0.lasts = true;
        self
    }

    /// Whether the same may succeed later without anybody doing anything.
    pub fn retryable(&self) -> bool {
        self.name().row().retryable && !self.0.lasts
    }

    /// Says which target the commands in the hint are for, as the user would type it. Nothing for
    /// the default target. The first caller wins, since it is the nearest to the failure.
    #[must_use]
    pub fn for_target(mut self, target: Option<&str>) -> Self {
        if self.0.target.is_none() {
            self.0.target = target.map(str::to_owned);
        }
        self
    }

    /// Puts a few words of context in front of the sentence.
    #[must_use]
    pub fn context(mut self, context: impl fmt::Display) -> Self {
        self.0.what = format!("{context}: {}", self.0.what);
        self
    }

    /// The name.
    pub fn name(&self) -> Name {
        self.0.name
    }

    /// What happened: one sentence, no full stop.
    pub fn what(&self) -> &str {
        &self.0.what
    }

    /// The hint of the place of the failure, if it knew better than the table.
    pub fn own_hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// What to do: one sentence, no full stop.
    pub fn hint(&self) -> String {
        let hint = self.0.hint.as_deref().unwrap_or(self.name().row().hint);
        let target = self.0.target.as_deref().map(|t| format!(" {t}")).unwrap_or_default();
        hint.replace("{target}", &target)
    }

    /// The process exit code.
    pub fn exit(&self) -> u8 {
        self.name().row().exit
    }

    /// Whether only a new sign-in helps.
    pub fn wants_login(&self) -> bool {
        matches!(self.name(), Name::LoginRequired | Name::RefreshMissing | Name::RefreshLost)
    }

    /// The failure as the one JSON object that `--json` prints.
    pub fn to_json(&self) -> serde_json::Value {
        let row = self.name().row();
        json!({"error": {
            "name": row.text,
            "message": self.what(),
            "hint": self.hint(),
            "exit_code": row.exit,
            "retryable": self.retryable(),
        }})
    }

    /// The `error` member of a JSON-RPC answer. The message carries the hint, since it may be the
    /// only text that a model or a person gets to see.
    pub fn to_rpc(&self) -> serde_json::Value {
        let row = self.name().row();
        json!({
            "code": row.code,
            "message": format!("{}: {}. To mend it: {}.", row.text, self.what(), self.hint()),
            "data": {"source": "chipp-auth", "name": row.text, "retryable": self.retryable()},
        })
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.row().text)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name(), self.what())
    }
}

// The chain of an `Error` is its sentence: there is nothing more to show, and nothing to leak.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests;
