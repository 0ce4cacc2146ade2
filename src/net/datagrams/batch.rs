//! What came in one go.

use std::io;
use std::os::fd::BorrowedFd;

use super::Correspondent;
use crate::net::{LONGEST_MESSAGE, Proto};
use crate::sys::{self, Arrival, MOST_MESSAGES};

/// Room for the longest datagram of UDP, or for as many in one as the system makes of them.
const LONGEST_UDP: usize = 65_536;

/// All the room for messages of a Unix socket. What is not used takes no memory.
const ROOM_UNIX: usize = 4 * LONGEST_MESSAGE;

/// Datagrams that came together, in room that is used again.
#[derive(Debug, Default)]
pub struct Batch {
    room: Vec<u8>,
    slot: usize,
    arrivals: Vec<Arrival>,
}

impl Batch {
    /// Room for datagrams of such sockets.
    #[must_use]
    pub fn new(proto: Proto) -> Self {
        let (slot, room) = match proto {
            Proto::Udp | Proto::Tcp => (LONGEST_UDP, MOST_MESSAGES * LONGEST_UDP),
            _ => (LONGEST_MESSAGE, ROOM_UNIX),
        };
        Self {
            room: vec![0; room],
            slot,
            arrivals: Vec::with_capacity(MOST_MESSAGES),
        }
    }

    /// The payload of what came, one after the other, up to so many bytes.
    pub(crate) fn pieces(&self, most: usize) -> impl Iterator<Item = &[u8]> {
        let mut left = most;
        self.arrivals().map(move |arrived| {
            let piece = arrived.bytes();
            let piece = piece.get(..left).unwrap_or(piece);
            left = left.saturating_sub(piece.len());
            piece
        })
    }

    /// Each datagram of what came, up to so many bytes.
    pub(crate) fn datagrams(&self, most: usize) -> impl Iterator<Item = &[u8]> {
        let mut left = most;
        let each = self.arrivals().flat_map(|arrived| arrived.datagrams());
        each.map_while(move |datagram| {
            let datagram = datagram.get(..left).unwrap_or(datagram);
            let is_wanted = left > 0;
            left = left.saturating_sub(datagram.len());
            is_wanted.then_some(datagram)
        })
    }

    /// Takes what a socket has, in place of what was there.
    pub(super) fn fill(&mut self, socket: BorrowedFd<'_>, control: bool) -> io::Result<()> {
        sys::receive_many(
            socket,
            &mut self.room,
            self.slot,
            control,
            &mut self.arrivals,
        )
    }

    /// What came, in its order.
    pub fn arrivals(&self) -> impl Iterator<Item = Arrived<'_>> {
        let slots = self.room.chunks(self.slot.max(1));
        self.arrivals
            .iter()
            .zip(slots)
            .map(|(arrival, slot)| Arrived {
                bytes: slot.get(..arrival.length).unwrap_or(slot),
                arrival,
            })
    }
}

/// A datagram, or several from one sender that the system hands over as one.
#[derive(Clone, Copy, Debug)]
pub struct Arrived<'a> {
    bytes: &'a [u8],
    arrival: &'a Arrival,
}

impl<'a> Arrived<'a> {
    /// The payload of all of them, as far as there was room for it.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Each of them.
    pub fn datagrams(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let length = self.arrival.segment.unwrap_or(usize::MAX);
        // An empty one is one, too.
        let empty = self.bytes.is_empty().then_some(self.bytes);
        empty.into_iter().chain(self.bytes.chunks(length))
    }

    /// Whether they are several.
    #[must_use]
    pub fn is_bundle(&self) -> bool {
        let length = self.bytes.len();
        self.arrival.segment.is_some_and(|segment| segment < length)
    }

    /// How long it was, if that is more than came.
    #[must_use]
    pub fn truncated_from(&self) -> Option<u64> {
        (self.arrival.length > self.bytes.len()).then_some(self.arrival.length as u64)
    }

    /// Who sent it, if it can be answered.
    #[must_use]
    pub fn from(&self) -> Option<Correspondent> {
        let remote = self.arrival.from.clone()?;
        Some(Correspondent::new(remote, self.arrival.to))
    }
}
