//! Between the socket and what is read from stdin or goes to stdout: one call each way, and what is
//! noted of its bytes.

use std::io;
use std::time::Instant;

use tokio::io::Ready;

use super::{LARGEST_READ, Looped, Phase};
use crate::event::Event;
use crate::relay::Way;
use crate::relay::mover::{News, is_passing};

impl Looped<'_> {
    /// Reads and writes what the socket is ready for.
    pub(super) fn use_socket(&mut self, ready: Ready) -> News {
        if ready.is_error()
            && let Some(error) = self.stream.try_error()
        {
            return News::Broken(error);
        }
        if (ready.is_writable() || ready.is_write_closed())
            && let Err(error) = self.send()
        {
            return News::Broken(error);
        }
        if ready.is_readable() || ready.is_read_closed() {
            return self.receive();
        }
        News::Moved
    }

    /// Takes what has come, and passes it on.
    fn receive(&mut self) -> News {
        let now = Instant::now();
        if !self.reads_peer || !self.has_room() || self.held_until(now).is_some() {
            return News::Moved;
        }
        let mut readable = self.readable();
        if self.phase == Phase::Talking {
            readable = readable.min(self.down.portion(now));
        }
        let buffer = self.buffer.get_mut(..readable).unwrap_or_default();
        match self.stream.try_read(buffer) {
            Ok(0) => {
                self.reads_peer = false;
                if let Some(error) = self.failure.take() {
                    return News::Broken(error);
                }
                self.close_outlet();
                News::PeerEnded
            }
            Ok(length) => {
                self.down.count(now, length);
                self.pass_on(length);
                match self.phase {
                    Phase::Talking if self.most == Some(0) => News::Enough,
                    _ => News::Moved,
                }
            }
            Err(error) if is_passing(&error) => News::Moved,
            Err(error) => News::Broken(error),
        }
    }

    /// Gives received bytes to stdout, unless we are leaving.
    fn pass_on(&mut self, length: usize) {
        if let (Some(most), Phase::Talking | Phase::Rescuing) = (&mut self.most, self.phase) {
            *most = most.saturating_sub(length as u64);
        } else if self.most.is_some() {
            // More than was wanted is neither written nor counted.
            return;
        }
        self.meter.count_received(length);
        let bytes = self.buffer.get(..length).unwrap_or_default();
        self.meter.tally_received(bytes);
        let keeps = self.phase != Phase::Leaving;
        if let Some(dump) = self.dump.filter(|_| keeps) {
            dump.record(Way::Received, bytes);
        }
        let outlet = self.outlet.as_mut().filter(|_| keeps);
        if outlet.is_some_and(|outlet| outlet.put(bytes)) {
            self.observer.notice(&Event::PayloadEscaped);
        }
        if length == self.buffer.len() && length < LARGEST_READ {
            self.buffer.resize(length.saturating_mul(2), 0);
        }
    }

    /// Gives the system what it takes of the pending input, as far as that may pass.
    fn send(&mut self) -> io::Result<()> {
        while self.has_dump_room() {
            let now = Instant::now();
            let front = self.up.front(now, self.input.pending());
            if front.is_empty() {
                break;
            }
            match self.stream.try_write(front) {
                Ok(length) => {
                    let sent = front.get(..length).unwrap_or_default();
                    if let Some(dump) = self.dump {
                        dump.record(Way::Sent, sent);
                    }
                    self.up.pass(now, sent);
                    self.meter.count_sent(length);
                    self.meter.tally_sent(sent);
                    self.input.pass(length);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads what the system still holds of a broken connection, as far as there is room for it.
    pub(super) fn read_held(&mut self) {
        while self.reads_peer && self.has_room() {
            let readable = self.readable();
            let buffer = self.buffer.get_mut(..readable).unwrap_or_default();
            match self.stream.read_now(buffer) {
                Ok(length @ 1..) => self.pass_on(length),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(0) | Err(_) => self.reads_peer = false,
            }
        }
        if !self.reads_peer && self.meter.received() > 0 {
            self.close_outlet();
        }
    }

    /// Closes stdout once everything is written.
    pub(super) fn close_outlet(&mut self) {
        if let Some(outlet) = &mut self.outlet {
            outlet.close();
        }
    }
}
