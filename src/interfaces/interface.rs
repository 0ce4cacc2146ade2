//! An interface.

use std::fmt;

use super::{InterfaceAddress, InterfaceFlags};

/// An interface with its addresses. What the system does not tell is `None`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Interface {
    /// Its number, unique and never reused for as long as it exists.
    pub index: u32,
    /// Its name; it can be changed.
    pub name: String,
    /// Other names that it answers to.
    pub alternative_names: Vec<String>,
    /// What it is: `ether`, `loopback`, or the kind of a virtual one: `veth`, `bridge`, `tun` …
    pub kind: Option<String>,
    /// Whether it works.
    pub state: Option<State>,
    /// The system's own flags.
    pub flags: Option<InterfaceFlags>,
    /// The largest packet, in bytes.
    pub mtu: Option<u32>,
    /// Its hardware address; `None` too for a kind that has none.
    pub mac: Option<Mac>,
    /// The name of the bridge, bond or VRF that it belongs to.
    pub master: Option<String>,
    /// What it runs on, or the other end of its cable.
    pub link: Option<LinkedTo>,
    /// The hardware address that it was made with; it may have another one now.
    pub permanent_mac: Option<Mac>,
    /// How many packets may wait to be sent.
    pub queue_length: Option<u32>,
    /// A description that an administrator gave it.
    pub alias: Option<String>,
    /// Its addresses, IPv4 first, else in the system's order.
    pub addresses: Vec<InterfaceAddress>,
    /// What went through it since it was made.
    pub stats: Option<Statistics>,
}

impl Interface {
    /// Whether it answers to this name.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.alternative_names.iter().any(|other| other == name)
    }
}

/// An interface that another one runs on or is joined with.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LinkedTo {
    /// Its number.
    pub index: u32,
    /// Its name, unless it is in another namespace.
    pub name: Option<String>,
    /// The number that this namespace has for the other one (ip-netns(8)); -1 is one that it does
    /// not know.
    pub namespace: Option<i32>,
}

/// Whether an interface works, in one word: what the administrator wants and what the link says
/// (RFC 2863, `ifOperStatus`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// Packets pass.
    Up,
    /// Switched off.
    Down,
    /// Switched on, but there is no cable, no access point, no peer.
    NoCarrier,
    /// Waits for something outside, such as a login to the network.
    Dormant,
    /// What it runs on is down.
    LowerLayerDown,
    /// Tests itself.
    Testing,
    /// Its hardware has gone.
    NotPresent,
}

impl State {
    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::NoCarrier => "no-carrier",
            Self::Dormant => "dormant",
            Self::LowerLayerDown => "lower-layer-down",
            Self::Testing => "testing",
            Self::NotPresent => "not-present",
        }
    }
}

/// A hardware address: six bytes on Ethernet, twenty on InfiniBand.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mac(pub Vec<u8>);

impl Mac {
    /// Whether it says nothing, as that of the loopback interface.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.0.iter().all(|byte| *byte == 0)
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, byte) in self.0.iter().enumerate() {
            let colon = if place == 0 { "" } else { ":" };
            write!(f, "{colon}{byte:02x}")?;
        }
        Ok(())
    }
}

/// What went through an interface.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Statistics {
    /// What came in.
    pub rx: Counters,
    /// What went out.
    pub tx: Counters,
}

/// The counters of one direction.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counters {
    /// Bytes.
    pub bytes: u64,
    /// Packets.
    pub packets: u64,
    /// Packets that were damaged or could not be sent.
    pub errors: u64,
    /// Packets that there was no room for, or that nobody wanted.
    pub dropped: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hardware_addresses_of_any_length_are_written() {
        assert_eq!(
            Mac(vec![2, 0xfc, 0, 0, 0, 1]).to_string(),
            "02:fc:00:00:00:01"
        );
        assert_eq!(Mac(vec![]).to_string(), "");
        assert!(Mac(vec![0; 6]).is_zero());
    }
}
