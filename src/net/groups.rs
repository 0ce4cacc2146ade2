//! Multicast groups that a socket joins.

use std::io;
use std::net::{IpAddr, SocketAddr};

use socket2::{InterfaceIndexOrAddress, Socket};

use super::{SocketOptions, interface};
use crate::error::{Action, Error, Result};
use crate::sys;
use crate::value::Group;

/// Joins the groups of this address's family.
pub(super) fn join(socket: &Socket, address: SocketAddr, options: &SocketOptions) -> Result<()> {
    let mut own = false;
    for group in &options.groups {
        if group.address.is_ipv4() != address.is_ipv4() {
            continue;
        }
        let failed = |error: io::Error| Error::new(Action::Join, group, error);
        if !own {
            sys::keep_to_own_groups(socket, address.is_ipv6()).map_err(failed)?;
            own = true;
        }
        let index = index(group, options)?;
        match group.address {
            IpAddr::V4(address) => {
                let interface = InterfaceIndexOrAddress::Index(index);
                socket.join_multicast_v4_n(&address, &interface)
            }
            IpAddr::V6(address) => socket.join_multicast_v6(&address, index),
        }
        .map_err(failed)?;
    }
    Ok(())
}

/// The interface of a group: its own, that of everything, or 0 for the system's choice.
fn index(group: &Group, options: &SocketOptions) -> Result<u32> {
    let Some(name) = group.interface.as_ref().or(options.interface.as_ref()) else {
        return Ok(0);
    };
    let unknown = || Error::new(Action::Join, group, interface::no_such(name));
    interface::index(name).ok_or_else(unknown)
}
