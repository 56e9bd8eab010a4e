//! What kind of address an address is, by the special-purpose registries of IANA (RFC 6890).
//!
//! Text is never looked at here: `url` and the standard library have read it, in whichever spelling it
//! came. What the standard library does not offer on stable Rust is compared number by number.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The kinds of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Of the internet.
    Public,
    /// This computer.
    Loopback,
    /// A local network: RFC 1918, and unique local addresses (RFC 4193).
    Private,
    /// Between a provider and its customers (RFC 6598); also what some overlay networks use.
    Shared,
    /// One cable; cloud machines find their credentials there (RFC 3927, RFC 4291).
    LinkLocal,
    /// For benchmarks (RFC 2544); also what some proxies answer for every name.
    Benchmarking,
    /// Groups of computers.
    Multicast,
    /// "This host on this network": many systems take it for loopback.
    Unspecified,
    /// For examples in documents.
    Documentation,
    /// Nothing that a server should have: broadcast, future use, translations from one family of
    /// addresses into the other.
    Reserved,
}

impl From<IpAddr> for Kind {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => of_v4(address),
            IpAddr::V6(address) => of_v6(address),
        }
    }
}

fn of_v4(address: Ipv4Addr) -> Kind {
    match address.octets() {
        [0, ..] => Kind::Unspecified,
        [100, 64..=127, ..] => Kind::Shared,
        [198, 18..=19, ..] => Kind::Benchmarking,
        // Protocol assignments, relays of 6to4, future use and broadcast.
        [192, 0, 0, _] | [192, 88, 99, _] | [240..=255, ..] => Kind::Reserved,
        _ if address.is_loopback() => Kind::Loopback,
        _ if address.is_private() => Kind::Private,
        _ if address.is_link_local() => Kind::LinkLocal,
        _ if address.is_multicast() => Kind::Multicast,
        _ if address.is_documentation() => Kind::Documentation,
        _ => Kind::Public,
    }
}

fn of_v6(address: Ipv6Addr) -> Kind {
    if let Some(mapped) = address.to_ipv4_mapped() {
        return of_v4(mapped);
    }
    match address.segments() {
        // A network without IPv4 reaches all of it in this form (NAT64, RFC 6052). What is not public there
        // lies behind the translator, which is not ours.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            let embedded = Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
            if of_v4(embedded) == Kind::Public { Kind::Public } else { Kind::Reserved }
        }
        [0x2001, 0xdb8, ..] | [0x3fff, 0..0x1000, ..] => Kind::Documentation,
        // Protocol assignments, Teredo among them, and 6to4.
        [0x2001, 0..0x200, ..] | [0x2002, ..] => Kind::Reserved,
        [0x2000..0x4000, ..] => Kind::Public,
        _ if address.is_loopback() => Kind::Loopback,
        _ if address.is_unspecified() => Kind::Unspecified,
        _ if address.is_unique_local() => Kind::Private,
        _ if address.is_unicast_link_local() => Kind::LinkLocal,
        _ if address.is_multicast() => Kind::Multicast,
        // All the rest of the space is not given out, or was taken back.
        _ => Kind::Reserved,
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Public => "public",
            Kind::Loopback => "this computer",
            Kind::Private => "a private network",
            Kind::Shared => "a provider's shared network",
            Kind::LinkLocal => "the local link",
            Kind::Benchmarking => "a network for benchmarks",
            Kind::Multicast => "a multicast group",
            Kind::Unspecified => "no particular computer",
            Kind::Documentation => "a network for documentation",
            Kind::Reserved => "a reserved network",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first and last address of each range, and its neighbours.
    #[test]
    fn every_range_begins_and_ends_where_the_registry_says() {
        for (addresses, kind) in [
            ("0.0.0.0 0.255.255.255 ::", Kind::Unspecified),
            ("127.0.0.0 127.255.255.255 ::1 ::ffff:127.0.0.1", Kind::Loopback),
            ("10.0.0.0 10.255.255.255 172.16.0.0 172.31.255.255 192.168.0.0 192.168.255.255", Kind::Private),
            ("fc00:: fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ::ffff:10.1.2.3", Kind::Private),
            ("100.64.0.0 100.127.255.255 ::ffff:100.100.100.200", Kind::Shared),
            ("169.254.0.0 169.254.255.255 fe80:: febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Kind::LinkLocal),
            ("198.18.0.0 198.19.255.255", Kind::Benchmarking),
            ("224.0.0.0 239.255.255.255 ff00:: ff02::1", Kind::Multicast),
            ("192.0.2.0 198.51.100.255 203.0.113.9 2001:db8:: 3fff:: 3fff:fff::1", Kind::Documentation),
            ("192.0.0.0 192.0.0.255 192.88.99.1 240.0.0.0 255.255.255.255", Kind::Reserved),
            ("2001:: 2001:1ff:: 2002:7f00:1:: 2002:808:808:: ::127.0.0.1 ::ffff:0:127.0.0.1", Kind::Reserved),
            (
                "64:ff9b::127.0.0.1 64:ff9b::10.0.0.1 64:ff9b:1::8.8.8.8 fec0::1 100:: 4000:: 5f00::",
                Kind::Reserved,
            ),
            ("1.0.0.0 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255", Kind::Public),
            ("128.0.0.0 169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 192.0.1.0", Kind::Public),
            (
                "192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 203.0.114.0 223.255.255.255",
                Kind::Public,
            ),
            ("2000:: 2001:200:: 2606:4700::1111 3ffe:: 3fff:1000:: 64:ff9b::8.8.8.8", Kind::Public),
        ] {
            for address in addresses.split(' ') {
                let parsed: IpAddr = address.parse().unwrap();
                assert_eq!(Kind::from(parsed), kind, "{address}");
            }
        }
    }
}
