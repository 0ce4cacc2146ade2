//! Datagrams over UDP and inside this machine: their boundaries, who hears whom, what is lost, and
//! every other netcat.

mod boundaries;
mod files;
mod groups;
mod interop;
mod losses;
mod messages;
mod sessions;
mod stopped;
mod turns;
mod unix;

use std::io::Write;
use std::net::UdpSocket;

use crate::support::{LIMIT, Running, again};

/// A UDP socket on a free port of this address, no receive of which waits longer than the limit.
fn peer(address: &str) -> UdpSocket {
    let socket = UdpSocket::bind((address, 0)).expect("a free port");
    socket.set_read_timeout(Some(LIMIT)).expect("a timeout");
    socket
}

/// The next datagram.
fn receive(peer: &UdpSocket) -> Vec<u8> {
    let mut buffer = vec![0; 65_536];
    let length = again(|| peer.recv(&mut buffer)).expect("a datagram");
    buffer.truncate(length);
    buffer
}

/// Writes to the pipe of a program's stdin.
fn type_into(program: &mut Running, text: &str) {
    let pipe = program.stdin.as_mut().expect("a kept pipe");
    pipe.write_all(text.as_bytes()).expect("a reader");
}
