//! Whatever the system, the peer and both our ends do: what arrives is what was sent, in order and
//! to the end, or a failure that counts what went. The scripts are drawn: how much goes each way, in
//! which pieces it is given and taken, which calls are interrupted, refused or not offered, and how
//! it ends.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::thread;
use std::time::Duration;

use proptest::prelude::*;
use rustix::pipe::fcntl_setpipe_size;
use serde_json::Value;
use socket2::SockRef;

use crate::support::{Input, Output, Pattern, calls, can_inject, inject, nettool, scratch};

/// The longest that the peer waits for anything.
const PATIENCE: Duration = Duration::from_secs(20);

/// What moves bytes or waits until they can move: so many of these are made at most, for each piece
/// and each page that goes, and for the rest.
const CALLS: [&str; 12] = [
    "read",
    "write",
    "splice",
    "sendfile",
    "recvfrom",
    "sendto",
    "pwritev2",
    "preadv2",
    "poll",
    "ppoll",
    "epoll_wait",
    "epoll_ctl",
];
const MOST_A_PIECE: usize = 25;
const MOST_BESIDE: usize = 500;

/// How calls may fail that then work, where readiness is asked for each time and where it is told
/// once.
const PASSING: [(&str, &[&str]); 10] = [
    ("splice", &["EINTR", "EAGAIN", "EINVAL", "ENOSYS"]),
    ("sendfile", &["EINTR", "EAGAIN", "EINVAL", "ENOSYS"]),
    ("recvfrom", &["EINTR", "EAGAIN"]),
    ("sendto", &["EINTR", "EAGAIN"]),
    ("pwritev2", &["EINTR", "EAGAIN", "EOPNOTSUPP"]),
    ("preadv2", &["EINTR", "EAGAIN", "EOPNOTSUPP"]),
    ("read", &["EINTR"]),
    ("poll", &["EINTR"]),
    ("ppoll", &["EINTR"]),
    ("epoll_wait", &["EINTR"]),
];

/// Bytes that go one way.
#[derive(Clone, Debug)]
struct Flow {
    size: u64,
    /// In such pieces they are given and taken, over and over.
    pieces: Vec<usize>,
}

/// Where the peer's bytes go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Into {
    /// A pipe, a narrow one if so.
    Pipe(bool),
    File,
    /// A disk that is full.
    Full,
}

/// All that happens.
#[derive(Clone, Debug)]
struct Script {
    path: &'static str,
    up: Flow,
    down: Flow,
    from_file: bool,
    into: Into,
    /// The peer resets the connection when it has sent all and taken half.
    resets: bool,
    /// As `strace` takes them.
    faults: Vec<String>,
}

/// A drawn flow.
fn flow() -> impl Strategy<Value = Flow> {
    let size = prop_oneof![
        2 => 0..3_u64,
        2 => 4095..4098_u64,
        4 => 0..200_000_u64,
        2 => 1_000_000..5_000_000_u64,
    ];
    let piece = prop_oneof![1..4_usize, 1..5000_usize, 60_000..300_000_usize];
    let pieces = proptest::collection::vec(piece, 1..6);
    (size, pieces).prop_map(|(size, pieces)| {
        let least = usize::try_from(size).expect("a small number") / 300;
        let pieces = pieces.into_iter().map(|piece| piece.max(least)).collect();
        Flow { size, pieces }
    })
}

/// Drawn faults of calls.
fn faults(path: &'static str) -> impl Strategy<Value = Vec<String>> {
    let told_once = path == "looped";
    let kinds: Vec<_> = PASSING
        .into_iter()
        .flat_map(|(call, errors)| errors.iter().map(move |error| (call, *error)))
        .filter(|(_, error)| !(told_once && *error == "EAGAIN"))
        .collect();
    let fault = (proptest::sample::select(kinds), 2..10_u32, 2..6_u32);
    let fault = fault.prop_map(|((call, error), first, step)| {
        // The loader of shared libraries reads, too.
        let first = if call == "read" { first + 7 } else { first };
        format!("{call}:error={error}:when={first}+{step}")
    });
    proptest::collection::vec(fault, 0..4)
}

/// A drawn script.
fn script() -> impl Strategy<Value = Script> {
    let into = prop_oneof![
        3 => any::<bool>().prop_map(Into::Pipe),
        2 => Just(Into::File),
        1 => Just(Into::Full),
    ];
    let resets = prop::bool::weighted(0.25);
    let path = proptest::sample::select(&super::PATHS[..]);
    (path, flow(), flow(), any::<bool>(), into, resets).prop_flat_map(
        |(path, up, down, from_file, into, resets)| {
            faults(path).prop_map(move |faults| Script {
                path,
                up: up.clone(),
                down: down.clone(),
                from_file,
                into,
                resets,
                faults,
            })
        },
    )
}

/// Gives no more at once than the next piece.
struct Pieces<R>(R, std::iter::Cycle<std::vec::IntoIter<usize>>);

impl<R> Pieces<R> {
    fn new(source: R, flow: &Flow) -> Self {
        Self(source, flow.pieces.clone().into_iter().cycle())
    }
}

impl<R: Read> Read for Pieces<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = self.1.next().unwrap_or(1).min(buffer.len());
        self.0.read(&mut buffer[..most])
    }
}

/// What came of a source until it ended or failed.
fn drain(source: impl Read, flow: &Flow, most: u64) -> (Vec<u8>, bool) {
    let mut bytes = Vec::new();
    let read = Pieces::new(source, flow).take(most).read_to_end(&mut bytes);
    (bytes, read.is_ok())
}

/// The peer: sends and receives at once; what it heard, and whether it saw a good end.
fn converse(stream: &TcpStream, script: &Script, sent: Pattern) -> (Vec<u8>, bool) {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    let half = script.up.size / 2;
    let most = if script.resets { half } else { u64::MAX };
    thread::scope(|scope| {
        let sender = scope.spawn(|| {
            let sent = send(stream, sent, &script.down);
            sent.is_ok() && (script.resets || stream.shutdown(Shutdown::Write).is_ok())
        });
        let (heard, well) = drain(stream, &script.up, most);
        let sent = sender.join().unwrap();
        if script.resets {
            let now = Some(Duration::ZERO);
            SockRef::from(stream).set_linger(now).unwrap();
        }
        (heard, well && sent)
    })
}

/// Writes it piece by piece.
fn send(mut stream: &TcpStream, bytes: Pattern, flow: &Flow) -> io::Result<()> {
    let mut bytes = Pieces::new(bytes, flow);
    let mut buffer = vec![0; 300_000];
    while let count @ 1.. = bytes.read(&mut buffer)? {
        stream.write_all(&buffer[..count])?;
    }
    Ok(())
}

/// Where the program writes, and a thread that takes it there if one must.
fn outlet(
    script: &Script,
    file: &std::path::Path,
) -> (Output, Option<thread::JoinHandle<Vec<u8>>>) {
    match script.into {
        Into::File => (Output::File(file.to_owned()), None),
        Into::Full => (Output::Full, None),
        Into::Pipe(narrow) => {
            let (reader, writer) = io::pipe().unwrap();
            if narrow {
                fcntl_setpipe_size(&writer, 4096).unwrap();
            }
            let flow = script.down.clone();
            let reader = thread::spawn(move || drain(reader, &flow, u64::MAX).0);
            (Output::Fd(OwnedFd::from(writer)), Some(reader))
        }
    }
}

/// Plays the script and judges.
fn play(script: &Script) -> Result<(), TestCaseError> {
    let place = scratch();
    let [input, file, log] = ["in", "out", "log"].map(|name| place.path().join(name));
    let [up, down] = [(1, &script.up), (2, &script.down)].map(|(seed, flow)| {
        let pattern = Pattern::new(seed + flow.size, flow.size);
        (pattern.clone(), pattern.to_vec())
    });
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    SockRef::from(&listener)
        .set_read_timeout(Some(PATIENCE))
        .unwrap();
    let target = listener.local_addr().unwrap().to_string();
    let peer = thread::spawn({
        let (script, down) = (script.clone(), down.0);
        move || converse(&listener.accept().expect("a client").0, &script, down)
    });
    let stdin = if script.from_file {
        fs::write(&input, &up.1).unwrap();
        Input::File(input)
    } else {
        Input::Source(Box::new(Pieces::new(up.0, &script.up)))
    };
    let (stdout, taker) = outlet(script, &file);
    let client = nettool(["connect", "--json", "--until=both", &target]);
    let client = client.stdin(stdin).stdout(stdout);
    let client = client.env("NETTOOL_PATH", script.path);
    let faults: Vec<_> = script.faults.iter().map(String::as_str).collect();
    let exit = inject(client, &faults, &CALLS, &log).run();
    let (heard, well) = peer.join().unwrap();
    let received = match taker {
        Some(taker) => taker.join().unwrap(),
        None => fs::read(&file).unwrap_or_default(),
    };
    let record = exit
        .stderr
        .lines()
        .find(|line| line.contains("\"transfer\""));
    let record: Value = serde_json::from_str(record.unwrap_or_default()).unwrap_or_default();
    let counted = |name: &str| record[name].as_u64();
    let told = || {
        format!(
            "{} bytes heard, {} received, {}",
            heard.len(),
            received.len(),
            exit.stderr
        )
    };
    prop_assert!(
        up.1.starts_with(&heard),
        "wrong bytes were sent: {}",
        told()
    );
    prop_assert!(
        down.1.starts_with(&received),
        "wrong bytes came: {}",
        told()
    );
    let is_full = script.into == Into::Full && script.down.size > 0;
    if script.resets || is_full {
        prop_assert_eq!(exit.code, Some(1), "{}", told());
        prop_assert_eq!(&record["complete"], false, "{}", told());
        // It may have had all that there was, and our end, before anything failed.
        let early = well && !script.resets && heard.len() < up.1.len();
        prop_assert!(!early, "the peer saw a good end: {}", told());
        let sent = counted("bytes_sent").unwrap_or_default();
        prop_assert!(
            sent >= heard.len() as u64 && sent <= script.up.size,
            "{}",
            told()
        );
        let came = counted("bytes_received").unwrap_or_default();
        let right = script.into == Into::Full || came == received.len() as u64;
        prop_assert!(right && came <= script.down.size, "{}", told());
    } else {
        prop_assert_eq!(exit.code, Some(0), "{}", told());
        prop_assert!(well && heard.len() == up.1.len(), "{}", told());
        let all = script.into == Into::Full || received.len() == down.1.len();
        prop_assert!(all, "{}", told());
        prop_assert_eq!(&record["complete"], true, "{}", told());
        prop_assert_eq!(counted("bytes_sent"), Some(script.up.size), "{}", told());
        prop_assert_eq!(counted("bytes_acked"), Some(script.up.size), "{}", told());
        prop_assert_eq!(
            counted("bytes_received"),
            Some(script.down.size),
            "{}",
            told()
        );
    }
    let made = calls(&fs::read_to_string(&log).unwrap_or_default()).len();
    let most = MOST_BESIDE + MOST_A_PIECE * (parts(&script.up) + parts(&script.down));
    prop_assert!(made <= most, "{made} calls, {most} at most");
    Ok(())
}

/// In how many pieces or pages it goes at most.
fn parts(flow: &Flow) -> usize {
    let size = usize::try_from(flow.size).expect("a small number");
    let round: usize = flow.pieces.iter().sum();
    (size / round + 1) * flow.pieces.len() + size / 4096
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 96,
        max_shrink_iters: 30,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn bytes_are_exact_or_a_failure_counts_them(script in script()) {
        if can_inject() {
            play(&script)?;
        }
    }
}
