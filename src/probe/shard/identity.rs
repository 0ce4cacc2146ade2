//! By what the parts of a job know each other.

use crate::probe::{Job, Proto, Target, Whom};
use std::collections::HashMap;

impl Job {
    /// A number that two jobs have in common only if they ask the same ports of the same targets in
    /// the same order, whatever the addresses of names are.
    #[must_use]
    pub fn identity(&self) -> u64 {
        let mut names: HashMap<&str, u32> = HashMap::new();
        for target in &self.targets {
            if let Whom::Host(name, _) = &target.whom {
                let count = names.entry(name).or_default();
                *count = count.saturating_add(1);
            }
        }
        let mut hash = Fnv::new();
        hash.add(concat!("nettool ", env!("CARGO_PKG_VERSION")));
        hash.add(&self.seed.to_string());
        for target in &self.targets {
            match &target.whom {
                Whom::Host(name, address) => {
                    hash.add(name);
                    if names.get(&**name).is_some_and(|count| *count > 1) {
                        hash.add(&address.ip().to_string());
                    }
                }
                Whom::Range(range) => hash.add(&range.to_string()),
            }
            hash.add_ports(target);
        }
        hash.0
    }
}

/// The hash of Fowler, Noll and Vo (FNV-1a, 64 bits): the same everywhere and for ever.
struct Fnv(u64);

impl Fnv {
    /// The offset basis.
    const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// Adds bytes.
    fn add_bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// Adds a word, with an end that no word has in it.
    fn add(&mut self, word: &str) {
        self.add_bytes(word.as_bytes());
        self.add_bytes(&[0]);
    }

    /// Adds the ports of a target in their order.
    fn add_ports(&mut self, target: &Target) {
        for proto in [Proto::Tcp, Proto::Udp] {
            let lane = target.ports.of(proto);
            for ports in [&lane.likely, &lane.rest] {
                for port in ports {
                    self.add_bytes(&port.to_be_bytes());
                }
                self.add_bytes(&[0, 0]);
            }
        }
    }
}
