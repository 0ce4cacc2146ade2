//! Input as datagrams.

use std::io::{self, IoSlice};

use super::Input;
use crate::error::{Action, Error, Result};
use crate::net::{Correspondent, DatagramSocket};

/// The most payload of one datagram that passes an Ethernet without being cut, tunnels included.
const ORDINARY: usize = 1400;

/// What no datagram holds; a line that is longer never ends.
const LONGEST_LINE: usize = 1024 * 1024;

/// As many lines go in one call at most.
const LINES: usize = 32;

/// Where one datagram ends and the next one begins.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Cut {
    /// After so many bytes, and at the end of what was read together.
    Every(usize),
    /// After the end of each line, which belongs to it.
    Lines,
}

impl Default for Cut {
    fn default() -> Self {
        Self::Every(ORDINARY)
    }
}

impl Cut {
    /// How many bytes belong together.
    pub(super) fn unit(self) -> usize {
        match self {
            Self::Every(bytes) => bytes,
            Self::Lines => 1,
        }
    }

    /// How long the first datagram of these bytes is; 0 of none. It looks no further than that, for
    /// it is asked again for each.
    fn first(self, bytes: &[u8]) -> usize {
        match self {
            Self::Every(size) => bytes.len().min(size.max(1)),
            Self::Lines => {
                let end = bytes.iter().position(|byte| *byte == b'\n');
                end.map_or(bytes.len(), |end| end.saturating_add(1))
            }
        }
    }
}

/// Input that goes out in datagrams.
pub(crate) struct Letters<'a> {
    input: &'a mut Input,
    cut: Cut,
    /// With lines: what was read, what of it has gone, and where its last whole line ends.
    held: Vec<u8>,
    gone: usize,
    whole: usize,
    over: bool,
}

impl<'a> Letters<'a> {
    /// This input, in the datagrams that it is meant to become.
    pub(crate) fn of(input: &'a mut Input) -> Self {
        Self {
            cut: input.cut(),
            input,
            held: Vec::new(),
            gone: 0,
            whole: 0,
            over: false,
        }
    }

    /// Waits for more; `false` is the end. Nothing may be ready to go before.
    ///
    /// # Errors
    /// The input cannot be read, or a line has no end.
    pub(crate) async fn fill(&mut self) -> Result<bool> {
        let more = !self.over && self.input.fill().await?;
        self.over = !more;
        if self.cut == Cut::Lines {
            self.take_lines()?;
        }
        Ok(more)
    }

    /// Takes what was read to what was left of the last line.
    fn take_lines(&mut self) -> Result<()> {
        self.held.drain(..self.gone);
        self.gone = 0;
        let pending = self.input.take_pending();
        let end = pending.iter().rposition(|byte| *byte == b'\n');
        let end = end.map(|at| self.held.len().saturating_add(at).saturating_add(1));
        self.held.extend_from_slice(&pending);
        self.whole = match end {
            // The last line needs no end.
            _ if self.over => self.held.len(),
            end => end.unwrap_or(0),
        };
        if self.whole == 0 && self.held.len() > LONGEST_LINE {
            let problem = "a line is longer than any datagram".to_owned();
            return Err(Error::new(Action::Read, "stdin", problem));
        }
        Ok(())
    }

    /// What is ready to go.
    fn ready(&self) -> &[u8] {
        match self.cut {
            Cut::Every(_) => self.input.pending(),
            Cut::Lines => self.held.get(self.gone..self.whole).unwrap_or_default(),
        }
    }

    /// Whether nothing is ready to go.
    pub(crate) fn is_empty(&self) -> bool {
        self.ready().is_empty()
    }

    /// The next datagram; empty if there is none.
    pub(crate) fn next(&self) -> &[u8] {
        self.datagrams().next().unwrap_or_default()
    }

    /// All that are ready to go.
    fn datagrams(&self) -> impl Iterator<Item = &[u8]> {
        let mut left = self.ready();
        std::iter::from_fn(move || {
            let (first, rest) = left.split_at_checked(self.cut.first(left))?;
            left = rest;
            (!first.is_empty()).then_some(first)
        })
    }

    /// The first bytes that are ready to go.
    pub(super) fn front(&self, bytes: usize) -> &[u8] {
        self.ready().get(..bytes).unwrap_or_default()
    }

    /// Sends as many as the system takes at once: how many bytes.
    pub(super) fn send(
        &self,
        socket: &DatagramSocket,
        to: Option<&Correspondent>,
    ) -> io::Result<usize> {
        if let Cut::Every(size) = self.cut {
            return socket.send_cut(self.ready(), size, to);
        }
        let lines: Vec<_> = self.datagrams().take(LINES).map(IoSlice::new).collect();
        let taken = socket.send_each(&lines, to)?;
        Ok(lines.iter().take(taken).map(|line| line.len()).sum())
    }

    /// Takes note that this much has gone.
    pub(crate) fn pass(&mut self, bytes: usize) {
        match self.cut {
            Cut::Every(_) => self.input.pass(bytes),
            Cut::Lines => self.gone = self.gone.saturating_add(bytes).min(self.whole),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_datagram_ends_where_its_cut_says() {
        let every = Cut::Every(3);
        assert_eq!([every.first(b"abcdef"), every.first(b"ab")], [3, 2]);
        let lines = Cut::Lines;
        assert_eq!([lines.first(b"ab\nc\n"), lines.first(b"\n\n")], [3, 1]);
        assert_eq!([lines.first(b"abc"), lines.first(b"")], [3, 0]);
        assert_eq!([Cut::Every(0).first(b"ab"), every.first(b"")], [1, 0]);
    }
}
