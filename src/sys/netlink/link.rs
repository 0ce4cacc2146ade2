//! `RTM_NEWLINK`: an interface, without its addresses.

use std::io;

use super::message::{Attributes, i32_at, malformed, u8_at, u16_at, u32_at, u64_at};
use crate::interfaces::{Counters, Interface, InterfaceFlags, Mac, State, Statistics, readable};

/// The length of `struct ifinfomsg`.
pub(super) const FIXED: usize = 16;

/// Attributes that not every libc names (`include/uapi/linux/if_link.h`).
const IFLA_LINK_NETNSID: u16 = 37;
const IFLA_PERM_ADDRESS: u16 = 54;

/// An interface whose relations are still numbers.
#[derive(Debug)]
pub(super) struct Link {
    /// What can be said of it alone.
    pub(super) interface: Interface,
    /// The index of its master.
    pub(super) master: Option<u32>,
    /// The index of the interface that it runs on or is joined with.
    pub(super) linked: Option<u32>,
    /// The number of the namespace that that one is in, if it is another one.
    pub(super) namespace: Option<i32>,
}

/// What must all be read before any of it says something.
#[derive(Default)]
struct Hints<'a> {
    operation: Option<u8>,
    hardware: &'a [u8],
    kind: Option<String>,
}

/// Reads a link out of the body of its message.
pub(super) fn read(body: &[u8]) -> io::Result<Option<Link>> {
    let hardware_type = u16_at(body, 2)?;
    let flags = InterfaceFlags(u32_at(body, 8)?);
    let mut link = Link {
        interface: Interface {
            index: u32::try_from(i32_at(body, 4)?).map_err(|_| malformed())?,
            flags: Some(flags),
            ..Interface::default()
        },
        master: None,
        linked: None,
        namespace: None,
    };
    let mut hints = Hints::default();
    for attribute in Attributes::behind(FIXED, body)? {
        let (kind, value) = attribute?;
        link.take(kind, value, &mut hints)?;
    }
    link.interface.state = Some(state(flags, hints.operation));
    link.interface.mac = mac(hardware_type, hints.hardware);
    link.interface.kind = Some(kind(hardware_type, hints.kind));
    Ok(Some(link))
}

impl<'a> Link {
    /// Takes over what an attribute says.
    fn take(&mut self, kind: u16, value: &'a [u8], hints: &mut Hints<'a>) -> io::Result<()> {
        let interface = &mut self.interface;
        match kind {
            libc::IFLA_IFNAME => interface.name = text(value),
            libc::IFLA_MTU => interface.mtu = Some(u32_at(value, 0)?),
            libc::IFLA_MASTER => self.master = Some(u32_at(value, 0)?),
            libc::IFLA_LINK => self.linked = Some(u32_at(value, 0)?).filter(|index| *index != 0),
            IFLA_LINK_NETNSID => self.namespace = Some(i32_at(value, 0)?),
            libc::IFLA_TXQLEN => interface.queue_length = Some(u32_at(value, 0)?),
            IFLA_PERM_ADDRESS => interface.permanent_mac = Some(Mac(value.to_vec())),
            libc::IFLA_IFALIAS => interface.alias = Some(text(value)),
            libc::IFLA_STATS64 => interface.stats = Some(statistics(value)?),
            libc::IFLA_PROP_LIST => interface.alternative_names = alternative_names(value)?,
            libc::IFLA_OPERSTATE => hints.operation = Some(u8_at(value, 0)?),
            libc::IFLA_ADDRESS => hints.hardware = value,
            libc::IFLA_LINKINFO => hints.kind = info_kind(value)?,
            _ => {}
        }
        Ok(())
    }
}

/// One word out of the administrator's wish and the link's answer. Many drivers, loopback and
/// tunnels among them, never say what they do: then the flag that packets can pass decides.
fn state(flags: InterfaceFlags, operation: Option<u8>) -> State {
    if !flags.has(InterfaceFlags::UP) {
        return State::Down;
    }
    match operation.map(i32::from) {
        Some(libc::IF_OPER_UP) => State::Up,
        Some(libc::IF_OPER_DOWN) => State::NoCarrier,
        Some(libc::IF_OPER_LOWERLAYERDOWN) => State::LowerLayerDown,
        Some(libc::IF_OPER_DORMANT) => State::Dormant,
        Some(libc::IF_OPER_TESTING) => State::Testing,
        Some(libc::IF_OPER_NOTPRESENT) => State::NotPresent,
        _ if flags.has(InterfaceFlags::RUNNING) => State::Up,
        _ => State::NoCarrier,
    }
}

/// The hardware address; that of an IP tunnel is an IP address, and no hardware's.
fn mac(hardware_type: u16, address: &[u8]) -> Option<Mac> {
    const IP6GRE: u16 = 823;
    match hardware_type {
        libc::ARPHRD_TUNNEL
        | libc::ARPHRD_TUNNEL6
        | libc::ARPHRD_SIT
        | libc::ARPHRD_IPGRE
        | IP6GRE => None,
        _ if address.is_empty() => None,
        _ => Some(Mac(address.to_vec())),
    }
}

/// What it is: the kind of a virtual interface, else its hardware.
fn kind(hardware_type: u16, kind: Option<String>) -> String {
    let hardware = match hardware_type {
        libc::ARPHRD_ETHER => "ether",
        libc::ARPHRD_LOOPBACK => "loopback",
        libc::ARPHRD_INFINIBAND => "infiniband",
        libc::ARPHRD_PPP => "ppp",
        libc::ARPHRD_CAN => "can",
        libc::ARPHRD_TUNNEL => "ipip",
        libc::ARPHRD_TUNNEL6 => "ip6tnl",
        libc::ARPHRD_SIT => "sit",
        libc::ARPHRD_IPGRE => "gre",
        libc::ARPHRD_NONE => "none",
        other => return kind.unwrap_or_else(|| format!("arphrd-{other}")),
    };
    match kind {
        // The driver has one name for both: a tap carries Ethernet.
        Some(kind) if kind == "tun" && hardware_type == libc::ARPHRD_ETHER => "tap".to_owned(),
        Some(kind) => kind,
        None => hardware.to_owned(),
    }
}

/// The kind of a virtual interface, out of `IFLA_LINKINFO`.
fn info_kind(nested: &[u8]) -> io::Result<Option<String>> {
    for attribute in Attributes::of(nested) {
        if let (libc::IFLA_INFO_KIND, value) = attribute? {
            return Ok(Some(text(value)));
        }
    }
    Ok(None)
}

/// The names out of `IFLA_PROP_LIST`.
fn alternative_names(nested: &[u8]) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for attribute in Attributes::of(nested) {
        if let (libc::IFLA_ALT_IFNAME, value) = attribute? {
            names.push(text(value));
        }
    }
    Ok(names)
}

/// The counters out of `struct rtnl_link_stats64`, received and sent in turn.
fn statistics(value: &[u8]) -> io::Result<Statistics> {
    let counters = |direction: usize| -> io::Result<Counters> {
        let counter = |pair: usize| u64_at(value, (pair * 2 + direction) * size_of::<u64>());
        Ok(Counters {
            packets: counter(0)?,
            bytes: counter(1)?,
            errors: counter(2)?,
            dropped: counter(3)?,
        })
    };
    Ok(Statistics {
        rx: counters(0)?,
        tx: counters(1)?,
    })
}

/// A text that ends with a zero.
pub(super) fn text(value: &[u8]) -> String {
    readable(value.split(|byte| *byte == 0).next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_word_says_whether_it_works() {
        let (up, running) = (InterfaceFlags::UP, InterfaceFlags::RUNNING);
        let of = |flags, operation: i32| {
            let operation = u8::try_from(operation).unwrap();
            state(InterfaceFlags(flags), Some(operation)).name()
        };
        assert_eq!(of(up | running, libc::IF_OPER_UP), "up");
        assert_eq!(of(up | running, libc::IF_OPER_UNKNOWN), "up");
        assert_eq!(of(up, libc::IF_OPER_UNKNOWN), "no-carrier");
        assert_eq!(of(up, libc::IF_OPER_DOWN), "no-carrier");
        assert_eq!(of(up, libc::IF_OPER_LOWERLAYERDOWN), "lower-layer-down");
        assert_eq!(of(up, libc::IF_OPER_DORMANT), "dormant");
        assert_eq!(of(0, libc::IF_OPER_DOWN), "down");
        assert_eq!(of(0, libc::IF_OPER_UP), "down");
    }

    #[test]
    fn virtual_interfaces_are_of_their_kind() {
        let of = |hardware, virtually: Option<&str>| kind(hardware, virtually.map(str::to_owned));
        assert_eq!(of(libc::ARPHRD_ETHER, None), "ether");
        assert_eq!(of(libc::ARPHRD_ETHER, Some("veth")), "veth");
        assert_eq!(of(libc::ARPHRD_ETHER, Some("tun")), "tap");
        assert_eq!(of(libc::ARPHRD_NONE, Some("tun")), "tun");
        assert_eq!(of(1234, None), "arphrd-1234");
        assert_eq!(of(1234, Some("new")), "new");
    }

    #[test]
    fn a_tunnel_has_no_hardware_address() {
        assert_eq!(mac(libc::ARPHRD_SIT, &[192, 0, 2, 1]), None);
        assert_eq!(mac(libc::ARPHRD_NONE, &[]), None);
        assert_eq!(mac(libc::ARPHRD_ETHER, &[2; 6]), Some(Mac(vec![2; 6])));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_link_or_an_error(bytes in any::<Vec<u8>>()) {
            let _ = read(&bytes);
            let _ = (statistics(&bytes), info_kind(&bytes), alternative_names(&bytes));
        }
    }
}
