//! Where a size comes from: a setting of the system if that says the same, else the measurement.

use std::collections::BTreeMap;

use super::{Direction, Transport};
use crate::error::{Action, Error};
use crate::sys;

/// The setting that lets the receive buffers of TCP grow.
pub(super) const RECEIVE_TUNING: &str = "net.ipv4.tcp_moderate_rcvbuf";

/// The setting that lets the windows of TCP be scaled.
pub(super) const WINDOW_SCALING: &str = "net.ipv4.tcp_window_scaling";

/// A size, and what decides on it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limit {
    /// The size, as getsockopt(2) reports it.
    pub bytes: u64,
    /// What decides on it.
    pub origin: Origin,
}

impl Limit {
    /// What a program asks for to get it.
    #[must_use]
    pub fn request(self) -> u64 {
        self.bytes / sys::BUFFER_FACTOR
    }

    /// A size that no setting decides on.
    pub(super) fn measured(bytes: u64) -> Self {
        let origin = Origin::Measured;
        Self { bytes, origin }
    }
}

/// What decides on a size.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Origin {
    /// The setting of this name (sysctl(8)).
    Setting(&'static str),
    /// No setting that can be seen from here: it was found out on a socket.
    Measured,
}

impl Origin {
    /// The name of the setting, or `measured`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Setting(name) => name,
            Self::Measured => "measured",
        }
    }
}

/// The settings of the system, each read when it is first needed.
#[derive(Debug, Default)]
pub(super) struct Settings {
    read: BTreeMap<&'static str, Vec<u64>>,
    /// Those that could not be read.
    pub(super) unread: Vec<Error>,
}

impl Settings {
    /// Whether a buffer grows by itself. Linux lets every TCP send buffer grow
    /// (`tcp_sndbuf_expand` in `net/ipv4/tcp_input.c`), and a receive buffer if a setting says so.
    pub(super) fn autotuned(&mut self, transport: Transport, way: Direction) -> Option<bool> {
        if !sys::TUNES_TCP {
            return None;
        }
        match (transport, way) {
            (Transport::Tcp, Direction::Send) => Some(true),
            (Transport::Tcp, Direction::Receive) => self.is_on(RECEIVE_TUNING),
            _ => Some(false),
        }
    }

    /// Whether TCP offers to scale its windows beyond 64 KiB (RFC 7323).
    pub(super) fn window_scaling(&mut self) -> Option<bool> {
        self.is_on(WINDOW_SCALING)
    }

    /// Whether a setting is switched on.
    fn is_on(&mut self, name: &'static str) -> Option<bool> {
        self.number(name, 0).map(|on| on != 0)
    }

    /// How far TCP lets a buffer grow.
    pub(super) fn tuned_maximum(&mut self, way: Direction) -> Option<Limit> {
        let name = tcp(way);
        let bytes = self.number(name, 2)?;
        let origin = Origin::Setting(name);
        Some(Limit { bytes, origin })
    }

    /// The setting of TCP's buffers with the smallest, the first and the largest size.
    pub(super) fn tcp_sizes(&mut self, way: Direction) -> (&'static str, Option<[u64; 3]>) {
        let name = tcp(way);
        let mut size = |place| self.number(name, place);
        let sizes = size(0).zip(size(1)).zip(size(2));
        (
            name,
            sizes.map(|((smallest, first), largest)| [smallest, first, largest]),
        )
    }

    /// The size of a new socket, which was measured.
    pub(super) fn initial(&mut self, transport: Transport, way: Direction, size: u64) -> Limit {
        match (transport, way) {
            (Transport::Tcp, way) => self.explained(size, tcp(way), 1, 1),
            (_, Direction::Send) => self.explained(size, "net.core.wmem_default", 0, 1),
            (_, Direction::Receive) => self.explained(size, "net.core.rmem_default", 0, 1),
        }
    }

    /// The largest size that can be had by asking, which was measured.
    pub(super) fn settable(&mut self, way: Direction, size: Option<u64>) -> Option<Limit> {
        let name = match way {
            Direction::Send => "net.core.wmem_max",
            Direction::Receive => "net.core.rmem_max",
        };
        Some(self.explained(size?, name, 0, sys::BUFFER_FACTOR))
    }

    /// A measured size, and the setting that it comes from if that is so many times smaller.
    fn explained(&mut self, bytes: u64, name: &'static str, place: usize, factor: u64) -> Limit {
        let setting = self.number(name, place).and_then(|n| n.checked_mul(factor));
        let origin = match setting {
            Some(setting) if setting == bytes => Origin::Setting(name),
            _ => Origin::Measured,
        };
        Limit { bytes, origin }
    }

    /// One of the numbers of a setting.
    fn number(&mut self, name: &'static str, place: usize) -> Option<u64> {
        if !self.read.contains_key(name) {
            let numbers = sys::setting(name).unwrap_or_else(|error| {
                self.unread.push(Error::new(Action::Read, name, error));
                None
            });
            self.read.insert(name, numbers.unwrap_or_default());
        }
        self.read.get(name)?.get(place).copied()
    }
}

/// The setting of TCP's buffers: the smallest, the first and the largest size.
fn tcp(way: Direction) -> &'static str {
    match way {
        Direction::Send => "net.ipv4.tcp_wmem",
        Direction::Receive => "net.ipv4.tcp_rmem",
    }
}
