//! A path that a Unix socket is bound to, ours for as long as it is.

use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use socket2::{Domain, SockAddr, Socket, Type};

use crate::sys;

/// A path that is for ourselves alone.
const OWN_MODE: u16 = 0o600;

/// Makes a path, for ourselves alone unless another mode is asked for; a socket that nobody answers
/// on is taken over.
pub(super) fn bind_unix(
    path: &Path,
    kind: Type,
    mode: Option<u16>,
) -> io::Result<(Socket, OwnPath)> {
    let mode = rustix::fs::RawMode::from(mode.unwrap_or(OWN_MODE));
    if is_abandoned(path) {
        std::fs::remove_file(path)?;
    }
    let socket = sys::nonblocking_socket(Domain::UNIX, kind, None)?;
    let address = SockAddr::unix(path)?;
    let mask = rustix::process::umask(rustix::fs::Mode::from_raw_mode(!mode & 0o777));
    let bound = socket.bind(&address);
    rustix::process::umask(mask);
    bound?;
    // Until its identity is known it is ours because bind() has just made it.
    let own = OwnPath::of(path).inspect_err(|_| {
        let _ = std::fs::remove_file(path);
    })?;
    Ok((socket, own))
}

/// A path that we made, and remove when we are done with it.
#[derive(Debug)]
pub(super) struct OwnPath {
    pub(super) path: PathBuf,
    identity: (u64, u64),
}

impl OwnPath {
    /// The socket that stands there now.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            identity: identity(path)?,
        })
    }
}

impl Drop for OwnPath {
    fn drop(&mut self) {
        // Somebody else may have put a socket of their own in its place.
        if identity(&self.path).is_ok_and(|identity| identity == self.identity) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Device and inode.
fn identity(path: &Path) -> io::Result<(u64, u64)> {
    std::fs::symlink_metadata(path).map(|found| (found.dev(), found.ino()))
}

/// Whether a socket stands there that nobody has open any more.
fn is_abandoned(path: &Path) -> bool {
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|f| f.file_type().is_socket());
    is_socket && is_refused(path).unwrap_or(false)
}

/// Whether the system refuses who asks for a path. It is asked with a socket of datagrams: to a
/// listener, who would take a connection for its client, that is one of the wrong kind (EPROTOTYPE,
/// `unix_find_other` in `net/unix/af_unix.c`), and whoever takes datagrams hears nothing of it.
fn is_refused(path: &Path) -> io::Result<bool> {
    let asked = Socket::new(Domain::UNIX, Type::DGRAM, None)?.connect(&SockAddr::unix(path)?);
    Ok(asked.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused))
}
