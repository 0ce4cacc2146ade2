//! The network interfaces of this machine, and their addresses.
//!
//! On Linux the kernel is asked over rtnetlink(7), which knows interfaces without an address and
//! everything about those with one. Elsewhere, and where that is refused, getifaddrs(3) lists the
//! addresses, and what it cannot tell is `None`.

mod address;
mod flags;
mod hardware;
mod interface;
mod name;
mod portable;
mod rate;
mod resolver;
mod route;

pub use address::{AddressFlag, InterfaceAddress, Scope};
pub use flags::InterfaceFlags;
pub use hardware::{Duplex, Hardware, hardware};
pub use interface::{Counters, Interface, LinkedTo, Mac, State, Statistics};
pub use name::readable;
pub(crate) use rate::a_second;
pub use rate::{Rate, Sample};
#[cfg(any(test, feature = "fuzz"))]
pub(crate) use resolver::fuzz;
pub use resolver::{Resolver, resolver};
pub use route::{Refusal, Route, default_routes, route_to};

use crate::error::{Action, Cause, Error, Result};
use crate::sys;

/// The interfaces in the order of their indices, those without an address too.
#[derive(Debug)]
pub struct Listing {
    /// What there is.
    pub interfaces: Vec<Interface>,
    /// Why less is known than this system could tell: interfaces without an address are missing.
    pub incomplete: Option<Error>,
}

/// Asks the system for its interfaces.
///
/// # Errors
/// The system refused every way to ask, or its tables changed each time while they were read.
pub fn list() -> Result<Listing> {
    let refused = match sys::interfaces() {
        Ok(Some(interfaces)) => {
            return Ok(Listing {
                interfaces,
                incomplete: None,
            });
        }
        Ok(None) => None,
        Err(error) => Some(Error::new(Action::Inspect, "the interfaces", error)),
    };
    match (portable::interfaces(), refused) {
        (Ok(interfaces), None) => Ok(Listing {
            interfaces,
            incomplete: None,
        }),
        (Ok(interfaces), Some(refused)) if !interfaces.is_empty() => Ok(Listing {
            interfaces,
            incomplete: Some(refused),
        }),
        (Err(error), None) => Err(Error::new(Action::Inspect, "the interfaces", error)),
        (_, Some(refused)) => Err(refused),
    }
}

impl Listing {
    /// Keeps those that answer to one of these names; an error for each name that none has.
    pub fn keep_named(&mut self, names: &[String]) -> Vec<Error> {
        let all = std::mem::take(&mut self.interfaces);
        let missing = names
            .iter()
            .filter(|name| !all.iter().any(|interface| interface.is_called(name)));
        let unknown = missing.map(|name| no_interface(name, &all)).collect();
        let wanted = |interface: &Interface| names.iter().any(|name| interface.is_called(name));
        self.interfaces = all.into_iter().filter(wanted).collect();
        unknown
    }
}

/// The error of a name that none of these has.
fn no_interface(name: &str, all: &[Interface]) -> Error {
    let known = all.iter().map(|interface| interface.name.clone());
    Error::new(Action::Inspect, name, Cause::NoInterface(known.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_and_missed() {
        let interface = |index, name: &str, other: &str| Interface {
            index,
            name: name.to_owned(),
            alternative_names: vec![other.to_owned()],
            ..Interface::default()
        };
        let interfaces = vec![interface(1, "lo", "self"), interface(2, "eth0", "enp2s0")];
        let mut listing = Listing {
            interfaces,
            incomplete: None,
        };
        let names = ["enp2s0", "nowhere", "eth0"].map(str::to_owned);
        let unknown = listing.keep_named(&names);
        let unknown: Vec<_> = unknown.iter().map(ToString::to_string).collect();
        assert_eq!(unknown, ["inspect nowhere: no such interface"]);
        let kept: Vec<_> = listing.interfaces.iter().map(|i| i.index).collect();
        assert_eq!(kept, [2]);
    }
}
