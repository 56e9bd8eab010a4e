//! Whether the browser's answer can come back: both loopback addresses, and the name that the redirect URI
//! says.
//!
//! One port is taken on both, as for a sign-in, and whoever connects is told a random word. So what answers
//! with another word, or not at all, is not us.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use crate::error::{Error, Name};

use super::check::Check;

/// How long one connection to this computer may take.
const LIMIT: Duration = Duration::from_secs(5);
/// How often another port is tried that may be free on both addresses.
const TRIES: usize = 16;

const V4: &str = "loopback-ipv4";
const V6: &str = "loopback-ipv6";
const NAME: &str = "localhost";

/// What to do where the name does not lead to us.
const HOSTS: &str = "add the line `127.0.0.1 localhost` to the hosts file";

type Opened = io::Result<TcpListener>;

/// The system, or what a test puts in its place.
struct Net<'a> {
    bind: &'a dyn Fn(SocketAddr) -> Opened,
    resolve: &'a dyn Fn(&str, u16) -> io::Result<Vec<SocketAddr>>,
}

/// Takes the addresses and connects to them. Blocks for some seconds at most, but for the resolver.
pub(super) fn checks() -> Vec<Check> {
    look(&Net {
        bind: &|address| TcpListener::bind(address),
        resolve: &|name, port| (name, port).to_socket_addrs().map(Iterator::collect),
    })
}

fn look(net: &Net<'_>) -> Vec<Check> {
    let (v4, v6) = both(net);
    let Some(port) = v4.as_ref().or(v6.as_ref().ok()).and_then(|l| l.local_addr().ok()).map(|a| a.port())
    else {
        let error = Error::new(Name::NetworkDown, "this computer has no loopback address")
            .hinted("bring up the loopback interface (`ip link set lo up`)");
        let none = "no address could be taken";
        return vec![Check::fail(V4, &error), Check::skipped(V6, none), Check::skipped(NAME, none)];
    };
    // A guess would do: nobody is to be fooled, but a program that happens to be there.
    let word = format!("chipp-auth {port} {}", crate::credential::now_ms());
    let _speakers: Vec<_> =
        v4.iter().chain(v6.as_ref().ok()).filter_map(|listener| Speaker::start(listener, &word)).collect();
    let one = |id, ip: IpAddr| match hear((ip, port).into(), &word) {
        Heard::Us => Check::ok(id, format!("{ip} can be taken and reached")),
        other => Check::fail(id, &other.error(&ip.to_string())),
    };
    let absent = |id, family: &str, error: &io::Error| {
        let what = format!("this computer has no {family} ({error}); sign-ins use the other one");
        Check::warn(
            id,
            what,
            format!("switch {family} on for the loopback interface, if browsers cannot reach the callback"),
        )
    };
    let first = match &v4 {
        Some(_) => one(V4, Ipv4Addr::LOCALHOST.into()),
        None => absent(V4, "IPv4", &ErrorKind::AddrNotAvailable.into()),
    };
    let second = match &v6 {
        Ok(_) => one(V6, Ipv6Addr::LOCALHOST.into()),
        Err(error) if error.kind() == ErrorKind::AddrInUse => Check::fail(V6, &taken()),
        Err(error) => absent(V6, "IPv6", error),
    };
    vec![first, second, name(net, port, &word)]
}

/// One port on both addresses, if there are both.
fn both(net: &Net<'_>) -> (Option<TcpListener>, Opened) {
    let mut last = (None, Err(ErrorKind::AddrInUse.into()));
    for _ in 0..TRIES {
        let first = (net.bind)((Ipv4Addr::LOCALHOST, 0).into()).ok();
        let port =
            first.as_ref().and_then(|first| first.local_addr().ok()).map_or(0, |address| address.port());
        last = (first, (net.bind)((Ipv6Addr::LOCALHOST, port).into()));
        // Somebody has this port on the other address.
        if !matches!(&last.1, Err(error) if error.kind() == ErrorKind::AddrInUse) {
            break;
        }
    }
    last
}

fn taken() -> Error {
    Error::new(Name::PortBusy, "another program takes every port on [::1] that is free on 127.0.0.1")
        .hinted("find the program that listens on [::1] and close it")
}

/// Whether `localhost` is this computer and nothing else, and whether it is us who answer there.
fn name(net: &Net<'_>, port: u16, word: &str) -> Check {
    let found = match (net.resolve)(NAME, port) {
        Ok(found) if !found.is_empty() => found,
        // Browsers know the name without asking anybody (RFC 6761 section 6.3).
        _ => {
            let what = "the name `localhost` is not known on this computer";
            return Check::warn(NAME, what, HOSTS);
        }
    };
    if let Some(foreign) = found.iter().find(|address| !address.ip().is_loopback()) {
        let what = format!("the name `localhost` leads to {}, which is not this computer", foreign.ip());
        let error = Error::new(Name::UnsafeUrl, what)
            .hinted("correct the entry for `localhost` in the hosts file: 127.0.0.1 and ::1, and no other");
        return Check::fail(NAME, &error);
    }
    let mut shown: Vec<String> = Vec::new();
    for address in &found {
        let ip = address.ip().to_string();
        match hear(*address, word) {
            Heard::Other => return Check::fail(NAME, &Heard::Other.error(&ip)),
            Heard::Us if !shown.contains(&ip) => shown.push(ip),
            Heard::Us | Heard::Silence(_) => {}
        }
    }
    if shown.is_empty() {
        let what =
            format!("the name `localhost` leads to {} alone, where nothing can be reached", found[0].ip());
        return Check::warn(NAME, what, HOSTS);
    }
    Check::ok(NAME, format!("the name `localhost` leads to {} and nowhere else", shown.join(" and ")))
}

/// Who answered.
enum Heard {
    Us,
    Other,
    Silence(io::Error),
}

impl Heard {
    fn error(&self, place: &str) -> Error {
        match self {
            Heard::Silence(error) => {
                let what = format!("{place} could be taken, but not reached: {error}");
                Error::new(Name::NetworkDown, what)
                    .hinted("allow connections of this computer to itself in its firewall")
            }
            _ => Error::new(Name::PortBusy, format!("another program answers at {place} in our place"))
                .hinted("find the program that takes over connections to this computer (a proxy, a filter, a port forward) and close it"),
        }
    }
}

/// Connects, and listens to what is said.
fn hear(address: SocketAddr, word: &str) -> Heard {
    let mut stream = match TcpStream::connect_timeout(&address, LIMIT) {
        Ok(stream) => stream,
        Err(error) => return Heard::Silence(error),
    };
    let mut said = vec![0; word.len()];
    // Whoever takes the connection and says less, or nothing, is not us.
    match stream.set_read_timeout(Some(LIMIT)).and_then(|()| stream.read_exact(&mut said)) {
        Ok(()) if said == word.as_bytes() => Heard::Us,
        _ => Heard::Other,
    }
}

/// Tells the word to everybody who connects, while it lives.
struct Speaker(std::sync::mpsc::Sender<()>);

impl Speaker {
    fn start(listener: &TcpListener, word: &str) -> Option<Speaker> {
        let (listener, word) = (listener.try_clone().ok()?, word.to_owned());
        listener.set_nonblocking(true).ok()?;
        let (sender, over) = std::sync::mpsc::channel();
        let speak = move || {
            let began = Instant::now();
            while began.elapsed() < 10 * LIMIT {
                if let Ok((mut stream, _)) = listener.accept() {
                    let _ = stream.write_all(word.as_bytes());
                }
                let pause = over.recv_timeout(Duration::from_millis(2));
                if pause != Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                    return;
                }
            }
        };
        std::thread::Builder::new().name("speaker".to_owned()).spawn(speak).ok()?;
        Some(Speaker(sender))
    }
}

impl Drop for Speaker {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::check::Status;

    fn system(address: SocketAddr) -> Opened {
        TcpListener::bind(address)
    }

    fn without_v6(address: SocketAddr) -> Opened {
        if address.is_ipv6() { Err(ErrorKind::AddrNotAvailable.into()) } else { system(address) }
    }

    fn v4(_: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok(vec![(Ipv4Addr::LOCALHOST, port).into()])
    }

    fn seen(net: &Net<'_>) -> Vec<(&'static str, Status, Option<Name>)> {
        look(net).into_iter().map(|check| (check.id, check.status, check.name)).collect()
    }

    #[test]
    fn a_computer_with_ipv4_alone_is_warned_and_serves() {
        let seen = seen(&Net { bind: &without_v6, resolve: &v4 });
        assert_eq!(seen, [(V4, Status::Ok, None), (V6, Status::Warn, None), (NAME, Status::Ok, None)]);
    }

    #[test]
    fn a_computer_without_loopback_is_a_failure() {
        let none = |_| Err(ErrorKind::AddrNotAvailable.into());
        let seen = seen(&Net { bind: &none, resolve: &v4 });
        assert_eq!(seen[0], (V4, Status::Fail, Some(Name::NetworkDown)));
        assert!(seen[1..].iter().all(|(_, status, _)| *status == Status::Skipped));
    }

    #[test]
    fn localhost_must_be_this_computer_and_known() {
        for (address, status, name) in [
            ("192.0.2.7", Status::Fail, Some(Name::UnsafeUrl)),
            ("2001:db8::1", Status::Fail, Some(Name::UnsafeUrl)),
            ("127.0.0.1", Status::Ok, None),
        ] {
            let ip: IpAddr = address.parse().unwrap();
            let resolve = |_: &str, port| Ok(vec![(Ipv4Addr::LOCALHOST, port).into(), (ip, port).into()]);
            let seen = seen(&Net { bind: &without_v6, resolve: &resolve });
            assert_eq!(seen[2], (NAME, status, name), "{address}");
        }
        let unknown = |_: &str, _| Err(ErrorKind::NotFound.into());
        assert_eq!(seen(&Net { bind: &without_v6, resolve: &unknown })[2], (NAME, Status::Warn, None));
    }

    /// Somebody else has the port on the other address of `localhost`, or takes over connections.
    #[test]
    fn whoever_answers_in_our_place_is_found() {
        for word in ["something else that is long enough, whatever it is", ""] {
            let other = TcpListener::bind("127.0.0.1:0").unwrap();
            let there = other.local_addr().unwrap();
            let _speaker = Speaker::start(&other, word).unwrap();
            let resolve = |_: &str, _| Ok(vec![there]);
            let seen = if word.is_empty() {
                // It takes the connection and says nothing until it is closed.
                let silent = TcpListener::bind("127.0.0.1:0").unwrap();
                let there = silent.local_addr().unwrap();
                std::thread::spawn(move || silent.accept().map(drop));
                seen(&Net { bind: &without_v6, resolve: &move |_: &str, _| Ok(vec![there]) })
            } else {
                seen(&Net { bind: &without_v6, resolve: &resolve })
            };
            assert_eq!(seen[2], (NAME, Status::Fail, Some(Name::PortBusy)), "{word}");
        }
    }

    #[test]
    fn a_port_that_somebody_has_on_the_other_address_is_left_for_another() {
        let busy = |address: SocketAddr| match address.ip() {
            IpAddr::V6(_) => Err(ErrorKind::AddrInUse.into()),
            IpAddr::V4(_) => system(address),
        };
        let seen = seen(&Net { bind: &busy, resolve: &v4 });
        assert_eq!(seen[1], (V6, Status::Fail, Some(Name::PortBusy)));
    }
}
