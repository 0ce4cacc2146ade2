//! From the peer into a file by way of a pipe of our own, into which the system puts what came
//! without a copy: then one is made instead of two.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::io::Errno;

use super::{Came, Down, End, LARGEST_SPLICE};
use crate::sys::{self, Splice};

/// The pipe, empty between two steps.
pub(super) struct Through {
    reader: OwnedFd,
    writer: OwnedFd,
}

impl Through {
    /// A wide one, where the system has it.
    pub(super) fn new() -> Option<Self> {
        let (reader, writer) = sys::wide_pipe().ok()?;
        Some(Self { reader, writer })
    }
}

impl Down {
    /// Moves what has come through the pipe into stdout.
    pub(super) fn pass_through(&mut self) -> Result<Came, End> {
        let Some(pipe) = &self.through else {
            return Ok(Came::Bytes(0));
        };
        let (socket, writer) = (self.work.socket.as_fd(), pipe.writer.as_fd());
        match sys::splice(socket, writer, LARGEST_SPLICE, false) {
            Splice::Moved(length) if length > 0 => {
                self.work.shared.meter.count_received(length);
                self.empty_pipe(length)?;
                Ok(Came::Bytes(0))
            }
            Splice::NotHere => {
                self.through = None;
                Ok(Came::Bytes(0))
            }
            Splice::Failed(error) => Ok(self.broke(error)),
            // The end, or urgent data, which only a read passes (net/ipv4/tcp.c, `tcp_splice_read`);
            // or nothing after all, which it tells, too.
            Splice::Moved(_) | Splice::NotNow => Ok(self.receive()),
        }
    }

    /// Moves these many bytes from the pipe into stdout. A file that takes none this way, as one
    /// that is only appended to (splice(2)), has them written.
    fn empty_pipe(&mut self, mut length: usize) -> Result<(), End> {
        while let Some(pipe) = self.through.as_ref().filter(|_| length > 0) {
            let (reader, stdout) = (pipe.reader.as_fd(), rustix::stdio::stdout());
            match sys::splice(reader, stdout, length, false) {
                Splice::Moved(0) => return Err(End::Failed(io::ErrorKind::WriteZero.into())),
                Splice::Moved(moved) => length = length.saturating_sub(moved),
                Splice::NotNow => self.wait_for_room()?,
                Splice::NotHere => {
                    self.write_out(length)?;
                    self.through = None;
                }
                Splice::Failed(error) => return Err(End::Failed(error)),
            }
        }
        Ok(())
    }

    /// Reads these many bytes from the pipe, and writes them.
    fn write_out(&mut self, mut length: usize) -> Result<(), End> {
        while let Some(pipe) = self.through.as_ref().filter(|_| length > 0) {
            let taken = match rustix::io::read(&pipe.reader, self.held.room()) {
                Ok(0) => break,
                Ok(taken) => taken,
                Err(Errno::INTR) => continue,
                Err(error) => return Err(End::Failed(error.into())),
            };
            self.held.fill(taken);
            self.write_held()?;
            length = length.saturating_sub(taken);
        }
        Ok(())
    }
}
