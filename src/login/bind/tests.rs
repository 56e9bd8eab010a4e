use std::net::{Ipv4Addr, Ipv6Addr, TcpStream};
use std::process::Command;

use super::*;

fn open(address: SocketAddr) -> io::Result<StdListener> {
    StdListener::bind(address)
}

fn raw(code: i32) -> io::Error {
    io::Error::from_raw_os_error(code)
}

/// A port that was free a moment ago on both families.
fn free() -> u16 {
    all(0, Host::Name, &open).unwrap().0
}

#[test]
fn a_free_port_is_bound_on_both_families_and_on_loopback_only() {
    let (port, sockets) = all(0, Host::Name, &open).unwrap();
    let addresses: Vec<_> = sockets.iter().map(|s| s.local_addr().unwrap()).collect();
    assert_eq!(
        addresses,
        [(Ipv4Addr::LOCALHOST, port).into(), SocketAddr::from((Ipv6Addr::LOCALHOST, port))]
    );
    for address in addresses {
        TcpStream::connect(address).unwrap();
    }
}

#[test]
fn a_fixed_port_that_a_stranger_has_on_either_family_is_busy() {
    for holder in ["127.0.0.1", "::1", "0.0.0.0", "::"] {
        let address: SocketAddr = (holder.parse::<std::net::IpAddr>().unwrap(), free()).into();
        let _stranger = StdListener::bind(address).unwrap();
        let error = all(address.port(), Host::Name, &open).unwrap_err();
        assert_eq!(error.name(), Name::PortBusy, "{holder}");
        assert!(error.what().contains(&format!("port {} ", address.port())), "{error}");
    }
}

#[test]
fn another_port_is_taken_where_a_stranger_has_the_first_one_on_ipv6() {
    let strangers = std::cell::RefCell::new(Vec::new());
    // The stranger is quicker than we are, three times: real sockets, real errors.
    let raced = |address: SocketAddr| {
        if address.is_ipv6() && strangers.borrow().len() < 3 {
            strangers.borrow_mut().push(StdListener::bind(address)?);
        }
        StdListener::bind(address)
    };
    let (port, sockets) = all(0, Host::Name, &raced).unwrap();
    assert_eq!(sockets.len(), 2);
    assert_eq!(strangers.borrow().len(), 3);
    assert!(strangers.borrow().iter().all(|s| s.local_addr().unwrap().port() != port));
}

#[test]
fn a_family_that_is_switched_off_is_not_busy() {
    let unsupported = rustix::io::Errno::AFNOSUPPORT.raw_os_error();
    let unavailable = rustix::io::Errno::ADDRNOTAVAIL.raw_os_error();
    for code in [unsupported, unavailable] {
        for (v6_off, port) in [(true, 0), (true, free()), (false, 0), (false, free())] {
            let (got, sockets) =
                all(port, Host::Name, &|a| if a.is_ipv6() == v6_off { Err(raw(code)) } else { open(a) })
                    .unwrap();
            assert_eq!(sockets.len(), 1);
            assert_eq!(sockets[0].local_addr().unwrap().is_ipv4(), v6_off);
            assert!(got != 0 && (port == 0 || got == port));
        }
        assert_eq!(all(0, Host::Name, &|_| Err(raw(code))).unwrap_err().name(), Name::NetworkDown);
    }
}

#[test]
fn a_reserved_port_is_named_and_a_hopeless_search_ends() {
    let denied = all(80, Host::Name, &|_| Err(io::ErrorKind::PermissionDenied.into())).unwrap_err();
    assert_eq!((denied.name(), denied.what()), (Name::PortBusy, "port 80 is reserved for the system"));
    let busy = |a: SocketAddr| if a.is_ipv6() { Err(io::ErrorKind::AddrInUse.into()) } else { open(a) };
    assert_eq!(all(0, Host::Name, &busy).unwrap_err().name(), Name::PortBusy);
}

// L1: a literal leads nowhere else, so what a stranger has on the other address does not matter.
#[test]
fn a_literal_takes_its_own_address_and_no_other() {
    for (host, mine, other) in [(Host::V4, "127.0.0.1", "::1"), (Host::V6, "::1", "127.0.0.1")] {
        let at = |address: &str| SocketAddr::from((address.parse::<std::net::IpAddr>().unwrap(), free()));
        let stranger = StdListener::bind(at(other)).unwrap();
        let port = stranger.local_addr().unwrap().port();
        let (bound, sockets) = all(port, host, &open).unwrap();
        let addresses: Vec<_> = sockets.iter().map(|socket| socket.local_addr().unwrap()).collect();
        assert_eq!((bound, addresses), (port, vec![SocketAddr::new(mine.parse().unwrap(), port)]));
        assert_eq!(all(port, host, &open).unwrap_err().name(), Name::PortBusy);
        let none = all(0, host, &|_| Err(io::ErrorKind::AddrNotAvailable.into())).unwrap_err();
        assert_eq!(none.name(), Name::NetworkDown);
        assert!(none.what().contains(host.text()), "{none}");
    }
}

/// The kernel's own answers: each case in a network namespace where an address is really missing.
#[test]
fn a_missing_address_is_left_out_in_a_real_network_namespace() {
    for (name, set_up, families) in [
        ("both", "true", "46"),
        ("no ipv6", "echo 1 > /proc/sys/net/ipv6/conf/lo/disable_ipv6", "4"),
        ("no ipv4", "ip address del 127.0.0.1/8 dev lo", "6"),
    ] {
        let script = format!("ip link set lo up && {{ {set_up}; }} && echo ready && exec \"$0\" \"$@\"");
        let test = "login::bind::tests::inside_a_namespace";
        let output = Command::new("unshare")
            .args(["-rn", "sh", "-c", &script])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", test, "--ignored", "--nocapture"])
            .output();
        let said = output.map(|o| String::from_utf8_lossy(&o.stdout).into_owned()).unwrap_or_default();
        if !said.contains("ready") {
            eprintln!("SKIPPED ({name}): no network namespaces here (unshare -rn, ip)");
            continue;
        }
        assert!(said.contains(&format!("bound: {families};")), "{name}: {said}");
    }
}

#[test]
#[ignore = "run by the test above, inside a namespace"]
fn inside_a_namespace() {
    let (port, sockets) = all(0, Host::Name, &open).unwrap();
    assert!(all(port, Host::Name, &open).is_err_and(|error| error.name() == Name::PortBusy));
    let families = sockets.iter().map(|s| if s.local_addr().unwrap().is_ipv4() { '4' } else { '6' });
    println!("bound: {};", families.collect::<String>());
}
