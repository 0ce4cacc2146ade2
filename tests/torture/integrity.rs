//! Bytes and their ends (part A), a process that has nothing (E12), and other surroundings (F7, H).

use rustix::process::Signal;

use crate::support::{
    End, Input, Output, Pattern, Peer, Program, Relay, Step, need, nettool, until,
};

/// A2: every value of a byte in every neighbourhood, and nothing is translated.
#[test]
fn every_byte_passes_as_it_is() {
    let all: Vec<u8> = (0..=255u8)
        .flat_map(|first| (0..=255u8).flat_map(move |second| [first, second]))
        .collect();
    let peer = Peer::serve(vec![
        Step::Read(all.len()),
        Step::Write(all.clone()),
        Step::Shutdown,
    ]);
    let client = nettool(["connect", &peer.target()]).stdin(all.as_slice());
    client.run().success().printed(&all);
    assert!(peer.seen().head.starts_with(&all[..60_000]));
}

/// A11: a byte a segment, each way.
#[test]
fn a_byte_at_a_time_is_enough() {
    let (forth, back) = (Pattern::new(52, 20_000), Pattern::new(53, 20_000));
    let peer = Peer::serve(vec![Step::Exchange(back.clone())]);
    let relay = Relay::to(peer.addr()).slice(1).start();
    let client = nettool(["connect", &relay.to_string()]).stdin(forth.clone());
    client.run().success().received(back.fingerprint());
    assert_eq!(peer.seen().received, forth.fingerprint());
}

/// A10: a peer that is killed in the middle: what came is a beginning, and the status tells what its
/// kernel said: with our bytes unread a reset, else an end.
#[test]
fn a_killed_peer_is_an_end_or_an_error() {
    if !need(&["socat"]) {
        return;
    }
    for (input, status) in [(Input::Open, 0), (Input::from("unread"), 1)] {
        // Slow enough for the beginning not to be long.
        let words = ["listen", "127.0.0.1", "0", "--limit-rate", "30M"];
        let server = nettool(words).stdin(input).start();
        let target = format!("TCP4:{}", server.listening());
        let peer = Program::new("socat").args(["-u", "/dev/zero", &target]);
        let peer = peer.start();
        until("much has come", || server.printed() > 1 << 20);
        peer.kill();
        let exit = server.wait();
        exit.status(status);
        assert!(exit.stdout.iter().all(|byte| *byte == 0));
    }
}

/// H4: signals that mean nothing to us, a hundred of them in the middle of a transfer.
#[test]
fn signals_that_mean_nothing_change_nothing() {
    let much = Pattern::new(54, 30_000_000);
    let server = nettool(["listen", "127.0.0.1", "0"])
        .stdout(Output::Hashed)
        .start();
    let target = server.listening().to_string();
    let client = nettool(["connect", &target]).stdin(much.clone()).start();
    for _ in 0..50 {
        for signal in [Signal::WINCH, Signal::CHILD, Signal::CONT] {
            server.signal(signal);
            client.signal(signal);
        }
        std::thread::yield_now();
    }
    client.wait().success();
    server.wait().success().received(much.fingerprint());
}

/// E12: with little room for memory it works or says why not.
#[test]
fn little_memory_is_enough_or_an_error() {
    if !need(&["prlimit"]) {
        return;
    }
    let much = Pattern::new(55, 1_000_000);
    let peer = Peer::serve(vec![Step::Exchange(Pattern::new(56, 10))]);
    let words = ["prlimit", "--as=67108864"];
    let client = nettool(["connect", "--until=both", &peer.target()]).by_way_of(words);
    let exit = client.stdin(much.clone()).run();
    exit.success();
    let seen = peer.seen();
    assert_eq!((seen.received, seen.end), (much.fingerprint(), End::Eof));
}

/// F7: surroundings that other programs stumble over.
#[test]
fn strange_surroundings_change_nothing() {
    let plain = nettool(["ifaces", "--names"]).run();
    plain.success();
    for (name, value) in [
        ("LANG", "C"),
        ("LC_ALL", "no_SUCH.locale"),
        ("TERM", ""),
        ("TERM", "dumb"),
        ("COLUMNS", "0"),
        ("COLUMNS", "1"),
        ("COLUMNS", "99999999999999999999"),
        ("NO_COLOR", ""),
        ("NO_COLOR", "1"),
        ("HOME", ""),
        ("PATH", ""),
    ] {
        let exit = nettool(["ifaces", "--names"]).env(name, value).run();
        exit.success().printed(&plain.stdout);
    }
}

/// H7: the terminal goes away, and we with it: whoever types has said all.
#[test]
fn a_terminal_that_goes_away_ends_us() {
    if !need(&["python3"]) {
        return;
    }
    let script = "import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
heard = b''
while b'hello' not in heard:
    heard += os.read(terminal, 100)
os.close(terminal)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))";
    let peer = Peer::serve(vec![Step::Write(b"hello".to_vec()), Step::ReadToEnd]);
    let words = [
        "-c",
        script,
        env!("CARGO_BIN_EXE_nettool"),
        "connect",
        &peer.target(),
    ];
    let exit = Program::new("python3").args(words).run();
    // The end of the terminal's input, its failure and the signal come at once: what is seen first
    // says whether the peer sees an end or a reset.
    let ends = [format!("-{}\n", libc::SIGHUP), "0\n".to_owned()];
    assert!(
        ends.iter().any(|end| exit.stdout == end.as_bytes()),
        "{exit:?}"
    );
    assert!(matches!(peer.seen().end, End::Eof | End::Reset));
}

/// H9: a hundred at once: each says its line whole.
#[test]
fn lines_of_many_are_whole() {
    let (reader, writer) = std::io::pipe().unwrap();
    // It is ours, and nobody listens there.
    let closed = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    let any = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    closed.bind(&any.into()).unwrap();
    let target = closed
        .local_addr()
        .unwrap()
        .as_socket()
        .unwrap()
        .to_string();
    let start = |_| {
        let errors = crate::support::Errors::Fd(writer.try_clone().unwrap().into());
        nettool(["connect", &target]).stderr(errors).start()
    };
    let all: Vec<_> = (0..100).map(start).collect();
    for one in all {
        one.wait().status(1);
    }
    drop(writer);
    let text = std::io::read_to_string(reader).unwrap();
    let error = format!("nettool: error: connect to {target}: connection refused");
    let whole = |line: &&str| *line == error;
    assert_eq!(text.lines().filter(whole).count(), 100, "{text}");
}

/// H5: no time of day decides on anything.
#[test]
fn only_steady_clocks_are_read() {
    let mut folders = vec![std::path::PathBuf::from("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
                continue;
            }
            let text = std::fs::read_to_string(entry.path()).unwrap();
            assert!(!text.contains("SystemTime"), "{:?}", entry.path());
        }
    }
}
