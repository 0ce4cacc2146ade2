//! The parsers of this module, for `crate::fuzz`.

pub(crate) use super::icmp::fuzz as icmp;
pub(crate) use super::netlink::fuzz::{netlink, sock_diag};
pub(crate) use super::proc_net::fuzz as proc_net;
