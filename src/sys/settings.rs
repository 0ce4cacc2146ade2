//! The settings of the system, and what it does with the sizes of buffers.

use std::io;

/// Whether this is Linux.
const LINUX: bool = cfg!(target_os = "linux");

/// What getsockopt reports of a buffer is so many times what was asked for: on Linux the system's
/// own data is counted too (socket(7)).
pub(crate) const BUFFER_FACTOR: u64 = if LINUX { 2 } else { 1 };

/// TCP buffers grow as the connection needs, and it is known when they do.
pub(crate) const TUNES_TCP: bool = LINUX;

/// The numbers of a setting (sysctl(8)), of the network namespace that we are in; `None` where
/// settings have other names than on Linux.
pub(crate) fn setting(name: &str) -> io::Result<Option<Vec<u64>>> {
    if !LINUX {
        return Ok(None);
    }
    let path = format!("/proc/sys/{}", name.replace('.', "/"));
    let text = std::fs::read_to_string(path)?;
    let numbers: Result<Vec<u64>, _> = text.split_whitespace().map(str::parse).collect();
    numbers
        .map(Some)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}
