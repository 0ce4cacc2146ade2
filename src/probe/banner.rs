//! What open TCP ports say.
//!
//! A thread of its own connects to each port again and listens, so that no other port waits for it.
//! Where a protocol wants the client to speak first it is asked politely: a `HEAD` of HTTP, or the
//! hello of TLS.

mod speech;

#[cfg(any(test, feature = "fuzz"))]
pub(crate) use speech::fuzz;

use super::scoped::scope_of;
use super::{Binding, PortReport, Proto, ScopedIp, State, Target, Whom};
use crate::sys::nonblocking_socket;
use socket2::{Domain, Protocol, Type};
use speech::{LONGEST, Opening, is_complete, openings, words};
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{sleep, timeout};

/// How many ports are listened to at once.
const AT_ONCE: usize = 128;
/// How long a connection may take; the port was open a moment ago.
const CONNECTING: Duration = Duration::from_secs(3);
/// How long a server may take to say something.
const LISTENING: Duration = Duration::from_millis(1500);
/// How long it may pause within what it says.
const PAUSE: Duration = Duration::from_millis(150);
/// How often and after what time a connection is tried that our own system refuses.
const SHORTAGE: (u8, Duration) = (20, Duration::from_millis(100));
/// How often the user's wish to stop is looked at.
const ATTENTION: Duration = Duration::from_millis(50);

/// Listens to open ports while others are still being probed.
#[derive(Debug)]
pub struct Banners {
    /// Ports to listen to, with their addresses.
    questions: UnboundedSender<(PortReport, SocketAddr)>,
    answers: Receiver<PortReport>,
    /// Ports that have not said anything yet.
    waiting: HashMap<(Arc<str>, ScopedIp, u16), PortReport>,
    /// The addresses that have a zone.
    zoned: HashMap<ScopedIp, SocketAddr>,
}

impl Banners {
    /// Ready to listen to ports of these targets.
    pub fn new(targets: &[Target], binding: &Binding) -> io::Result<Self> {
        let (questions, asked) = unbounded_channel();
        let (told, answers) = channel();
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_all().build()?;
        let binding = binding.clone();
        thread::Builder::new()
            .name("banners".to_owned())
            .spawn(move || runtime.block_on(listen_to_all(asked, told, binding)))?;
        let zoned = targets.iter().filter_map(|target| match &target.whom {
            Whom::Host(_, address) if scope_of(*address) != 0 => {
                Some((ScopedIp::from(*address), *address))
            }
            _ => None,
        });
        Ok(Self {
            questions,
            answers,
            waiting: HashMap::new(),
            zoned: zoned.collect(),
        })
    }

    /// Keeps the open TCP ports to listen to them, and returns the others and those that have spoken.
    pub fn exchange(&mut self, reports: Vec<PortReport>) -> Vec<PortReport> {
        let is_open =
            |report: &PortReport| report.proto == Proto::Tcp && report.state == State::Open;
        let (open, mut rest): (Vec<_>, Vec<_>) = reports.into_iter().partition(is_open);
        for report in open {
            self.ask(report, &mut rest);
        }
        while let Ok(report) = self.answers.try_recv() {
            self.waiting.remove(&key(&report));
            rest.push(report);
        }
        rest
    }

    /// Waits for all that have not spoken, until `stop` is set or the time has passed; who has not
    /// spoken then has no banner.
    pub fn finish(mut self, stop: &AtomicBool, left: Option<Duration>) -> Vec<PortReport> {
        let end = left.and_then(|left| Instant::now().checked_add(left));
        let is_over =
            || stop.load(Ordering::Relaxed) || end.is_some_and(|end| Instant::now() >= end);
        let mut reports = Vec::new();
        while !self.waiting.is_empty() && !is_over() {
            match self.answers.recv_timeout(ATTENTION) {
                Ok(report) => {
                    self.waiting.remove(&key(&report));
                    reports.push(report);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        reports.extend(self.waiting.into_values());
        reports
    }

    /// Has a port listened to.
    fn ask(&mut self, report: PortReport, rest: &mut Vec<PortReport>) {
        let zoned = self.zoned.get(&report.addr).copied();
        let mut address = zoned.unwrap_or(SocketAddr::new(report.addr.ip, 0));
        address.set_port(report.port);
        match self.questions.send((report.clone(), address)) {
            Ok(()) => {
                self.waiting.insert(key(&report), report);
            }
            Err(_) => rest.push(report),
        }
    }
}

/// What tells a port from the others.
fn key(report: &PortReport) -> (Arc<str>, ScopedIp, u16) {
    (report.host.clone(), report.addr.clone(), report.port)
}

/// Listens to every port that comes, until nobody asks any more.
async fn listen_to_all(
    mut asked: UnboundedReceiver<(PortReport, SocketAddr)>,
    told: Sender<PortReport>,
    binding: Binding,
) {
    let room = Arc::new(Semaphore::new(AT_ONCE));
    while let Some((mut report, address)) = asked.recv().await {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else {
            return;
        };
        let (told, binding) = (told.clone(), binding.clone());
        tokio::spawn(async move {
            report.banner = banner(&report.host, address, &binding).await;
            drop(place);
            // Nobody listens any more when the probe was stopped.
            let _ = told.send(report);
        });
    }
}

/// What a port says, of itself or asked; nothing if it says nothing.
async fn banner(host: &str, address: SocketAddr, binding: &Binding) -> Option<String> {
    for opening in openings(address.port()) {
        let said = converse(host, address, binding, *opening).await.ok()?;
        if !said.is_empty() {
            return Some(words(&said));
        }
    }
    None
}

/// One connection: listens, asks, and listens again. A question is shorter than any send buffer.
async fn converse(
    host: &str,
    address: SocketAddr,
    binding: &Binding,
    opening: Opening,
) -> io::Result<Vec<u8>> {
    let stream = timeout(CONNECTING, connect(address, binding)).await??;
    let mut said = Vec::new();
    if opening.listens_first() {
        listen(&stream, &mut said).await;
    }
    if said.is_empty()
        && let Some(question) = opening.question(host)
        && stream.try_write(&question).is_ok()
    {
        listen(&stream, &mut said).await;
    }
    Ok(said)
}

/// Connects as the probe did. What our own system lacks for now is waited for.
async fn connect(address: SocketAddr, binding: &Binding) -> io::Result<TcpStream> {
    let mut attempt = 0;
    loop {
        let error = match start(address, binding) {
            Ok(socket) => match socket.connect(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => error,
            },
            Err(error) => error,
        };
        let is_short = matches!(
            error.raw_os_error(),
            Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::EADDRNOTAVAIL)
        );
        attempt += 1;
        if !is_short || attempt >= SHORTAGE.0 {
            return Err(error);
        }
        sleep(SHORTAGE.1).await;
    }
}

/// A socket that is about to connect.
fn start(address: SocketAddr, binding: &Binding) -> io::Result<TcpSocket> {
    let domain = Domain::for_address(address);
    let socket = nonblocking_socket(domain, Type::STREAM, Some(Protocol::TCP))?;
    binding.apply(&socket, address.is_ipv6())?;
    Ok(TcpSocket::from_std_stream(socket.into()))
}

/// Reads what comes until it pauses, is enough, or ends.
async fn listen(stream: &TcpStream, said: &mut Vec<u8>) {
    let mut patience = LISTENING;
    let mut buffer = [0; LONGEST];
    while said.len() < LONGEST && !is_complete(said) {
        let room = buffer.get_mut(said.len()..).unwrap_or_default();
        if !matches!(timeout(patience, stream.readable()).await, Ok(Ok(()))) {
            return;
        }
        match stream.try_read(room) {
            Ok(length) if length > 0 => {
                said.extend_from_slice(room.get(..length).unwrap_or_default());
                patience = PAUSE;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            _ => return,
        }
    }
}
