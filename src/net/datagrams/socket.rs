//! One socket of datagrams in the event loop.

use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rustix::event::PollFlags;
use socket2::Socket;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::correspondent::address_of;
use super::{Batch, Correspondent};
use crate::net::own_path::OwnPath;
use crate::net::{Address, Proto};
use crate::sys::{self, MOST_MESSAGES, Post};

/// The most payload of a UDP datagram over IPv4, and so of a bundle (ip(7), udp(7)).
const LONGEST_PAYLOAD: usize = 65_507;

/// As many datagrams make a bundle at most (`UDP_MAX_SEGMENTS` before Linux 6.9).
const MOST_SEGMENTS: usize = 64;

/// How often somebody with a full queue is tried: no event tells of room in it unless the socket is
/// connected (`unix_dgram_poll` in `net/unix/af_unix.c`).
const QUEUE_LOOK: Duration = Duration::from_millis(5);

/// A socket that sends and receives datagrams, many a call where the system can.
#[derive(Debug)]
pub struct DatagramSocket {
    socket: AsyncFd<Socket>,
    proto: Proto,
    /// The one to whom everything goes, if there is only one.
    peer: Option<Correspondent>,
    /// Nobody else is heard.
    connected: bool,
    /// The system cuts what is sent into datagrams; the first failure ends that for good.
    bundles: AtomicBool,
    /// The path that is removed with it.
    _own: Option<OwnPath>,
}

impl DatagramSocket {
    /// A socket that anybody can send to. Needs a runtime.
    pub(super) fn bound(socket: Socket, proto: Proto, own: Option<OwnPath>) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        if proto == Proto::Udp {
            // Without it each datagram comes by itself.
            sys::request_bundles(socket.as_fd());
        }
        Ok(Self {
            socket: sys::watched(socket, Interest::READABLE | Interest::WRITABLE)?,
            proto,
            peer: None,
            connected: false,
            bundles: AtomicBool::new(proto == Proto::Udp),
            _own: own,
        })
    }

    /// The same for a single peer. Unless it is connected to it others are heard, too: those of a
    /// group answer from addresses of their own.
    pub(super) fn towards(mut self, peer: Correspondent, connected: bool) -> Self {
        self.peer = Some(peer);
        self.connected = connected;
        self
    }

    /// How datagrams are carried.
    #[must_use]
    pub fn proto(&self) -> Proto {
        self.proto
    }

    /// Our own address.
    #[must_use]
    pub fn local(&self) -> Option<Address> {
        let local = self.socket.get_ref().local_addr().ok()?;
        Some(address_of(&local))
    }

    /// The one to whom everything goes, if there is only one.
    #[must_use]
    pub fn peer(&self) -> Option<&Correspondent> {
        self.peer.as_ref()
    }

    /// How many messages the system had no room for, where that is known. Of datagrams that came as
    /// a bundle it counts the bundle (net/ipv4/udp.c, `__udp_enqueue_schedule_skb`).
    #[must_use]
    pub fn dropped(&self) -> Option<u64> {
        match self.proto {
            Proto::Udp => sys::receive_drops(self.socket.as_fd()).ok().flatten(),
            // A Unix sender waits for room.
            _ => Some(0),
        }
    }

    /// Takes what has come.
    pub fn poll_receive(
        &self,
        context: &mut Context<'_>,
        batch: &mut Batch,
    ) -> Poll<io::Result<()>> {
        let control = self.proto == Proto::Udp;
        loop {
            let mut guard = ready!(self.socket.poll_read_ready(context))?;
            if let Ok(came) = guard.try_io(|socket| batch.fill(socket.as_fd(), control)) {
                return Poll::Ready(came);
            }
        }
    }

    /// Takes what the system has now, whatever the event loop knows of it; nobody is woken when it
    /// has nothing. Only so is it known that nothing has come: whoever was stopped, or had no turn,
    /// finds that its time is over before the event loop has looked (a stop interrupts its wait:
    /// signal(7)).
    pub(crate) fn receive_now(&self, batch: &mut Batch) -> Poll<io::Result<()>> {
        let control = self.proto == Proto::Udp;
        match batch.fill(self.socket.as_fd(), control) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
            came => Poll::Ready(came),
        }
    }

    /// Whether the system has something to be taken now, a datagram or an error, of which the event
    /// loop may know nothing yet.
    pub(crate) fn has_news(&self) -> bool {
        sys::poll_now(self.socket.as_fd(), PollFlags::IN).is_ok_and(|shown| !shown.is_empty())
    }

    /// Waits until the system may take a datagram again.
    pub async fn writable(&self) -> io::Result<()> {
        if self.proto != Proto::Udp && !self.connected {
            tokio::time::sleep(QUEUE_LOOK).await;
            return Ok(());
        }
        self.socket.writable().await.map(|_| ())
    }

    /// Waits for what the network reports of an earlier datagram. A socket that knows its peer
    /// learns it from an event of its own, without anything to read (ip(7), udp(7)).
    pub async fn failed(&self) -> io::Error {
        loop {
            let mut guard = match self.socket.ready(Interest::ERROR).await {
                Ok(guard) => guard,
                Err(error) => return error,
            };
            match self.socket.get_ref().take_error() {
                Ok(None) => guard.clear_ready(),
                Ok(Some(error)) | Err(error) => return error,
            }
        }
    }

    /// What the network has reported of an earlier datagram, if nobody has been told yet. Nothing of
    /// a Unix socket: a peer that is gone takes nothing back.
    #[must_use]
    pub fn pending_error(&self) -> Option<io::Error> {
        match self.proto {
            Proto::Udp => self.socket.get_ref().take_error().unwrap_or_else(Some),
            _ => None,
        }
    }

    /// Sends bytes as datagrams of `size`, the last one maybe shorter: how many bytes the system
    /// took.
    ///
    /// # Errors
    /// It takes none now (`WouldBlock`); the first one is refused; or the error of an earlier one is
    /// told, which leaves this one to be sent again.
    pub fn send_cut(
        &self,
        bytes: &[u8],
        size: usize,
        to: Option<&Correspondent>,
    ) -> io::Result<usize> {
        if let Some(sent) = self.send_bundle(bytes, size, to) {
            return sent;
        }
        let datagrams: Vec<_> = bytes
            .chunks(size.max(1))
            .take(MOST_MESSAGES)
            .map(IoSlice::new)
            .collect();
        let taken = self.send_each(&datagrams, to)?;
        Ok(datagrams.iter().take(taken).map(|sent| sent.len()).sum())
    }

    /// Sends these datagrams: how many of them the system took.
    ///
    /// # Errors
    /// As [`DatagramSocket::send_cut`].
    pub fn send_each(
        &self,
        datagrams: &[IoSlice<'_>],
        to: Option<&Correspondent>,
    ) -> io::Result<usize> {
        self.try_send(|socket| sys::send_many(socket, datagrams, self.post(to)))
    }

    /// Sends as many datagrams as make a bundle in one; nothing where that cannot be done.
    fn send_bundle(
        &self,
        bytes: &[u8],
        size: usize,
        to: Option<&Correspondent>,
    ) -> Option<io::Result<usize>> {
        let segment = u16::try_from(size).ok().filter(|size| *size > 0)?;
        let count = LONGEST_PAYLOAD.checked_div(size)?.min(MOST_SEGMENTS);
        let bundle = bytes.get(..count.saturating_mul(size)).unwrap_or(bytes);
        if bundle.len() <= size || !self.bundles.load(Ordering::Relaxed) {
            return None;
        }
        let post = self.post(to);
        match self.try_send(|socket| sys::send_bundle(socket, bundle, segment, post)) {
            Ok(()) => Some(Ok(bundle.len())),
            // The device, the path or the kernel cannot (udp(7); net/ipv4/udp.c, udp_send_skb).
            Err(error) if is_no_bundle(&error) => {
                self.bundles.store(false, Ordering::Relaxed);
                None
            }
            Err(error) => Some(Err(error)),
        }
    }

    /// Sends when the system is ready for it.
    fn try_send<T>(&self, send: impl Fn(BorrowedFd<'_>) -> io::Result<T>) -> io::Result<T> {
        if self.proto != Proto::Udp && !self.connected {
            return send(self.socket.as_fd());
        }
        self.socket
            .try_io(Interest::WRITABLE, |socket| send(socket.as_fd()))
    }

    /// Where a datagram goes; without anybody named to the only peer.
    fn post<'a>(&'a self, to: Option<&'a Correspondent>) -> Post<'a> {
        match to.or(self.peer.as_ref()) {
            Some(to) if !self.connected => to.post(),
            _ => Post::default(),
        }
    }
}

impl AsFd for DatagramSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Whether a bundle cannot be sent where a single datagram may.
fn is_no_bundle(error: &io::Error) -> bool {
    let reasons = [
        libc::EIO,
        libc::EINVAL,
        libc::EMSGSIZE,
        libc::EOPNOTSUPP,
        libc::ENOPROTOOPT,
    ];
    error
        .raw_os_error()
        .is_some_and(|errno| reasons.contains(&errno))
}
