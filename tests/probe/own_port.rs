//! With four local ports in all a try is likely to be given the very port that it asks, unless that
//! is spared; and while it has it, no server can bind it.

use std::net::SocketAddr;
use std::time::Duration;

use nettool::probe::{Binding, Connector, State, Tried};
use tokio::runtime::Runtime;

use super::text;
use crate::support::{Input, Namespace, Program, need};

/// How often is tried.
const TRIES: u32 = 5000;

/// What happened to tries of a port that somebody binds over and over.
#[derive(Debug, Default)]
struct Tally {
    /// Tries that met themselves.
    met: u32,
    /// Tries that were refused.
    refused: u32,
    /// Tries that were called open.
    open: u32,
    /// How often the port could not be bound.
    in_use: u32,
}

/// A namespace with four local ports.
fn narrow() -> Option<Namespace> {
    let space = Namespace::new().filter(|_| need(&["python3"]))?;
    let script = "echo 40000 40003 > /proc/sys/net/ipv4/ip_local_port_range";
    let program = Program::new("sh").args(["-c", script]);
    space.inside(program).run().status(0);
    Some(space)
}

/// Tries the port while a program binds it over and over: one that never forks, so that no child
/// holds its sockets.
fn tally(
    space: &Namespace,
    kind: &str,
    to: SocketAddr,
    spared: &[u16],
    try_once: impl Fn(&Runtime, &Connector) -> Tried + Sync,
) -> Option<Tally> {
    const BINDER: &str = "
import socket, sys, threading
kind, host, port = sys.argv[1:]
kind = socket.SOCK_DGRAM if kind == 'udp' else socket.SOCK_STREAM
family = socket.AF_INET6 if ':' in host else socket.AF_INET
over = threading.Event()
def wait():
    sys.stdin.read()
    over.set()
threading.Thread(target=wait).start()
print('binding', flush=True)
in_use = 0
while not over.is_set():
    with socket.socket(family, kind) as server:
        try:
            server.bind((host, int(port)))
        except OSError:
            in_use += 1
print(in_use)
";
    let (host, port) = (to.ip().to_string(), to.port().to_string());
    let program = Program::new("python3").args(["-c", BINDER, kind, &host, &port]);
    let binder = space.inside(program).stdin(Input::Open).start();
    binder.prints("binding\n");
    let mut tally = space.on_a_thread(|| {
        let connector = Connector::new(Binding::default(), spared);
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_all().build().unwrap();
        let mut tally = Tally::default();
        for _ in 0..TRIES {
            let tried = try_once(&runtime, &connector);
            tally.met += u32::from(tried.reason == "self-connect");
            tally.refused += u32::from(tried.state == State::Closed);
            tally.open += u32::from(tried.state == State::Open);
        }
        tally
    })?;
    let exit = binder.wait();
    let in_use = text(exit.success()).lines().last().unwrap();
    tally.in_use = in_use.parse().unwrap();
    Some(tally)
}

/// Compares tries that spare the port with tries that do not.
fn check(kind: &str, try_once: impl Fn(&Runtime, &Connector, SocketAddr) -> Tried + Sync) {
    let Some(space) = narrow() else {
        return;
    };
    for to in ["127.0.0.1:40001", "[::1]:40001"] {
        let to: SocketAddr = to.parse().unwrap();
        let once = |runtime: &Runtime, connector: &Connector| try_once(runtime, connector, to);
        let Some(spared) = tally(&space, kind, to, &[40001], once) else {
            return;
        };
        assert!(
            (spared.met, spared.in_use, spared.open) == (0, 0, 0) && spared.refused > 500,
            "{to}: {spared:?}"
        );
        let plain = tally(&space, kind, to, &[], once).unwrap();
        assert!(plain.met + plain.in_use > 0, "the trap is none: {plain:?}");
        assert_eq!(plain.open, 0, "what a port tells itself is no answer");
    }
}

#[test]
fn a_wait_for_a_connection_neither_meets_itself_nor_takes_the_port() {
    check("tcp", |runtime, connector, to| {
        runtime.block_on(connector.tcp(to, None))
    });
}

#[test]
fn a_wait_over_udp_neither_hears_itself_nor_takes_the_port() {
    let limit = Some(Duration::from_millis(1));
    check("udp", |runtime, connector, to| {
        runtime.block_on(connector.udp(to, 1, limit))
    });
}
