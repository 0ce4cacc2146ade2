//! What the sweep plays: ordinary work of the program beside peers that do nothing wrong, and what
//! may be said of its end whatever the kernel did to it.

use std::fs;
use std::io::Read;
use std::net::{Shutdown, SocketAddr, TcpListener, UdpSocket};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use socket2::{Domain, SockAddr, Socket, Type};

use crate::support::{
    End, Exit, Input, Output, Pattern, Program, Running, again, nettool, scratch,
};

/// Makes a program fail, or not.
pub(super) type Wrap<'a> = &'a (dyn Fn(Program) -> Program + Sync);

/// A piece of work.
pub(super) struct Scenario {
    /// As it is called in the table.
    pub(super) name: &'static str,
    /// Does it once.
    pub(super) play: fn(Wrap) -> Result<Outcome, String>,
}

/// How it ended, within the rules.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Outcome {
    /// Everything was done.
    Exact,
    /// A report that says that it is not complete.
    Warned,
    /// It failed and said so by its status and on stderr.
    Failed,
    /// It failed and could not say more than its status.
    FailedSilently,
    /// No call failed that was meant to: it did not come.
    Missed,
    /// A rule was broken when a call failed, too, that no kernel lets fail.
    Spoilt,
}

/// The longest that a program or a peer may take: so much is a hang.
const PATIENCE: Duration = Duration::from_secs(45);

/// A rule, and what broke it.
fn rule(kept: bool, broken: impl FnOnce() -> String) -> Result<(), String> {
    if kept { Ok(()) } else { Err(broken()) }
}

/// The end of a program: it came, it was no crash, and no failure without a status.
fn ended(running: Running) -> Result<Exit, String> {
    let exit = running.outcome().ok_or("it hangs")?;
    let killed = |signal| ![libc::SIGPIPE, libc::SIGTERM].contains(&signal);
    let crashed = exit.code == Some(101)
        || exit.stderr.contains("panicked")
        || exit.signal.is_some_and(killed);
    rule(!crashed, || format!("it crashed: {}", told(&exit)))?;
    rule(exit.code != Some(2), || {
        format!("a fault is no usage error: {}", told(&exit))
    })?;
    Ok(exit)
}

/// What to show of an end.
fn told(exit: &Exit) -> String {
    let Exit {
        code,
        signal,
        stderr,
        ..
    } = exit;
    format!("code {code:?}, signal {signal:?}, {stderr}")
}

/// Where it can be reached. Of whom nobody learns that, because its stderr failed, waits until it is
/// told to stop.
fn reached(running: &Running) -> Option<String> {
    let heard = running.heard(PATIENCE / 4);
    if heard.is_none() {
        running.signal(Signal::TERM);
    }
    heard
}

/// A failure within the rules.
fn failed(exit: &Exit) -> Outcome {
    let said = String::from_utf8_lossy(&exit.stdout);
    let told = said.contains("\"type\":\"error\"") || said.contains("undetermined");
    if told || exit.stderr.contains("error") || exit.signal.is_some() {
        Outcome::Failed
    } else {
        Outcome::FailedSilently
    }
}

/// What a peer saw.
struct Heard {
    bytes: Vec<u8>,
    /// [`End::Open`] if nothing came for too long.
    end: End,
}

/// Sends all of `back`, shuts down, and receives to the end.
fn hear(stream: &Socket, mut back: Pattern) -> Heard {
    for set in [Socket::set_read_timeout, Socket::set_write_timeout] {
        set(stream, Some(PATIENCE)).expect("a timeout");
    }
    let mut bytes = Vec::new();
    let end = thread::scope(|scope| {
        let sender = scope.spawn(|| {
            let sent = std::io::copy(&mut back, &mut &*stream);
            // A Unix socket whose other end is gone cannot be shut down, and that is no reset.
            let _ = stream.shutdown(Shutdown::Write);
            sent.is_ok()
        });
        let read = (&mut &*stream).read_to_end(&mut bytes);
        // A reset that a write has met reads like an end.
        let sent = sender.join().expect("a sender that does not panic");
        match read {
            Ok(_) if sent => End::Eof,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => End::Open,
            _ => End::Reset,
        }
    });
    Heard { bytes, end }
}

/// What goes each way.
#[derive(Clone)]
struct Bytes {
    forth: Pattern,
    back: Pattern,
}

impl Bytes {
    /// So many each way.
    fn new(forth: u64, back: u64) -> Self {
        Self {
            forth: Pattern::new(91, forth),
            back: Pattern::new(92, back),
        }
    }

    /// Judges an end, what was received, and what the peer saw.
    fn judge(
        &self,
        place: Place,
        exit: &Exit,
        received: &[u8],
        heard: Option<Heard>,
    ) -> Result<Outcome, String> {
        let (forth, back) = (self.forth.to_vec(), self.back.to_vec());
        rule(back.starts_with(received), || {
            format!("{} wrong bytes were received", received.len())
        })?;
        if let Some(Heard { bytes, end }) = &heard {
            rule(forth.starts_with(bytes), || {
                "wrong bytes were sent".to_owned()
            })?;
            rule(*end != End::Open, || "the peer was left waiting".to_owned())?;
            // A Unix socket has no reset: it ends well or with bytes unread.
            let good = *end == End::Eof && place == Place::Tcp;
            rule(!good || bytes.len() == forth.len(), || {
                let (count, told) = (bytes.len(), told(exit));
                format!("the peer saw a good end after {count} bytes: {told}")
            })?;
        }
        if exit.code != Some(0) {
            return Ok(failed(exit));
        }
        let sent = heard.is_some_and(|heard| heard.bytes == forth && heard.end == End::Eof);
        rule(sent && received == back, || {
            format!("status 0 with bytes missing: {}", exit.stderr)
        })?;
        Ok(Outcome::Exact)
    }
}

/// Where a conversation takes place.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Place {
    Tcp,
    Unix,
}

impl Place {
    /// Somebody who listens there, where that is, and as `connect` is told.
    fn listener(self, directory: &Path) -> (Socket, SockAddr, Vec<String>) {
        let path = directory.join("s");
        match self {
            Self::Tcp => {
                let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
                let addr = listener.local_addr().expect("a bound address");
                (listener.into(), addr.into(), vec![addr.to_string()])
            }
            Self::Unix => {
                let listener = UnixListener::bind(&path).expect("a new socket");
                let addr = SockAddr::unix(&path).expect("a short path");
                let words = vec!["-U".to_owned(), path.display().to_string()];
                (listener.into(), addr, words)
            }
        }
    }

    /// A connection to it, if somebody listens there.
    fn dial(self, addr: &SockAddr) -> Option<Socket> {
        let domain = match self {
            Self::Tcp => Domain::IPV4,
            Self::Unix => Domain::UNIX,
        };
        let socket = Socket::new(domain, Type::STREAM, None).expect("a socket");
        socket.connect(addr).ok().map(|()| socket)
    }
}

/// What a conversation reads and writes.
enum Ends {
    /// A pipe each.
    Pipes,
    /// A file each.
    Files,
}

impl Ends {
    /// Gives them to a program.
    fn give(&self, program: Program, directory: &Path, bytes: &Bytes) -> Program {
        match self {
            // All at once: an input that is late may be left when the peer has ended.
            Self::Pipes => program.stdin(Input::Filled(bytes.forth.to_vec())),
            Self::Files => {
                let path = directory.join("in");
                fs::write(&path, bytes.forth.to_vec()).expect("a file");
                program
                    .stdin(path.as_path())
                    .stdout(Output::File(directory.join("out")))
            }
        }
    }

    /// What the program has written.
    fn received(&self, directory: &Path, exit: &Exit) -> Vec<u8> {
        match self {
            Self::Pipes => exit.stdout.clone(),
            Self::Files => fs::read(directory.join("out")).expect("a file"),
        }
    }
}

/// `connect` beside somebody who listens.
fn connect(
    wrap: Wrap,
    place: Place,
    words: &[&str],
    ends: &Ends,
    bytes: &Bytes,
) -> Result<Outcome, String> {
    let directory = scratch();
    let (listener, addr, target) = place.listener(directory.path());
    let over = Arc::new(AtomicBool::new(false));
    let peer = thread::spawn({
        let (over, back) = (Arc::clone(&over), bytes.back.clone());
        move || {
            let (stream, _) = listener.accept().expect("a client");
            // After the end of the program only we ourselves come.
            (!over.load(Ordering::SeqCst)).then(|| hear(&stream, back))
        }
    });
    let program = wrap(nettool(["connect"]).args(words).args(target)).limit(PATIENCE);
    let exit = ended(ends.give(program, directory.path(), bytes).start());
    over.store(true, Ordering::SeqCst);
    drop(place.dial(&addr));
    let heard = peer.join().expect("a peer that does not panic");
    let exit = exit?;
    let received = ends.received(directory.path(), &exit);
    bytes.judge(place, &exit, &received, heard)
}

/// `listen` beside somebody who connects.
fn listen(wrap: Wrap, place: Place, ends: &Ends, bytes: &Bytes) -> Result<Outcome, String> {
    let directory = scratch();
    let path = directory.path().join("s");
    let words = match place {
        Place::Tcp => vec!["127.0.0.1".to_owned(), "0".to_owned()],
        Place::Unix => vec!["-U".to_owned(), path.display().to_string()],
    };
    let program = wrap(nettool(["listen"]).args(words)).limit(PATIENCE);
    let running = ends.give(program, directory.path(), bytes).start();
    let heard = reached(&running).and_then(|address| {
        let addr = match place {
            Place::Tcp => address.parse::<SocketAddr>().expect("an address").into(),
            Place::Unix => SockAddr::unix(&path).expect("a short path"),
        };
        let visit = || Some(hear(&place.dial(&addr)?, bytes.back.clone()));
        let first = visit()?;
        // Whoever could not be accepted was not the client: the next one is.
        let served = !first.bytes.is_empty() || !running.stays(Duration::from_millis(500));
        if served { Some(first) } else { visit() }
    });
    let exit = ended(running)?;
    rule(!path.exists(), || {
        format!("a socket is left: {}", told(&exit))
    })?;
    let received = ends.received(directory.path(), &exit);
    bytes.judge(place, &exit, &received, heard)
}

/// A file to a server.
pub(super) fn connect_sends_a_file(wrap: Wrap) -> Result<Outcome, String> {
    let bytes = Bytes::new(1_500_000, 0);
    connect(wrap, Place::Tcp, &[], &Ends::Files, &bytes)
}

/// A file from a server, with an answer of a few bytes.
pub(super) fn connect_receives_into_a_file(wrap: Wrap) -> Result<Outcome, String> {
    let bytes = Bytes::new(10, 1_500_000);
    connect(wrap, Place::Tcp, &[], &Ends::Files, &bytes)
}

/// Both ways at once, from pipe to pipe.
pub(super) fn connect_talks_through_pipes(wrap: Wrap) -> Result<Outcome, String> {
    let bytes = Bytes::new(300_000, 200_000);
    connect(wrap, Place::Tcp, &["--until=both"], &Ends::Pipes, &bytes)
}

/// Both ways at once over a Unix socket.
pub(super) fn connect_talks_over_a_unix_socket(wrap: Wrap) -> Result<Outcome, String> {
    let bytes = Bytes::new(300_000, 200_000);
    connect(wrap, Place::Unix, &[], &Ends::Pipes, &bytes)
}

/// Both ways at once through the event loop, which looks at the bytes.
pub(super) fn connect_hashes(wrap: Wrap) -> Result<Outcome, String> {
    let bytes = Bytes::new(300_000, 200_000);
    let words = ["--checksum", "blake3"];
    connect(wrap, Place::Tcp, &words, &Ends::Pipes, &bytes)
}

/// A file to a client.
pub(super) fn listen_sends_a_file(wrap: Wrap) -> Result<Outcome, String> {
    listen(wrap, Place::Tcp, &Ends::Files, &Bytes::new(1_500_000, 10))
}

/// Both ways at once, from pipe to pipe.
pub(super) fn listen_receives(wrap: Wrap) -> Result<Outcome, String> {
    let bytes = Bytes::new(200_000, 300_000);
    listen(wrap, Place::Tcp, &Ends::Pipes, &bytes)
}

/// Both ways at once over a Unix socket, which is removed.
pub(super) fn listen_talks_over_a_unix_socket(wrap: Wrap) -> Result<Outcome, String> {
    let bytes = Bytes::new(200_000, 300_000);
    listen(wrap, Place::Unix, &Ends::Pipes, &bytes)
}

/// Three lines, each a datagram.
const LINES: [&str; 3] = ["one\n", "two and a half\n", "three\n"];

/// Three datagrams to somebody who sends them back.
pub(super) fn connect_talks_over_udp(wrap: Wrap) -> Result<Outcome, String> {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let target = socket.local_addr().expect("an address").to_string();
    let echo = socket.try_clone().expect("a descriptor");
    let words = ["connect", "-u", "--lines", "--quit-after=300ms", &target];
    let program = wrap(nettool(words)).limit(PATIENCE).stdin(&*LINES.concat());
    let peer = thread::spawn(move || {
        let (mut heard, mut buffer) = (Vec::new(), [0; 100]);
        // An empty datagram is ours: it is over.
        while let Ok((count @ 1.., from)) = again(|| echo.recv_from(&mut buffer)) {
            heard.push(buffer[..count].to_vec());
            let _ = echo.send_to(&buffer[..count], from);
        }
        heard
    });
    let exit = ended(program.start());
    let own = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    own.send_to(&[], &target).expect("a free way");
    let heard = peer.join().expect("a peer that does not panic");
    let exit = exit?;
    let rest = LINES.concat();
    rule(rest.as_bytes().starts_with(&exit.stdout), || {
        "wrong bytes were received".to_owned()
    })?;
    if exit.code != Some(0) {
        return Ok(failed(&exit));
    }
    let sent = heard.iter().eq(LINES.iter().map(|line| line.as_bytes()));
    rule(sent, || format!("status 0, but the peer heard {heard:?}"))?;
    Ok(Outcome::Exact)
}

/// Datagrams until there are enough.
pub(super) fn listen_hears_datagrams(wrap: Wrap) -> Result<Outcome, String> {
    let all = LINES.concat();
    let most = all.len().to_string();
    let words = ["listen", "-u", "127.0.0.1", "0", "--max-bytes", &most];
    let running = wrap(nettool(words)).limit(PATIENCE).start();
    if let Some(address) = reached(&running) {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        for line in LINES {
            // Whoever is gone says why.
            let _ = socket.send_to(line.as_bytes(), &address);
        }
    }
    let exit = ended(running)?;
    rule(all.as_bytes().starts_with(&exit.stdout), || {
        format!("wrong bytes were received: {:?}", exit.stdout)
    })?;
    if exit.code != Some(0) {
        return Ok(failed(&exit));
    }
    rule(exit.stdout == all.as_bytes(), || {
        format!("status 0 with {:?}", exit.stdout)
    })?;
    Ok(Outcome::Exact)
}

/// What a client of a server sent and saw.
struct Visit {
    sent: Pattern,
    heard: Option<Heard>,
}

/// A server with three clients one after the other, and then a signal.
fn server(wrap: Wrap, options: &[&str]) -> Result<(Exit, Vec<Visit>), String> {
    let words = ["listen", "-k", "127.0.0.1", "0"];
    let program = wrap(nettool(words).args(options)).limit(PATIENCE * 2);
    let running = program.start();
    let visits = reached(&running).map_or_else(Vec::new, |address| {
        let addr = address.parse::<SocketAddr>().expect("an address").into();
        let visit = |number| {
            let sent = Pattern::new(number, 40_000 + number);
            let stream = Place::Tcp.dial(&addr);
            let heard = stream.map(|stream| hear(&stream, sent.clone()));
            Visit { sent, heard }
        };
        (1..=3).map(visit).collect()
    });
    running.signal(Signal::TERM);
    let exit = ended(running)?;
    rule(exit.code != Some(0), || {
        "a server that was told to stop dies of the signal".to_owned()
    })?;
    let waits = |visit: &Visit| matches!(&visit.heard, Some(heard) if heard.end == End::Open);
    rule(!visits.iter().any(waits), || {
        format!("a client was left waiting: {}", told(&exit))
    })?;
    let deaf = |visit: &Visit| visit.heard.is_none();
    rule(exit.signal.is_none() || !visits.iter().any(deaf), || {
        format!(
            "a client was refused by a server that lived: {}",
            told(&exit)
        )
    })?;
    Ok((exit, visits))
}

/// A server that sends back what each client sent: all of it, or the client is told.
fn echo(wrap: Wrap, options: &[&str]) -> Result<Outcome, String> {
    let (exit, visits) = server(wrap, options)?;
    let mut exact = visits.len() == 3;
    for Visit { sent, heard } in &visits {
        let Some(heard) = heard else {
            exact = false;
            continue;
        };
        let sent = sent.to_vec();
        rule(sent.starts_with(&heard.bytes), || {
            "wrong bytes came back".to_owned()
        })?;
        let whole = heard.bytes == sent;
        rule(heard.end != End::Eof || whole, || {
            let (count, told) = (heard.bytes.len(), told(&exit));
            format!("a client saw a good end after {count} bytes: {told}")
        })?;
        exact &= whole && heard.end == End::Eof;
    }
    let outcome = failed(&exit);
    Ok(if exact { Outcome::Exact } else { outcome })
}

/// `--echo`.
pub(super) fn server_echoes(wrap: Wrap) -> Result<Outcome, String> {
    echo(wrap, &["--echo"])
}

/// `-e cat`, of which nothing is left.
pub(super) fn server_runs_a_command(wrap: Wrap) -> Result<Outcome, String> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let mark = format!("sweep-{}-{number}-", std::process::id());
    let outcome = echo(
        &|program| wrap(program).env("NETTOOL_SWEEP", &mark),
        &["-e", "cat"],
    )?;
    let deadline = Instant::now() + PATIENCE;
    while strays(&mark) > 0 {
        rule(Instant::now() < deadline, || "a child is left".to_owned())?;
        thread::park_timeout(Duration::from_millis(20));
    }
    Ok(outcome)
}

/// How many processes have this in their environment.
fn strays(mark: &str) -> usize {
    let processes = fs::read_dir("/proc").expect("/proc");
    let marked = |path: &Path| {
        let environment = fs::read(path.join("environ")).unwrap_or_default();
        environment
            .windows(mark.len())
            .any(|part| part == mark.as_bytes())
    };
    processes
        .flatten()
        .filter(|process| marked(&process.path()))
        .count()
}

/// `--save`: what has a final name is whole, and so is what a client saw a good end of.
pub(super) fn server_saves(wrap: Wrap) -> Result<Outcome, String> {
    let directory = scratch();
    let place = directory.path().display().to_string();
    let (exit, visits) = server(wrap, &["--save", &place])?;
    let files = fs::read_dir(directory.path()).expect("a directory");
    let whole: Vec<_> = files
        .flatten()
        .filter(|file| !file.file_name().to_string_lossy().ends_with(".part"))
        .map(|file| fs::read(file.path()).expect("a file"))
        .collect();
    let sent: Vec<_> = visits.iter().map(|visit| visit.sent.to_vec()).collect();
    rule(whole.iter().all(|bytes| sent.contains(bytes)), || {
        format!("a file that is not whole has a final name: {}", told(&exit))
    })?;
    let good = |visit: &&Visit| matches!(&visit.heard, Some(heard) if heard.end == End::Eof);
    let good: Vec<_> = visits.iter().filter(good).collect();
    let kept = |visit: &&Visit| whole.contains(&visit.sent.to_vec());
    rule(good.iter().all(kept), || {
        format!("a client saw a good end without a file: {}", told(&exit))
    })?;
    let outcome = failed(&exit);
    Ok(if good.len() == 3 {
        Outcome::Exact
    } else {
        outcome
    })
}

/// A report that is either as it is without a fault, or said to be incomplete, or a failure.
fn report(wrap: Wrap, words: &[&str]) -> Result<Outcome, String> {
    let expected = nettool(words).run();
    let exit = ended(wrap(nettool(words)).limit(PATIENCE).start())?;
    if exit.code != Some(0) {
        return Ok(failed(&exit));
    }
    if exit.stderr.contains("warning") {
        return Ok(Outcome::Warned);
    }
    rule(exit.stdout == expected.stdout, || {
        let shown = String::from_utf8_lossy(&exit.stdout);
        format!("status 0 with another report: {shown} ({})", exit.stderr)
    })?;
    Ok(Outcome::Exact)
}

/// `ifaces`.
pub(super) fn interfaces_are_listed(wrap: Wrap) -> Result<Outcome, String> {
    report(wrap, &["ifaces"])
}

/// `ifaces --for`.
pub(super) fn a_route_is_found(wrap: Wrap) -> Result<Outcome, String> {
    report(wrap, &["ifaces", "--for", "127.0.0.1"])
}

/// An open port and a closed one: each has its state, or is undetermined.
pub(super) fn ports_are_probed(wrap: Wrap) -> Result<Outcome, String> {
    let bound = |listen: bool| {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        socket.bind(&any.into()).expect("a free port");
        if listen {
            socket.listen(64).expect("a backlog");
        }
        let addr = socket.local_addr().expect("an address");
        (socket, addr.as_socket().expect("an IP address").port())
    };
    let (_open, open) = bound(true);
    let (_closed, closed) = bound(false);
    let ports = format!("{open},{closed}");
    let words = ["probe", "--plain", "--show", "all", "127.0.0.1", &ports];
    let exit = ended(wrap(nettool(words)).limit(PATIENCE).start())?;
    let text = String::from_utf8_lossy(&exit.stdout).into_owned();
    let rows: Vec<Vec<_>> = text
        .lines()
        .map(|line| line.split('\t').collect())
        .collect();
    for row in &rows {
        let (port, state) = (row.get(2).copied(), row.get(4).copied());
        let right = if port == Some(&*open.to_string()) {
            "open"
        } else {
            "closed"
        };
        rule(
            state == Some(right) || state == Some("undetermined"),
            || format!("{row:?} is not {right}: {}", told(&exit)),
        )?;
    }
    if exit.code != Some(0) {
        return Ok(failed(&exit));
    }
    rule(rows.len() == 2, || format!("status 0 with {text}"))?;
    rule(!text.contains("undetermined"), || {
        format!("status 0 with {text}")
    })?;
    Ok(Outcome::Exact)
}

/// `buffers list` of one listening socket.
pub(super) fn sockets_are_listed(wrap: Wrap) -> Result<Outcome, String> {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let words = ["buffers", "list", "--json", "-t", "-l", "-p"];
    let program = nettool(words).arg(port.to_string()).stdin(Input::Null);
    let exit = ended(wrap(program).limit(PATIENCE).start())?;
    if exit.code != Some(0) {
        return Ok(failed(&exit));
    }
    let text = String::from_utf8_lossy(&exit.stdout);
    let found = text.contains(&format!("\"local_port\":{port},"));
    rule(found, || format!("status 0 without the socket: {text}"))?;
    Ok(Outcome::Exact)
}

/// `buffers fill`: the terms add up, if they are known.
pub(super) fn buffers_are_filled(wrap: Wrap) -> Result<Outcome, String> {
    let program = nettool(["buffers", "fill", "--json"]);
    let exit = ended(wrap(program).limit(PATIENCE).start())?;
    if exit.code != Some(0) {
        return Ok(failed(&exit));
    }
    let text = String::from_utf8_lossy(&exit.stdout);
    let record: serde_json::Value =
        serde_json::from_str(text.trim()).map_err(|error| format!("{error}: {text}"))?;
    let term = |name: &str| record[format!("{name}_bytes")].as_u64();
    let sum = ["unsent", "in_flight", "peer_queue"]
        .into_iter()
        .try_fold(0, |sum, name| Some(sum + term(name)?));
    rule(sum.is_none() || sum == term("accepted"), || {
        format!("the terms do not add up: {text}")
    })?;
    Ok(Outcome::Exact)
}
