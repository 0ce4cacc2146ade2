//! Every other netcat and Python's sockets: fifty datagrams each way, one in flight.

use std::path::Path;

use super::type_into;
use crate::support::{Input, Namespace, Program, Running, need, nettool, scratch};

/// How many go each way.
const ROUNDS: usize = 50;

/// A Python script that prints what comes and sends what it reads, for the sockets of `KIND`.
const PYTHON: &str = r#"
import os, select, socket, sys
side, kind, *where = sys.argv[1:]
family, type = {
    "udp4": (socket.AF_INET, socket.SOCK_DGRAM), "udp6": (socket.AF_INET6, socket.SOCK_DGRAM),
    "unix": (socket.AF_UNIX, socket.SOCK_DGRAM), "seqpacket": (socket.AF_UNIX, socket.SOCK_SEQPACKET),
}[kind]
address = where[0] if family == socket.AF_UNIX else (where[0], int(where[1]))
s = socket.socket(family, type)
peer = None
if side == "listen":
    s.bind(address)
    if kind == "seqpacket":
        s.listen(1)
        s, _ = s.accept()
else:
    if kind == "unix":
        s.bind(where[0] + ".client")
    s.connect(address)
while True:
    for ready in select.select([s, 0], [], [])[0]:
        if ready is s:
            data, source = s.recvfrom(65536)
            if not data and kind == "seqpacket":
                sys.exit(0)
            peer = source or peer
            os.write(1, data)
        else:
            data = os.read(0, 65536)
            if not data:
                sys.exit(0)
            s.sendto(data, peer) if side == "listen" and kind != "seqpacket" else s.send(data)
"#;

/// Plays the rounds: whoever connects begins.
fn ping_pong(caller: &mut Running, listener: &mut Running) {
    for round in 0..ROUNDS {
        let (question, answer) = (
            format!("<question {round}>\n"),
            format!("<answer {round}>\n"),
        );
        type_into(caller, &question);
        listener.prints(&question);
        type_into(listener, &answer);
        caller.prints(&answer);
    }
}

/// A program with these words, of which `PORT` and `PATH` are filled in.
fn program(words: &str, port: u16, path: &Path) -> Program {
    let mut words = words.split(' ').map(|word| {
        let word = word.replace("PORT", &port.to_string());
        word.replace("PATH", &path.display().to_string())
    });
    let name = words.next().unwrap_or_default();
    let program = match name.as_str() {
        "python" => Program::new("python3").args(["-c", PYTHON]),
        "nettool" => nettool::<&str>([]),
        name => Program::new(name),
    };
    program.args(words).stdin(Input::Open)
}

/// The program whose absence skips a test.
fn needed(words: &str) -> &str {
    match words.split(' ').next().unwrap_or_default() {
        "python" => "python3",
        name => name,
    }
}

/// We connect to somebody who listens.
fn connect(theirs: &str, ours: &str) {
    if !need(&[needed(theirs)]) {
        return;
    }
    let Some(space) = Namespace::new() else {
        return;
    };
    let directory = scratch();
    let path = directory.path().join("s");
    let mut listener = space.inside(program(theirs, 9000, &path)).start();
    if ours.contains("PATH") {
        crate::support::until("the path is there", || path.exists());
    } else {
        space.receives(9000);
    }
    let mut caller = space.inside(program(ours, 9000, &path)).start();
    ping_pong(&mut caller, &mut listener);
    caller.kill();
    listener.kill();
}

/// Somebody connects to us.
fn listen(ours: &str, theirs: &str) {
    if !need(&[needed(theirs)]) {
        return;
    }
    let directory = scratch();
    let path = directory.path().join("s");
    let mut listener = program(ours, 0, &path).start();
    let announced = listener.announced(1).remove(0);
    let port = announced
        .rsplit(':')
        .next()
        .and_then(|port| port.parse().ok());
    let mut caller = program(theirs, port.unwrap_or(0), &path).start();
    ping_pong(&mut caller, &mut listener);
    caller.kill();
    listener.kill();
}

/// A test for each pair.
macro_rules! pairs {
    ($($play:ident $name:ident: $one:literal, $other:literal;)*) => {$(
        #[test]
        fn $name() {
            $play($one, $other);
        }
    )*};
}

pairs! {
    connect connect_openbsd_ipv4: "nc.openbsd -u -l 127.0.0.1 PORT", "nettool connect -u 127.0.0.1 PORT";
    connect connect_openbsd_ipv6: "nc.openbsd -u -6 -l ::1 PORT", "nettool connect -u ::1 PORT";
    connect connect_openbsd_unix: "nc.openbsd -u -lU PATH", "nettool connect -u -U PATH";
    connect connect_ncat_ipv4: "ncat -u -l 127.0.0.1 PORT", "nettool connect -u 127.0.0.1 PORT";
    connect connect_ncat_ipv6: "ncat -u -6 -l ::1 PORT", "nettool connect -u ::1 PORT";
    connect connect_socat_ipv4: "socat - UDP4-LISTEN:PORT,bind=127.0.0.1", "nettool connect -u 127.0.0.1 PORT";
    connect connect_socat_ipv6: "socat - UDP6-LISTEN:PORT,bind=[::1]", "nettool connect -u ::1 PORT";
    connect connect_socat_seqpacket: "socat - UNIX-LISTEN:PATH,type=5", "nettool connect --seqpacket -U PATH";
    connect connect_python_ipv4: "python listen udp4 127.0.0.1 PORT", "nettool connect -u 127.0.0.1 PORT";
    connect connect_python_ipv6: "python listen udp6 ::1 PORT", "nettool connect -u ::1 PORT";
    connect connect_python_unix: "python listen unix PATH", "nettool connect -u -U PATH";
    connect connect_python_seqpacket: "python listen seqpacket PATH", "nettool connect --seqpacket -U PATH";

    listen listen_openbsd_ipv4: "nettool listen -u 127.0.0.1 PORT", "nc.openbsd -u 127.0.0.1 PORT";
    listen listen_openbsd_ipv6: "nettool listen -u ::1 PORT", "nc.openbsd -u ::1 PORT";
    listen listen_openbsd_unix: "nettool listen -u -U PATH", "nc.openbsd -uU PATH";
    listen listen_ncat_ipv4: "nettool listen -u 127.0.0.1 PORT", "ncat -u 127.0.0.1 PORT";
    listen listen_ncat_ipv6: "nettool listen -u ::1 PORT", "ncat -u -6 ::1 PORT";
    listen listen_ncat_unix: "nettool listen -u -U PATH", "ncat -u -U PATH";
    listen listen_socat_ipv4: "nettool listen -u 127.0.0.1 PORT", "socat - UDP4:127.0.0.1:PORT";
    listen listen_socat_ipv6: "nettool listen -u ::1 PORT", "socat - UDP6:[::1]:PORT";
    listen listen_socat_unix: "nettool listen -u -U PATH", "socat - UNIX-SENDTO:PATH,bind=PATH.client";
    listen listen_socat_seqpacket: "nettool listen --seqpacket -U PATH", "socat - UNIX-CONNECT:PATH,type=5";
    listen listen_python_ipv4: "nettool listen -u 127.0.0.1 PORT", "python connect udp4 127.0.0.1 PORT";
    listen listen_python_ipv6: "nettool listen -u ::1 PORT", "python connect udp6 ::1 PORT";
    listen listen_python_unix: "nettool listen -u -U PATH", "python connect unix PATH";
    listen listen_python_seqpacket: "nettool listen --seqpacket -U PATH", "python connect seqpacket PATH";
}
