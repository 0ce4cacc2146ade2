//! An upstream of its own for a client that sends datagrams.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::inbox::Inbox;
use super::overdue;
use super::session::{Session, Shared};
use crate::error::{Action, Error, Result};
use crate::net::DatagramSocket;
use crate::serve::forward::datagrams::{LENGTH, reach as reach_port};
use crate::serve::forward::{Upstream, reach};
use crate::value::{Endpoint, Host};

/// For how long answers are waited for when the client will say no more.
const QUIET: Duration = Duration::from_millis(500);

/// Carries what comes both ways until the client says no more, or the other side ends, or the time
/// that it has for that is over.
pub(super) async fn serve(session: &Session, endpoint: &Endpoint, inbox: &mut Inbox) -> Result<()> {
    let service = &session.shared.service;
    let mut overdue = pin!(overdue(inbox.ending(), &service.stop));
    if let Endpoint::Udp(host, port) = endpoint {
        return tokio::select! {
            biased;
            result = to_port(session, host, *port, inbox) => result,
            () = overdue => Ok(()),
        };
    }
    let reached = tokio::select! {
        biased;
        reached = reach(endpoint, None, &*service.observer) => reached?,
        () = overdue.as_mut() => return Ok(()),
    };
    let upstream = Upstream::new(reached)?;
    tokio::select! {
        biased;
        result = to_stream(session, &upstream, inbox) => result,
        () = overdue => upstream.give_up(),
    }
}

/// Datagram by datagram.
async fn to_port(session: &Session, host: &Host, port: u16, inbox: &mut Inbox) -> Result<()> {
    let observer = &*session.shared.service.observer;
    let (socket, name) = reach_port(host, port, observer).await?;
    let _end = OwnEnd::note(session, &socket);
    let giving = AtomicBool::new(false);
    let asking = async {
        ask(inbox, &socket).await?;
        loop {
            tokio::time::sleep(QUIET).await;
            if !giving.load(Ordering::Relaxed) && !socket.has_news() {
                return Ok::<_, io::Error>(());
            }
        }
    };
    tokio::select! {
        biased;
        asked = asking => asked.map_err(|error| Error::new(Action::Send, &name, error)),
        answered = answer(session, &socket, &giving) => match answered {
            Err(error) => Err(Error::new(Action::Receive, &name, error)),
        },
        error = socket.failed() => Err(Error::new(Action::Send, &name, error)),
    }
}

/// Sends what the client sends until it says no more.
async fn ask(inbox: &mut Inbox, socket: &DatagramSocket) -> io::Result<()> {
    while let Some(datagram) = inbox.next().await {
        match socket.send_each(&[IoSlice::new(datagram)], None) {
            Ok(_) => inbox.done(),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => socket.writable().await?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                if error.raw_os_error() == Some(libc::EMSGSIZE) {
                    // It is this one that is lost; any other error may be of an earlier one.
                    inbox.done();
                }
                return Err(error);
            }
        }
    }
    Ok(())
}

/// Gives the client what comes back, for as long as it does; `giving` is set while there is something
/// that the server has not taken.
async fn answer(
    session: &Session,
    socket: &DatagramSocket,
    giving: &AtomicBool,
) -> io::Result<Infallible> {
    loop {
        let came = poll_fn(|context| take(context, &session.shared, socket)).await?;
        giving.store(true, Ordering::Relaxed);
        for datagram in came {
            session.answer(datagram).await;
        }
        giving.store(false, Ordering::Relaxed);
    }
}

/// Takes what has come, each datagram by itself.
fn take(
    context: &mut Context<'_>,
    shared: &Shared,
    socket: &DatagramSocket,
) -> Poll<io::Result<Vec<Vec<u8>>>> {
    shared.lend_batch(|batch| {
        ready!(socket.poll_receive(context, batch))?;
        let datagrams = batch
            .arrivals()
            .flat_map(|arrived| arrived.datagrams().map(<[u8]>::to_vec));
        Poll::Ready(Ok(datagrams.collect()))
    })
}

/// As bytes in a stream, whose answers are cut into datagrams. Its end is the session's.
async fn to_stream(session: &Session, upstream: &Upstream, inbox: &mut Inbox) -> Result<()> {
    let asking = async {
        ask_stream(inbox, upstream).await?;
        // Its answers may still be on their way, and its end is the last of them.
        std::future::pending::<Result<()>>().await
    };
    tokio::select! {
        biased;
        asked = asking => asked?,
        answered = answer_from_stream(session, upstream) => answered?,
        error = upstream.failure() => return Err(error),
    }
    upstream.settle().await
}

/// Sends what the client sends until it says no more.
async fn ask_stream(inbox: &mut Inbox, upstream: &Upstream) -> Result<()> {
    while let Some(datagram) = inbox.next().await {
        upstream.send(datagram).await?;
        inbox.done();
    }
    upstream.end_sending()
}

/// Gives the client what the other side sends until it ends.
async fn answer_from_stream(session: &Session, upstream: &Upstream) -> Result<()> {
    while let Some(came) = upstream.receive(<[u8]>::to_vec).await? {
        for datagram in came.chunks(LENGTH) {
            session.answer(datagram.to_vec()).await;
        }
    }
    Ok(())
}

/// Our own end towards an upstream, known to all sessions while it is there.
struct OwnEnd<'a> {
    session: &'a Session,
    socket: &'a DatagramSocket,
    address: Option<SocketAddr>,
}

impl<'a> OwnEnd<'a> {
    fn note(session: &'a Session, socket: &'a DatagramSocket) -> Self {
        let address = socket.local().and_then(|local| local.ip());
        session.shared.ends().extend(address);
        Self {
            session,
            socket,
            address,
        }
    }
}

impl Drop for OwnEnd<'_> {
    fn drop(&mut self) {
        if let Some(address) = &self.address {
            self.session.shared.ends().remove(address);
        }
        let dropped = self.socket.dropped().unwrap_or(0);
        self.session.dropped.fetch_add(dropped, Ordering::Relaxed);
    }
}
