//! Ports in a state that a test needs.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU8, Ordering};

use socket2::{Domain, Socket, Type};

/// A port of 127.0.0.1 that nobody listens on and nobody else can take as long as the socket lives.
pub(crate) fn closed_port() -> (Socket, SocketAddr) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    socket.bind(&any.into()).expect("a free port");
    let address = socket.local_addr().expect("a bound address");
    (socket, address.as_socket().expect("an IP address"))
}

/// A UDP port of 127.0.0.1 that refuses whatever is sent to it, and that nobody else can take as long
/// as the socket lives: it has one correspondent, and that one never says anything.
pub(crate) fn closed_udp_port() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    socket.connect("127.0.0.2:9").expect("a route");
    let address = socket.local_addr().expect("a bound address");
    (socket, address)
}

/// An address of this machine where nobody else looks for a port, not even another run of these tests:
/// one that was let go stays free.
pub(crate) fn own_address() -> Ipv4Addr {
    static NUMBER: AtomicU8 = AtomicU8::new(100);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let [.., high, low] = std::process::id().to_be_bytes();
    Ipv4Addr::new(127, number, high, low)
}
