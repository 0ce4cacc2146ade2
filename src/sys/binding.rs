//! What a socket is bound to before it connects.

#[cfg(target_os = "linux")]
pub(crate) use linux::{bind_without_port, limit_connect};
#[cfg(not(target_os = "linux"))]
pub(crate) use portable::{bind_without_port, limit_connect};

/// With the options of socket(7) and ip(7).
#[cfg(target_os = "linux")]
mod linux {
    use crate::sys::sockopt;
    use socket2::Socket;
    use std::os::fd::BorrowedFd;
    use std::time::Duration;

    /// Leaves the choice of the port to connect(2), which knows the other end. False if the system
    /// will not.
    pub(crate) fn bind_without_port(socket: BorrowedFd<'_>) -> bool {
        sockopt::set(socket, libc::IPPROTO_IP, libc::IP_BIND_ADDRESS_NO_PORT, 1)
    }

    /// Lets connect(2) wait for its outcome, but not for longer than `most`: then it fails with
    /// `EINPROGRESS` and goes on (socket(7), `SO_SNDTIMEO`). False if the system will not.
    pub(crate) fn limit_connect(socket: &Socket, most: Duration) -> bool {
        socket.set_write_timeout(Some(most)).is_ok() && socket.set_nonblocking(false).is_ok()
    }
}

/// With what the other systems have.
#[cfg(not(target_os = "linux"))]
mod portable {
    use socket2::Socket;
    use std::os::fd::BorrowedFd;
    use std::time::Duration;

    /// Not here.
    pub(crate) fn bind_without_port(_socket: BorrowedFd<'_>) -> bool {
        false
    }

    /// `SO_SNDTIMEO` is not for connect(2) here.
    pub(crate) fn limit_connect(_socket: &Socket, _most: Duration) -> bool {
        false
    }
}
