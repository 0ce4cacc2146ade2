//! The network of the documents: this machine, and another one that has several names.

use std::fs::{self, File};
use std::path::Path;

use tempfile::TempDir;

use crate::support::{Namespace, need, scratch};

/// The names that the documents use. All but `localhost` are the other machine's.
const HOSTS: &str = "127.0.0.1 localhost
::1 localhost
192.0.2.7 host other web1 web2 db cache ns example.org mail.example.org
";

/// What the other machine and this one are made of, beyond a cable between them.
const NEAR: &str = "\
ip link set eth0 down
ip link set eth0 address 02:fc:00:00:00:01 mtu 1400
ip link set eth0 addrgenmode none
ip address flush dev eth0
ip link set eth0 up
ip address add 192.0.2.2/24 broadcast 192.0.2.255 dev eth0
ip address add fd00::2/64 dev eth0 nodad
ip address add fe80::2/64 dev eth0 nodad";

/// The same for the other machine.
const FAR: &str = "\
ip link set eth0 down
ip link set eth0 address 02:fc:00:00:00:07 mtu 1400
ip link set eth0 addrgenmode none
ip address flush dev eth0
ip link set eth0 up
ip address add 192.0.2.7/24 broadcast 192.0.2.255 dev eth0
ip address add fd00::7/64 dev eth0 nodad
ip address add fe80::1/64 dev eth0 nodad
ip route add default via 192.0.2.2 dev eth0
ip route add local 10.0.0.0/16 dev lo";

/// How long the file is that the documents send.
const FILE: u64 = 50_000_000;

/// Two machines with directories of their own.
pub(super) struct Machines {
    /// This machine, `192.0.2.2`.
    pub(super) near: Namespace,
    /// The other one, `192.0.2.7`.
    pub(super) far: Namespace,
    files: (TempDir, TempDir),
}

impl Machines {
    /// New ones, where namespaces can be made.
    pub(super) fn new() -> Option<Self> {
        if !need(&["bash", "mount"]) {
            return None;
        }
        let (mut near, mut far) = Namespace::pair()?;
        for (side, lines) in [(&mut near, NEAR), (&mut far, FAR)] {
            lines.lines().for_each(|line| {
                side.run(line);
            });
            side.replace("/etc/hosts", HOSTS);
            side.run("mount -t tmpfs tmpfs /run");
        }
        near.run("ip route add default via 192.0.2.7 dev eth0");
        let files = (scratch(), scratch());
        let file = File::create(files.0.path().join("file")).expect("a file");
        file.set_len(FILE).expect("a long file");
        fs::write(files.1.path().join("page"), "a page\n").expect("a file");
        Some(Self { near, far, files })
    }

    /// Where the terminals of this machine begin.
    pub(super) fn near_files(&self) -> &Path {
        self.files.0.path()
    }

    /// Where those of the other machine begin.
    pub(super) fn far_files(&self) -> &Path {
        self.files.1.path()
    }
}
