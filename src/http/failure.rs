//! Names for what fails below HTTP. The libraries' own outermost texts are not used: they contain the URL.

use std::error::Error as StdError;
use std::io;

use crate::error::{Error, Name};

type Cause<'a> = &'a (dyn StdError + 'static);

/// The failure of an attempt to connect. `cause` is what went wrong, outermost first.
pub(super) fn connecting(cause: Cause<'_>, host: &str) -> Error {
    named(Some(cause), true, host)
}

/// Any failure; `connecting` if there was no connection yet.
pub(super) fn named(cause: Option<Cause<'_>>, connecting: bool, host: &str) -> Error {
    if let Some(ours) = cause.and_then(ours) {
        return ours;
    }
    let words: Vec<String> = chain(cause).map(|cause| crate::error::clean(&cause.to_string())).collect();
    // rustls' own words: expired, unknown issuer, wrong name.
    if let Some(reason) = words.iter().find(|cause| cause.contains("certificate")) {
        return Error::new(Name::TlsFailed, format!("no safe connection to {host}: {reason}"));
    }
    let last = words.last().map(String::as_str);
    if connecting && chain(cause).filter_map(|cause| cause.downcast_ref()).any(is_invalid_data) {
        let reason = last.unwrap_or_default();
        return Error::new(Name::TlsFailed, format!("no safe connection to {host}: {reason}"))
            .hinted("check the address and the port: what answers there does not speak https, or an outdated form of it");
    }
    let what = if connecting { "could not connect to" } else { "lost the connection to" };
    Error::new(Name::NetworkDown, format!("{what} {host}: {}", last.unwrap_or("no connection")))
}

/// An error of our own among the causes: the resolver's.
pub(super) fn ours(cause: Cause<'_>) -> Option<Error> {
    chain(Some(cause)).find_map(|cause| cause.downcast_ref::<Error>()).cloned()
}

fn chain<'a>(cause: Option<Cause<'a>>) -> impl Iterator<Item = Cause<'a>> {
    std::iter::successors(cause, |cause| StdError::source(*cause))
}

/// Whether the handshake failed: rustls' errors come as invalid data, those of the network never do. The
/// connector wraps such an error in another one.
fn is_invalid_data(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    error.kind() == io::ErrorKind::InvalidData || inner.is_some_and(is_invalid_data)
}
