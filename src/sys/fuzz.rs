//! The parsers of this module, for `crate::fuzz`.

#[cfg(target_os = "linux")]
pub(crate) use super::icmp::fuzz as icmp;
#[cfg(target_os = "linux")]
pub(crate) use super::netlink::fuzz::{netlink, sock_diag};
#[cfg(target_os = "linux")]
pub(crate) use super::proc_net::fuzz as proc_net;

#[cfg(not(target_os = "linux"))]
pub(crate) use nothing::{icmp, netlink, proc_net, sock_diag};

/// Only Linux speaks like that.
#[cfg(not(target_os = "linux"))]
mod nothing {
    pub(crate) fn icmp(_bytes: &[u8]) {}
    pub(crate) fn netlink(_bytes: &[u8]) {}
    pub(crate) fn proc_net(_bytes: &[u8]) {}
    pub(crate) fn sock_diag(_bytes: &[u8]) {}
}
