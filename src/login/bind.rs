//! Takes the callback port on both loopback addresses before a browser is opened.
//!
//! The redirect URI usually says `localhost`, and browsers try `[::1]` before `127.0.0.1`. Whoever holds
//! only one of the two leaves the other one, and with it the authorization code, to any process of
//! any user of this computer (L1). So both are bound, or none. Only literals are bound, so that no
//! hosts file and no setting can make the listener reachable from outside (L6). Where the URI names a literal,
//! that one address is enough ([`Host`]).

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::net::TcpListener;

use super::guard::Site;
use super::place::{Host, Place};
use crate::error::{Error, Name, Result};

/// How often another free port is tried where one address family has it and the other has not.
const TRIES: usize = 64;

/// The callback listener of one sign-in. Dropped, it is closed (L12).
#[derive(Debug)]
pub struct Listener {
    pub(super) sockets: Vec<TcpListener>,
    pub(super) ignored: Ignored,
    port: u16,
    place: Place,
}

/// How many callbacks were not ours: with a wrong `state`, or none. For one note to the user while
/// the listener waits (row 16).
#[derive(Debug, Clone, Default)]
pub struct Ignored(Arc<AtomicU64>);

impl Ignored {
    /// The number so far.
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Listener {
    /// Binds `127.0.0.1` and `[::1]` on one port: the given one, or any that is free on both.
    ///
    /// # Errors
    /// As [`Listener::bind_at`].
    pub async fn bind(port: Option<u16>) -> Result<Listener> {
        Listener::bind_at(Place { port, ..Place::default() }).await
    }

    /// Binds every address that the place's host may lead to, on one port: the given one, or any that is free
    /// on all of them. An address that this computer does not have is left out (rows 4 and 5).
    ///
    /// # Errors
    /// `port-busy`, if the given port is taken on any of them (rows 1 and 3); `network-down`, if this computer
    /// has none of them.
    // Asynchronous, although nothing is awaited: the sockets need a running reactor.
    pub async fn bind_at(place: Place) -> Result<Listener> {
        let wanted = place.port.unwrap_or(0);
        let (port, sockets) = all(wanted, place.host, &|address| StdListener::bind(address))?;
        let sockets = sockets.into_iter().map(|socket| {
            socket.set_nonblocking(true)?;
            TcpListener::from_std(socket)
        });
        let sockets = sockets.collect::<io::Result<Vec<_>>>().map_err(|error| unusable(port, &error))?;
        Ok(Listener { sockets, ignored: Ignored::default(), port, place })
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The redirect URI as it was wished for; by name, if nothing else was: that is what most servers expect of
    /// a program on a user's computer.
    pub fn redirect_uri(&self) -> String {
        self.place.uri(self.port)
    }

    /// The redirect URI by address: that form may have any port, by OAuth 2.1 section 8.4.2, and some
    /// servers allow no other one.
    pub fn redirect_uri_by_address(&self) -> String {
        let first = self.sockets.first().and_then(|socket| socket.local_addr().ok());
        let host = if first.is_some_and(|address| address.is_ipv6()) { Host::V6 } else { Host::V4 };
        Place { host, ..self.place.clone() }.uri(self.port)
    }

    /// What its requests look like.
    pub(super) fn site(&self) -> Site {
        Site { port: self.port, path: self.place.requested().to_owned() }
    }

    /// The counter of callbacks that were not ours; it lives on while [`Listener::wait`] runs.
    pub fn ignored(&self) -> Ignored {
        self.ignored.clone()
    }
}

type Open<'a> = &'a dyn Fn(SocketAddr) -> io::Result<StdListener>;

/// Binds all addresses of a host on one port; 0 means any.
fn all(port: u16, host: Host, open: Open) -> Result<(u16, Vec<StdListener>)> {
    'tries: for _ in 0..TRIES {
        let (mut chosen, mut sockets) = (port, Vec::new());
        for address in host.addresses() {
            match optional(open((*address, chosen).into())) {
                Ok(Some(socket)) => {
                    chosen = socket.local_addr().map_err(|error| unusable(chosen, &error))?.port();
                    sockets.push(socket);
                }
                Ok(None) => {}
                // Somebody has this port on the other address: IPv4 alone will not do (L1).
                Err(error) if port == 0 && error.kind() == ErrorKind::AddrInUse => continue 'tries,
                Err(error) => return Err(unusable(chosen, &error)),
            }
        }
        if sockets.is_empty() {
            let which = if host == Host::Name { String::new() } else { format!(" {}", host.text()) };
            let what = format!("this computer has no loopback address{which}");
            return Err(Error::new(Name::NetworkDown, what)
                .hinted("bring up the loopback interface (`ip link set lo up`)"));
        }
        return Ok((chosen, sockets));
    }
    Err(Error::new(Name::PortBusy, "no port is free on both 127.0.0.1 and [::1]")
        .hinted("choose a port with `--port`"))
}

/// An address family that is switched off is absent, which is not the same as busy.
fn optional(socket: io::Result<StdListener>) -> io::Result<Option<StdListener>> {
    match socket {
        Ok(socket) => Ok(Some(socket)),
        Err(error) if error.kind() == ErrorKind::AddrNotAvailable || is_unsupported(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// `EAFNOSUPPORT`, for which `ErrorKind` has no stable name.
fn is_unsupported(error: &io::Error) -> bool {
    #[cfg(unix)]
    let code = rustix::io::Errno::AFNOSUPPORT.raw_os_error();
    #[cfg(not(unix))]
    let code = 10047; // WSAEAFNOSUPPORT
    error.raw_os_error() == Some(code)
}

fn unusable(port: u16, error: &io::Error) -> Error {
    match error.kind() {
        ErrorKind::AddrInUse => Error::new(Name::PortBusy, format!("port {port} is used by another program")),
        ErrorKind::PermissionDenied => {
            Error::new(Name::PortBusy, format!("port {port} is reserved for the system"))
                .hinted("choose a port above 1023 with `--port`")
        }
        _ => Error::new(Name::PortBusy, format!("port {port} cannot be used: {error}"))
            .hinted("choose another port with `--port`"),
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
