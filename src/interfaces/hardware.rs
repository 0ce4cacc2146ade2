//! What a driver says of its hardware (ethtool(8)).

use super::Interface;
use crate::sys;

/// What the driver of an interface says. What it does not know is `None`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Hardware {
    /// Its name.
    pub driver: Option<String>,
    /// Bits a second.
    pub speed: Option<u64>,
    /// Whether both directions are used at once.
    pub duplex: Option<Duplex>,
}

/// Whether a link carries both directions at once.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Duplex {
    /// One at a time.
    Half,
    /// Both at once.
    Full,
}

impl Duplex {
    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Half => "half",
            Self::Full => "full",
        }
    }
}

/// The kinds whose speed is that of hardware; drivers of the others make a number up (veth and tun
/// say 10 Gbit/s: `drivers/net/veth.c`, `veth_get_link_ksettings`).
const REAL: [&str; 5] = ["ether", "infiniband", "bond", "team", "vlan"];

/// Asks the driver of an interface.
#[must_use]
pub fn hardware(interface: &Interface) -> Hardware {
    let told = sys::hardware(interface.index).unwrap_or_default();
    let kind = interface.kind.as_deref();
    if kind.is_some_and(|kind| REAL.contains(&kind)) {
        return told;
    }
    Hardware {
        speed: None,
        duplex: None,
        ..told
    }
}
