//! `nettool ifaces`.

use nettool::interfaces::{Interface, State, list};
use nettool::net::Family;

use super::{Failure, Status};
use crate::cli::IfacesArgs;
use crate::output::{Interfaces, Output};

/// Shows the interfaces; a name that none has is a failure, told after the others are shown.
pub(super) fn run(arguments: &IfacesArgs, output: &Output) -> Result<Status, Failure> {
    let mut listing = list()?;
    if let Some(reason) = &listing.incomplete {
        output.incomplete_interfaces(reason);
    }
    let names = arguments.names();
    let unknown = match names.as_slice() {
        [] => Vec::new(),
        names => listing.keep_named(names),
    };
    let family = arguments.family();
    let wanted = |interface: &Interface| !arguments.up || interface.state != Some(State::Down);
    let interfaces = listing.interfaces.into_iter().filter(wanted);
    let interfaces: Vec<_> = interfaces.map(|i| with_addresses(i, family)).collect();
    output.report(&Interfaces {
        shown: &interfaces,
        family,
        view: arguments.view(),
    })?;
    for error in &unknown {
        output.error(error);
    }
    Ok(if unknown.is_empty() {
        Status::Done
    } else {
        Status::Failed
    })
}

/// The interface with its addresses of this family alone.
fn with_addresses(mut interface: Interface, family: Family) -> Interface {
    interface
        .addresses
        .retain(|address| family.includes(address.address));
    interface
}
