//! The socket itself is the child's stdin and stdout.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::Stdio;
use std::time::Duration;

use rustix::fs::OFlags;
use tokio::io::unix::AsyncFd;

use super::Exec;
use super::child::{Child, conclude};
use crate::error::{Action, Error, Result};
use crate::net::Proto;
use crate::serve::client::Client;
use crate::sys::{self, PeerState};

/// How often a connection is looked at where nobody tells of its end.
const LOOK: Duration = Duration::from_millis(500);

/// Runs the command until it ends, or the client resets the connection.
pub(super) async fn serve(client: &Client, command: &Exec, socket: BorrowedFd<'_>) -> Result<()> {
    let ends = hand_out(socket).map_err(|error| Error::new(Action::Set, &client.peer, error))?;
    let watch = Watch::new(client, socket);
    let [stdin, stdout] = ends.map(Stdio::from);
    let child = Child::start(&client.caller(), command, stdin, stdout)?;
    let mut place = client.child.lock().await;
    let child = place.insert(child);
    let end = tokio::select! {
        biased;
        end = child.end() => end?,
        () = watch.reset() => return Err(client.broken(reset())),
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

/// The error of a connection that the client has reset; the child may have taken it already.
fn reset() -> io::Error {
    io::Error::from_raw_os_error(libc::ECONNRESET)
}

/// Looks whether the client resets the connection, without taking the error from the child.
struct Watch<'a> {
    socket: BorrowedFd<'a>,
    proto: Proto,
    /// Tells when to look; `None` where nobody does.
    news: Option<AsyncFd<OwnedFd>>,
}

impl<'a> Watch<'a> {
    fn new(client: &Client, socket: BorrowedFd<'a>) -> Self {
        Self {
            socket,
            proto: client.proto(),
            news: sys::watch_for_end(socket).ok(),
        }
    }

    /// Waits until the client resets the connection. Once it has ended in the ordinary way it has
    /// said all it had to say, and what is done with that is not stopped any more: then for ever.
    async fn reset(&self) {
        loop {
            let seen = sys::peer_state(self.socket);
            if self.is_reset(seen) {
                return;
            }
            if seen.ended {
                return std::future::pending().await;
            }
            self.wait().await;
        }
    }

    /// Waits until it may be worth a look.
    async fn wait(&self) {
        let Some(news) = &self.news else {
            return tokio::time::sleep(LOOK).await;
        };
        if let Ok(mut ready) = news.readable().await {
            sys::forget_news(news.as_fd());
            ready.clear_ready();
        }
    }

    /// Whether that is a reset. A TCP connection whose both halves are over while we have ended
    /// none was reset, even if the child has taken the error already; a Unix one was closed.
    fn is_reset(&self, seen: PeerState) -> bool {
        match self.proto {
            Proto::Tcp => seen.failed || seen.over,
            _ => seen.failed,
        }
    }
}
