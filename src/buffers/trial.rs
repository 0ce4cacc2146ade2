//! Measuring: a new socket is asked what it has and what it gets.

use std::io;

use socket2::Socket;

use super::origin::Settings;
use super::{BufferSizes, Direction, Grant, LARGEST_REQUEST, Limit, Sizes, Transport, fill};
use crate::error::{Action, Error, Result};
use crate::net::Family;

/// What new sockets say, before it is known why.
pub(super) struct Trial {
    transport: Transport,
    direction: Direction,
    /// What a new socket has.
    default: u64,
    /// What asking for one byte gives; some systems refuse.
    minimum: Option<u64>,
    /// What asking for the most gives; some systems refuse.
    settable: Option<u64>,
    /// What a connected one has, if a pair could be made.
    connected: Option<u64>,
    /// What was asked for, and what that gives.
    request: Option<(u64, u64)>,
}

impl Trial {
    /// Makes the sockets.
    pub(super) fn new(
        transport: Transport,
        direction: Direction,
        request: Option<u64>,
        connected: &Connected,
    ) -> Result<Self> {
        let asked = |size| size_after(transport, direction, size);
        let target = || format!("the {} buffer of {}", direction.name(), transport.name());
        let failed = |error| Error::new(Action::Inspect, target(), error);
        let refused = |error| Error::new(Action::Set, target(), error);
        let granted = |size| asked(Some(size)).map(|granted| (size, granted));
        Ok(Self {
            transport,
            direction,
            default: asked(None).map_err(failed)?,
            minimum: asked(Some(1)).ok(),
            settable: asked(Some(LARGEST_REQUEST)).ok(),
            connected: connected.size(direction),
            request: request.map(granted).transpose().map_err(refused)?,
        })
    }

    /// The same with where each size comes from.
    pub(super) fn explained(self, settings: &mut Settings) -> BufferSizes {
        let Self {
            transport,
            direction,
            ..
        } = self;
        let autotuned = settings.autotuned(transport, direction);
        let settable = settings.settable(direction, self.settable);
        let maximum = match autotuned {
            Some(true) => settings.tuned_maximum(direction),
            Some(false) => settable,
            None => None,
        };
        BufferSizes {
            transport,
            direction,
            minimum: self.minimum.map(Limit::measured),
            default: Some(settings.initial(transport, direction, self.default)),
            maximum,
            settable,
            autotuned,
            connected: self.connected,
            grant: self
                .request
                .map(|sizes| Grant::new(direction, sizes, settable)),
        }
    }
}

/// Two sockets connected to each other, the first of which sends.
pub(super) struct Connected(Option<(Socket, Socket)>);

impl Connected {
    /// Makes them; a machine without loopback has none over IP.
    pub(super) fn new(transport: Transport) -> Self {
        let pair = |family| fill::pair::connected(transport, family, Sizes::default());
        Self(pair(Family::V4).or_else(|_| pair(Family::V6)).ok())
    }

    /// The size of the buffer at the end that uses it.
    fn size(&self, direction: Direction) -> Option<u64> {
        let (sender, receiver) = self.0.as_ref()?;
        let size = match direction {
            Direction::Send => sender.send_buffer_size(),
            Direction::Receive => receiver.recv_buffer_size(),
        };
        u64::try_from(size.ok()?).ok()
    }
}

/// What a new socket reports, after it was asked for a size or left alone.
fn size_after(transport: Transport, direction: Direction, size: Option<u64>) -> io::Result<u64> {
    let socket = socket(transport)?;
    if let Some(size) = size {
        let size = usize::try_from(size.min(LARGEST_REQUEST)).unwrap_or(usize::MAX);
        match direction {
            Direction::Send => socket.set_send_buffer_size(size)?,
            Direction::Receive => socket.set_recv_buffer_size(size)?,
        }
    }
    let size = match direction {
        Direction::Send => socket.send_buffer_size()?,
        Direction::Receive => socket.recv_buffer_size()?,
    };
    Ok(u64::try_from(size).unwrap_or(u64::MAX))
}

/// A new socket, of the first family that there is.
fn socket(transport: Transport) -> io::Result<Socket> {
    let (families, kind) = transport.makings();
    let mut error = io::Error::from(io::ErrorKind::Unsupported);
    for family in families {
        match Socket::new(*family, kind, None) {
            Ok(socket) => return Ok(socket),
            Err(refused) => error = refused,
        }
    }
    Err(error)
}
