//! `--watch`: rates, in place on a terminal and line after line elsewhere.

use std::net::UdpSocket;

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{CONTROL_C, Namespace, Output, Terminal, nettool, records, until};

#[test]
fn rates_add_up_to_what_went_through() {
    let Some(space) = Namespace::new() else {
        return;
    };
    let program = nettool(["ifaces", "--json", "--watch", "--every", "50ms", "lo"]);
    let watching = space.inside(program).start();
    watching.prints("\"type\":\"rate\"");
    let sent = space.on_a_thread(|| {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let to = socket.local_addr().expect("an address");
        for _ in 0..500 {
            socket.send_to(&[0; 972], to).expect("a datagram");
        }
    });
    if sent.is_none() {
        return;
    }
    let mut lines = 0;
    until("two looks after the last datagram", || {
        lines = lines.max(watching.printed());
        watching.printed() > 8 * 150
    });
    watching.signal(Signal::INT);
    let exit = watching.wait();
    exit.died_of(2).silent();
    let number = |record: &Value, name: &str| record[name].as_f64().expect("a number");
    let (mut received, mut sent) = (0.0, 0.0);
    for record in records(&exit.stdout) {
        assert_eq!(
            (record["name"].as_str(), record["index"].as_u64()),
            (Some("lo"), Some(1))
        );
        let seconds = number(&record, "interval_us") / 1e6;
        received += number(&record, "rx_bytes_per_s") * seconds;
        sent += number(&record, "tx_bytes_per_s") * seconds;
    }
    for bytes in [received, sent] {
        assert!((bytes - 500_000.0).abs() < 100.0, "{bytes}");
    }
}

#[test]
fn on_a_terminal_it_stays_in_place() {
    let Some(space) = Namespace::new() else {
        return;
    };
    let mut terminal = Terminal::new();
    let before = terminal.settings();
    let program = nettool(["ifaces", "--watch", "--every", "20ms"]).env("TERM", "xterm");
    let watching = terminal.hosts(space.inside(program)).start();
    terminal.shows("\u{1b}[1A");
    terminal.types(CONTROL_C);
    watching.wait().died_of(2);
    assert_eq!(terminal.settings(), before);
    let screen = String::from_utf8(terminal.screen()).expect("text");
    assert_eq!(
        screen.matches("\u{1b}[?7l").count(),
        screen.matches("\u{1b}[?7h").count()
    );
}

#[test]
fn a_terminal_that_understands_nothing_gets_lines() {
    let mut terminal = Terminal::new();
    let program = nettool(["ifaces", "--watch", "--every", "20ms", "lo"]).env("TERM", "dumb");
    let watching = terminal.hosts(program.env("COLUMNS", "20")).start();
    terminal.shows("bit/s\r\nlo");
    terminal.types(CONTROL_C);
    watching.wait().died_of(2);
    let screen = String::from_utf8(terminal.screen()).expect("text");
    assert!(!screen.contains('\u{1b}'), "{screen:?}");
}

#[test]
fn it_ends_with_its_reader_and_fails_without_the_interface() {
    let program = nettool(["ifaces", "--watch", "--every", "20ms"]);
    program.stdout(Output::Broken).run().silent().died_of(13);
    let exit = nettool(["ifaces", "--watch", "nothing"]).run();
    assert!(
        exit.failure(1)
            .ends_with("inspect nothing: no such interface")
    );
    exit.says("hint: ").printed("");
}

#[test]
fn interfaces_come_and_go_while_it_watches() {
    let Some(space) = Namespace::new() else {
        return;
    };
    let program = nettool(["ifaces", "--watch", "--every", "20ms", "--up"]);
    let watching = space.inside(program).start();
    watching.prints("lo  ");
    space.run("ip link add here type veth peer name there");
    space.run("ip link set here up");
    watching.prints("\nhere  ");
    space.run("ip link delete here");
    let seen = watching.printed();
    until("it goes on", || watching.printed() > seen + 200);
    watching.signal(Signal::TERM);
    watching.wait().died_of(15).silent();
}
