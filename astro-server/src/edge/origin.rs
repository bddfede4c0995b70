//! Where a call comes from: its connection's peer or, behind a proxy that is trusted, whom that
//! names.
use axum::extract::Request;
use http::HeaderMap;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;
use std::sync::Arc;

/// Addresses that begin with the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    first: u128,
    bits: u32,
}

/// An address of IPv4 as the 128 bits of IPv6 have it, so that each is compared with each.
fn wide(address: IpAddr) -> u128 {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn begins(address: u128, bits: u32) -> u128 {
    address & u128::MAX.checked_shl(128 - bits).unwrap_or_default()
}

impl Network {
    fn has(&self, address: IpAddr) -> bool {
        begins(wide(address), self.bits) == self.first
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let problem = || format!("{text} is neither an address nor a network such as 10.0.0.0/8");
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u32>().map_err(|_| problem())?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| problem())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(most);
        if bits > most {
            return Err(problem());
        }
        let bits = bits + 128 - most;
        Ok(Self { first: begins(wide(address), bits), bits })
    }
}

/// Where a call comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Origin {
    /// The address.
    pub(super) address: IpAddr,
    /// Whether many may stand behind it whom nobody tells apart: this machine's own, from which a
    /// proxy connects that is not known as one.
    pub(super) is_shared: bool,
}

/// The proxies that are believed when they tell for whom they call.
#[derive(Debug, Clone, Default)]
pub struct Proxies(Arc<[Network]>);

impl Proxies {
    /// Those in these networks.
    pub fn new(networks: &[Network]) -> Self {
        Self(networks.into())
    }

    /// Has the request know where it comes from.
    pub(super) fn trace(&self, request: &mut Request, peer: IpAddr) {
        let origin = self.origin(peer, request.headers());
        request.extensions_mut().insert(origin);
    }

    fn origin(&self, peer: IpAddr, headers: &HeaderMap) -> Origin {
        let peer = peer.to_canonical();
        if !self.has(peer) {
            return Origin { address: peer, is_shared: peer.is_loopback() };
        }
        let told = [self.last(x_forwarded_for(headers)), self.last(forwarded(headers))];
        let address = match told {
            [Some(one), None] | [None, Some(one)] => one,
            // A proxy writes one of them and lets the other through, as whoever calls wrote it.
            [Some(one), Some(other)] if one == other => one,
            [Some(_), Some(_)] | [None, None] => peer,
        };
        Origin { address, is_shared: false }
    }

    fn has(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.has(address))
    }

    /// The last address that is no proxy's, from the end where the nearest proxy writes. What is none,
    /// and what stands before, is not believed.
    fn last<'a>(&self, told: impl DoubleEndedIterator<Item = &'a str>) -> Option<IpAddr> {
        let mut seen = None;
        for text in told.rev() {
            let Some(address) = parse(text) else { break };
            seen = Some(address);
            if !self.has(address) {
                break;
            }
        }
        seen
    }
}

/// The entries of all headers of this name, in their order.
fn entries<'a>(
    headers: &'a HeaderMap,
    name: &'static str,
) -> impl DoubleEndedIterator<Item = &'a str> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|text| text.split(',')).map(str::trim)
}

fn x_forwarded_for(headers: &HeaderMap) -> impl DoubleEndedIterator<Item = &str> {
    entries(headers, "x-forwarded-for")
}

/// The `for` of each entry (RFC 7239); nothing for an entry without one.
fn forwarded(headers: &HeaderMap) -> impl DoubleEndedIterator<Item = &str> {
    entries(headers, "forwarded").map(|entry| {
        let pairs = entry.split(';').filter_map(|pair| pair.split_once('='));
        let mut of = pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case("for"));
        of.next().map_or("", |(_, value)| value.trim().trim_matches('"'))
    })
}

/// An address, with a port or without.
fn parse(text: &str) -> Option<IpAddr> {
    let bracketed = || text.strip_prefix('[')?.split_once(']')?.0.parse::<Ipv6Addr>().ok();
    let plain = text.parse::<IpAddr>().ok();
    let with_port = || Some(IpAddr::V4(text.split_once(':')?.0.parse().ok()?));
    let address = plain.or_else(|| bracketed().map(IpAddr::V6)).or_else(with_port);
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(networks: &[&str]) -> Proxies {
        let networks: Vec<Network> = networks.iter().map(|text| text.parse().unwrap()).collect();
        Proxies::new(&networks)
    }

    fn headers(told: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in told {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    #[track_caller]
    fn check(of: &Proxies, peer: &str, told: &[(&'static str, &str)], expected: &str) {
        let origin = of.origin(peer.parse().unwrap(), &headers(told));
        assert_eq!(origin.address, expected.parse::<IpAddr>().unwrap(), "{peer} {told:?}");
    }

    const XFF: &str = "x-forwarded-for";

    #[test]
    fn the_last_address_that_is_no_proxys_is_the_callers() {
        let of = proxies(&["127.0.0.1", "10.0.0.0/8", "2001:db8:1::/48"]);
        check(&of, "127.0.0.1", &[(XFF, "192.0.2.1")], "192.0.2.1");
        check(&of, "127.0.0.1", &[(XFF, "198.51.100.9, 192.0.2.1, 10.1.2.3")], "192.0.2.1");
        let apart = [(XFF, "198.51.100.9"), (XFF, "192.0.2.1:4711")];
        check(&of, "10.9.9.9", &apart, "192.0.2.1");
        check(&of, "::ffff:10.9.9.9", &[(XFF, "2001:db8::7")], "2001:db8::7");
        check(&of, "2001:db8:1::5", &[("forwarded", "for=\"[2001:db8::7]:80\"")], "2001:db8::7");
        let two = "for=198.51.100.9, By=x; For=192.0.2.1;proto=https";
        check(&of, "10.9.9.9", &[("forwarded", two)], "192.0.2.1");
        // Proxies all the way: the one that is farthest off.
        check(&of, "127.0.0.1", &[(XFF, "10.0.0.1, 10.0.0.2")], "10.0.0.1");
    }

    #[test]
    fn what_a_caller_could_have_written_is_not_believed() {
        let of = proxies(&["10.0.0.0/8"]);
        check(&of, "192.0.2.1", &[(XFF, "198.51.100.9")], "192.0.2.1");
        check(&proxies(&[]), "127.0.0.1", &[(XFF, "198.51.100.9")], "127.0.0.1");
        check(
            &of,
            "10.0.0.1",
            &[(XFF, "192.0.2.1"), ("forwarded", "for=198.51.100.9")],
            "10.0.0.1",
        );
        check(&of, "10.0.0.1", &[(XFF, "198.51.100.9, unknown, 10.0.0.2")], "10.0.0.2");
        check(&of, "10.0.0.1", &[(XFF, "nonsense")], "10.0.0.1");
        check(&of, "10.0.0.1", &[], "10.0.0.1");
    }

    #[test]
    fn this_machines_own_address_is_shared_unless_a_proxy_is_known_to_be_there() {
        let peer = "127.0.0.1".parse().unwrap();
        assert!(proxies(&["10.0.0.0/8"]).origin(peer, &HeaderMap::new()).is_shared);
        assert!(!proxies(&["127.0.0.0/8"]).origin(peer, &HeaderMap::new()).is_shared);
    }

    #[test]
    fn a_network_is_an_address_and_its_bits() {
        let has = |network: &str, address: &str| {
            network.parse::<Network>().unwrap().has(address.parse().unwrap())
        };
        assert!(has("192.0.2.0/24", "192.0.2.255") && !has("192.0.2.0/24", "192.0.3.0"));
        assert!(has("192.0.2.7", "::ffff:192.0.2.7") && !has("192.0.2.7", "192.0.2.8"));
        assert!(has("0.0.0.0/0", "203.0.113.1") && !has("0.0.0.0/0", "2001:db8::1"));
        assert!(has("::/0", "2001:db8::1") && has("2001:db8::/32", "2001:db8:9::1"));
        for text in ["", "x", "192.0.2.0/33", "192.0.2.0/-1", "192.0.2.0/", "example.org", "::/129"]
        {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }
}
