//! How many clients, for how long, and what happens when the system has no room or we are stopped.

use std::fs;
use std::time::Duration;

use super::*;
use crate::support::{Input, Stopwatch, again, in_some_try, own_address, scratch, until};

/// How many descriptors a process has.
fn descriptors(server: &Running) -> usize {
    fs::read_dir(format!("/proc/{}/fd", server.pid()))
        .unwrap()
        .count()
}

/// `--broker` and `--chat` take many clients without being told to.
#[test]
fn clients_who_share_can_be_too_many() {
    for option in ["--broker", "--chat"] {
        let words = ["listen", "-v", "-m", "1", option, "127.0.0.1", "0"];
        let server = nettool(words).start();
        let first = client(server.listening());
        server.says("connected");
        let seen = Peer::connect(server.listening(), vec![Step::ReadToEnd]).seen();
        assert_eq!((seen.received.count, seen.end), (0, End::Reset));
        server.says("refused: there are as many clients as there may be");
        drop(first);
        stopped(server);
    }
    let exit = nettool(["listen", "-m", "1", "127.0.0.1", "0"]).run();
    exit.says("--max-clients is for --keep-open").status(2);
}

/// E4: with everybody idle the next one is turned away, and served when they are dropped.
#[test]
fn a_full_server_says_so_and_idle_clients_leave() {
    let server = server(&["--echo", "-v", "-m", "3", "--idle-timeout", "300ms"]).start();
    let addr = server.listening();
    // It finds all of them at once: none of the first three is idle for too long then.
    let (idle, mut late) = server.asleep(|| {
        let idle: Vec<_> = (0..3).map(|_| client(addr)).collect();
        for mut client in &idle {
            client.write_all(b"x").unwrap();
        }
        (idle, client(addr))
    });
    for mut client in &idle {
        client.read_exact(&mut [0; 1]).unwrap();
    }
    let error = again(|| late.read(&mut [0; 1])).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    server.says("refused: there are as many clients as there may be");
    for mut client in &idle {
        let error = again(|| client.read(&mut [0; 1])).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    }
    server.says("nothing moved for 300ms");
    until("there is room again", || {
        let mut client = client(addr);
        let asked = client
            .write_all(b"y")
            .and_then(|()| client.read_exact(&mut [0; 1]));
        asked.is_ok()
    });
    stopped(server);
}

/// E3: at the limit on open files it waits without spinning, says so once with the limit, and goes
/// on when there is room.
#[test]
fn at_the_limit_on_open_files_it_pauses() {
    let server = server(&["--echo"]).few_files(24).start();
    let addr = server.listening();
    let crowd: Vec<_> = (0..40).map(|_| client(addr)).collect();
    server.says("too many open files");
    let before = server.processor_ticks();
    assert!(server.stays(Duration::from_secs(1)));
    let spent = server.processor_ticks() - before;
    assert!(spent < 20, "{spent} hundredths of a second in one second");
    drop(crowd);
    // Whoever left while it waited is still in the backlog before us.
    assert_eq!(ask(&client(addr), b"again", 5), b"again");
    let stderr = stopped(server);
    let warnings: Vec<_> = stderr
        .lines()
        .filter(|line| line.contains("warning"))
        .collect();
    assert_eq!(warnings.len(), 1, "{stderr}");
    assert!(warnings[0].contains("24"), "{stderr}");
}

/// Who is taken has room for all that is done for it: the others wait, and none is reset.
#[test]
fn at_the_limit_nobody_is_taken_who_cannot_be_served() {
    const CLIENTS: usize = 100;
    let directory = scratch();
    let there = server(&["--echo"]).start();
    let target = there.listening().to_string();
    let named = format!("localhost:{}", there.listening().port());
    for words in [
        &["--save", directory.path().to_str().unwrap()][..],
        &["--forward", &target],
        &["--forward", &named],
        &["-e", "cat"],
        &["-e", "cat", "--max-bytes", "1G"],
    ] {
        let server = server(words).few_files(64).start();
        let addr = server.listening();
        let crowd: Vec<_> = (0..CLIENTS).map(|_| client(addr)).collect();
        for mut client in &crowd {
            client.write_all(b"data").unwrap();
        }
        server.says("too many open files");
        for client in &crowd {
            client.shutdown(Shutdown::Write).unwrap();
        }
        let wanted: &[u8] = if words[0] == "--save" { b"" } else { b"data" };
        for (number, mut client) in crowd.iter().enumerate() {
            let mut answer = Vec::new();
            let read = client.read_to_end(&mut answer);
            read.unwrap_or_else(|error| panic!("{words:?}, client {number}: {error}"));
            assert_eq!(answer, wanted, "{words:?}, client {number}");
        }
        let stderr = stopped(server);
        assert_eq!(stderr.matches("the limit is 64").count(), 1, "{stderr}");
    }
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), CLIENTS);
    stopped(there);
}

/// E2, E7: whoever comes and goes leaves nothing behind.
#[test]
fn come_and_go_leaves_nothing() {
    let server = server(&["--echo"]).start();
    let addr = server.listening();
    assert_eq!(ask(&client(addr), b"x", 1), b"x");
    until("the first is gone", || descriptors(&server) <= 16);
    let before = descriptors(&server);
    for _ in 0..500 {
        drop(client(addr));
        let reset = socket2::Socket::from(client(addr));
        reset.set_linger(Some(Duration::ZERO)).unwrap();
    }
    assert_eq!(ask(&client(addr), b"x", 1), b"x");
    until("everybody is gone", || descriptors(&server) <= before);
    stopped(server);
}

/// E5: somebody who says nothing, or half of it, holds nobody up.
#[test]
fn silent_clients_hold_nobody_up() {
    let server = server(&["--echo"]).start();
    let addr = server.listening();
    let _silent: Vec<_> = (0..300).map(|_| client(addr)).collect();
    // Nor does one who sends without reading.
    let flood = client(addr);
    flood.set_nonblocking(true).unwrap();
    while (&flood).write(&[0; 4096]).is_ok() {}
    assert_eq!(ask(&client(addr), b"hello", 5), b"hello");
    stopped(server);
}

/// Who is still being served when it is stopped has two seconds, and a second signal takes them.
#[test]
fn stopping_waits_for_what_is_in_flight() {
    let server = server(&["--echo", "-v"]).start();
    let addr = server.listening();
    let steps = vec![Step::Await, Step::Exchange(Pattern::new(1, 2_000_000))];
    let busy = Peer::connect(addr, steps);
    let mut idle = client(addr);
    assert_eq!(ask(&idle, b"x", 1), b"x");
    until("both are there", || {
        server.said().matches(" connected\n").count() == 2
    });
    busy.go();
    server.signal(Signal::TERM);
    // Nothing more is due to the idle one: a good end.
    assert_eq!(again(|| idle.read(&mut [0; 1])).unwrap(), 0);
    assert!(TcpStream::connect(addr).is_err() || server.stays(Duration::ZERO));
    let end = server.wait();
    end.died_of(libc::SIGTERM);
    assert!(end.stderr.contains("served 2 clients"), "{}", end.stderr);
    let seen = busy.seen();
    if seen.end == End::Eof && seen.sent == 2_000_000 {
        assert_eq!(seen.received, Pattern::new(1, 2_000_000).fingerprint());
    }
}

/// Who has had everything is no failure when it is left.
#[test]
fn who_is_left_with_a_good_end_is_served() {
    for options in [&["--echo"][..], &["--reply", "hello"], &["--broker"]] {
        let server = server(&[options, &["--json"]].concat()).start();
        let one = client(address(&server));
        let is_heard = options[0] == "--broker";
        let other = is_heard.then(|| client(address(&server)));
        if is_heard {
            until("both are there", || {
                server.said().matches("connected").count() == 2
            });
        }
        let mut hearer = other.as_ref().unwrap_or(&one);
        (&one).write_all(b"hello").unwrap();
        let mut answer = [0; 5];
        hearer.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"hello");
        let stderr = stopped(server);
        assert_eq!(again(|| hearer.read(&mut answer)).unwrap(), 0);
        let transfer = &records_of(&stderr, "transfer")[0];
        assert_eq!(
            (&transfer["complete"], &transfer["end"]),
            (&true.into(), &"signal".into())
        );
        assert_eq!(records_of(&stderr, "served")[0]["failed"], 0, "{stderr}");
    }
    // It may be that it has more to say, and what it said is no file.
    let directory = scratch();
    let path = directory.path().to_str().unwrap();
    let server = server(&["--save", path, "--json"]).start();
    let one = client(address(&server));
    (&one).write_all(b"hello").unwrap();
    until("it is there", || fs::read_dir(path).unwrap().count() == 1);
    assert_eq!(records_of(stopped(server), "served")[0]["failed"], 1);
}

/// A client that takes nothing is waited for, but not by a second signal, and is reset.
#[test]
fn a_second_signal_ends_at_once() {
    // After one alone it would take two seconds.
    in_some_try(|| ends_by_two_signals() < Duration::from_millis(1900));
}

/// How long a server takes to end that has a stalled client, and is told twice.
fn ends_by_two_signals() -> Duration {
    // Its port stays free when it listens no more.
    let here = own_address().to_string();
    let server = nettool(["listen", "-k", &here, "0", "--echo"]).start();
    let addr = server.listening();
    let mut stalled = client(addr);
    stalled.set_nonblocking(true).unwrap();
    while stalled.write(&[0; 4096]).is_ok() {}
    let before = Stopwatch::start();
    server.signal(Signal::TERM);
    until("it no longer listens", || TcpStream::connect(addr).is_err());
    server.signal(Signal::TERM);
    server.wait().died_of(libc::SIGTERM);
    let took = before.awake();
    stalled.set_nonblocking(false).unwrap();
    let read = std::io::copy(&mut stalled, &mut std::io::sink());
    assert_eq!(
        read.unwrap_err().kind(),
        std::io::ErrorKind::ConnectionReset
    );
    took
}

#[test]
fn a_unix_path_is_removed_when_it_is_stopped() {
    let directory = scratch();
    let path = directory.path().join("s");
    let server = nettool(["listen", "-k", "--reply", "da", "-v", "-U"])
        .arg(&path)
        .start();
    server.announced(1);
    for _ in 0..2 {
        let steps = vec![
            Step::Write(b"?".to_vec()),
            Step::Read(2),
            Step::Shutdown,
            Step::ReadToEnd,
        ];
        let seen = Peer::connect_unix(&path, steps).seen();
        assert_eq!((seen.head.as_slice(), seen.end), (&b"da"[..], End::Eof));
    }
    server.says("client 2 gone");
    stopped(server);
    assert!(!path.exists());
}

/// `--max-bytes` and `--max-time` are each client's own.
#[test]
fn a_client_has_its_own_bytes_and_times() {
    let server = server(&["--echo", "--max-bytes", "5", "--max-time", "1s", "-v"]).start();
    let addr = server.listening();
    for _ in 0..2 {
        in_some_try(|| {
            let steps = vec![Step::Write(b"hello, world".to_vec()), Step::ReadToEnd];
            let seen = Peer::connect(addr, steps).seen();
            // Its time may be over before it has said anything.
            seen.head == b"hello" && seen.end == End::Eof
        });
    }
    let mut idle = client(addr);
    let error = again(|| idle.read(&mut [0; 1])).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    server.says("timed out after 1s");
    stopped(server);
}

/// A client that takes what waits for it in our queue is not idle, though nothing more is written
/// into that for a long time.
#[test]
fn a_slow_reader_is_not_idle() {
    let directory = scratch();
    let answer = directory.path().join("answer");
    fs::write(&answer, vec![b'x'; 16_000_000]).unwrap();
    // All of it takes longer than may be silent, and no pause does, even if it is a long one.
    let read = || [Step::Pause(Duration::from_millis(300)), Step::Read(65_536)];
    in_some_try(|| {
        let server = server(&["-v", "--idle-timeout", "4s", "--reply-file"]);
        let server = server.arg(&answer).start();
        let mut steps = vec![Step::Write(b"?".to_vec())];
        steps.extend((0..20).flat_map(|_| read()));
        let seen = Peer::connect(server.listening(), steps).seen();
        let told = stopped(server);
        seen.received.count == 20 * 65_536 && !told.contains("nothing moved")
    });
}

/// stdin and stdout belong to nobody.
#[test]
fn stdin_and_stdout_are_not_touched() {
    let server = server(&["--echo"]).stdin(Input::Open).start();
    let addr = server.listening();
    assert_eq!(ask(&client(addr), b"x", 1), b"x");
    server.signal(Signal::TERM);
    server.wait().died_of(libc::SIGTERM).printed("");
}

/// Whatever a client gets, it is no more than `--max-bytes`; then it is left in peace.
#[test]
fn nobody_gets_more_than_the_most() {
    let directory = scratch();
    let file = directory.path().join("reply");
    fs::write(&file, vec![b'y'; 1_000_000]).unwrap();
    let file = file.to_str().unwrap();
    let other = nettool(["listen", "-k", "127.0.0.1", "0", "-c", "yes"]).start();
    let target = other.listening().to_string();
    for options in [
        &["-c", "yes | head -c 3000000"][..],
        &["-e", "yes"],
        &["--reply-file", file],
        &["--forward", &target],
    ] {
        for (keep, most) in [(&[][..], "100"), (&["-k"], "300000")] {
            let place = directory.path().join("s");
            let server = nettool(["listen", "--json", "--max-bytes", most, "-U"]);
            let server = server.arg(&place).args(options).args(keep).start();
            let unix = server.line_with("listening");
            assert!(unix.contains("unix"), "{unix}");
            full(server, most, |steps| Peer::connect_unix(&place, steps));
            let server = nettool(["listen", "--json", "--max-bytes", most, "127.0.0.1", "0"]);
            let server = server.args(options).args(keep).start();
            let addr = address(&server);
            full(server, most, |steps| Peer::connect(addr, steps));
        }
    }
    stopped(other);
}

/// A client that asks, and reads so much; it gets `most` bytes and a good end, and so does the
/// server, if it is only for one.
fn full(server: Running, most: &str, connect: impl FnOnce(Vec<Step>) -> Peer) {
    let ask = Step::Write(b"?".to_vec());
    let seen = connect(vec![ask, Step::ReadToEnd]).seen();
    let count = most.parse().unwrap();
    assert_eq!((seen.received.count, seen.end), (count, End::Eof));
    let said = server.line_with("transfer");
    let transfer = &records_of(&said, "transfer")[0];
    assert_eq!(
        (&transfer["end"], &transfer["bytes_sent"]),
        (&"limit".into(), &count.into())
    );
    match most {
        "100" => drop(server.wait().success()),
        _ => drop(stopped(server)),
    }
}

/// A client that sends much does not flood stderr.
#[test]
fn a_flood_is_told_now_and_then() {
    let server = server(&["--discard", "-v"]).start();
    let addr = server.listening();
    let steps = vec![Step::Exchange(Pattern::new(1, 50_000_000))];
    Peer::connect(addr, steps).seen();
    server.says("gone: received 50000000 B");
    let stderr = stopped(server);
    let lines = stderr.matches(" came").count();
    assert!((1..40).contains(&lines), "{lines} lines");
}
