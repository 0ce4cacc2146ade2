//! Every socket of this machine.

use std::collections::HashMap;

use super::{Process, Socket, SocketKind};
use crate::error::{Action, Cause, Error, Result};
use crate::sys;

/// Sockets, and what could not be found out.
#[derive(Debug)]
pub struct Listed {
    /// What there is.
    pub sockets: Vec<Socket>,
    /// Kinds that this system does not tell of.
    pub unknown: Vec<Error>,
    /// Why it tells less than it could of the others: no sizes of buffers, and of Unix sockets no
    /// queues.
    pub poorer: Vec<Error>,
}

/// The sockets of these kinds in our network namespace, with the processes that have them if those
/// are wanted: an ordinary user sees only their own processes.
///
/// # Errors
/// The system tells of no kind.
pub fn list(kinds: &[SocketKind], processes: bool, tcp: bool) -> Result<Listed> {
    let mut listed = Listed {
        sockets: Vec::new(),
        unknown: Vec::new(),
        poorer: Vec::new(),
    };
    for kind in kinds {
        let failed = |cause: Cause| {
            let target = format!("the {} sockets", kind.name());
            Error::new(Action::Inspect, target, cause)
        };
        match sys::sockets(*kind, tcp) {
            Ok(Some(list)) => {
                listed.sockets.extend(list.sockets);
                let refused = list.refused.map(Cause::from);
                listed.poorer.extend(refused.map(failed));
            }
            Ok(None) => {
                let cause = "this system is not asked yet".to_owned().into();
                listed.unknown.push(failed(cause));
            }
            Err(error) => listed.unknown.push(failed(error.into())),
        }
    }
    if listed.unknown.len() == kinds.len()
        && let Some(error) = listed.unknown.pop()
    {
        return Err(error);
    }
    name_interfaces(&mut listed.sockets);
    if processes {
        name(&mut listed.sockets);
    }
    Ok(listed)
}

/// Gives each socket the name of the interface that it is bound to; its number where that has gone.
fn name_interfaces(sockets: &mut [Socket]) {
    let mut names = HashMap::new();
    for socket in sockets {
        let Some(index) = socket.interface_index else {
            continue;
        };
        let name = names
            .entry(index)
            .or_insert_with(|| sys::interface_name(index).unwrap_or_else(|| index.to_string()));
        socket.interface = Some(name.clone());
    }
}

/// Gives each socket a process that has it.
fn name(sockets: &mut [Socket]) {
    let processes: HashMap<u64, Process> = sys::process_sockets().into_iter().collect();
    for socket in sockets {
        socket.process = processes.get(&socket.inode).cloned();
    }
}
