//! `nettool buffers watch`.

use nettool::buffers::Watch;

use crate::cli::WatchArgs;
use crate::command::watch::every;
use crate::command::{Failure, Status};
use crate::output::{Connections, Live, Output};

/// Shows what connections do, look after look.
pub(super) fn run(arguments: &WatchArgs, output: &Output) -> Result<Status, Failure> {
    let mut watch = Watch::default();
    let mut live = Live::new(output);
    let mut first = true;
    every(arguments.every, || {
        let mut connections = watch.look()?;
        connections.retain(|connection| arguments.takes(connection));
        if !std::mem::take(&mut first) {
            live.show(&Connections(&connections))?;
        }
        Ok(())
    })
}
