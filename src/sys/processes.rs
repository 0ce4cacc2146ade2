//! Which process has which socket: proc(5), `/proc/PID/fd`.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::buffers::Process;
use crate::interfaces::readable;

/// The numbers of sockets with a process that has each, as far as we may see: an ordinary user sees
/// only their own.
pub(crate) fn process_sockets() -> Vec<(u64, Process)> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let processes = entries.filter_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        Some((pid, entry.path()))
    });
    processes.flat_map(|(pid, path)| of(pid, &path)).collect()
}

/// The sockets of one process.
fn of(pid: u32, path: &Path) -> Vec<(u64, Process)> {
    let descriptors = fs::read_dir(path.join("fd"))
        .into_iter()
        .flatten()
        .flatten();
    let links = descriptors.filter_map(|entry| fs::read_link(entry.path()).ok());
    let sockets: Vec<u64> = links
        .filter_map(|link| number(link.as_os_str().as_bytes()))
        .collect();
    if sockets.is_empty() {
        return Vec::new();
    }
    let name = fs::read(path.join("comm")).unwrap_or_default();
    let name = readable(name.strip_suffix(b"\n").unwrap_or(&name));
    let process = Process { pid, name };
    let each = sockets.into_iter().map(|socket| (socket, process.clone()));
    each.collect()
}

/// The number in `socket:[12345]`.
fn number(link: &[u8]) -> Option<u64> {
    let number = link.strip_prefix(b"socket:[")?.strip_suffix(b"]")?;
    std::str::from_utf8(number).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;

    #[test]
    fn our_own_sockets_are_ours() {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let link = fs::read_link(format!("/proc/self/fd/{}", socket.as_raw_fd())).unwrap();
        let wanted = number(link.as_os_str().as_bytes()).unwrap();
        let all = process_sockets();
        let (_, process) = all.iter().find(|(socket, _)| *socket == wanted).unwrap();
        assert_eq!(process.pid, std::process::id());
    }

    #[test]
    fn only_sockets_have_such_a_number() {
        assert_eq!(number(b"socket:[12]"), Some(12));
        assert_eq!(number(b"pipe:[12]"), None);
        assert_eq!(number(b"socket:[]"), None);
    }
}
