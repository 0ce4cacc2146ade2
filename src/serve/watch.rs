//! Whether a client is still there, asked of its connection beside whoever reads from it.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use tokio::io::unix::AsyncFd;

use super::client::Client;
use crate::net::Proto;
use crate::sys::{self, PeerState};

/// How often a connection is looked at where nobody tells of its end.
const LOOK: Duration = Duration::from_millis(500);

/// Waits until the client has closed its connection, where that can be told from its end: over a
/// Unix socket. Over TCP only the answer to something that is sent to it tells: for ever.
pub(super) async fn closed(client: &Client) {
    if client.proto() == Proto::Tcp {
        return std::future::pending().await;
    }
    let watch = Watch::new(client);
    while !sys::peer_state(watch.socket).over {
        watch.wait().await;
    }
}

/// Looks whether the client ends or resets its connection, and takes nothing from whoever reads from
/// it: neither bytes nor the error.
pub(super) struct Watch<'a> {
    socket: BorrowedFd<'a>,
    proto: Proto,
    /// Tells when to look; `None` where nobody does.
    news: Option<AsyncFd<OwnedFd>>,
}

impl<'a> Watch<'a> {
    /// That of this client.
    pub(super) fn new(client: &'a Client) -> Self {
        let socket = client.as_fd();
        Self {
            socket,
            proto: client.proto(),
            news: sys::watch_for_end(socket).ok(),
        }
    }

    /// Waits until the client resets the connection. Once it has ended in the ordinary way it has
    /// said all it had to say, and what is done with that is not stopped any more: then for ever.
    pub(super) async fn reset(&self) -> io::Error {
        loop {
            let seen = sys::peer_state(self.socket);
            if self.is_reset(seen) {
                // Whoever reads from it may have taken the error already.
                return io::Error::from_raw_os_error(libc::ECONNRESET);
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

    /// Whether that is a reset. A TCP connection that is over although the client has not ended it
    /// was reset, even if its error was taken already; a Unix one was closed.
    fn is_reset(&self, seen: PeerState) -> bool {
        match self.proto {
            Proto::Tcp => !seen.ended && (seen.failed || seen.over),
            _ => seen.failed,
        }
    }
}
