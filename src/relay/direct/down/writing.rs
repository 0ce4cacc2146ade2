//! What was received, into stdout: as much as its reader takes, and what is learnt from it.

use std::io;
use std::os::fd::AsFd;
use std::sync::atomic::Ordering;

use rustix::event::PollFlags;
use rustix::io::Errno;

use super::{BULK, BULK_READS, Down, End, Through};
use crate::net::Proto;
use crate::relay::attention::Mode;
use crate::relay::direct::Ways;
use crate::sys;

impl Down {
    /// Writes the front of the buffer to stdout, and learns from its size.
    pub(super) fn write(&mut self, length: usize) -> Result<(), End> {
        let is_full = self.held.fill(length);
        self.write_held()?;
        self.learn(length, is_full);
        Ok(())
    }

    /// Writes what was received and is not yet written.
    pub(super) fn write_held(&mut self) -> Result<(), End> {
        while !self.write_held_now()? {
            self.wait_for_room()?;
        }
        Ok(())
    }

    /// Writes what stdout takes at once of what was received; true if that was all.
    pub(in crate::relay::direct) fn write_held_now(&mut self) -> Result<bool, End> {
        while !self.held.is_empty() {
            let bytes = self.held.bytes();
            if !self.stdout.has_reader() {
                sys::write_stdout(bytes).map_err(End::Failed)?;
                break;
            }
            match self.write_now(bytes) {
                Ok(written) => self.held.pass(written),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(End::Failed(error)),
            }
        }
        self.held.release();
        Ok(true)
    }

    /// Writes what the reader of stdout takes at once.
    fn write_now(&self, bytes: &[u8]) -> io::Result<usize> {
        match self.work.ways {
            Ways::Best => sys::write_now(rustix::stdio::stdout(), bytes),
            Ways::Portable => sys::write_piece(rustix::stdio::stdout(), bytes),
        }
    }

    /// Many large reads in a row begin the bulk phase.
    fn learn(&mut self, length: usize, is_full: bool) {
        self.splicing.note_read(is_full);
        self.large_reads = if length >= BULK / 2 {
            self.large_reads.saturating_add(1)
        } else {
            0
        };
        let may = self.work.ways == Ways::Best && self.work.proto == Proto::Tcp;
        if may && !self.is_bulk && self.large_reads >= BULK_READS && !self.stdout.has_reader() {
            self.is_bulk = sys::set_receive_low_water(self.work.socket.as_fd(), BULK);
            self.through = self.through.take().or_else(Through::new);
        }
    }

    /// Waits until stdout takes more.
    pub(super) fn wait_for_room(&mut self) -> Result<(), End> {
        self.work.shared.is_stalled.store(true, Ordering::Relaxed);
        let [room] = self.wait([(rustix::stdio::stdout(), PollFlags::OUT)], None)?;
        self.work.shared.is_stalled.store(false, Ordering::Relaxed);
        self.work.shared.meter.note_move();
        if room.contains(PollFlags::ERR) {
            return Err(End::Failed(Errno::PIPE.into()));
        }
        if self.work.attention.mode() == Mode::Stop {
            Err(End::Ordered)
        } else {
            Ok(())
        }
    }
}
