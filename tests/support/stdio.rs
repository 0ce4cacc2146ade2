//! What a program inherits as its standard descriptors.

use std::fs::File;
use std::io::{self, Cursor, PipeReader, PipeWriter, Read};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;

use super::data::Pattern;
use super::watch::Watched;

/// Standard input.
pub(crate) enum Input {
    /// A pipe that a thread fills and then closes.
    Source(Box<dyn Read + Send>),
    /// A pipe that has all of this in it, and has been closed, before the program begins. It must fit.
    Filled(Vec<u8>),
    /// A regular file.
    File(PathBuf),
    /// `/dev/null`.
    Null,
    /// A pipe whose other end the test keeps: `Running::stdin`.
    Open,
    /// A descriptor of the test's own: the slave of a terminal, a socket.
    Fd(OwnedFd),
}

impl Input {
    /// What the child gets, and the end that the test keeps.
    pub(crate) fn open(self) -> (Stdio, Option<PipeWriter>) {
        match self {
            Self::Null => (Stdio::null(), None),
            Self::File(path) => (File::open(path).expect("the input file").into(), None),
            Self::Fd(fd) => (fd.into(), None),
            Self::Open => {
                let (reader, writer) = io::pipe().expect("a pipe");
                (reader.into(), Some(writer))
            }
            Self::Filled(bytes) => {
                let (reader, mut writer) = io::pipe().expect("a pipe");
                if bytes.len() > room(&writer) {
                    rustix::pipe::fcntl_setpipe_size(&writer, bytes.len()).expect("a wide pipe");
                }
                io::Write::write_all(&mut writer, &bytes).expect("room in the pipe");
                (reader.into(), None)
            }
            Self::Source(source) => {
                let (reader, writer) = io::pipe().expect("a pipe");
                thread::spawn(move || feed(source, writer));
                (reader.into(), None)
            }
        }
    }
}

/// What a pipe usually has room for.
const USUAL_ROOM: usize = 65_536;

/// What this one has room for.
fn room(pipe: &PipeWriter) -> usize {
    rustix::pipe::fcntl_getpipe_size(pipe).expect("a pipe")
}

/// Writes all of `source`; a program that does not read it to the end is no concern of the feeder.
fn feed(mut source: Box<dyn Read + Send>, mut pipe: PipeWriter) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = source.read(&mut buffer) {
        if io::Write::write_all(&mut pipe, &buffer[..count]).is_err() {
            return;
        }
    }
}

impl From<&[u8]> for Input {
    fn from(bytes: &[u8]) -> Self {
        if bytes.len() <= USUAL_ROOM {
            return Self::Filled(bytes.to_vec());
        }
        Self::Source(Box::new(Cursor::new(bytes.to_vec())))
    }
}

impl From<&str> for Input {
    fn from(text: &str) -> Self {
        text.as_bytes().into()
    }
}

impl From<Pattern> for Input {
    fn from(pattern: Pattern) -> Self {
        if pattern.length() <= USUAL_ROOM as u64 {
            return Self::Filled(pattern.to_vec());
        }
        Self::Source(Box::new(pattern))
    }
}

impl From<&Path> for Input {
    fn from(path: &Path) -> Self {
        Self::File(path.to_owned())
    }
}

impl From<OwnedFd> for Input {
    fn from(fd: OwnedFd) -> Self {
        Self::Fd(fd)
    }
}

/// Standard output.
pub(crate) enum Output {
    /// A pipe that is read to its end and kept.
    Captured,
    /// A pipe that is read to its end; only count and hash are kept.
    Hashed,
    /// A new file.
    File(PathBuf),
    /// `/dev/null`.
    Null,
    /// `/dev/full`: every write fails for want of space.
    Full,
    /// A pipe whose reader is gone already.
    Broken,
    /// A pipe whose other end the test keeps: `Running::stdout`.
    Open,
    /// A descriptor of the test's own.
    Fd(OwnedFd),
}

/// The test's side of standard output.
pub(crate) enum Outlet {
    /// Nothing to see.
    None,
    /// Read in the background.
    Watched(Watched),
    /// Read by the test.
    Kept(PipeReader),
}

impl Output {
    /// What the child gets, and what the test sees of it.
    pub(crate) fn open(self) -> (Stdio, Outlet) {
        match self {
            Self::Null => (Stdio::null(), Outlet::None),
            Self::File(path) => (
                File::create(path).expect("the output file").into(),
                Outlet::None,
            ),
            Self::Full => (
                File::create("/dev/full").expect("/dev/full").into(),
                Outlet::None,
            ),
            Self::Fd(fd) => (fd.into(), Outlet::None),
            Self::Captured => piped(|reader| Outlet::Watched(Watched::keep(reader))),
            Self::Hashed => piped(|reader| Outlet::Watched(Watched::hash(reader))),
            Self::Open => piped(Outlet::Kept),
            Self::Broken => piped(|_| Outlet::None),
        }
    }
}

/// A pipe whose reading end goes where `side` says.
fn piped(side: impl FnOnce(PipeReader) -> Outlet) -> (Stdio, Outlet) {
    let (reader, writer) = io::pipe().expect("a pipe");
    (writer.into(), side(reader))
}

/// Standard error.
pub(crate) enum Errors {
    /// A pipe that is read line by line and shown when a test fails.
    Captured,
    /// A descriptor of the test's own: the slave of a terminal.
    Fd(OwnedFd),
}

impl Errors {
    /// What the child gets, and what the test sees of it.
    pub(crate) fn open(self) -> (Stdio, Option<Watched>) {
        match self {
            Self::Fd(fd) => (fd.into(), None),
            Self::Captured => {
                let (reader, writer) = io::pipe().expect("a pipe");
                (writer.into(), Some(Watched::keep(reader)))
            }
        }
    }
}
