//! Who may be a client.

use std::collections::{BTreeSet, HashSet};
use std::net::IpAddr;

use crate::net::Address;
use crate::value::Cidr;

/// Why somebody is no client.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Refusal {
    /// A network that is denied has its address.
    Denied,
    /// No network that is allowed has its address.
    NotAllowed,
    /// There are as many clients as there may be.
    Full,
}

/// The networks whose clients are allowed and denied: denial wins. Lists may be long; a look takes
/// as long as there are different lengths of prefix.
#[derive(Clone, Debug, Default)]
pub struct Gate {
    allowed: Option<Networks>,
    denied: Networks,
}

impl Gate {
    /// Allows these networks (`None`: everybody) except those that are denied.
    #[must_use]
    pub fn new(allowed: Option<Vec<Cidr>>, denied: Vec<Cidr>) -> Self {
        Self {
            allowed: allowed.map(Networks::new),
            denied: Networks::new(denied),
        }
    }

    /// Whether a network that is allowed has this address, and somebody said so.
    pub(super) fn names(&self, address: IpAddr) -> bool {
        let allowed = self.allowed.as_ref();
        allowed.is_some_and(|allowed| allowed.contain(address))
    }

    /// Whether somebody from there may be a client. Who comes over a Unix socket has no address to
    /// be judged by, and may.
    ///
    /// # Errors
    /// It may not, and why.
    pub(super) fn admit(&self, peer: &Address) -> Result<(), Refusal> {
        let Some(address) = peer.ip() else {
            return Ok(());
        };
        if self.denied.contain(address.ip()) {
            return Err(Refusal::Denied);
        }
        if !self
            .allowed
            .as_ref()
            .is_none_or(|allowed| allowed.contain(address.ip()))
        {
            return Err(Refusal::NotAllowed);
        }
        Ok(())
    }
}

/// Networks, to be found by an address in them.
#[derive(Clone, Debug, Default)]
struct Networks {
    known: HashSet<Cidr>,
    /// The lengths of prefix that there are, of IPv4 and of IPv6.
    prefixes: [BTreeSet<u8>; 2],
}

impl Networks {
    fn new(networks: Vec<Cidr>) -> Self {
        let mut prefixes = [BTreeSet::new(), BTreeSet::new()];
        let [v4, v6] = &mut prefixes;
        for network in &networks {
            let lengths = if network.network().is_ipv4() {
                &mut *v4
            } else {
                &mut *v6
            };
            lengths.insert(network.prefix());
        }
        Self {
            known: networks.into_iter().collect(),
            prefixes,
        }
    }

    /// Whether one of them has this address.
    fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let [v4, v6] = &self.prefixes;
        let lengths = if address.is_ipv4() { v4 } else { v6 };
        let mut networks = lengths
            .iter()
            .filter_map(|length| Cidr::new(address, *length));
        networks.any(|network| self.known.contains(&network))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddr;

    fn networks(texts: &[&str]) -> Vec<Cidr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn admit(gate: &Gate, address: &str) -> Result<(), Refusal> {
        gate.admit(&SocketAddr::new(address.parse().unwrap(), 1).into())
    }

    #[test]
    fn denial_wins() {
        let gate = Gate::new(
            Some(networks(&["10.0.0.0/8", "fd00::/8"])),
            networks(&["10.1.0.0/16", "10.2.3.4"]),
        );
        assert_eq!(admit(&gate, "10.0.0.1"), Ok(()));
        assert_eq!(admit(&gate, "fd00::1"), Ok(()));
        assert_eq!(admit(&gate, "10.1.2.3"), Err(Refusal::Denied));
        assert_eq!(admit(&gate, "10.2.3.4"), Err(Refusal::Denied));
        assert_eq!(admit(&gate, "10.2.3.5"), Ok(()));
        assert_eq!(admit(&gate, "11.0.0.1"), Err(Refusal::NotAllowed));
        assert_eq!(admit(&gate, "fe80::1"), Err(Refusal::NotAllowed));
        assert_eq!(gate.admit(&Address::Unix(None)), Ok(()));
    }

    #[test]
    fn without_lists_everybody_may() {
        assert_eq!(admit(&Gate::default(), "192.0.2.1"), Ok(()));
        let deny_all = Gate::new(None, networks(&["0.0.0.0/0"]));
        assert_eq!(admit(&deny_all, "192.0.2.1"), Err(Refusal::Denied));
        assert_eq!(admit(&deny_all, "::1"), Ok(()));
    }

    #[test]
    fn ipv4_in_the_clothes_of_ipv6_is_ipv4() {
        let gate = Gate::new(Some(networks(&["127.0.0.0/8"])), Vec::new());
        assert_eq!(admit(&gate, "::ffff:127.0.0.1"), Ok(()));
        let gate = Gate::new(None, networks(&["::ffff:127.0.0.0/104"]));
        assert_eq!(admit(&gate, "127.0.0.1"), Err(Refusal::Denied));
        assert_eq!(admit(&gate, "::ffff:127.0.0.1"), Err(Refusal::Denied));
        let gate = Gate::new(Some(networks(&["::/0"])), Vec::new());
        assert_eq!(admit(&gate, "::ffff:127.0.0.1"), Err(Refusal::NotAllowed));
    }
}
