//! Which addresses may be connected to: so that a list of URLs from elsewhere cannot lead into the own network.
//!
//! Systems connect the unspecified addresses, `0.0.0.0` and `::`, to the machine itself. Whatever is said of loopback
//! therefore holds for them too.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// What is denied, and what of it is allowed after all. It is checked on the address that is connected to, at every
/// redirect anew, so that neither a name nor a way of writing an address hides anything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    /// No connection is made to these.
    pub deny: Vec<Zone>,
    /// Exceptions from `deny`.
    pub allow: Vec<Zone>,
}

/// A set of addresses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Zone {
    /// Every address that is not reachable from everywhere: loopback, link-local, private and shared networks,
    /// unspecified, multicast, reserved and documentation addresses.
    Private,
    /// The machine itself: loopback addresses and the unspecified ones, which lead there too.
    Loopback,
    /// 169.254.0.0/16 and fe80::/10, where clouds keep their metadata.
    LinkLocal,
    /// A network such as `10.0.0.0/8`, or one address.
    Network(IpNet),
}

/// A text that names no addresses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` names no addresses; write private, loopback, link-local, an address, or a network such as 10.0.0.0/8"
)]
pub struct ZoneError(String);

impl Reach {
    /// Whether an address, and every other that it may lead to, may be connected to.
    #[must_use]
    pub fn permits(&self, address: IpAddr) -> bool {
        let inside = |zones: &[Zone], one| zones.iter().any(|zone| zone.contains(one));
        let mut ends = std::iter::once(address).chain(ends(address).iter().copied());
        ends.all(|end| !inside(&self.deny, end) || inside(&self.allow, end))
    }

    /// Whether anything is denied.
    #[must_use]
    pub fn is_limited(&self) -> bool {
        !self.deny.is_empty()
    }
}

impl Zone {
    /// Whether an address, or the IPv4 address that it stands for, lies in this zone.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match embedded(address) {
            Some(inner) => {
                let named = matches!(self, Self::Network(network) if network.contains(&address));
                named || self.holds(inner.into())
            }
            None => self.holds(address),
        }
    }

    fn holds(&self, address: IpAddr) -> bool {
        match self {
            Self::Network(network) => network.contains(&address),
            Self::Loopback => address.is_loopback() || address.is_unspecified(),
            Self::LinkLocal => is_link_local(address),
            Self::Private => match address {
                IpAddr::V4(address) => !is_global_v4(address),
                IpAddr::V6(address) => !is_global_v6(address),
            },
        }
    }
}

impl FromStr for Zone {
    type Err = ZoneError;

    fn from_str(text: &str) -> Result<Self, ZoneError> {
        Ok(match text {
            "private" => Self::Private,
            "loopback" => Self::Loopback,
            "link-local" => Self::LinkLocal,
            _ => {
                let address = || text.parse::<IpAddr>().ok().map(IpNet::from);
                let network = text.parse().ok().or_else(address);
                Self::Network(network.ok_or_else(|| ZoneError(text.to_owned()))?)
            }
        })
    }
}

/// Where a connection to an unspecified address may end. `::` can reach those who listen on IPv4 as well.
fn ends(address: IpAddr) -> &'static [IpAddr] {
    const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);
    match embedded(address).map_or(address, IpAddr::V4) {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => &[V4],
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => &[V6, V4],
        _ => &[],
    }
}

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

/// As the special-purpose registry of RFC 6890 has it, and what was added to it since.
fn is_global_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(a == 0
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (18..20).contains(&b))
        || a >= 240)
}

/// What is global lies in 2000::/3; of that, documentation and the tunnels that lead elsewhere are not.
fn is_global_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let [first, second, ..] = segments;
    let global = (0x2000..0x4000).contains(&first);
    let documentation = (first, second) == (0x2001, 0xdb8) || first == 0x3fff;
    let special = first == 0x2001 && second < 0x200;
    // The well-known prefix alone; 64:ff9b:1::/48 is for use within a network.
    let nat64 = segments[..6] == [0x64, 0xff9b, 0, 0, 0, 0];
    (global && !documentation && !special) || nat64
}

/// The IPv4 address that an IPv6 address leads to: mapped, compatible, NAT64 (RFC 6052) and 6to4 (RFC 3056).
fn embedded(address: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(address) = address else {
        return None;
    };
    let [a, b, c, d, e, f, g, h] = address.segments();
    let (high, low) = match [a, b, c, d, e, f] {
        [0, 0, 0, 0, 0, 0xffff] | [0x64, 0xff9b, 0, 0, 0, 0] => (g, h),
        [0, 0, 0, 0, 0, 0] if g != 0 => (g, h),
        [0x2002, high, low, ..] => (high, low),
        _ => return None,
    };
    let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
    Some(Ipv4Addr::new(a, b, c, d))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_is_whatever_is_not_reachable_from_everywhere() {
        for (address, private) in [
            ("8.8.8.8", false),
            ("2606:4700::1111", false),
            ("127.0.0.1", true),
            ("10.0.0.1", true),
            ("172.16.0.1", true),
            ("172.32.0.1", false),
            ("192.168.1.1", true),
            ("169.254.169.254", true),
            ("100.64.0.1", true),
            ("100.128.0.1", false),
            ("0.0.0.0", true),
            ("224.0.0.1", true),
            ("255.255.255.255", true),
            ("::", true),
            ("::1", true),
            ("fe80::1", true),
            ("fd00::1", true),
            ("ff02::1", true),
            ("2001:db8::1", true),
            ("::ffff:127.0.0.1", true),
            ("::ffff:10.0.0.1", true),
            ("::ffff:8.8.8.8", false),
            ("::127.0.0.1", true),
            ("64:ff9b::a00:1", true),
            ("64:ff9b::808:808", false),
            ("64:ff9b:1::7f00:1", true),
            ("2002:7f00:1::", true),
            ("2002:808:808::", false),
        ] {
            let zone: Zone = "private".parse().unwrap();
            assert_eq!(
                zone.contains(address.parse().unwrap()),
                private,
                "{address}"
            );
        }
    }

    #[test]
    fn unspecified_addresses_are_where_they_lead() {
        for (denied, address, permitted) in [
            ("loopback", "0.0.0.0", false),
            ("loopback", "::", false),
            ("loopback", "::ffff:0.0.0.0", false),
            ("127.0.0.0/8", "0.0.0.0", false),
            ("127.0.0.0/8", "::ffff:0.0.0.0", false),
            ("127.0.0.0/8", "::", false),
            ("127.0.0.1", "0.0.0.0", false),
            ("::1", "::", false),
            ("::1", "0.0.0.0", true),
            ("0.0.0.0", "0.0.0.0", false),
            ("127.0.0.2", "0.0.0.0", true),
            ("10.0.0.0/8", "::", true),
        ] {
            let reach = Reach {
                deny: vec![denied.parse().unwrap()],
                allow: Vec::new(),
            };
            let found = reach.permits(address.parse().unwrap());
            assert_eq!(found, permitted, "{address} with --deny {denied}");
        }
    }

    #[test]
    fn exceptions_win() {
        let zones = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        let reach = Reach {
            deny: zones(&["private", "8.8.8.8"]),
            allow: zones(&["127.0.0.0/8"]),
        };
        for (address, permitted) in [
            ("127.0.0.1", true),
            ("::ffff:127.0.0.1", true),
            ("::1", false),
            ("10.0.0.1", false),
            ("8.8.8.8", false),
            ("8.8.4.4", true),
            // It leads to 127.0.0.1, but is none of the exceptions itself.
            ("0.0.0.0", false),
        ] {
            assert_eq!(
                reach.permits(address.parse().unwrap()),
                permitted,
                "{address}"
            );
        }
        assert!("10.0.0.0/33".parse::<Zone>().is_err());
        assert!("0x7f".parse::<Zone>().is_err());
    }
}
