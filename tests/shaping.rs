//! What slows the bytes of a conversation down, or writes them down.

use std::fs;
use std::io::Read;
use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::{
    Input, Output, Pattern, Peer, Program, Step, again, nettool, refused, scratch, until,
};

/// Reads a dump back: what was sent, and what was received. Each line says where it belongs.
fn read_back(text: &str) -> (Vec<u8>, Vec<u8>) {
    let (mut sent, mut received) = (Vec::new(), Vec::new());
    for line in text.lines() {
        let (mark, rest) = line.split_once(' ').unwrap();
        let (offset, rest) = rest.split_once(' ').unwrap();
        let way = match mark {
            ">" => &mut sent,
            "<" => &mut received,
            _ => panic!("{line}"),
        };
        assert_eq!(
            usize::from_str_radix(offset, 16).unwrap(),
            way.len(),
            "{line}"
        );
        let hex = rest.split(" # ").next().unwrap();
        let byte = |word| u8::from_str_radix(word, 16).unwrap();
        way.extend(hex.split_whitespace().map(byte));
    }
    (sent, received)
}

/// That no burst passes is the property of the pacer; here it stands before both directions.
#[test]
fn a_rate_is_never_passed_in_either_direction() {
    let pattern = Pattern::new(1, 60_000);
    let least = Duration::from_millis(500);
    let peer = Peer::serve(vec![Step::Exchange(pattern.clone())]);
    let client = nettool([
        "connect",
        &peer.target(),
        "--limit-rate=100kB/s",
        "--send-only",
    ]);
    let exit = client.stdin(Input::from(pattern.clone())).run();
    exit.at_least(least).success();
    assert_eq!(peer.seen().received, pattern.fingerprint());
    let peer = Peer::serve(vec![Step::Exchange(pattern.clone())]);
    let client = nettool(["connect", &peer.target(), "--limit-rate=100kB"]);
    let exit = client.run();
    exit.at_least(least)
        .success()
        .received(pattern.fingerprint());
    let place = scratch();
    let path = place.path().join("s");
    let peer = Peer::serve_unix(&path, vec![Step::Exchange(pattern.clone())]);
    let client = nettool(["connect", "--limit-rate=100kB", "-U"]).arg(&path);
    let exit = client.stdin(Input::from(pattern.clone())).run();
    exit.at_least(least)
        .success()
        .received(pattern.fingerprint());
    assert_eq!(peer.seen().received, pattern.fingerprint());
}

#[test]
fn a_listener_keeps_to_a_rate_too() {
    let pattern = Pattern::new(1, 60_000);
    let server = nettool(["listen", "127.0.0.1", "0", "--limit-rate=100kB"]);
    let server = server.stdin(Input::from(pattern.clone())).start();
    let client = Peer::connect(server.listening(), vec![Step::Exchange(pattern.clone())]);
    let exit = server.wait();
    exit.at_least(Duration::from_millis(500));
    exit.success().received(pattern.fingerprint());
    assert_eq!(client.seen().received, pattern.fingerprint());
}

#[test]
fn datagrams_keep_to_a_rate() {
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    let target = peer.local_addr().unwrap().to_string();
    let client = nettool(["connect", "-u", &target, "--send-only", "--limit-rate=20kB"]);
    let exit = client.stdin(Input::from(Pattern::new(1, 14_000))).run();
    // The last of ten is sent when nine are paid for.
    exit.at_least(Duration::from_millis(600)).success();
    let mut datagram = [0; 2000];
    for _ in 0..10 {
        assert_eq!(again(|| peer.recv(&mut datagram)).unwrap(), 1400);
    }
}

/// What is held back on purpose is not idle, and the input is not over before it is sent.
#[test]
fn bytes_that_wait_for_their_turn_are_not_idle() {
    let peer = Peer::serve(vec![Step::ReadToEnd]);
    let client = nettool([
        "connect",
        &peer.target(),
        "--delay=700ms",
        "--idle-timeout=300ms",
    ]);
    let exit = client.arg("--until=stdin").stdin("a\nb\n").run();
    exit.success().printed("");
    assert_eq!(peer.seen().head, b"a\nb\n");
}

#[test]
fn lines_are_sent_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = listener.local_addr().unwrap().to_string();
    let client = nettool(["connect", &target, "--delay=300ms", "-C"]);
    let began = Instant::now();
    let client = client.stdin("one\ntwo\nthree").start();
    let (mut stream, _) = listener.accept().unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    assert!(began.elapsed() >= Duration::from_millis(600));
    assert_eq!(all, b"one\r\ntwo\r\nthree");
    drop(stream);
    client.wait().success();
}

#[test]
fn both_directions_are_written_down_as_they_went() {
    let place = scratch();
    let file = place.path().join("dump");
    fs::write(&file, "what was there before").unwrap();
    let answer = Pattern::new(2, 300_001);
    let peer = Peer::serve(vec![Step::Exchange(answer.clone())]);
    let client = nettool(["connect", &peer.target(), "--crlf", "--hexdump"]).arg(&file);
    let exit = client.stdin("GET /\n\n").run();
    exit.success().silent().received(answer.fingerprint());
    let dump = fs::read_to_string(&file).unwrap();
    let expected = "> 00000000 47 45 54 20 2f 0d 0a 0d 0a                      # GET /....\n";
    assert!(dump.contains(expected), "{dump:.200}");
    let (sent, received) = read_back(&dump);
    assert_eq!(sent, b"GET /\r\n\r\n");
    assert!(received == answer.to_vec());
    assert_eq!(peer.seen().head, sent);
}

#[test]
fn what_goes_is_written_down_at_once_and_on_stderr_too() {
    let server = nettool(["listen", "127.0.0.1", "0", "-x", "-"]).start();
    let client = Peer::connect(
        server.listening(),
        vec![Step::Write(b"hi\x1b".to_vec()), Step::Await],
    );
    server.says("< 00000000 68 69 1b                                        # hi.\n");
    client.go();
    client.seen();
    server.wait().success().printed("hi\x1b");
}

#[test]
fn datagrams_are_written_down() {
    let place = scratch();
    let file = place.path().join("dump");
    let server = nettool(["listen", "-u", "127.0.0.1", "0", "-x"]).arg(&file);
    let server = server.stdin(Input::Open).start();
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.send_to(b"ping", server.listening()).unwrap();
    let dump = || fs::read_to_string(&file).unwrap_or_default();
    until("it is written down", || dump().ends_with("# ping\n"));
    server.signal(Signal::TERM);
    server.wait().died_of(15);
    assert_eq!(read_back(&dump()), (vec![], b"ping".to_vec()));
}

/// However many come at once: what the system hands over as one is told apart again.
#[test]
fn every_datagram_begins_a_line_of_the_dump() {
    let place = scratch();
    let file = place.path().join("dump");
    let total = 2 + 150 * 20;
    let most = format!("--max-bytes={total}");
    let server = nettool(["listen", "-u", "127.0.0.1", "0", &most, "-x"]);
    let server = server.arg(&file).start();
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.connect(server.listening()).unwrap();
    for text in ["a", "", "", "b"] {
        client.send(text.as_bytes()).unwrap();
    }
    server.prints("ab");
    // While it is stopped, many come.
    server.asleep(|| {
        for _ in 0..100 {
            client.send(&[b'x'; 20]).unwrap();
        }
        client.send(b"").unwrap();
        // As bundles, where the system has them.
        let target = server.listening().to_string();
        let words = ["connect", "-u", "--send-only", "--datagram-size=20"];
        let many = nettool(words).arg(target);
        many.stdin(&*vec![b'y'; 50 * 20]).run().success();
    });
    server.wait().success();
    let dump = fs::read_to_string(&file).unwrap();
    assert_eq!(read_back(&dump).1.len(), total);
    let empty = dump.lines().filter(|line| line.ends_with(" # "));
    assert_eq!(empty.count(), 3, "{dump}");
    assert_eq!(dump.lines().count(), 5 + 2 * 150, "{dump}");
    let blank = format!("< 00000001 {:47} # ", "");
    assert_eq!(dump.lines().nth(1), Some(blank.as_str()));
}

/// A dump that is cut short is never silent, whether it fails under way or cannot even begin.
#[test]
fn a_dump_that_fails_is_an_error() {
    for answer in [5, 3_000_000] {
        let peer = Peer::serve(vec![Step::Exchange(Pattern::new(1, answer))]);
        let client = nettool(["connect", &peer.target(), "-x", "/dev/full"]);
        let client = client.stdout(Output::Null).stdin("x");
        let exit = client.run();
        let error = exit.failure(1);
        assert!(
            error.contains("dump to /dev/full: no space left on device"),
            "{error}"
        );
        peer.seen();
    }
    let exit = nettool(["connect", "127.0.0.1:9", "-x", "/nowhere/dump"]).run();
    assert!(exit.failure(1).contains("open /nowhere/dump: no such file"));
    assert!(!Path::new("/nowhere").exists());
}

/// What was closed when we began takes no dump, and that shows in the status alone.
#[test]
fn a_dump_into_a_closed_stderr_is_an_error() {
    for path in ["-", "/dev/stderr"] {
        let peer = Peer::serve(vec![Step::Write(b"x".to_vec()), Step::ReadToEnd]);
        let client = nettool(["connect", &peer.target(), "-x", path]).redirected("2>&-");
        client.run().status(1).printed("");
    }
}

/// A path may stand for what the shell has opened: what that holds is kept.
#[test]
fn a_dump_may_go_to_a_descriptor_of_ours() {
    let place = scratch();
    let file = place.path().join("file");
    let redirection = format!("3>> {}", file.display());
    fs::write(&file, "older\n").unwrap();
    let peer = Peer::serve(vec![Step::Write(b"x".to_vec())]);
    let client = nettool(["connect", &peer.target(), "-x", "/dev/fd/3"]);
    client.redirected(&redirection).run().success().printed("x");
    let dump = fs::read_to_string(&file).unwrap();
    assert!(dump.starts_with("older\n< 00000000 78 "), "{dump}");
}

/// What we opened ourselves is no descriptor that somebody gave us.
#[test]
fn no_dump_goes_to_a_file_of_our_own() {
    let place = scratch();
    let file = place.path().join("file");
    for number in 3..8 {
        let path = format!("/dev/fd/{number}");
        let client = nettool(["connect", "127.0.0.1:9", "--force", "-x", &path, "-o"]).arg(&file);
        let exit = client
            .redirected("3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-")
            .run();
        let wanted = format!("open {path}: bad file descriptor");
        exit.says(&wanted).failure(1);
    }
}

/// Nobody reads the dump any more: that is an error, and not the end of stdout's reader.
#[test]
fn a_dump_without_a_reader_is_an_error() {
    let place = scratch();
    let pipe = place.path().join("pipe");
    let made = Program::new("mkfifo").arg(&pipe).run();
    made.success();
    let peer = Peer::serve(vec![Step::Await, Step::Exchange(Pattern::new(1, 1000))]);
    let client = nettool(["connect", &peer.target(), "-x"])
        .arg(&pipe)
        .start();
    drop(fs::File::open(&pipe).unwrap());
    // Until it runs, what another test is starting may have it open, too.
    let mut probe = fs::OpenOptions::new();
    let flag = rustix::fs::OFlags::NONBLOCK.bits();
    let probe = probe.write(true).custom_flags(flag.cast_signed());
    until("nobody reads it any more", || probe.open(&pipe).is_err());
    peer.go();
    let exit = client.wait();
    assert!(exit.failure(1).contains(": broken pipe"));
}

#[test]
fn what_makes_no_sense_is_refused() {
    for command in ["connect", "listen"] {
        refused(
            &[command, "127.0.0.1:9", "--limit-rate=0"],
            &["'0'", "nothing would ever move"],
        );
        refused(
            &[command, "127.0.0.1:9", "--limit-rate=fast"],
            &["'fast'", "10MB/s"],
        );
        refused(
            &[command, "127.0.0.1:9", "--delay=forever"],
            &["forever", "500ms"],
        );
        refused(
            &[command, "127.0.0.1:9", "--json", "-x-"],
            &["--hexdump", "--json"],
        );
        let same = [command, "127.0.0.1:9", "-x", "f", "-o", "f"];
        refused(&same, &["--hexdump", "--output"]);
        assert!(!Path::new("f").exists());
    }
    for option in ["--input", "--output", "--hexdump"] {
        let same = ["listen", "0", option, "f", "--port-file", "f"];
        refused(&same, &["--port-file", option]);
    }
}
