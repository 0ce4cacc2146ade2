//! The control messages that came with a datagram, or with an error about one (cmsg(3)).
#![allow(unsafe_code)]

use std::slice;

/// One control message.
#[derive(Clone, Copy, Debug)]
pub(super) struct ControlMessage<'a> {
    /// Whose it is, as of socket options.
    pub(super) level: libc::c_int,
    /// What it is.
    pub(super) kind: libc::c_int,
    /// What it says, as long as it came.
    pub(super) data: &'a [u8],
}

/// A length in the type that is wanted: those of control messages are a `size_t` with glibc, and a
/// `socklen_t` with musl. All are short.
pub(super) fn length<L: Default>(length: impl TryInto<L>) -> L {
    length.try_into().unwrap_or_default()
}

/// The control messages of a message.
pub(super) struct ControlMessages<'a> {
    message: &'a libc::msghdr,
    next: *const libc::cmsghdr,
}

impl<'a> ControlMessages<'a> {
    /// Those that the kernel has written for `message`.
    ///
    /// # Safety
    /// `msg_control` and `msg_controllen` are as recvmsg(2) left them, and for as long as `'a` the
    /// room that they tell of is there and not written to.
    pub(super) unsafe fn of(message: &'a libc::msghdr) -> Self {
        Self {
            message,
            // SAFETY: the room is as the caller says; where none was given the answer is null.
            next: unsafe { libc::CMSG_FIRSTHDR(message) },
        }
    }
}

impl<'a> Iterator for ControlMessages<'a> {
    type Item = ControlMessage<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        // SAFETY: null or a header that lies whole in the room, which is aligned for one: the
        // macros return no other.
        let header = unsafe { self.next.as_ref() }?;
        // SAFETY: the macro computes a size alone.
        let head: usize = length(unsafe { libc::CMSG_LEN(0) });
        let whole: usize = length(header.cmsg_len);
        // SAFETY: the kernel wrote `cmsg_len` bytes, the header's among them, and cuts what there is
        // no room for (`put_cmsg` in net/core/scm.c).
        let data = unsafe {
            slice::from_raw_parts(libc::CMSG_DATA(self.next), whole.saturating_sub(head))
        };
        // SAFETY: as for the first header.
        self.next = unsafe { libc::CMSG_NXTHDR(self.message, self.next) };
        Some(ControlMessage {
            level: header.cmsg_level,
            kind: header.cmsg_type,
            data,
        })
    }
}
