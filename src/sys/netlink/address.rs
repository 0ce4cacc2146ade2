//! `RTM_NEWADDR`: an address of an interface.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use super::link::text;
use super::message::{Attributes, malformed, u8_at, u32_at};
use crate::interfaces::{AddressFlag, InterfaceAddress, Scope};

/// The length of `struct ifaddrmsg`.
pub(super) const FIXED: usize = 8;

/// An address before it is known whose it is.
#[derive(Debug)]
pub(super) struct Entry {
    /// The index of its interface.
    pub(super) index: u32,
    /// The address; its zone is the caller's to fill in.
    pub(super) address: InterfaceAddress,
}

/// What the attributes say.
#[derive(Default)]
struct Parts {
    /// `IFA_ADDRESS`: the address, or its peer's if there is `IFA_LOCAL`.
    address: Option<IpAddr>,
    local: Option<IpAddr>,
    broadcast: Option<IpAddr>,
    label: Option<String>,
    flags: u32,
    valid: Option<Duration>,
    preferred: Option<Duration>,
}

/// Reads an address out of the body of its message; other families than IP are nothing.
pub(super) fn read(body: &[u8]) -> io::Result<Option<Entry>> {
    let family = i32::from(u8_at(body, 0)?);
    if family != libc::AF_INET && family != libc::AF_INET6 {
        return Ok(None);
    }
    let mut parts = Parts {
        flags: u32::from(u8_at(body, 2)?),
        ..Parts::default()
    };
    for attribute in Attributes::behind(FIXED, body)? {
        let (kind, value) = attribute?;
        parts.take(kind, value)?;
    }
    let address = parts.local.or(parts.address).ok_or_else(malformed)?;
    let address = InterfaceAddress {
        address,
        prefix: u8_at(body, 1)?,
        broadcast: parts.broadcast,
        peer: parts.address.filter(|peer| *peer != address),
        scope: Some(scope(u8_at(body, 3)?)),
        zone: None,
        label: parts.label,
        flags: Some(flags(parts.flags, address.is_ipv6())),
        valid: parts.valid,
        preferred: parts.preferred,
    };
    let index = u32_at(body, 4)?;
    Ok(Some(Entry { index, address }))
}

impl Parts {
    /// Takes over what an attribute says.
    fn take(&mut self, kind: u16, value: &[u8]) -> io::Result<()> {
        match kind {
            libc::IFA_ADDRESS => self.address = Some(ip(value)?),
            libc::IFA_LOCAL => self.local = Some(ip(value)?),
            libc::IFA_BROADCAST => self.broadcast = Some(ip(value)?),
            libc::IFA_LABEL => self.label = Some(text(value)),
            // The header has room for the first eight alone.
            libc::IFA_FLAGS => self.flags = u32_at(value, 0)?,
            libc::IFA_CACHEINFO => {
                self.preferred = lifetime(u32_at(value, 0)?);
                self.valid = lifetime(u32_at(value, 4)?);
            }
            _ => {}
        }
        Ok(())
    }
}

/// An address of either family, by its length.
pub(super) fn ip(value: &[u8]) -> io::Result<IpAddr> {
    if let Ok(octets) = <[u8; 4]>::try_from(value) {
        return Ok(IpAddr::V4(Ipv4Addr::from(octets)));
    }
    let octets = <[u8; 16]>::try_from(value).map_err(|_| malformed())?;
    Ok(IpAddr::V6(Ipv6Addr::from(octets)))
}

/// A time in seconds; the largest number is for ever.
fn lifetime(seconds: u32) -> Option<Duration> {
    (seconds != u32::MAX).then(|| Duration::from_secs(u64::from(seconds)))
}

/// How far the address is valid.
fn scope(number: u8) -> Scope {
    match number {
        libc::RT_SCOPE_UNIVERSE => Scope::Global,
        libc::RT_SCOPE_SITE => Scope::Site,
        libc::RT_SCOPE_LINK => Scope::Link,
        libc::RT_SCOPE_HOST => Scope::Host,
        libc::RT_SCOPE_NOWHERE => Scope::Nowhere,
        other => Scope::Other(other),
    }
}

/// Each flag but the first, which is another one in each family, and `PERMANENT`, which is what an
/// address usually is (`include/uapi/linux/if_addr.h`).
const FLAGS: [(u32, AddressFlag); 10] = [
    (0x2, AddressFlag::NoDad),
    (0x4, AddressFlag::Optimistic),
    (0x8, AddressFlag::DadFailed),
    (0x10, AddressFlag::Home),
    (0x20, AddressFlag::Deprecated),
    (0x40, AddressFlag::Tentative),
    (0x100, AddressFlag::ManagesTemporary),
    (0x200, AddressFlag::NoPrefixRoute),
    (0x400, AddressFlag::AutoJoin),
    (0x800, AddressFlag::StablePrivacy),
];

/// What is special about an address.
fn flags(bits: u32, ipv6: bool) -> Vec<AddressFlag> {
    let first = if ipv6 {
        AddressFlag::Temporary
    } else {
        AddressFlag::Secondary
    };
    let first = (bits & libc::IFA_F_SECONDARY != 0).then_some(first);
    let dynamic = (bits & libc::IFA_F_PERMANENT == 0).then_some(AddressFlag::Dynamic);
    let others = FLAGS.iter().filter(|(bit, _)| bits & bit != 0);
    let others = others.map(|(_, flag)| *flag);
    first.into_iter().chain(dynamic).chain(others).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The body of a message with these attributes.
    fn body(family: i32, prefix: u8, attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let mut body = vec![u8::try_from(family).unwrap(), prefix, 0x80, 0, 2, 0, 0, 0];
        for (kind, value) in attributes {
            let length = u16::try_from(value.len() + 4).unwrap();
            body.extend_from_slice(&length.to_ne_bytes());
            body.extend_from_slice(&kind.to_ne_bytes());
            body.extend_from_slice(value);
            body.resize(body.len().next_multiple_of(4), 0);
        }
        body
    }

    #[test]
    fn a_peer_is_not_the_address() {
        let attributes = [
            (libc::IFA_ADDRESS, &[10, 0, 0, 2][..]),
            (libc::IFA_LOCAL, &[10, 0, 0, 1]),
            (libc::IFA_LABEL, b"tun0\0"),
        ];
        let entry = read(&body(libc::AF_INET, 32, &attributes))
            .unwrap()
            .unwrap();
        assert_eq!(entry.address.to_string(), "10.0.0.1/32");
        assert_eq!(entry.address.peer.unwrap().to_string(), "10.0.0.2");
        let alone = [(libc::IFA_ADDRESS, &[0xfd; 16][..])];
        let entry = read(&body(libc::AF_INET6, 64, &alone)).unwrap().unwrap();
        assert_eq!((entry.address.prefix, entry.address.peer), (64, None));
    }

    #[test]
    fn what_is_no_ip_is_left_out_and_what_is_broken_is_an_error() {
        assert!(read(&body(libc::AF_PACKET, 0, &[])).unwrap().is_none());
        assert!(read(&body(libc::AF_INET, 24, &[])).is_err());
        let short = [(libc::IFA_ADDRESS, &[10, 0, 0][..])];
        assert!(read(&body(libc::AF_INET, 24, &short)).is_err());
        assert!(read(&[2, 24]).is_err());
    }

    #[test]
    fn flags_mean_what_their_family_says() {
        assert_eq!(flags(0x81, false), [AddressFlag::Secondary]);
        assert_eq!(flags(0x81, true), [AddressFlag::Temporary]);
        assert_eq!(
            flags(0x20, true),
            [AddressFlag::Dynamic, AddressFlag::Deprecated]
        );
        assert_eq!(lifetime(u32::MAX), None);
        assert_eq!(lifetime(0), Some(Duration::ZERO));
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_address_or_an_error(bytes in any::<Vec<u8>>()) {
            let _ = read(&bytes);
        }
    }
}
