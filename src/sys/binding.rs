//! What a socket is bound to before it connects.
#![allow(unsafe_code)]

#[cfg(target_os = "linux")]
pub(crate) use linux::bind_without_port;
#[cfg(not(target_os = "linux"))]
pub(crate) use portable::bind_without_port;

/// With the options of socket(7) and ip(7).
#[cfg(target_os = "linux")]
mod linux {
    use std::os::fd::{AsRawFd, BorrowedFd};

    /// Leaves the choice of the port to connect(2), which knows the other end. False if the system
    /// will not.
    pub(crate) fn bind_without_port(socket: BorrowedFd<'_>) -> bool {
        let on: libc::c_int = 1;
        let size = size_of_val(&on).try_into().unwrap_or_default();
        // SAFETY: the descriptor is borrowed, and the kernel reads `size` bytes of `on`.
        let result = unsafe {
            libc::setsockopt(
                socket.as_raw_fd(),
                libc::IPPROTO_IP,
                libc::IP_BIND_ADDRESS_NO_PORT,
                (&raw const on).cast(),
                size,
            )
        };
        result == 0
    }
}

/// With what the other systems have.
#[cfg(not(target_os = "linux"))]
mod portable {
    use std::os::fd::BorrowedFd;

    /// Not here.
    pub(crate) fn bind_without_port(_socket: BorrowedFd<'_>) -> bool {
        false
    }
}
