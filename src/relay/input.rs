//! stdin: read by a thread of its own, because the flag that would make it non-blocking belongs to
//! everybody who shares it.

use std::io;
use std::thread;

use tokio::sync::mpsc;

use super::extent::Extent;
use super::letters::Cut;
use super::line_ends::LineEnds;
use crate::error::{Action, Error, Result};
use crate::sys::{self, StdinKind};

/// What one read takes at first; reads that are full double it.
const FIRST_READ: usize = 16 * 1024;

/// What one read takes at most.
const LARGEST_READ: usize = 256 * 1024;

/// Our input, and the part of it that was read and not yet passed on.
#[derive(Debug)]
pub struct Input {
    kind: StdinKind,
    source: Source,
    /// How long the file was when it was first read.
    extent: Extent,
    pending: Vec<u8>,
    passed: usize,
    shape: Shape,
    /// How it becomes datagrams, if it does.
    cut: Option<Cut>,
}

/// What is made of it.
#[derive(Clone, Copy, Debug, Default)]
struct Shape {
    /// Each line end becomes CR LF.
    crlf: bool,
    /// It ends after this many bytes.
    most: Option<u64>,
    line_ends: LineEnds,
}

/// Where input comes from.
#[derive(Debug)]
enum Source {
    /// Not asked for yet.
    Untouched,
    /// A regular file, which never keeps anybody waiting for long, is read right here.
    File,
    /// A thread reads it.
    Thread(mpsc::Receiver<io::Result<Vec<u8>>>),
    /// It has ended.
    Ended,
}

impl Input {
    /// stdin, of which nothing is read before it is asked for.
    #[must_use]
    pub fn stdin() -> Self {
        let kind = sys::stdin_kind();
        Self {
            kind,
            source: Source::Untouched,
            extent: Extent::default(),
            pending: Vec::new(),
            passed: 0,
            shape: Shape::default(),
            cut: None,
        }
    }

    /// The same for datagrams: what one read takes is whole ones.
    #[must_use]
    pub fn for_datagrams(mut self, cut: Cut) -> Self {
        self.cut = Some(cut);
        self
    }

    /// Whether it becomes datagrams.
    pub(crate) fn is_for_datagrams(&self) -> bool {
        self.cut.is_some()
    }

    /// How it becomes datagrams.
    pub(super) fn cut(&self) -> Cut {
        self.cut.unwrap_or_default()
    }

    /// The same with each line end as CR LF, or with an end after so many bytes.
    #[must_use]
    pub fn shaped(mut self, crlf: bool, most: Option<u64>) -> Self {
        self.shape.crlf = crlf;
        self.shape.most = most;
        self
    }

    /// Whether somebody has to look at its bytes.
    pub(super) fn is_shaped(&self) -> bool {
        self.shape.crlf || self.shape.most.is_some()
    }

    /// What stdin is.
    #[must_use]
    pub fn kind(&self) -> StdinKind {
        self.kind
    }

    /// What was read and not passed on.
    #[must_use]
    pub fn pending(&self) -> &[u8] {
        self.pending.get(self.passed..).unwrap_or_default()
    }

    /// Takes note that this much of it was passed on.
    pub fn pass(&mut self, bytes: usize) {
        self.passed = self.passed.saturating_add(bytes).min(self.pending.len());
    }

    /// Takes what was read and not passed on.
    pub(super) fn take_pending(&mut self) -> Vec<u8> {
        let pending = self.pending().to_vec();
        self.pass(pending.len());
        pending
    }

    /// Gives back what could not be passed on.
    pub(super) fn put_back(&mut self, pending: Vec<u8>) {
        self.pending = pending;
        self.passed = 0;
    }

    /// Waits for more, which is then pending; `false` is the end. Nothing may be pending before.
    ///
    /// # Errors
    /// stdin cannot be read: a directory, a terminal that hung up.
    pub async fn fill(&mut self) -> Result<bool> {
        if self.shape.most == Some(0) {
            return Ok(false);
        }
        if let Source::Untouched = self.source {
            self.extent = Extent::of_stdin();
            let unit = self.cut.map_or(1, Cut::unit);
            self.source = match (self.kind, self.cut) {
                (StdinKind::File, Some(_)) if !self.is_shaped() => Source::File,
                _ => Source::Thread(spawn_reader(unit)),
            };
        }
        if let Source::File = self.source {
            return self.read_file().await;
        }
        let Source::Thread(chunks) = &mut self.source else {
            return Ok(false);
        };
        match chunks.recv().await {
            Some(Ok(chunk)) => {
                self.pending = self.shape.given(chunk);
                self.passed = 0;
                Ok(true)
            }
            None => {
                self.source = Source::Ended;
                self.extent.check_end()?;
                Ok(false)
            }
            Some(Err(error)) => {
                self.source = Source::Ended;
                Err(Error::new(Action::Read, "stdin", error))
            }
        }
    }
}

impl Input {
    /// Reads a piece of the file into the room that the last one had.
    async fn read_file(&mut self) -> Result<bool> {
        // Nothing here ever waits, and others of this thread have their turn.
        tokio::task::coop::consume_budget().await;
        let size = whole_units(LARGEST_READ, self.cut().unit());
        self.pending.resize(size, 0);
        self.passed = 0;
        let read = sys::read_stdin(&mut self.pending);
        self.pending.truncate(*read.as_ref().unwrap_or(&0));
        if !matches!(read, Ok(1..)) {
            self.source = Source::Ended;
        }
        let length = read.map_err(|error| Error::new(Action::Read, "stdin", error))?;
        if length == 0 {
            self.extent.check_end()?;
        }
        Ok(length > 0)
    }
}

/// The largest number of whole units in so many bytes, and one at least.
fn whole_units(bytes: usize, unit: usize) -> usize {
    let units = bytes.checked_div(unit).unwrap_or(bytes).max(1);
    units.saturating_mul(unit.max(1))
}

impl Shape {
    /// What becomes of these bytes.
    fn given(&mut self, chunk: Vec<u8>) -> Vec<u8> {
        let mut bytes = if self.crlf {
            self.line_ends.turned(&chunk)
        } else {
            chunk
        };
        if let Some(most) = &mut self.most {
            bytes.truncate(usize::try_from(*most).unwrap_or(usize::MAX));
            *most = most.saturating_sub(bytes.len() as u64);
        }
        bytes
    }
}

/// Starts the thread that reads. It ends with stdin or with whoever listens to it; a read in
/// progress cannot be cancelled, and ends with the process. A read takes whole units.
fn spawn_reader(unit: usize) -> mpsc::Receiver<io::Result<Vec<u8>>> {
    if unit > FIRST_READ {
        // No read of a pipe takes more than it holds.
        sys::widen_pipe(rustix::stdio::stdin());
    }
    let (chunks, receiver) = mpsc::channel(1);
    let refused = chunks.clone();
    let begun = thread::Builder::new().spawn(move || {
        let largest = whole_units(LARGEST_READ, unit);
        let mut size = whole_units(FIRST_READ, unit);
        loop {
            let mut chunk = vec![0; size];
            let read = sys::read_stdin(&mut chunk);
            let ended = matches!(read, Ok(0));
            let chunk = read.map(|length| {
                if length == size {
                    size = size.saturating_mul(2).min(largest);
                }
                chunk.truncate(length);
                chunk
            });
            let failed = chunk.is_err();
            if ended || chunks.blocking_send(chunk).is_err() || failed {
                return;
            }
        }
    });
    if let Err(error) = begun {
        // There is room for it: nobody else has sent anything.
        let _ = refused.try_send(Err(error));
    }
    receiver
}
