//! A conversation as hexadecimal, written by a thread of its own: a reader that is slow must hold
//! up the conversation, not the event loop.

use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use tokio::sync::{mpsc, watch};

use crate::error::{Action, Error, Result};
use crate::sys;

/// Pieces that may wait for the writer.
const QUEUE: usize = 8;

/// Room for what one turn of a loop may add without asking again.
const KEPT: usize = 2;

/// Bytes on a line.
const WIDTH: usize = 16;

/// Which way bytes went.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Way {
    /// To the peer: `>`.
    Sent,
    /// From the peer: `<`.
    Received,
}

/// Writes down what goes over a connection: direction, offset, bytes, characters.
#[derive(Debug)]
pub struct Dump {
    name: String,
    /// Nothing is the end.
    pieces: mpsc::Sender<Option<Vec<u8>>>,
    fate: watch::Receiver<Fate>,
    sent: AtomicU64,
    received: AtomicU64,
}

/// What has become of the writer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fate {
    /// It writes.
    Open,
    /// It has written everything.
    Written,
    /// It failed: the error number, or none.
    Failed(Option<i32>),
}

impl Dump {
    /// Into this file, which errors call by this name.
    ///
    /// # Errors
    /// The system has no room for a thread.
    pub fn into(file: OwnedFd, name: String) -> io::Result<Self> {
        let (pieces, mut queue) = mpsc::channel::<Option<Vec<u8>>>(QUEUE);
        let (teller, fate) = watch::channel(Fate::Open);
        let write = move || {
            while let Some(Some(piece)) = queue.blocking_recv() {
                if let Err(error) = sys::write_all(&file, &piece) {
                    return Fate::Failed(error.raw_os_error());
                }
            }
            // A network file system says only now what it could not store.
            match sys::close(file) {
                Ok(()) => Fate::Written,
                Err(error) => Fate::Failed(error.raw_os_error()),
            }
        };
        thread::Builder::new().spawn(move || teller.send(write()))?;
        Ok(Self {
            name,
            pieces,
            fate,
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
        })
    }

    /// Writes these bytes down. There must be room.
    pub(super) fn record(&self, way: Way, bytes: &[u8]) {
        let (mark, count) = match way {
            Way::Sent => ('>', &self.sent),
            Way::Received => ('<', &self.received),
        };
        let offset = count.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        let mut text = Vec::new();
        lines(&mut text, mark, offset, bytes);
        // A writer that has failed takes no more, and says so by its fate.
        let _ = self.pieces.try_send(Some(text));
    }

    /// Writes datagrams down that came together, each from the beginning of a line; one without a
    /// byte has a line, too. There must be room.
    pub(super) fn record_datagrams<'a>(&self, datagrams: impl Iterator<Item = &'a [u8]>) {
        let mut text = Vec::new();
        for datagram in datagrams {
            let length = datagram.len() as u64;
            let offset = self.received.fetch_add(length, Ordering::Relaxed);
            if datagram.is_empty() {
                line(&mut text, '<', offset, datagram);
            }
            lines(&mut text, '<', offset, datagram);
        }
        let _ = self.pieces.try_send(Some(text));
    }

    /// Whether more may be recorded.
    pub(super) fn has_room(&self) -> bool {
        self.pieces.is_closed() || self.pieces.capacity() >= KEPT
    }

    /// Waits until there is room, or the writer has failed: never less than the truth is told.
    pub(super) async fn room(&self) -> Result<()> {
        tokio::select! {
            biased;
            error = self.failed() => Err(error),
            _ = self.pieces.reserve_many(KEPT) => Ok(()),
        }
    }

    /// Waits until the writer has failed; for ever if it does not.
    pub(super) async fn failed(&self) -> Error {
        let mut fate = self.fate.clone();
        loop {
            if let Fate::Failed(errno) = *fate.borrow_and_update() {
                return self.error(errno);
            }
            if fate.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Waits until everything is written; nothing is recorded any more.
    ///
    /// # Errors
    /// It could not be.
    pub async fn finish(&self) -> Result<()> {
        let _ = self.pieces.send(None).await;
        let mut fate = self.fate.clone();
        let last = fate.wait_for(|fate| *fate != Fate::Open).await;
        match last.map_or(Fate::Failed(None), |fate| *fate) {
            Fate::Failed(errno) => Err(self.error(errno)),
            Fate::Open | Fate::Written => Ok(()),
        }
    }

    /// The error of a writer that failed with this number.
    fn error(&self, errno: Option<i32>) -> Error {
        let unknown = || io::ErrorKind::WriteZero.into();
        let cause = errno.map_or_else(unknown, io::Error::from_raw_os_error);
        Error::new(Action::Dump, &self.name, cause)
    }
}

/// Waits until the dump has failed, or has room where that is waited for.
pub(super) async fn news(dump: Option<&Dump>, wants_room: bool) -> Result<()> {
    match dump {
        None => std::future::pending().await,
        Some(dump) if wants_room => dump.room().await,
        Some(dump) => Err(dump.failed().await),
    }
}

/// Adds bytes as lines of 16: `> 00000010 68 65 6c 6c 6f 0a   # hello.`
fn lines(text: &mut Vec<u8>, mark: char, offset: u64, bytes: &[u8]) {
    text.reserve(bytes.len().saturating_mul(5).saturating_add(80));
    let mut at = offset;
    for row in bytes.chunks(WIDTH) {
        line(text, mark, at, row);
        at = at.saturating_add(row.len() as u64);
    }
}

/// Adds one line.
fn line(text: &mut Vec<u8>, mark: char, at: u64, row: &[u8]) {
    // A vector takes whatever it is given.
    let _ = write!(text, "{mark} {at:08x}");
    for byte in row {
        text.extend([b' ', digit(byte >> 4), digit(byte & 15)]);
    }
    for _ in row.len()..WIDTH {
        text.extend(b"   ");
    }
    text.extend(b" # ");
    text.extend(row.iter().map(|byte| shown(*byte)));
    text.push(b'\n');
}

/// Four bits as a hexadecimal digit. Formatting each byte would take ten times as long.
fn digit(bits: u8) -> u8 {
    let digit = b"0123456789abcdef".get(usize::from(bits));
    digit.copied().unwrap_or(b'?')
}

/// A byte as a character that every terminal takes.
fn shown(byte: u8) -> u8 {
    match byte {
        b' '..=b'~' => byte,
        _ => b'.',
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The lines as text.
    fn lines(mark: char, offset: u64, bytes: &[u8]) -> String {
        let mut text = Vec::new();
        super::lines(&mut text, mark, offset, bytes);
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn lines_look_like_those_of_nc() {
        let expected = "\
> 00000ff8 00 1b 20 7e 7f ff 67 68 69 6a 6b 6c 6d 6e 6f 70 # .. ~..ghijklmnop
> 00001008 0a                                              # .
";
        assert_eq!(lines('>', 0xff8, b"\0\x1b ~\x7f\xffghijklmnop\n"), expected);
        assert_eq!(
            lines('<', 1 << 33, b"a").split(' ').nth(1),
            Some("200000000")
        );
        assert_eq!(lines('<', 0, b""), "");
    }

    proptest! {
        #[test]
        fn the_bytes_can_be_read_back(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let mut back = Vec::new();
            for line in lines('<', 0, &bytes).lines() {
                let (address, rest) = line.strip_prefix("< ").unwrap().split_once(' ').unwrap();
                prop_assert_eq!(usize::from_str_radix(address, 16).unwrap(), back.len());
                let hex = &rest[..WIDTH * 3 - 1];
                let read = |word| u8::from_str_radix(word, 16).unwrap();
                back.extend(hex.split_whitespace().map(read));
            }
            prop_assert_eq!(back, bytes);
        }
    }
}
