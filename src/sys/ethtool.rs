//! `SIOCETHTOOL`: what drivers say, of the network namespace that we are in (sysfs may show another
//! one's).
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};

use crate::interfaces::{Duplex, Hardware, readable};

/// Commands (`include/uapi/linux/ethtool.h`).
const ETHTOOL_GDRVINFO: u32 = 0x3;
const ETHTOOL_GLINKSETTINGS: u32 = 0x4c;

/// The length of `struct ethtool_link_settings` without its masks; three follow, each of at most 127
/// words of four bytes.
const SETTINGS: usize = 48;
/// Room for the longest answer.
const ROOM: usize = SETTINGS + 3 * 127 * 4;

/// The place of `link_mode_masks_nwords`.
const MASK_WORDS: usize = 15;

/// A question and its answer, where the kernel expects numbers of four bytes.
#[repr(C, align(8))]
struct Packet([u8; ROOM]);

/// What the driver of the interface with this index says; nothing if it has no driver, or has gone.
pub(crate) fn hardware(index: u32) -> Option<Hardware> {
    let flags = SocketFlags::CLOEXEC;
    let socket = socket_with(AddressFamily::INET, SocketType::DGRAM, flags, None).ok()?;
    let request = named(&socket, index).ok()?;
    let driver = driver(&socket, request);
    let (speed, duplex) = settings(&socket, request).unwrap_or_default();
    Some(Hardware {
        driver,
        speed,
        duplex,
    })
}

/// A request with the name of the interface, whatever bytes that has.
fn named(socket: &OwnedFd, index: u32) -> io::Result<libc::ifreq> {
    // SAFETY: all zeros is a valid `struct ifreq`: it is made of numbers and arrays.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    request.ifr_ifru.ifru_ifindex = i32::try_from(index).map_err(io::Error::other)?;
    // SAFETY: SIOCGIFNAME reads the index and writes the name in the `ifreq` (netdevice(7)).
    let answer =
        unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCGIFNAME as _, &raw mut request) };
    match answer {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(request),
    }
}

/// Asks the driver a question; it answers in the same place.
fn ask(socket: &OwnedFd, mut request: libc::ifreq, packet: &mut Packet) -> io::Result<()> {
    request.ifr_ifru.ifru_data = packet.0.as_mut_ptr().cast();
    // SAFETY: the packet is longer than the longest answer to the two questions that are asked here,
    // and lives until the call is over.
    let answer =
        unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCETHTOOL as _, &raw mut request) };
    match answer {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// A question without any data.
fn question(command: u32) -> Packet {
    let mut packet = Packet([0; ROOM]);
    for (place, byte) in packet.0.iter_mut().zip(command.to_ne_bytes()) {
        *place = byte;
    }
    packet
}

/// The name of the driver: the text that follows the command in `struct ethtool_drvinfo`.
fn driver(socket: &OwnedFd, request: libc::ifreq) -> Option<String> {
    let mut packet = question(ETHTOOL_GDRVINFO);
    ask(socket, request, &mut packet).ok()?;
    let name = packet.0.get(4..36)?.split(|byte| *byte == 0).next()?;
    (!name.is_empty()).then(|| readable(name))
}

/// Speed and duplex. The driver first says how long its masks are, as a negative number, and
/// answers once it is told the same.
fn settings(socket: &OwnedFd, request: libc::ifreq) -> Option<(Option<u64>, Option<Duplex>)> {
    let mut packet = question(ETHTOOL_GLINKSETTINGS);
    ask(socket, request, &mut packet).ok()?;
    let words = packet.0.get(MASK_WORDS)?.wrapping_neg();
    packet = question(ETHTOOL_GLINKSETTINGS);
    *packet.0.get_mut(MASK_WORDS)? = words;
    ask(socket, request, &mut packet).ok()?;
    Some(read(&packet.0))
}

/// Reads speed and duplex, each with a value for unknown.
fn read(answer: &[u8]) -> (Option<u64>, Option<Duplex>) {
    let speed = answer.get(4..).and_then(|bytes| bytes.first_chunk());
    let megabits = speed.map_or(0, |bytes| u32::from_ne_bytes(*bytes));
    let known = megabits != 0 && megabits != u32::MAX;
    let duplex = match answer.get(8) {
        Some(0) if known => Some(Duplex::Half),
        Some(1) => Some(Duplex::Full),
        _ => None,
    };
    (known.then_some(u64::from(megabits) * 1_000_000), duplex)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An answer with this speed and duplex.
    fn answer(megabits: u32, duplex: u8) -> Vec<u8> {
        let mut answer = vec![0; SETTINGS];
        answer[4..8].copy_from_slice(&megabits.to_ne_bytes());
        answer[8] = duplex;
        answer
    }

    #[test]
    fn what_is_unknown_is_not_a_number() {
        assert_eq!(
            read(&answer(1000, 1)),
            (Some(1_000_000_000), Some(Duplex::Full))
        );
        assert_eq!(read(&answer(10, 0)), (Some(10_000_000), Some(Duplex::Half)));
        assert_eq!(read(&answer(u32::MAX, 255)), (None, None));
        assert_eq!(read(&[]), (None, None));
    }

    #[test]
    fn what_is_not_there_says_nothing() {
        assert_eq!(hardware(u32::MAX), None);
    }
}
