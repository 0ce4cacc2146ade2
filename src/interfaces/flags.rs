//! The flags of an interface.

/// The flags that netdevice(7) describes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct InterfaceFlags(pub u32);

/// Each flag with its name, without the `IFF_` (`include/uapi/linux/if.h`).
const NAMES: [(u32, &str); 19] = [
    (0x1, "UP"),
    (0x2, "BROADCAST"),
    (0x4, "DEBUG"),
    (0x8, "LOOPBACK"),
    (0x10, "POINTOPOINT"),
    (0x20, "NOTRAILERS"),
    (0x40, "RUNNING"),
    (0x80, "NOARP"),
    (0x100, "PROMISC"),
    (0x200, "ALLMULTI"),
    (0x400, "MASTER"),
    (0x800, "SLAVE"),
    (0x1000, "MULTICAST"),
    (0x2000, "PORTSEL"),
    (0x4000, "AUTOMEDIA"),
    (0x8000, "DYNAMIC"),
    (0x1_0000, "LOWER_UP"),
    (0x2_0000, "DORMANT"),
    (0x4_0000, "ECHO"),
];

impl InterfaceFlags {
    /// Switched on by the administrator.
    pub const UP: u32 = 0x1;
    /// This machine alone.
    pub(crate) const LOOPBACK: u32 = 0x8;
    /// Nobody is asked who has an address.
    pub(crate) const NOARP: u32 = 0x80;
    /// Ready to pass packets.
    pub const RUNNING: u32 = 0x40;

    /// Whether this flag is set.
    #[must_use]
    pub fn has(self, flag: u32) -> bool {
        self.0 & flag != 0
    }

    /// The names of those that are set.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let set = NAMES.into_iter().filter(move |(flag, _)| self.has(*flag));
        set.map(|(_, name)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_have_their_names() {
        let names: Vec<_> = InterfaceFlags(0x1_1043).names().collect();
        assert_eq!(
            names,
            ["UP", "BROADCAST", "RUNNING", "MULTICAST", "LOWER_UP"]
        );
    }
}
