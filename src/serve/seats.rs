//! As many clients at once as the limit on open files has room for, with all that serving them takes:
//! who was taken and could not be served would have waited better.

use std::sync::Arc;
use std::thread;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Behaviour;
use crate::sys;
use crate::value::{Endpoint, Host};

/// Descriptors for what comes and goes: whoever is turned away, a file that is still being closed.
const SPARE: u64 = 4;

/// What serving a client takes besides its connection, in descriptors.
struct Needs {
    /// For as long as it is there.
    lasting: u64,
    /// For a moment, on each thread.
    passing: u64,
}

/// The places for clients; there is no end of them where a client takes nothing but its connection,
/// for then accepting one fails before anything is done for it.
#[derive(Debug)]
pub(super) struct Seats(Option<Arc<Semaphore>>);

/// The place of a client, until it is dropped.
#[derive(Debug)]
pub(super) struct Seat(#[expect(dead_code, reason = "it is held")] Option<OwnedSemaphorePermit>);

impl Seats {
    /// Those that there are for clients who get this, with what is open now.
    pub(super) fn new(behaviour: &Behaviour) -> Self {
        let seats = needs(behaviour).zip(sys::open_files());
        Self(seats.map(|(needs, limit)| {
            let threads = thread::available_parallelism().map_or(1, |count| count.get() as u64);
            let taken = sys::descriptors_in_use(limit)
                .saturating_add(needs.passing.saturating_mul(threads))
                .saturating_add(SPARE);
            let each = needs.lasting.saturating_add(1);
            let count = limit.saturating_sub(taken).checked_div(each).unwrap_or(0);
            let count = usize::try_from(count).unwrap_or(usize::MAX);
            Arc::new(Semaphore::new(count.clamp(1, Semaphore::MAX_PERMITS)))
        }))
    }

    /// A place, if there is one now.
    pub(super) fn free(&self) -> Option<Seat> {
        match &self.0 {
            None => Some(Seat(None)),
            Some(seats) => Arc::clone(seats)
                .try_acquire_owned()
                .ok()
                .map(|seat| Seat(Some(seat))),
        }
    }

    /// Waits for a place.
    pub(super) async fn next(&self) -> Seat {
        match &self.0 {
            None => Seat(None),
            // Nobody closes it, so that there is a place at last.
            Some(seats) => Seat(Arc::clone(seats).acquire_owned().await.ok()),
        }
    }
}

/// What a client takes who gets this; `None` is nothing.
fn needs(behaviour: &Behaviour) -> Option<Needs> {
    let (lasting, passing) = match behaviour {
        // Our ends of two pipes, what tells of the command's end, and what tells of the client's.
        // Until it has begun also its ends, and what tells whether it has.
        Behaviour::Exec(_) => (4, 4),
        Behaviour::Forward(endpoint) => match &**endpoint {
            // The system's resolver has files and sockets, then two addresses may be tried at once.
            Endpoint::Tcp(Host::Name(_), _) | Endpoint::Udp(Host::Name(_), _) => (2, 0),
            Endpoint::Tcp(..) | Endpoint::Udp(..) | Endpoint::Unix(_) => (1, 0),
        },
        Behaviour::Save(_) => (1, 0),
        Behaviour::Broker(_)
        | Behaviour::Chat(_)
        | Behaviour::Discard
        | Behaviour::Echo
        | Behaviour::Reply(_)
        | Behaviour::Stdio(_) => return None,
    };
    Some(Needs { lasting, passing })
}
