//! `nettool buffers list`.

use std::cmp::Reverse;

use nettool::buffers::{Socket, list};

use crate::cli::{ListArgs, Order};
use crate::command::{Failure, Status};
use crate::output::{Output, SocketTable};

/// Lists the sockets.
pub(super) fn run(arguments: &ListArgs, numeric: bool, output: &Output) -> Result<Status, Failure> {
    let filter = arguments.filter();
    let processes = !numeric || arguments.names_processes();
    let listed = list(&arguments.kinds(), processes, false)?;
    for reason in &listed.unknown {
        output.warn(&reason.to_string());
    }
    for reason in &listed.poorer {
        output.detail(
            1,
            &format!("{reason}; read from /proc/net, which tells less"),
        );
    }
    let mut sockets = listed.sockets;
    sockets.retain(|socket| filter.takes(socket));
    sort(&mut sockets, arguments.sort);
    if processes
        && sockets
            .iter()
            .any(|socket| socket.process.is_none() && socket.inode != 0)
    {
        output.detail(1, "processes of other users are shown to root alone");
    }
    output.report(&SocketTable {
        sockets: &sockets,
        processes,
        drops: arguments.sort == Order::Drops,
    })?;
    Ok(Status::Done)
}

/// Puts the largest first.
fn sort(sockets: &mut [Socket], order: Order) {
    let by = |socket: &Socket| match order {
        Order::None => None,
        Order::Receive => socket.receive_queue.or(socket.accept_queue),
        Order::Send => socket.send_queue,
        Order::Drops => socket.drops,
    };
    sockets.sort_by_key(|socket| Reverse(by(socket)));
}
