//! Questions to the kernel over netlink(7): a request, and many messages for an answer.

mod address;
mod diag;
#[cfg(any(test, feature = "fuzz"))]
pub(super) mod fuzz;
mod interfaces;
mod link;
mod message;
mod neighbour;
mod route;

pub(in crate::sys) use diag::sockets;
pub(crate) use diag::tcp_socket;
pub(crate) use interfaces::interfaces;
pub(crate) use neighbour::neighbours;
pub(crate) use route::{default_routes, route_to};

use std::io;
use std::os::fd::OwnedFd;

use rustix::io::{Errno, retry_on_intr};
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{
    AddressFamily, Protocol, RecvFlags, SendFlags, SocketFlags, SocketType, connect, recv, send,
    socket_with,
};

use message::{Extent, Message, Messages};

/// How often a table that changes while it is read is read again.
const ATTEMPTS: usize = 20;

/// More than the kernel puts into one datagram (32 KiB, `netlink_dump` in `net/netlink/af_netlink.c`).
const BUFFER: usize = 64 * 1024;

/// A socket that the kernel alone can talk to: it is connected to the kernel's address.
struct Netlink {
    socket: OwnedFd,
    sequence: u32,
    buffer: Vec<u8>,
}

impl Netlink {
    /// Opens one for a netlink protocol.
    fn open(protocol: Option<Protocol>) -> io::Result<Self> {
        let socket = socket_with(
            AddressFamily::NETLINK,
            SocketType::RAW,
            SocketFlags::CLOEXEC,
            protocol,
        )?;
        connect(&socket, &SocketAddrNetlink::new(0, 0))?;
        Ok(Self {
            socket,
            sequence: 0,
            buffer: vec![0; BUFFER],
        })
    }

    /// Asks for a whole table, and reads every entry of type `answer`; an entry that `read` makes
    /// nothing of is left out. A table that changed underway is taken again.
    fn dump<T>(
        &mut self,
        request: u16,
        body: &[u8],
        answer: u16,
        read: impl Fn(&[u8]) -> io::Result<Option<T>>,
    ) -> io::Result<Vec<T>> {
        for _ in 0..ATTEMPTS {
            self.request(request, Extent::All, body)?;
            let mut entries = Vec::new();
            let steady = self.answers(|message| {
                if message.kind == answer {
                    entries.extend(read(message.body)?);
                }
                Ok(())
            })?;
            if steady {
                return Ok(entries);
            }
        }
        Err(unsteady())
    }

    /// Asks for one entry of type `answer`, and reads it.
    fn ask<T>(
        &mut self,
        request: u16,
        body: &[u8],
        answer: u16,
        read: impl Fn(&[u8]) -> io::Result<Option<T>>,
    ) -> io::Result<Option<T>> {
        self.request(request, Extent::One, body)?;
        loop {
            let length = receive(&self.socket, &mut self.buffer)?;
            for message in Messages::of(self.buffer.get(..length).unwrap_or_default()) {
                let message = message?;
                if message.sequence != self.sequence {
                    continue;
                }
                if message.is_end()? {
                    return Ok(None);
                }
                if message.kind == answer {
                    return read(message.body);
                }
            }
        }
    }

    /// Sends a request.
    fn request(&mut self, kind: u16, extent: Extent, body: &[u8]) -> io::Result<()> {
        self.sequence = self.sequence.wrapping_add(1);
        let request = message::request(kind, extent, self.sequence, body);
        retry_on_intr(|| send(&self.socket, &request, SendFlags::empty()))?;
        Ok(())
    }

    /// Reads to the end of the answer, and says whether the table stood still meanwhile.
    fn answers(
        &mut self,
        mut each: impl FnMut(&Message<'_>) -> io::Result<()>,
    ) -> io::Result<bool> {
        let mut steady = true;
        loop {
            let length = receive(&self.socket, &mut self.buffer)?;
            for message in Messages::of(self.buffer.get(..length).unwrap_or_default()) {
                let message = message?;
                if message.sequence != self.sequence {
                    continue;
                }
                steady &= !message.is_unsteady();
                if message.is_end()? {
                    return Ok(steady);
                }
                each(&message)?;
            }
        }
    }
}

/// Takes one datagram whole.
fn receive(socket: &OwnedFd, buffer: &mut [u8]) -> io::Result<usize> {
    let (length, whole) = retry_on_intr(|| recv(socket, &mut *buffer, RecvFlags::TRUNC))?;
    if whole > length {
        return Err(Errno::MSGSIZE.into());
    }
    Ok(length)
}

/// What is said of a table that never stood still.
fn unsteady() -> io::Error {
    io::Error::other(format!(
        "it changed each of the {ATTEMPTS} times it was read"
    ))
}
