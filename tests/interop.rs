//! Every other netcat, in both directions, over IPv4, IPv6 and Unix sockets: nothing, one byte, a
//! little over a power of two, and much, each way at once, compared by hash.

use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use crate::support::{Fingerprint, Namespace, Output, Pattern, Program, need, nettool, scratch};

/// How many bytes go each way.
const SIZES: [u64; 4] = [0, 1, 65_537, 50_000_000];

/// The longest that the largest of them may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(180);

/// What goes one way, and what must come out.
static FORTH: LazyLock<Vec<(Pattern, Fingerprint)>> = LazyLock::new(|| streams(1));
/// What goes the other way.
static BACK: LazyLock<Vec<(Pattern, Fingerprint)>> = LazyLock::new(|| streams(2));

/// A stream of each size.
fn streams(seed: u64) -> Vec<(Pattern, Fingerprint)> {
    let patterns = SIZES.iter().map(|&length| Pattern::new(seed, length));
    patterns
        .map(|pattern| (pattern.clone(), pattern.fingerprint()))
        .collect()
}

/// A place to meet.
#[derive(Clone, Copy)]
enum Place<'a> {
    /// A TCP port of 127.0.0.1.
    V4(u16),
    /// A TCP port of `::1`.
    V6(u16),
    /// A Unix socket.
    Unix(&'a Path),
}

impl Place<'_> {
    /// As a namespace looks for it.
    fn name(self) -> String {
        match self {
            Self::V4(port) | Self::V6(port) => port.to_string(),
            Self::Unix(path) => path.display().to_string(),
        }
    }

    /// As `nettool` is told.
    fn words(self) -> Vec<String> {
        match self {
            Self::V4(port) => vec!["127.0.0.1".to_owned(), port.to_string()],
            Self::V6(port) => vec![format!("[::1]:{port}")],
            Self::Unix(path) => vec!["-U".to_owned(), path.display().to_string()],
        }
    }
}

/// How another netcat listens and connects.
struct Netcat {
    name: &'static str,
    /// What we must know of it when it listens: OpenBSD's and Nmap's drop what they have not sent
    /// yet when a client shuts its half down.
    options: &'static [&'static str],
    listen: fn(Place) -> String,
    connect: fn(Place) -> String,
}

impl Netcat {
    /// The program with its words.
    fn program(&self, words: &str) -> Program {
        Program::new(self.name)
            .args(words.split(' '))
            .stdout(Output::Hashed)
            .limit(PATIENCE)
    }
}

/// OpenBSD's; `-N` says that the end of its input ends its half of the connection.
const OPENBSD: Netcat = Netcat {
    name: "nc.openbsd",
    options: &["--no-shutdown"],
    listen: |place| match place {
        Place::V4(port) => format!("-N -l 127.0.0.1 {port}"),
        Place::V6(port) => format!("-N -6 -l ::1 {port}"),
        Place::Unix(path) => format!("-N -lU {}", path.display()),
    },
    connect: |place| match place {
        Place::V4(port) => format!("-N 127.0.0.1 {port}"),
        Place::V6(port) => format!("-N ::1 {port}"),
        Place::Unix(path) => format!("-N -U {}", path.display()),
    },
};

/// Nmap's.
const NCAT: Netcat = Netcat {
    name: "ncat",
    options: &["--no-shutdown"],
    listen: |place| match place {
        Place::V4(port) => format!("-l 127.0.0.1 {port}"),
        Place::V6(port) => format!("-6 -l ::1 {port}"),
        Place::Unix(path) => format!("-lU {}", path.display()),
    },
    connect: |place| match place {
        Place::V4(port) => format!("127.0.0.1 {port}"),
        Place::V6(port) => format!("-6 ::1 {port}"),
        Place::Unix(path) => format!("-U {}", path.display()),
    },
};

/// Socat; it would wait only half a second for the other direction without `-t`.
const SOCAT: Netcat = Netcat {
    name: "socat",
    options: &[],
    listen: |place| match place {
        Place::V4(port) => format!("-t 60 - TCP4-LISTEN:{port},bind=127.0.0.1"),
        Place::V6(port) => format!("-t 60 - TCP6-LISTEN:{port},bind=[::1]"),
        Place::Unix(path) => format!("-t 60 - UNIX-LISTEN:{}", path.display()),
    },
    connect: |place| match place {
        Place::V4(port) => format!("-t 60 - TCP4:127.0.0.1:{port}"),
        Place::V6(port) => format!("-t 60 - TCP6:[::1]:{port}"),
        Place::Unix(path) => format!("-t 60 - UNIX-CONNECT:{}", path.display()),
    },
};

/// We connect to a netcat that listens, once for each size.
fn connect(netcat: &Netcat, place: fn(u16, &Path) -> Place<'_>) {
    if !need(&[netcat.name]) {
        return;
    }
    let Some(space) = Namespace::new() else {
        return;
    };
    let directory = scratch();
    for ((port, forth), back) in (9000..).zip(&*FORTH).zip(&*BACK) {
        let path = directory.path().join(port.to_string());
        let place = place(port, &path);
        let theirs = netcat
            .program(&(netcat.listen)(place))
            .stdin(back.0.clone());
        let theirs = space.inside(theirs).start();
        space.serves(&place.name());
        // What does not fit into a pipe comes from a thread, which may be late: that is not its end.
        let patient = (forth.1.count > 65_536).then_some("--until=both");
        let ours = nettool(["connect"])
            .args(place.words())
            .args(netcat.options)
            .args(patient)
            .stdin(forth.0.clone());
        let ours = space
            .inside(ours.stdout(Output::Hashed).limit(PATIENCE))
            .start();
        ours.wait().success().received(back.1);
        theirs.wait().success().received(forth.1);
    }
}

/// A netcat connects to us, once for each size.
fn listen(netcat: &Netcat, place: fn(u16, &Path) -> Place<'_>) {
    if !need(&[netcat.name]) {
        return;
    }
    let directory = scratch();
    for (number, (forth, back)) in FORTH.iter().zip(&*BACK).enumerate() {
        let path = directory.path().join(number.to_string());
        let ours = nettool(["listen"])
            .args(place(0, &path).words())
            .stdin(back.0.clone());
        let ours = ours.stdout(Output::Hashed).limit(PATIENCE).start();
        let announced = ours.announced(1).remove(0);
        let port = announced
            .rsplit(':')
            .next()
            .and_then(|port| port.parse().ok());
        let theirs = (netcat.connect)(place(port.unwrap_or(0), &path));
        let theirs = netcat.program(&theirs).stdin(forth.0.clone()).start();
        theirs.wait().success().received(back.1);
        ours.wait().success().received(forth.1);
    }
}

/// A test for each direction and family.
macro_rules! exchanges {
    ($($module:ident: $netcat:expr;)*) => {$(
        mod $module {
            use super::*;

            #[test]
            fn connect_ipv4() {
                connect(&$netcat, |port, _| Place::V4(port));
            }

            #[test]
            fn connect_ipv6() {
                connect(&$netcat, |port, _| Place::V6(port));
            }

            #[test]
            fn connect_unix() {
                connect(&$netcat, |_, path| Place::Unix(path));
            }

            #[test]
            fn listen_ipv4() {
                listen(&$netcat, |port, _| Place::V4(port));
            }

            #[test]
            fn listen_ipv6() {
                listen(&$netcat, |port, _| Place::V6(port));
            }

            #[test]
            fn listen_unix() {
                listen(&$netcat, |_, path| Place::Unix(path));
            }
        }
    )*};
}

exchanges! {
    openbsd: OPENBSD;
    ncat: NCAT;
    socat: SOCAT;
}
