//! Between the socket and what is read from stdin or goes to stdout: one call each way, and what is
//! noted of its bytes.

use std::io;
use std::time::Instant;

use super::{LARGEST_READ, Looped, Phase};
use crate::net::Stream;
use crate::relay::Way;
use crate::relay::halves::{Halves, Watching};
use crate::relay::mover::{News, is_passing};

impl<'a> Watching<'a> for Looped<'a> {
    fn stream(&self) -> &Stream {
        &self.stream
    }

    fn halves(&mut self) -> &mut Halves<'a> {
        &mut self.halves
    }

    fn has_room(&self) -> bool {
        self.room(self.halves.has_room(), self.has_dump_room())
    }

    fn receive(&mut self) -> News {
        let now = Instant::now();
        if !self.halves.reads_peer || !self.has_room() || self.held_until(now).is_some() {
            return News::Moved;
        }
        let mut readable = self.readable();
        if self.phase == Phase::Talking {
            readable = readable.min(self.down.portion(now));
        }
        let buffer = self.buffer.get_mut(..readable).unwrap_or_default();
        match self.stream.try_read(buffer) {
            Ok(0) => match self.failure.take() {
                Some(error) => {
                    self.halves.reads_peer = false;
                    News::Broken(error)
                }
                None => self.halves.of_peers_end(),
            },
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
                    self.halves.count_sent(sent);
                    self.input.pass(length);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn receive_held(&mut self) -> io::Result<usize> {
        let readable = self.readable();
        let buffer = self.buffer.get_mut(..readable).unwrap_or_default();
        let length = self.stream.read_now(buffer)?;
        self.pass_on(length);
        Ok(length)
    }
}

impl Looped<'_> {
    /// Gives received bytes to stdout, unless we are leaving.
    fn pass_on(&mut self, length: usize) {
        if let (Some(most), Phase::Talking | Phase::Rescuing) = (&mut self.most, self.phase) {
            *most = most.saturating_sub(length as u64);
        } else if self.most.is_some() {
            // More than was wanted is neither written nor counted.
            return;
        }
        let bytes = self.buffer.get(..length).unwrap_or_default();
        let keeps = self.phase != Phase::Leaving;
        if let Some(dump) = self.dump.filter(|_| keeps) {
            dump.record(Way::Received, bytes);
        }
        self.halves.pass_on(bytes, keeps);
        if length == self.buffer.len() && length < LARGEST_READ {
            self.buffer.resize(length.saturating_mul(2), 0);
        }
    }
}
