//! What differs between systems, and every call that the safe crates do not offer.

mod icmp;

pub(crate) use icmp::{IcmpError, next_icmp_error, request_icmp_errors};
