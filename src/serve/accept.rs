//! Taking clients off the listening sockets, whatever becomes of one of them.

use std::io;
use std::time::{Duration, Instant};

use super::seats::{Seat, Seats};
use crate::error::{Action, Error, Result};
use crate::event::{Event, Observer};
use crate::net::{Accepted, Listener};
use crate::sys;

/// For how long nobody is accepted when the system has no room: at first and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// Shortages that are not further apart than this are one, and told of once.
const EPISODE: Duration = Duration::from_secs(60);

/// Takes clients, and remembers how that went.
pub(super) struct Acceptor<'a> {
    listener: &'a Listener,
    observer: &'a dyn Observer,
    /// How long the next pause is.
    pause: Duration,
    /// When the system last had no room.
    shortage: Option<Instant>,
}

impl<'a> Acceptor<'a> {
    /// One that has met no trouble yet.
    pub(super) fn new(listener: &'a Listener, observer: &'a dyn Observer) -> Self {
        Self {
            listener,
            observer,
            pause: FIRST_PAUSE,
            shortage: None,
        }
    }

    /// The next client. What befalls a single one ends nothing; at the limit on open files we
    /// pause, tell of it once, and go on. May be dropped while it waits: who gives room can have
    /// it tried again at once.
    ///
    /// # Errors
    /// The socket itself can no longer accept.
    pub(super) async fn next(&mut self) -> Result<Accepted> {
        loop {
            match self.listener.accept().await {
                Ok(accepted) => {
                    self.pause = FIRST_PAUSE;
                    return Ok(accepted);
                }
                Err(error) if is_fatal(&error) => return Err(self.named(error)),
                Err(error) if is_shortage(&error) => self.wait_for_room(error).await,
                Err(error) => {
                    let error = &self.named(error);
                    self.observer.notice(&Event::AcceptFailed { error });
                }
            }
        }
    }

    /// The next client, with a place among those that there are.
    ///
    /// # Errors
    /// As with [`Acceptor::next`].
    pub(super) async fn next_for(&mut self, seats: &Seats) -> Result<(Accepted, Seat)> {
        let seat = if let Some(seat) = seats.free() {
            seat
        } else {
            self.tell_shortage(io::Error::from_raw_os_error(libc::EMFILE));
            seats.next().await
        };
        Ok((self.next().await?, seat))
    }

    /// Pauses, longer each time.
    async fn wait_for_room(&mut self, error: io::Error) {
        self.tell_shortage(error);
        let pause = self.pause;
        self.pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
        tokio::time::sleep(pause).await;
    }

    /// Tells of it, once an episode.
    fn tell_shortage(&mut self, error: io::Error) {
        let now = Instant::now();
        let last = self.shortage.replace(now);
        if last.is_none_or(|last| now.duration_since(last) > EPISODE) {
            let ours = error.raw_os_error() == Some(libc::EMFILE);
            let limit = if ours { sys::open_files() } else { None };
            let error = &self.named(error);
            self.observer.notice(&Event::NoRoom { error, limit });
        }
    }

    /// The error of this listener.
    fn named(&self, error: io::Error) -> Error {
        let addresses = self.listener.addresses();
        let name = addresses.first().map(|(_, address)| address.to_string());
        Error::new(Action::Accept, name.unwrap_or_default(), error)
    }
}

/// Whether the system lacks room for one more.
fn is_shortage(error: &io::Error) -> bool {
    let shortages = [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM];
    error
        .raw_os_error()
        .is_some_and(|errno| shortages.contains(&errno))
}

/// Whether the listening socket itself is at fault, so that the next call would fail alike.
fn is_fatal(error: &io::Error) -> bool {
    let faults = [
        libc::EBADF,
        libc::EFAULT,
        libc::EINVAL,
        libc::ENOTSOCK,
        libc::EOPNOTSUPP,
    ];
    error
        .raw_os_error()
        .is_none_or(|errno| faults.contains(&errno))
}
