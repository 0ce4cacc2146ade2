//! The socket itself is the child's stdin and stdout.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::process::Stdio;

use rustix::fs::OFlags;

use super::Exec;
use super::child::{Child, conclude};
use crate::error::{Action, Error, Result};
use crate::serve::client::Client;
use crate::serve::watch::Watch;

/// Runs the command until it ends, or the client resets the connection.
pub(super) async fn serve(client: &Client, command: &Exec, socket: BorrowedFd<'_>) -> Result<()> {
    let ends = hand_out(socket).map_err(|error| Error::new(Action::Set, &client.peer, error))?;
    let watch = Watch::new(client);
    let [stdin, stdout] = ends.map(Stdio::from);
    let child = Child::start(&client.caller(), command, stdin, stdout)?;
    let mut place = client.child.lock().await;
    let child = place.insert(child);
    let end = tokio::select! {
        biased;
        end = child.end() => end?,
        error = watch.reset() => return Err(client.broken(error)),
    };
    *place = None;
    conclude(&client.caller(), command, end, &*client.service.observer);
    Ok(())
}

/// The socket twice, and blocking, as a program expects of its stdin and stdout: the flag belongs
/// to the description that all of them share.
fn hand_out(socket: BorrowedFd<'_>) -> io::Result<[OwnedFd; 2]> {
    let flags = rustix::fs::fcntl_getfl(socket)?;
    rustix::fs::fcntl_setfl(socket, flags - OFlags::NONBLOCK)?;
    Ok([socket.try_clone_to_owned()?, socket.try_clone_to_owned()?])
}
