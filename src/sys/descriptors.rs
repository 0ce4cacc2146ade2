//! Descriptors that we inherited: asked and used, never changed (O_NONBLOCK belongs to everybody
//! who shares the description).
#![allow(unsafe_code)]

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, fstat};
use rustix::io::{Errno, retry_on_intr};
use rustix::process::{Resource, getpgrp, getrlimit, setrlimit};

use super::{closed_at_start, forget_closed, write_now};

/// How often a terminal is asked whether it is ours again.
const FOREGROUND_LOOK: Duration = Duration::from_millis(100);

/// What stdin is, as far as it changes how a conversation ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StdinKind {
    /// A regular file: its end is the end of the data, even at once.
    File,
    /// A pipe, a socket, `/dev/null` or another device.
    Stream,
    /// A terminal: somebody is typing.
    Terminal,
}

/// Looks at descriptor 0.
pub(crate) fn stdin_kind() -> StdinKind {
    let stdin = rustix::stdio::stdin();
    if rustix::termios::isatty(stdin) {
        return StdinKind::Terminal;
    }
    match fstat(stdin) {
        Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile => {
            StdinKind::File
        }
        _ => StdinKind::Stream,
    }
}

/// Whether this is a terminal.
pub(crate) fn is_terminal(descriptor: impl AsFd) -> bool {
    rustix::termios::isatty(descriptor)
}

/// How many lines this terminal shows, if it is one that says so.
pub(crate) fn terminal_lines(terminal: impl AsFd) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(terminal).ok()?;
    Some(usize::from(size.ws_row)).filter(|lines| *lines > 0)
}

/// How many columns this terminal shows, if it is one that says so.
pub(crate) fn terminal_columns(terminal: impl AsFd) -> Option<u16> {
    let size = rustix::termios::tcgetwinsize(terminal).ok()?;
    Some(size.ws_col).filter(|columns| *columns > 0)
}

/// Whether this is a pipe or a socket: somebody else's program is at its other end.
pub(crate) fn is_channel(descriptor: impl AsFd) -> bool {
    let kind = fstat(descriptor).map(|stat| FileType::from_raw_mode(stat.st_mode));
    matches!(kind, Ok(FileType::Fifo | FileType::Socket))
}

/// Whether both are one file.
pub(crate) fn are_same(one: impl AsFd, other: impl AsFd) -> bool {
    let place = |file| fstat(file).map(|stat| (stat.st_dev, stat.st_ino));
    match (place(one.as_fd()), place(other.as_fd())) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

/// How many bytes stdin has from where it stands to its end, where it is a regular file that says
/// so: those of `/proc` have a size of 0, whatever they hold.
pub(crate) fn input_left() -> Option<u64> {
    let place = stdin_place().filter(|place| place.size > 0)?;
    Some(place.size.saturating_sub(place.offset))
}

/// How long a file is, and where it is read next, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) size: u64,
    pub(crate) offset: u64,
}

/// Where stdin stands, if it is a regular file.
pub(crate) fn stdin_place() -> Option<Place> {
    let stdin = rustix::stdio::stdin();
    let stat = fstat(stdin).ok()?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return None;
    }
    let size = u64::try_from(stat.st_size).ok()?;
    let offset = rustix::fs::seek(stdin, rustix::fs::SeekFrom::Current(0)).ok()?;
    Some(Place { size, offset })
}

/// Whether we may read from or draw on this terminal: our process group is its foreground one.
/// What is no terminal of ours is nobody's foreground, and free.
pub(crate) fn foreground(terminal: impl AsFd) -> bool {
    rustix::termios::tcgetpgrp(terminal).map_or(true, |group| group == getpgrp())
}

/// The soft limit on open files before it was raised; 0 where it was not, or there was none.
static FILES_BEFORE: AtomicU64 = AtomicU64::new(0);

/// Raises the soft limit on open files to the hard one.
pub(crate) fn raise_open_files() {
    let mut limit = getrlimit(Resource::Nofile);
    let before = limit.current;
    limit.current = limit.maximum;
    // Refused, the old limit stands, and what it forbids is reported where it happens.
    if setrlimit(Resource::Nofile, limit).is_ok() {
        let _ = FILES_BEFORE.compare_exchange(
            0,
            before.unwrap_or(0),
            Ordering::Relaxed,
            Ordering::Relaxed,
        );
    }
}

/// Gives the soft limit on open files its old value.
pub(crate) fn restore_open_files() {
    let before = FILES_BEFORE.load(Ordering::Relaxed);
    if before > 0 {
        let mut limit = getrlimit(Resource::Nofile);
        limit.current = Some(before);
        let _ = setrlimit(Resource::Nofile, limit);
    }
}

/// The soft limit on open files.
pub(crate) fn open_files() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}

/// How many descriptors are open below this limit, as far as it is worth looking.
pub(crate) fn descriptors_in_use(limit: u64) -> u64 {
    const WORTH: u64 = 4096;
    let numbers = 0..RawFd::try_from(limit.min(WORTH)).unwrap_or(0);
    // SAFETY: F_GETFD asks for the flags of a number, open or not.
    let open = numbers.filter(|number| unsafe { libc::fcntl(*number, libc::F_GETFD) } != -1);
    open.count() as u64
}

/// The index of the interface of this name.
pub(crate) fn interface_index(name: &str) -> Option<u32> {
    let name = CString::new(name).ok()?;
    // SAFETY: the name ends with NUL and lives until the call is over.
    let index = unsafe { libc::if_nametoindex(name.as_ptr()) };
    (index != 0).then_some(index)
}

/// What the interface with this number is called, if there is one.
pub(crate) fn interface_name(index: u32) -> Option<String> {
    let mut name = [0; libc::IF_NAMESIZE];
    // SAFETY: there is room for IF_NAMESIZE bytes, the last of which is NUL (if_indextoname(3)).
    let found = unsafe { libc::if_indextoname(index, name.as_mut_ptr().cast()) };
    if found.is_null() {
        return None;
    }
    let name = CStr::from_bytes_until_nul(&name).ok()?;
    Some(name.to_str().ok()?.to_owned())
}

/// Reads from stdin, whatever somebody set on the shared description: EAGAIN waits. A terminal is
/// read in its foreground alone; 0 is the end.
pub(crate) fn read_stdin(buffer: &mut [u8]) -> io::Result<usize> {
    let stdin = rustix::stdio::stdin();
    loop {
        match rustix::io::read(stdin, &mut *buffer) {
            Ok(length) => return Ok(length),
            Err(Errno::AGAIN) => wait_for(stdin, PollFlags::IN)?,
            Err(Errno::INTR) => {}
            // With SIGTTIN ignored a background read fails with EIO (termios(3)).
            Err(Errno::IO) if !foreground(stdin) => std::thread::sleep(FOREGROUND_LOOK),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Whether stdin has something to read right now.
pub(crate) fn input_waits() -> bool {
    let seen = poll_now(rustix::stdio::stdin(), PollFlags::IN);
    seen.is_ok_and(|seen| seen.contains(PollFlags::IN))
}

/// Writes all of it to stdout.
pub(crate) fn write_stdout(bytes: &[u8]) -> io::Result<()> {
    if was_closed(libc::STDOUT_FILENO) && !bytes.is_empty() {
        return Err(Errno::BADF.into());
    }
    write_all(&rustix::stdio::stdout(), bytes)
}

/// Writes all of it to stderr.
pub(crate) fn write_stderr(bytes: &[u8]) -> io::Result<()> {
    write_all(&rustix::stdio::stderr(), bytes)
}

/// Writes to stderr what it takes without waiting for anybody. How much that is of a terminal nobody
/// can tell, and none is written.
pub(crate) fn write_stderr_now(bytes: &[u8]) -> io::Result<usize> {
    let stderr = rustix::stdio::stderr();
    let mode = fstat(stderr).map(|stat| FileType::from_raw_mode(stat.st_mode));
    match mode {
        Ok(FileType::Fifo | FileType::Socket) => write_now(stderr, bytes),
        Ok(FileType::CharacterDevice) if is_terminal(stderr) => {
            Err(io::ErrorKind::WouldBlock.into())
        }
        _ => write_all(&stderr, bytes).map(|()| bytes.len()),
    }
}

/// Whether stderr takes a line at once: a stopped terminal or a full pipe does not.
pub(crate) fn stderr_has_room() -> bool {
    let seen = poll_now(rustix::stdio::stderr(), PollFlags::OUT);
    seen.is_ok_and(|seen| !seen.is_empty())
}

/// Writes all of it, whatever somebody set on the shared description: EAGAIN waits.
pub(crate) fn write_all(to: &impl AsFd, mut bytes: &[u8]) -> io::Result<()> {
    let to = to.as_fd();
    while !bytes.is_empty() {
        match rustix::io::write(to, bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(Errno::AGAIN) => wait_for(to, PollFlags::OUT)?,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// What a descriptor shows now of what is wanted, and of errors and hang-ups in any case.
pub(crate) fn poll_now(descriptor: BorrowedFd<'_>, wanted: PollFlags) -> io::Result<PollFlags> {
    let mut polled = [PollFd::from_borrowed_fd(descriptor, wanted)];
    retry_on_intr(|| poll(&mut polled, Some(&Timespec::default())))?;
    let [shown] = polled;
    Ok(shown.revents())
}

/// Blocks until a read or write would be taken or fail.
fn wait_for(descriptor: BorrowedFd<'_>, what: PollFlags) -> io::Result<()> {
    let mut polled = [PollFd::new(&descriptor, what)];
    match poll(&mut polled, None) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Whether this number was closed when the process began, and is nothing since.
pub(crate) fn was_closed(number: RawFd) -> bool {
    closed_at_start().any(|closed| closed == number)
}

/// The description behind a descriptor that we may have inherited, by its number. What goes with
/// execve(2) was not inherited, but is what we opened since.
///
/// # Errors
/// There is none (`EBADF`).
pub(crate) fn inherited(number: RawFd) -> io::Result<OwnedFd> {
    if was_closed(number) {
        return Err(Errno::BADF.into());
    }
    // SAFETY: fcntl(2) takes any number, and what it returns is a new descriptor of our own.
    unsafe {
        match libc::fcntl(number, libc::F_GETFD) {
            -1 => return Err(io::Error::last_os_error()),
            flags if flags & libc::FD_CLOEXEC != 0 => return Err(Errno::BADF.into()),
            _ => {}
        }
        match libc::fcntl(number, libc::F_DUPFD_CLOEXEC, 3) {
            -1 => Err(io::Error::last_os_error()),
            copy => Ok(OwnedFd::from_raw_fd(copy)),
        }
    }
}

/// Puts another description in the place of stdin; that it was closed is no matter any more.
pub(crate) fn replace_stdin(with: impl AsFd) -> io::Result<()> {
    rustix::stdio::dup2_stdin(with)?;
    forget_closed(libc::STDIN_FILENO);
    Ok(())
}

/// Puts another description in the place of stdout, likewise.
pub(crate) fn replace_stdout(with: impl AsFd) -> io::Result<()> {
    rustix::stdio::dup2_stdout(with)?;
    forget_closed(libc::STDOUT_FILENO);
    Ok(())
}

/// What stdout is, as far as it changes how it is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum StdoutKind {
    /// A file or a device: a write takes as long as it takes.
    File,
    /// A pipe.
    Pipe,
    /// A socket.
    Socket,
}

impl StdoutKind {
    /// Whether there is a reader that can be slow, or go away.
    pub(crate) fn has_reader(self) -> bool {
        self != Self::File
    }
}

/// Looks at descriptor 1.
pub(crate) fn stdout_kind() -> StdoutKind {
    let mode = fstat(rustix::stdio::stdout()).map(|stat| FileType::from_raw_mode(stat.st_mode));
    match mode {
        Ok(FileType::Fifo) => StdoutKind::Pipe,
        Ok(FileType::Socket) => StdoutKind::Socket,
        _ => StdoutKind::File,
    }
}

/// Writes at most as much as a pipe with room takes without blocking (pipe(7), `PIPE_BUF`).
pub(crate) fn write_piece(to: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<usize> {
    if poll_now(to, PollFlags::OUT)?.is_empty() {
        return Err(io::ErrorKind::WouldBlock.into());
    }
    let piece = bytes
        .get(..bytes.len().min(libc::PIPE_BUF))
        .unwrap_or_default();
    Ok(rustix::io::write(to, piece)?)
}

/// Closes a file, and tells what only that finds out: that a network file system could not store
/// what was written.
pub(crate) fn close(file: impl IntoRawFd) -> io::Result<()> {
    // SAFETY: the descriptor is ours alone and is not used again; a close that fails has closed
    // all the same.
    match unsafe { libc::close(file.into_raw_fd()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Closes stdout towards its reader, and keeps the number taken so that no socket gets it.
///
/// The last owner of a description learns at close what a network file system could not store.
pub(crate) fn close_stdout() -> io::Result<()> {
    let last = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdout(), 0)?;
    let null = std::fs::OpenOptions::new().write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdout(&null)?;
    close(last)
}
