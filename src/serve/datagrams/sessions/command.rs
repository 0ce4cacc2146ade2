//! A command for a client that sends datagrams: two pipes, for there is no connection to give it.

use tokio::net::unix::pipe::Sender;
use tokio::sync::watch;

use super::inbox::Inbox;
use super::overdue;
use super::session::Session;
use crate::error::Result;
use crate::serve::exec::{self, Exec};

/// The most payload of a UDP datagram over IPv4 (udp(7)).
const LONGEST: usize = 65_507;

/// Runs the command until it ends. When no more will come its stdin ends, and it is ended when it
/// has not done so itself in time.
pub(super) async fn serve(session: &Session, command: &Exec, inbox: &mut Inbox) -> Result<()> {
    let service = &session.shared.service;
    let (mut child, input, output) = exec::start(&session.caller, command)?;
    let (over, is_over) = watch::channel(false);
    let overdue = overdue(inbox.ending(), &service.stop);
    let answering = exec::answer(session, output, LONGEST, is_over);
    let talked = tokio::select! {
        biased;
        talked = exec::talk(&mut child, &over, feed(inbox, input), answering) => Some(talked?),
        () = overdue => None,
    };
    let (end, answered) = match talked {
        Some(talked) => talked,
        None => (child.dismiss(&service.stop).await?, Ok(())),
    };
    exec::conclude(&session.caller, command, end, &*service.observer);
    answered
}

/// Gives the command a datagram after the other. One that it does not want any more waits for the
/// next command.
async fn feed(inbox: &mut Inbox, input: Sender) -> Result<()> {
    while let Some(datagram) = inbox.next().await {
        if exec::write(&input, datagram).await.is_err() {
            return Ok(());
        }
        inbox.done();
    }
    Ok(())
}
