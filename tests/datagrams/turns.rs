//! Who gets a turn: each socket, and others while there is nothing to do.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use nettool::net::{DatagramSocket, ListenOptions, bind_udp};
use nettool::relay::{
    Audience, DatagramRules, Datagrams, End, Input, Limits, Meter, Shaping, Side, Sink, exchange,
};
use tokio::runtime::Builder;

use super::peer;

/// More than one call takes (`MOST_MESSAGES` of the engine), and less than a queue holds.
const CROWD: usize = 80;

/// As many as one call takes.
const AT_ONCE: u64 = 32;

/// A socket on a free port.
fn bound() -> Vec<DatagramSocket> {
    let here: SocketAddr = "127.0.0.1:0".parse().expect("an address");
    bind_udp(&[here], &ListenOptions::default(), &()).expect("a free port")
}

/// How a listener is asked to behave that takes so much.
fn rules(most: Option<u64>) -> DatagramRules {
    DatagramRules {
        side: Side::Listen,
        quit_after: None,
        send_only: false,
        recv_only: most.is_some(),
        most,
        audience: Audience::Last,
    }
}

/// A socket that has always something to read does not shut the others out.
#[test]
fn sockets_take_turns() {
    let senders = [peer("127.0.0.1"), peer("127.0.0.1")];
    let runtime = Builder::new_current_thread().enable_all().build();
    let transfer = runtime.expect("a runtime").block_on(async {
        let sockets: Vec<_> = [bound(), bound()].into_iter().flatten().collect();
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
            rules: rules(Some(AT_ONCE + 1)),
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

/// Nobody has spoken yet: that is no conversation in which nothing moves, and nothing to be looked
/// at again and again.
#[test]
fn a_listener_without_a_peer_waits_for_one() {
    let runtime = Builder::new_current_thread().enable_all().build();
    let mut looks = 0;
    let transfer = runtime.expect("a runtime").block_on(async {
        let datagrams = Datagrams {
            sockets: bound(),
            input: &mut Input::stdin(),
            sink: Sink::Nothing,
            shaping: Shaping::default(),
            rules: rules(None),
            limits: Limits {
                idle: Some(Duration::ZERO),
                ..Limits::default()
            },
            meter: &Meter::default(),
            observer: &(),
        };
        let others = tokio::spawn(async {
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
        });
        let mut exchange = pin!(exchange(datagrams, async { drop(others.await) }));
        let looking = poll_fn(|context| {
            looks += 1;
            exchange.as_mut().poll(context)
        });
        looking.await
    });
    assert_eq!(transfer.expect("an exchange").end, End::Signal);
    assert!(looks < 10, "{looks}");
}
