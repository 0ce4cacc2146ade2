//! One datagram a call, with what every system has.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use socket2::{MaybeUninitSlice, SockAddr, SockRef, Socket};

use super::{Arrival, Post};

/// Takes a datagram into the first slot. Its true length is not known: one that does not fit counts
/// as a byte longer than the slot.
pub(crate) fn receive_many(
    socket: BorrowedFd<'_>,
    room: &mut [u8],
    slot: usize,
    _control: bool,
    arrivals: &mut Vec<Arrival>,
) -> io::Result<()> {
    arrivals.clear();
    let slot = room.get_mut(..slot).unwrap_or_default();
    let (_, length, from) = receive(socket, slot)?;
    arrivals.push(Arrival {
        length,
        segment: None,
        from: Some(from).filter(|from| from.as_socket().is_some() || from.as_pathname().is_some()),
        to: None,
    });
    Ok(())
}

/// Takes a message of a connection: how much of it fits, and how long it is, as far as that is
/// known.
pub(crate) fn receive_message(
    socket: BorrowedFd<'_>,
    room: &mut [u8],
) -> io::Result<(usize, usize)> {
    let (kept, length, _) = receive(socket, room)?;
    Ok((kept, length))
}

/// Takes a message: how much of it fits, how long it is at least, and who sent it.
fn receive(socket: BorrowedFd<'_>, room: &mut [u8]) -> io::Result<(usize, usize, SockAddr)> {
    let mut came: Vec<MaybeUninit<u8>> = vec![MaybeUninit::uninit(); room.len()];
    let mut pieces = [MaybeUninitSlice::new(&mut came)];
    let (kept, told, from) =
        SockRef::from(&socket).recv_from_vectored_with_flags(&mut pieces, libc::MSG_DONTWAIT)?;
    for (place, byte) in room.iter_mut().zip(came.iter().take(kept)) {
        // SAFETY: the system wrote the first `kept` bytes.
        #[allow(
            unsafe_code,
            reason = "the safe calls of socket2 do not say who sent it"
        )]
        let byte = unsafe { byte.assume_init() };
        *place = byte;
    }
    let cut = usize::from(told.is_truncated());
    Ok((kept, kept.saturating_add(cut), from))
}

/// Gives one datagram.
pub(crate) fn send_many(
    socket: BorrowedFd<'_>,
    datagrams: &[IoSlice<'_>],
    post: Post<'_>,
) -> io::Result<usize> {
    let socket = SockRef::from(&socket);
    let datagram = datagrams.first().map_or(&[][..], |datagram| datagram);
    match post.to {
        Some(to) => socket.send_to_with_flags(datagram, to, libc::MSG_DONTWAIT)?,
        None => socket.send_with_flags(datagram, libc::MSG_DONTWAIT)?,
    };
    Ok(1)
}

/// Not here.
pub(crate) fn send_bundle(
    _socket: BorrowedFd<'_>,
    _bytes: &[u8],
    _segment: u16,
    _post: Post<'_>,
) -> io::Result<()> {
    Err(io::Error::from_raw_os_error(libc::EINVAL))
}

/// Not here.
pub(crate) fn request_bundles(_socket: BorrowedFd<'_>) -> bool {
    false
}

/// Not here, or in another form.
pub(crate) fn request_arrival_address(_socket: BorrowedFd<'_>, _ipv6: bool) -> bool {
    false
}

/// A socket has datagrams of its own groups alone here.
pub(crate) fn keep_to_own_groups(_socket: &Socket, _ipv6: bool) -> io::Result<()> {
    Ok(())
}

/// Gives a Unix socket a path of its own among the temporary files, so that it can be answered; it
/// has to be removed.
pub(crate) fn bind_own_name(socket: &Socket) -> io::Result<Option<PathBuf>> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("nettool-{}-{number}", std::process::id()));
    let mask = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o177));
    let bound = socket.bind(&SockAddr::unix(&path)?);
    rustix::process::umask(mask);
    bound?;
    Ok(Some(path))
}
