//! A socket that has always something to read does not shut the others out.

use std::net::SocketAddr;

use nettool::net::{ListenOptions, bind_udp};
use nettool::relay::{
    Audience, DatagramRules, Datagrams, End, Input, Limits, Meter, Shaping, Side, Sink, exchange,
};
use tokio::runtime::Builder;

use super::peer;

/// More than one call takes (`MOST_MESSAGES` of the engine), and less than a queue holds.
const CROWD: usize = 80;

/// As many as one call takes.
const AT_ONCE: u64 = 32;

#[test]
fn sockets_take_turns() {
    let senders = [peer("127.0.0.1"), peer("127.0.0.1")];
    let runtime = Builder::new_current_thread().enable_all().build();
    let transfer = runtime.expect("a runtime").block_on(async {
        let here: SocketAddr = "127.0.0.1:0".parse().expect("an address");
        let bind = || bind_udp(&[here], &ListenOptions::default(), &()).expect("a free port");
        let sockets: Vec<_> = [bind(), bind()].into_iter().flatten().collect();
        for ((socket, sender), count) in sockets.iter().zip(&senders).zip([CROWD, 1]) {
            let to = socket.local().and_then(|local| local.ip());
            for _ in 0..count {
                sender.send_to(b"x", to.expect("an address")).expect("room");
            }
        }
        let datagrams = Datagrams {
            sockets,
            input: &mut Input::stdin(),
            sink: Sink::Nothing,
            shaping: Shaping::default(),
            rules: DatagramRules {
                side: Side::Listen,
                quit_after: None,
                send_only: false,
                recv_only: true,
                most: Some(AT_ONCE + 1),
                audience: Audience::Last,
            },
            limits: Limits::default(),
            meter: &Meter::default(),
            observer: &(),
        };
        exchange(datagrams, std::future::pending()).await
    });
    let transfer = transfer.expect("an exchange");
    assert_eq!((transfer.end, transfer.received), (End::Limit, AT_ONCE + 1));
    let last = transfer.peer.and_then(|peer| peer.ip());
    assert_eq!(last, senders[1].local_addr().ok());
}
