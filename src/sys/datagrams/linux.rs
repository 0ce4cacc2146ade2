//! recvmmsg(2), sendmmsg(2), and the bundles of udp(7).
#![allow(unsafe_code)]

use std::array;
use std::io::{self, IoSlice};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

use rustix::net::RecvFlags;
use socket2::{SockAddr, SockAddrStorage, Socket};

use super::control::{self, Control, Outgoing};
use super::{Arrival, MOST_MESSAGES, Post};
use crate::sys::control::{ControlMessages, length};
use crate::sys::sockopt;

/// The shortest address that has more than a family: that of a named Unix socket.
const NAMED: libc::socklen_t = 3;

/// Takes what has come, each message into a slot of its own; with `control` also what the system
/// says beside it. There is at least one message, or it is an error.
pub(crate) fn receive_many(
    socket: BorrowedFd<'_>,
    room: &mut [u8],
    slot: usize,
    control: bool,
    arrivals: &mut Vec<Arrival>,
) -> io::Result<()> {
    arrivals.clear();
    let mut names: [SockAddrStorage; MOST_MESSAGES] = array::from_fn(|_| SockAddrStorage::zeroed());
    let mut controls: [Control; MOST_MESSAGES] = [[0; 12]; MOST_MESSAGES];
    // SAFETY: an iovec and a msghdr of zeros are valid: nothing is where they point.
    let mut pieces: [libc::iovec; MOST_MESSAGES] = unsafe { std::mem::zeroed() };
    // SAFETY: likewise.
    let mut messages: [libc::mmsghdr; MOST_MESSAGES] = unsafe { std::mem::zeroed() };
    let slots = room.chunks_mut(slot.max(1));
    let places = messages.iter_mut().zip(&mut pieces).zip(&mut names);
    let mut count: libc::c_uint = 0;
    for ((slot, ((message, piece), name)), control_room) in slots.zip(places).zip(&mut controls) {
        piece.iov_base = slot.as_mut_ptr().cast();
        piece.iov_len = slot.len();
        let header = &mut message.msg_hdr;
        header.msg_namelen = name.size_of();
        header.msg_name = ptr::from_mut(name).cast();
        header.msg_iov = piece;
        header.msg_iovlen = 1;
        // Without room for them descriptors that a Unix peer sends never become ours (unix(7)).
        if control {
            header.msg_controllen = length(size_of::<Control>());
            header.msg_control = control_room.as_mut_ptr().cast();
        }
        count = count.saturating_add(1);
    }
    let flags = libc::MSG_DONTWAIT | libc::MSG_TRUNC;
    // SAFETY: the first `count` messages point to buffers that live until this function returns.
    let came = unsafe {
        let messages = messages.as_mut_ptr();
        libc::recvmmsg(
            socket.as_raw_fd(),
            messages,
            count,
            flags as _,
            ptr::null_mut(),
        )
    };
    let Ok(came) = usize::try_from(came) else {
        return Err(io::Error::last_os_error());
    };
    for (message, name) in messages.iter().zip(names).take(came) {
        let length = message.msg_hdr.msg_namelen;
        // SAFETY: the kernel wrote an address of this length.
        let from = (length >= NAMED).then(|| unsafe { SockAddr::new(name, length) });
        let mut arrival = Arrival {
            length: usize::try_from(message.msg_len).unwrap_or(usize::MAX),
            segment: None,
            from,
            to: None,
        };
        // SAFETY: the call has just written both, and nobody writes to the control room.
        let said = unsafe { ControlMessages::of(&message.msg_hdr) };
        said.for_each(|said| control::read(said, &mut arrival));
        arrivals.push(arrival);
    }
    Ok(())
}

/// Takes a message of a connection: how much of it fits, and how long it is.
pub(crate) fn receive_message(
    socket: BorrowedFd<'_>,
    room: &mut [u8],
) -> io::Result<(usize, usize)> {
    let flags = RecvFlags::DONTWAIT | RecvFlags::TRUNC;
    Ok(rustix::net::recv(socket, room, flags)?)
}

/// Gives datagrams; how many of them the system took, at least one.
pub(crate) fn send_many(
    socket: BorrowedFd<'_>,
    datagrams: &[IoSlice<'_>],
    post: Post<'_>,
) -> io::Result<usize> {
    let control = outgoing(post);
    // SAFETY: a msghdr of zeros is valid.
    let mut messages: [libc::mmsghdr; MOST_MESSAGES] = unsafe { std::mem::zeroed() };
    let mut count: libc::c_uint = 0;
    for (message, datagram) in messages.iter_mut().zip(datagrams) {
        message.msg_hdr = header(datagram, post, &control);
        count = count.saturating_add(1);
    }
    // SAFETY: the first `count` messages point to what the caller lent, and the kernel only reads.
    let took = unsafe {
        libc::sendmmsg(
            socket.as_raw_fd(),
            messages.as_mut_ptr(),
            count,
            libc::MSG_DONTWAIT as _,
        )
    };
    usize::try_from(took).map_err(|_| io::Error::last_os_error())
}

/// Gives bytes that the system cuts into datagrams of `segment` (`UDP_SEGMENT`): all of them, or it
/// is an error.
pub(crate) fn send_bundle(
    socket: BorrowedFd<'_>,
    bytes: &[u8],
    segment: u16,
    post: Post<'_>,
) -> io::Result<()> {
    let mut control = outgoing(post);
    control.cut_into(segment);
    let piece = IoSlice::new(bytes);
    let message = header(&piece, post, &control);
    // SAFETY: the message points to what the caller lent, and the kernel only reads.
    let took = unsafe { libc::sendmsg(socket.as_raw_fd(), &raw const message, libc::MSG_DONTWAIT) };
    if took < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// The control messages that every datagram of this post has.
fn outgoing(post: Post<'_>) -> Outgoing {
    let mut control = Outgoing::new();
    if let Some(end) = post.from {
        control.leave_from(end);
    }
    control
}

/// One message to send, which points to all three; `IoSlice` has the layout of an iovec.
fn header(datagram: &IoSlice<'_>, post: Post<'_>, control: &Outgoing) -> libc::msghdr {
    // SAFETY: a msghdr of zeros is valid.
    let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
    if let Some(to) = post.to {
        header.msg_name = to.as_ptr().cast_mut().cast();
        header.msg_namelen = to.len();
    }
    header.msg_iov = ptr::from_ref(datagram).cast_mut().cast();
    header.msg_iovlen = 1;
    control.attach(&mut header);
    header
}

/// Has a UDP socket hand over several datagrams of one sender as one (`UDP_GRO`). False if the system
/// will not.
pub(crate) fn request_bundles(socket: BorrowedFd<'_>) -> bool {
    sockopt::set(socket, libc::SOL_UDP, libc::UDP_GRO, 1)
}

/// Has the system say which address each datagram came to. False if it will not.
pub(crate) fn request_arrival_address(socket: BorrowedFd<'_>, ipv6: bool) -> bool {
    if ipv6 {
        sockopt::set(socket, libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO, 1)
    } else {
        sockopt::set(socket, libc::IPPROTO_IP, libc::IP_PKTINFO, 1)
    }
}

/// Takes datagrams of the groups that this socket has joined, and not of those that others of this
/// machine have (ip(7), `IP_MULTICAST_ALL`).
pub(crate) fn keep_to_own_groups(socket: &Socket, ipv6: bool) -> io::Result<()> {
    if ipv6 {
        socket.set_multicast_all_v6(false)
    } else {
        socket.set_multicast_all_v4(false)
    }
}

/// Gives a Unix socket a name of its own, so that it can be answered: an abstract one that the
/// kernel picks (unix(7), autobind). Nothing has to be removed.
pub(crate) fn bind_own_name(socket: &Socket) -> io::Result<Option<std::path::PathBuf>> {
    socket.bind(&SockAddr::unix("")?)?;
    Ok(None)
}
