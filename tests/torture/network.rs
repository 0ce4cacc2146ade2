//! Networks that lose, stop and swallow (part D).

use std::io::Write;
use std::time::Duration;

use crate::support::{Input, Namespace, Output, Pattern, Running, nettool, until};

/// A file for somebody in the other namespace, through `near` and `far`.
fn transfer(near: &Namespace, far: &Namespace, much: impl Into<Input>) -> (Running, Running) {
    let limit = Duration::from_secs(180);
    let server = nettool(["listen", "10.77.0.2", "0"]).stdout(Output::Hashed);
    let server = far.inside(server.limit(limit)).start();
    let target = server.listening().to_string();
    let words = ["connect", "--connect-timeout=1m", "--idle-timeout=1m"];
    let client = nettool(words).arg(target).stdin(much);
    let client = near.inside(client.limit(limit)).start();
    (client, server)
}

/// D1: one packet in ten is lost, each way.
#[test]
fn lost_packets_are_sent_again() {
    let Some((near, far)) = Namespace::pair() else {
        return;
    };
    far.rules(
        "table ip t { chain i { type filter hook input priority 0;
         numgen inc mod 10 == 5 drop
         }
         chain o { type filter hook output priority 0;
         numgen inc mod 10 == 7 drop
         }
         }",
    );
    let much = Pattern::new(61, 400_000);
    let (client, server) = transfer(&near, &far, much.clone());
    client.wait().success();
    server.wait().success().received(much.fingerprint());
}

/// D6: the cable is pulled for a moment.
#[test]
fn a_cable_may_be_pulled() {
    let Some((near, far)) = Namespace::pair() else {
        return;
    };
    near.run("tc qdisc add dev eth0 root tbf rate 40mbit burst 10kb latency 50ms");
    let much = Pattern::new(62, 3_000_000);
    let (mut client, server) = transfer(&near, &far, Input::Open);
    let mut stdin = client.stdin.take().expect("a kept pipe");
    let bytes = much.to_vec();
    let (before, after) = bytes.split_at(1_000_000);
    stdin.write_all(before).expect("a client that reads");
    until("it is under way", || {
        let sockets = far.run("ss -tinH state established").stdout;
        String::from_utf8_lossy(&sockets).contains("bytes_received:")
    });
    near.run("ip link set eth0 down");
    let after = after.to_vec();
    std::thread::spawn(move || stdin.write_all(&after));
    assert!(client.stays(Duration::from_secs(1)));
    near.run("ip link set eth0 up");
    client.wait().success();
    server.wait().success().received(much.fingerprint());
}

/// D7: long packets vanish without a word: no success, and an end by the limit on silence.
#[test]
fn a_black_hole_is_no_success() {
    let Some((near, far)) = Namespace::pair() else {
        return;
    };
    far.rules(
        "table ip t { chain i { type filter hook input priority 0;
         meta length gt 500 drop
         }
         }",
    );
    let much = Pattern::new(63, 1_000_000);
    let server = nettool(["listen", "10.77.0.2", "0"]);
    let server = far.inside(server).start();
    let target = server.listening().to_string();
    let client = nettool(["connect", "--idle-timeout", "2s", &target]).stdin(much);
    let exit = near.inside(client).run();
    let error = exit.failure(1);
    assert!(
        error.contains("timed out") || error.contains("nothing moved"),
        "{error}"
    );
    // Nothing came, so nobody was there: it goes on waiting.
    server.kill().printed("");
}

/// D15: a peer that takes nothing for a while is waited for, whatever it costs.
#[test]
fn a_closed_window_is_waited_for() {
    use crate::support::{Peer, Step};

    let much = Pattern::new(64, 20_000_000);
    let pause = Step::Pause(Duration::from_secs(3));
    let peer = Peer::serve(vec![pause, Step::ReadToEnd]);
    nettool(["connect", &peer.target()])
        .stdin(much.clone())
        .run()
        .success();
    assert_eq!(peer.seen().received, much.fingerprint());
}
