//! A file that output goes to: opened before anything else, so that what is wrong with it is known
//! early, and changed only when there is something to write.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::sys;

/// What becomes of a file that is there already.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Existing {
    /// It is kept, and that is an error.
    Kept,
    /// What is written is added to it.
    Extended,
    /// What it holds is lost.
    Replaced,
}

/// A file that is open. Until [`OutputFile::begin`] it holds what it held, and if it was new it is
/// removed again when this is dropped before.
#[derive(Debug)]
pub struct OutputFile {
    path: PathBuf,
    is_new: bool,
    replaces: bool,
    /// A regular file that nothing was written into yet. A pipe must not be held open.
    waiting: Mutex<Option<File>>,
}

impl OutputFile {
    /// Puts this file in the place of stdout. A symbolic link is never followed: whoever can write
    /// to the directory could have put it there. A path that stands for a descriptor that we were
    /// given, as `/dev/stdout` and what the shell makes of `>(...)` do, is that descriptor, whatever
    /// is behind it: nothing is opened, kept or emptied. `-` is stdout.
    ///
    /// # Errors
    /// It cannot be opened, is there although it must not be, or is a descriptor that nobody gave
    /// us.
    pub fn in_place_of_stdout(path: &Path, existing: Existing) -> io::Result<Self> {
        let meant = if path == Path::new("-") {
            Some(libc::STDOUT_FILENO)
        } else {
            descriptor_number(path)
        };
        if let Some(number) = meant {
            let descriptor = sys::inherited(number)?;
            if number != libc::STDOUT_FILENO {
                sys::replace_stdout(descriptor)?;
            }
            return Ok(Self::given(path));
        }
        let mut options = OpenOptions::new();
        options.custom_flags(libc::O_NOFOLLOW);
        let (file, output) = Self::open(options, path, existing)?;
        sys::replace_stdout(&file)?;
        Ok(output)
    }

    /// Opens this file, as the shell's redirections do: what it holds is to be replaced. A path that
    /// stands for a descriptor that we were given is that descriptor, as above.
    ///
    /// # Errors
    /// It cannot be opened, or is a descriptor that nobody gave us.
    pub fn replacing(path: &Path) -> io::Result<(OwnedFd, Self)> {
        if let Some(number) = descriptor_number(path) {
            return Ok((sys::inherited(number)?, Self::given(path)));
        }
        let (file, output) = Self::open(OpenOptions::new(), path, Existing::Replaced)?;
        Ok((file.into(), output))
    }

    /// What was open already: nothing becomes of what it holds.
    fn given(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            is_new: false,
            replaces: false,
            waiting: Mutex::default(),
        }
    }

    /// Opens it with what these options say besides.
    fn open(mut options: OpenOptions, path: &Path, existing: Existing) -> io::Result<(File, Self)> {
        match existing {
            Existing::Extended => options.append(true),
            Existing::Kept | Existing::Replaced => options.write(true),
        };
        let created = options.clone().create_new(true).open(path);
        let is_new = created.is_ok();
        let file = match created {
            Ok(file) => file,
            Err(error) if existing == Existing::Kept => open_device(&options, path, error)?,
            Err(_) => options.create(true).open(path)?,
        };
        let waiting = if file.metadata()?.is_file() {
            Some(file.as_fd().try_clone_to_owned()?.into())
        } else {
            None
        };
        let output = Self {
            path: path.to_owned(),
            is_new,
            replaces: existing == Existing::Replaced,
            waiting: Mutex::new(waiting),
        };
        Ok((file, output))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether what this descriptor holds goes when something is to be written: it is the same file.
    #[must_use]
    pub fn empties(&self, other: impl AsFd) -> bool {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let file = waiting.as_ref().filter(|_| self.replaces);
        file.is_some_and(|file| sys::are_same(file, other))
    }

    /// Something is to be written: what was there before goes now, if it is to go.
    ///
    /// # Errors
    /// It cannot be emptied.
    pub fn begin(&self) -> io::Result<()> {
        let waiting = self.take();
        match waiting {
            Some(file) if self.replaces => file.set_len(0),
            _ => Ok(()),
        }
    }

    /// The file, once.
    fn take(&self) -> Option<File> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.take()
    }
}

/// The number of the descriptor that a path stands for by its name (`proc_pid_fd(5)`).
pub(super) fn descriptor_number(path: &Path) -> Option<i32> {
    match path.to_str()? {
        "/dev/stdin" => Some(libc::STDIN_FILENO),
        "/dev/stdout" => Some(libc::STDOUT_FILENO),
        "/dev/stderr" => Some(libc::STDERR_FILENO),
        name => {
            let mut places = ["/dev/fd/", "/proc/self/fd/"].iter();
            let number = places.find_map(|place| name.strip_prefix(place))?;
            number.parse().ok().filter(|number| *number >= 0)
        }
    }
}

/// Opens what is there if writing to it takes nothing away: a device or a FIFO.
fn open_device(options: &OpenOptions, path: &Path, refused: io::Error) -> io::Result<File> {
    if refused.kind() != io::ErrorKind::AlreadyExists {
        return Err(refused);
    }
    let found = path.symlink_metadata()?.file_type();
    if found.is_dir() {
        return Err(io::Error::from_raw_os_error(libc::EISDIR));
    }
    if found.is_file() || found.is_symlink() {
        return Err(refused);
    }
    let file = options.open(path)?;
    // It may have become another one meanwhile.
    if file.metadata()?.is_file() {
        return Err(refused);
    }
    Ok(file)
}

impl Drop for OutputFile {
    fn drop(&mut self) {
        let Some(file) = self.take().filter(|_| self.is_new) else {
            return;
        };
        let (Ok(ours), Ok(there)) = (file.metadata(), fs::symlink_metadata(&self.path)) else {
            return;
        };
        let is_ours = (ours.dev(), ours.ino()) == (there.dev(), there.ino());
        if is_ours && ours.len() == 0 {
            // What stays is empty.
            let _ = fs::remove_file(&self.path);
        }
    }
}
