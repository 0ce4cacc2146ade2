//! The network interfaces of this machine, and their addresses.
//!
//! On Linux the kernel is asked over rtnetlink(7), which knows interfaces without an address and
//! everything about those with one. Elsewhere, and where that is refused, getifaddrs(3) lists the
//! addresses, and what it cannot tell is `None`.

mod address;
mod flags;
mod interface;
mod name;
mod portable;

pub use address::{AddressFlag, InterfaceAddress, Scope};
pub use flags::InterfaceFlags;
pub use interface::{Counters, Interface, Mac, State, Statistics};
pub use name::readable;

use crate::error::{Action, Error, Result};
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
