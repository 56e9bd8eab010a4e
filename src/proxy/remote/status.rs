//! What an HTTP status that is no success means for the person or the model who reads the error: one table, so
//! that none is forgotten (row 132).

use crate::error::Name;

/// What a status comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Meaning {
    pub(super) name: Name,
    /// Whether no repetition will change it.
    pub(super) lasts: bool,
    /// What to do, where the name's own hint is not the best.
    pub(super) hint: Option<&'static str>,
}

impl Meaning {
    /// The meaning of a status outside of 200 to 299.
    pub(super) fn of(status: u16) -> Self {
        let (name, lasts, hint) = match status {
            300..=399 => (Name::RedirectRefused, true, ""),
            400 | 422 => {
                (Name::BadResponse, true, "change the request: the server does not accept it as it is")
            }
            401 => (Name::LoginRequired, true, ""),
            402 => (Name::BadResponse, true, "check your plan and its billing at the provider of the server"),
            403 => (Name::BadResponse, true, "check that your account may do this on the server"),
            404 | 410 => {
                (Name::BadResponse, true, "check the address of the MCP server: nothing is there (any more)")
            }
            405 => (Name::BadResponse, true, "check the address: what is there takes no MCP messages"),
            406 | 415 => {
                (Name::BadResponse, true, "check the address: what is there does not speak MCP over HTTP")
            }
            407 => (Name::NetworkDown, true, "give the proxy's user name and password in HTTPS_PROXY"),
            408 | 504 => (
                Name::Timeout,
                false,
                "look whether the server has acted before you repeat a call that changes something",
            ),
            409 => (Name::BadResponse, false, "try again: something else was in the way"),
            413 => {
                (Name::TooLarge, true, "send less at a time: the server takes no message as large as this")
            }
            // Too large a head can be the doing of mirrored arguments (T-73).
            414 | 431 => (
                Name::TooLarge,
                true,
                "shorten the arguments that go into headers (or those of --header): the server takes less",
            ),
            421 => (Name::BadResponse, true, "check the address: the server does not serve this host name"),
            425 => (Name::ServerBusy, false, ""),
            426 | 505 => {
                (Name::BadResponse, true, "tell the operator of the server: it wants another version of HTTP")
            }
            429 => (Name::ServerBusy, false, ""),
            451 => (
                Name::BadResponse,
                true,
                "the server may not answer this for legal reasons; ask its operator",
            ),
            501 => (Name::ServerError, true, "check the address: the server cannot do what MCP needs"),
            511 => (Name::CaptivePortal, false, ""),
            500..=599 => (Name::ServerError, false, ""),
            _ => (
                Name::BadResponse,
                true,
                "check the address, and what was asked for: trying again will not help",
            ),
        };
        Meaning { name, lasts, hint: Some(hint).filter(|hint| !hint.is_empty()) }
    }
}
