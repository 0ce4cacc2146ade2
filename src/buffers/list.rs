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
    };
    for kind in kinds {
        let cause: Cause = match sys::sockets(*kind, tcp) {
            Ok(Some(sockets)) => {
                listed.sockets.extend(sockets);
                continue;
            }
            Ok(None) => "this system is not asked yet".to_owned().into(),
            Err(error) => error.into(),
        };
        let target = format!("the {} sockets", kind.name());
        listed
            .unknown
            .push(Error::new(Action::Inspect, target, cause));
    }
    if listed.unknown.len() == kinds.len()
        && let Some(error) = listed.unknown.pop()
    {
        return Err(error);
    }
    if processes {
        name(&mut listed.sockets);
    }
    Ok(listed)
}

/// Gives each socket a process that has it.
fn name(sockets: &mut [Socket]) {
    let processes: HashMap<u64, Process> = sys::process_sockets().into_iter().collect();
    for socket in sockets {
        socket.process = processes.get(&socket.inode).cloned();
    }
}
