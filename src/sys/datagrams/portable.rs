//! One datagram a call, with what every system has.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use socket2::{SockAddr, SockRef, Socket};

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
    let mut slot: Vec<MaybeUninit<u8>> = vec![MaybeUninit::uninit(); slot];
    let flags = libc::MSG_DONTWAIT;
    let mut pieces = [socket2::MaybeUninitSlice::new(&mut slot)];
    let (length, told, from) =
        SockRef::from(&socket).recv_from_vectored_with_flags(&mut pieces, flags)?;
    for (byte, came) in room.iter_mut().zip(slot.iter().take(length)) {
        // SAFETY: the system wrote the first `length` bytes.
        #[allow(
            unsafe_code,
            reason = "the safe calls of socket2 do not say who sent it"
        )]
        let came = unsafe { came.assume_init() };
        *byte = came;
    }
    let cut = usize::from(told.is_truncated());
    arrivals.push(Arrival {
        length: length.saturating_add(cut),
        segment: None,
        from: Some(from).filter(|from| from.as_socket().is_some() || from.as_pathname().is_some()),
        to: None,
    });
    Ok(())
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

/// Gives a Unix socket a path of its own, so that it can be answered; it has to be removed.
pub(crate) fn bind_own_name(socket: &Socket) -> io::Result<Option<PathBuf>> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let path = PathBuf::from(format!("/tmp/nettool-{}-{number}", std::process::id()));
    let mask = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o177));
    let bound = socket.bind(&SockAddr::unix(&path)?);
    rustix::process::umask(mask);
    bound?;
    Ok(Some(path))
}
