//! `RTM_NEWNEIGH`: who answers for the addresses of a link.

use std::io;
use std::net::IpAddr;

use super::Netlink;
use super::address::ip;
use super::interfaces::ROUTE;
use super::message::{Attributes, u8_at, u16_at};

/// The length of `struct ndmsg`.
const FIXED: usize = 12;

/// The attribute with the address (`include/uapi/linux/neighbour.h`).
const NDA_DST: u16 = 1;
/// States of an entry whose address nobody has answered for: not yet, and not in all tries.
const NUD_INCOMPLETE: u16 = 0x01;
const NUD_FAILED: u16 = 0x20;

/// The addresses that this machine has asked its links for, and whether somebody answered.
pub(crate) fn neighbours() -> io::Result<Option<Vec<(IpAddr, bool)>>> {
    let mut netlink = Netlink::open(ROUTE)?;
    let entries = netlink.dump(libc::RTM_GETNEIGH, &[0; FIXED], libc::RTM_NEWNEIGH, read)?;
    Ok(Some(entries))
}

/// Reads an entry out of the body of its message; other families than IP are nothing.
pub(super) fn read(body: &[u8]) -> io::Result<Option<(IpAddr, bool)>> {
    let family = i32::from(u8_at(body, 0)?);
    if family != libc::AF_INET && family != libc::AF_INET6 {
        return Ok(None);
    }
    let is_missing = u16_at(body, 8)? & (NUD_INCOMPLETE | NUD_FAILED) != 0;
    for attribute in Attributes::behind(FIXED, body)? {
        let (kind, value) = attribute?;
        if kind == NDA_DST {
            return Ok(Some((ip(value)?, !is_missing)));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::super::message::add_attribute;
    use super::*;
    use proptest::prelude::*;

    /// The body of an entry of `family` in `state` for 192.0.2.1.
    fn body(family: i32, state: u16) -> Vec<u8> {
        let mut body = vec![0; FIXED];
        body[0] = u8::try_from(family).unwrap();
        body[8..10].copy_from_slice(&state.to_ne_bytes());
        add_attribute(&mut body, 2, &[2, 0, 0, 0, 0, 1]);
        add_attribute(&mut body, NDA_DST, &[192, 0, 2, 1]);
        body
    }

    #[test]
    fn who_did_not_answer_is_missing() {
        let address: IpAddr = [192, 0, 2, 1].into();
        for (state, answers) in [(0x01, false), (0x20, false), (0x02, true), (0x40, true)] {
            let entry = read(&body(libc::AF_INET, state)).unwrap();
            assert_eq!(entry, Some((address, answers)), "{state}");
        }
        assert_eq!(read(&body(libc::AF_BRIDGE, 2)).unwrap(), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_neighbour_or_an_error(bytes in any::<Vec<u8>>()) {
            let _ = read(&bytes);
        }
    }
}
