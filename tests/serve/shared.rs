//! `nettool listen` with clients that hear each other, or all the same stdin.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use rustix::process::Signal;

use super::{address, ask, client, server, stopped};
use crate::support::{
    CONTROL_C, End, Fingerprint, Input, LIMIT, Output, Pattern, Peer, Program, Running, Step,
    Terminal, again, need, nettool, records_of, scratch, until,
};

/// Reads lines of a client.
struct Reader(BufReader<TcpStream>);

impl Reader {
    fn new(client: &TcpStream) -> Self {
        Self(BufReader::new(client.try_clone().expect("a descriptor")))
    }

    /// The next line, without its end; empty at the end.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("a server that talks");
        line.trim_end().to_owned()
    }
}

/// Clients of a broker who are all there: each has heard the last.
pub(super) fn company(addr: SocketAddr, count: usize) -> Vec<TcpStream> {
    let clients: Vec<_> = (0..count).map(|_| client(addr)).collect();
    let (last, others) = clients.split_last().expect("clients");
    let mut speaker = last;
    // Who hears this is there; who came later hears only what is said later.
    for other in others {
        other
            .set_read_timeout(Some(Duration::from_millis(50)))
            .expect("a timeout");
    }
    for mut other in others {
        until("it hears", || {
            speaker.write_all(b".").expect("a server that reads");
            matches!(again(|| other.read(&mut [0; 1])), Ok(1))
        });
    }
    // Then nothing comes after this any more.
    speaker.write_all(b"!").expect("a server that reads");
    for mut other in others {
        other.set_read_timeout(Some(LIMIT)).expect("a timeout");
        let mut last = [0; 1];
        while last != *b"!" {
            other
                .read_exact(&mut last)
                .expect("a server that passes it on");
        }
    }
    clients
}

#[test]
fn every_client_of_a_broker_hears_all_others() {
    let server = nettool(["listen", "--broker", "127.0.0.1", "0"]).start();
    let clients = company(server.listening(), 5);
    let mut speaker = &clients[0];
    speaker.write_all(b"abc").unwrap();
    for client in &clients[1..] {
        assert_eq!(ask(client, b"", 3), b"abc");
    }
    // A client that has ended still hears.
    clients[1].shutdown(Shutdown::Write).unwrap();
    speaker.write_all(b"more").unwrap();
    for client in &clients[1..] {
        assert_eq!(ask(client, b"", 4), b"more");
    }
    (&clients[4]).write_all(b"x").unwrap();
    assert_eq!(ask(speaker, b"", 1), b"x");
    stopped(server);
}

/// A client that closes a Unix socket is gone, and keeps no place of --max-clients: nothing is sent
/// to it that would tell, as long as nobody says anything.
#[test]
fn a_unix_client_that_closes_is_gone() {
    for options in [&["--broker"][..], &["-k"]] {
        let directory = scratch();
        let path = directory.path().join("s");
        let server = nettool(["listen", "-v", "-U"])
            .arg(&path)
            .args(options)
            .stdin(Input::Open)
            .start();
        server.announced(1);
        for number in 1..=3 {
            Peer::connect_unix(&path, vec![Step::Write(b"hello".to_vec())]).seen();
            server.says(&format!("client {number} gone: received 5 B, sent 0 B"));
        }
        let told = stopped(server);
        assert!(told.contains("served 3 clients: "), "{told}");
    }
}

#[test]
fn a_stalled_reader_delays_nobody() {
    let server = nettool(["listen", "--broker", "127.0.0.1", "0"]).start();
    let clients = company(server.listening(), 3);
    let [speaker, hearer, stalled] = [&clients[0], &clients[1], &clients[2]];
    thread::scope(|scope| {
        scope.spawn(|| {
            std::io::copy(&mut Pattern::new(7, 40_000_000), &mut { speaker }).unwrap();
        });
        hears(hearer, 40_000_000);
    });
    let line = server.line_with("reads too slowly");
    assert!(
        line.contains(&stalled.local_addr().unwrap().to_string()),
        "{line}"
    );
    // What it was sent before is there, and then a reset: no good end.
    let end = { stalled }.read_to_end(&mut Vec::new());
    assert!(end.is_err(), "{end:?}");
    let stderr = stopped(server);
    assert!(stderr.lines().count() <= 2, "{stderr}");
}

/// Says as much as is taken before nobody takes more for half a second; how much that was.
fn stuff(mut speaker: &TcpStream) -> usize {
    let patience = Some(Duration::from_millis(500));
    speaker.set_write_timeout(patience).expect("a timeout");
    let bytes = Pattern::new(7, STUFF).to_vec();
    let mut said = 0;
    while let Ok(length) = speaker.write(&bytes[said..]) {
        said += length;
        assert!(said < bytes.len(), "somebody keeps all of it");
    }
    said
}

/// More than is ever kept for somebody.
const STUFF: u64 = 60_000_000;

/// Hears so much, which must be right.
fn hears(mut client: &TcpStream, count: usize) {
    let mut heard = vec![0; count];
    client.read_exact(&mut heard).expect("all of it");
    let wanted = Pattern::new(7, count as u64).fingerprint();
    assert_eq!(Fingerprint::of(&heard), wanted);
}

#[test]
fn a_sole_listener_is_waited_for() {
    let server = nettool(["listen", "--broker", "127.0.0.1", "0"]).start();
    let clients = company(server.listening(), 2);
    let said = stuff(&clients[0]);
    hears(&clients[1], said);
    assert!(!stopped(server).contains("slowly"));
}

#[test]
fn who_may_not_be_dropped_is_waited_for() {
    let words = ["listen", "--broker", "--slow=wait", "127.0.0.1", "0"];
    let server = nettool(words).start();
    let clients = company(server.listening(), 3);
    let said = stuff(&clients[0]);
    // Now one of them starves, since the other takes nothing.
    let mut starving = &clients[1];
    starving
        .set_read_timeout(Some(Duration::from_millis(500)))
        .expect("a timeout");
    let mut heard = Vec::new();
    assert!(starving.read_to_end(&mut heard).is_err());
    starving.set_read_timeout(Some(LIMIT)).expect("a timeout");
    let mut rest = vec![0; said - heard.len()];
    // Both at once: on a busy machine the silence may have been a pause, and then each waits for the
    // other again.
    thread::scope(|scope| {
        scope.spawn(|| hears(&clients[2], said));
        starving.read_exact(&mut rest).expect("all of it");
    });
    heard.extend(rest);
    let wanted = Pattern::new(7, said as u64).fingerprint();
    assert_eq!(Fingerprint::of(&heard), wanted);
    assert!(!stopped(server).contains("slowly"));
}

#[test]
fn people_in_a_chat_know_who_is_there() {
    let server = nettool(["listen", "--chat", "127.0.0.1", "0"]).start();
    let addr = server.listening();
    let mut one = client(addr);
    let mut first = Reader::new(&one);
    assert_eq!(first.line(), "* you are user1; nobody else is here");
    let other = client(addr);
    let mut second = Reader::new(&other);
    assert_eq!(second.line(), "* you are user2; here: user1");
    let from = other.local_addr().unwrap();
    assert_eq!(first.line(), format!("* user2 has come from {from}"));
    one.write_all(b"hel").unwrap();
    one.write_all(b"lo\r\nwith \x1b[2J and \xff\n").unwrap();
    assert_eq!(second.line(), "user1: hello");
    assert_eq!(second.line(), "user1: with \\u{1b}[2J and \\xff");
    (&other).write_all(b"bye").unwrap();
    other.shutdown(Shutdown::Write).unwrap();
    assert_eq!(first.line(), "user2: bye");
    assert_eq!(first.line(), "* user2 has left");
    assert_eq!(second.line(), "");
    stopped(server);
}

/// Whoever is cut off has left as well.
#[test]
fn people_in_a_chat_know_who_was_cut_off() {
    let words = ["listen", "--chat", "--max-bytes", "200", "127.0.0.1", "0"];
    let server = nettool(words).start();
    let addr = server.listening();
    let mut one = client(addr);
    let mut first = Reader::new(&one);
    assert!(first.line().starts_with("* you are user1"));
    let other = client(addr);
    assert!(first.line().starts_with("* user2 has come"));
    // More than the other may get.
    let line = [vec![b'x'; 190], b"\n".to_vec()].concat();
    one.write_all(&line).unwrap();
    assert_eq!(first.line(), "* user2 has left");
    drop(other);
    stopped(server);
}

#[test]
fn stdin_goes_to_all_and_their_bytes_to_stdout() {
    let server = server(&[]).stdin(Input::Open).start();
    let addr = server.listening();
    let (one, other) = (client(addr), client(addr));
    // Both have been heard, so both hear.
    for (client, word) in [(&one, "one"), (&other, "other")] {
        { client }.write_all(word.as_bytes()).unwrap();
        server.prints(word);
    }
    let mut stdin = server.stdin.as_ref().expect("an open pipe");
    stdin.write_all(b"to all").unwrap();
    for client in [&one, &other] {
        assert_eq!(ask(client, b"", 6), b"to all");
    }
    // A client that has ended still hears.
    one.shutdown(Shutdown::Write).unwrap();
    stdin.write_all(b"more").unwrap();
    for client in [&one, &other] {
        assert_eq!(ask(client, b"", 4), b"more");
    }
    stopped(server);
}

/// A client that has got as much as it may stays until what it said is written.
#[test]
fn nothing_is_lost_of_whoever_has_got_the_most() {
    let most = 100_000;
    let server = server(&["-v", "--max-bytes", "100000"]);
    let mut server = server.stdin(Input::Open).stdout(Output::Open).start();
    let addr = server.listening();
    let clients: Vec<_> = (0..8).map(|_| client(addr)).collect();
    // More than the pipe holds, and then one piece after the other, for which there is no room.
    for (number, mut client) in clients.iter().enumerate() {
        let length = if number == 0 { most } else { 3 };
        client.write_all(&vec![b'x'; length]).unwrap();
        let from = client.local_addr().unwrap();
        server.says(&format!("client {from}: "));
    }
    let mut stdin = server.stdin.take().expect("a kept pipe");
    stdin.write_all(&vec![b'y'; most]).unwrap();
    for mut client in &clients {
        client.read_exact(&mut vec![0; most]).unwrap();
    }
    let said = most + 3 * (clients.len() - 1);
    assert_eq!(server.read(said), vec![b'x'; said]);
    stopped(server);
}

/// Nor does it stay for the end of a line that may never come; what it said of that is passed on.
#[test]
fn the_beginning_of_a_line_keeps_nobody_who_has_got_the_most() {
    let server = server(&["-v", "--tag", "--max-bytes", "5"]);
    let mut server = server.stdin(Input::Open).start();
    let mut client = client(server.listening());
    client.write_all(b"hal").unwrap();
    let name = client.local_addr().unwrap();
    server.says(&format!("client {name}: "));
    let mut stdin = server.stdin.take().expect("a kept pipe");
    stdin.write_all(b"answer").unwrap();
    let mut heard = Vec::new();
    client.read_to_end(&mut heard).unwrap();
    assert_eq!(heard, b"answe");
    server.prints(&format!("{name}: hal\n"));
    stopped(server);
}

#[test]
fn the_end_of_stdin_ends_only_our_sending() {
    let text = Pattern::new(3, 3_000_000);
    let server = server(&[]).stdin(text.clone()).start();
    let mut one = client(server.listening());
    let mut heard = Vec::new();
    one.read_to_end(&mut heard).unwrap();
    assert_eq!(Fingerprint::of(&heard), text.fingerprint());
    one.write_all(b"still here").unwrap();
    server.prints("still here");
    // Who comes later is told at once.
    let mut late = client(server.listening());
    assert_eq!(again(|| late.read(&mut [0; 1])).unwrap(), 0);
    late.write_all(b"late").unwrap();
    server.prints("late");
    stopped(server);
}

#[test]
fn a_stdin_that_says_nothing_is_no_end() {
    let server = server(&[]).start();
    let mut one = client(server.listening());
    one.write_all(b"question").unwrap();
    server.prints("question");
    one.set_read_timeout(Some(Duration::from_millis(200)))
        .unwrap();
    assert!(
        again(|| one.read(&mut [0; 1])).is_err(),
        "our end came before the client's"
    );
    one.set_read_timeout(Some(LIMIT)).unwrap();
    one.shutdown(Shutdown::Write).unwrap();
    assert_eq!(again(|| one.read(&mut [0; 1])).unwrap(), 0);
    stopped(server);
}

#[test]
fn lines_are_marked_and_whole() {
    let server = server(&["--tag"]).start();
    let addr = server.listening();
    let (mut one, mut other) = (client(addr), client(addr));
    one.write_all(b"begun ").unwrap();
    other.write_all(b"whole\n").unwrap();
    server.prints(&format!("{}: whole\n", other.local_addr().unwrap()));
    one.write_all(b"and done\nrest").unwrap();
    server.prints(&format!("{}: begun and done\n", one.local_addr().unwrap()));
    one.shutdown(Shutdown::Write).unwrap();
    server.prints(&format!("{}: rest\n", one.local_addr().unwrap()));
    stopped(server);
}

#[test]
fn a_signal_in_the_middle_of_stdin_resets() {
    let server = server(&[]).stdin(Input::Open).start();
    let mut one = client(server.listening());
    one.write_all(b"x").unwrap();
    server.prints("x");
    let mut stdin = server.stdin.as_ref().expect("an open pipe");
    stdin.write_all(b"beginning").unwrap();
    assert_eq!(ask(&one, b"", 9), b"beginning");
    server.signal(Signal::TERM);
    let end = again(|| one.read(&mut [0; 1]));
    assert!(end.is_err(), "{end:?}");
    server.wait().died_of(libc::SIGTERM);
}

#[test]
fn stdout_that_fails_ends_the_server() {
    let full = server(&[]).stdout(Output::Full).start();
    let mut one = client(full.listening());
    one.write_all(b"lost").unwrap();
    assert!(
        full.wait()
            .failure(1)
            .contains("write to stdout: no space left")
    );
    let broken = server(&[]).stdout(Output::Broken).start();
    broken.wait().died_of(libc::SIGPIPE);
}

#[test]
fn a_terminal_talks_with_many() {
    let mut terminal = Terminal::new();
    let server = terminal.hosts(server(&[])).start();
    terminal.shows("listening on tcp 127.0.0.1:");
    until("the whole line is there", || {
        terminal.screen().ends_with(b"\n")
    });
    let line = String::from_utf8(terminal.screen()).expect("text");
    let addr: SocketAddr = line
        .split_whitespace()
        .next_back()
        .and_then(|word| word.parse().ok())
        .expect("an address");
    let (mut one, other) = (client(addr), client(addr));
    (&other).write_all(b"\x1b[2Jother\n").unwrap();
    terminal.shows("^[[2Jother");
    one.write_all(b"bye\n").unwrap();
    terminal.shows("bye");
    // Somebody types: a client's end is its end.
    one.shutdown(Shutdown::Write).unwrap();
    assert_eq!(again(|| one.read(&mut [0; 1])).unwrap(), 0);
    terminal.types("hello\n");
    assert_eq!(ask(&other, b"", 6), b"hello\n");
    terminal.types(CONTROL_C);
    server.wait().died_of(libc::SIGINT);
}

#[test]
fn real_clients_hear_each_other() {
    if !need(&["ncat", "socat", "nc.openbsd"]) {
        return;
    }
    let server = nettool(["listen", "--broker", "127.0.0.1", "0"]).start();
    let addr = server.listening();
    let port = addr.port().to_string();
    let start = |words: &[&str]| -> Running {
        Program::new(words[0])
            .args(&words[1..])
            .stdin(Input::Open)
            .start()
    };
    let clients = [
        start(&["ncat", "127.0.0.1", &port]),
        start(&["socat", "-", &format!("TCP:127.0.0.1:{port}")]),
        start(&["nc.openbsd", "127.0.0.1", &port]),
        nettool(["connect", "127.0.0.1", &port])
            .stdin(Input::Open)
            .start(),
    ];
    let mut speaker = client(addr);
    for listener in &clients {
        until("it hears", || {
            speaker.write_all(b"all\n").unwrap();
            listener.printed() > 0
        });
    }
    let mut stdin = clients[0].stdin.as_ref().expect("an open pipe");
    stdin.write_all(b"from ncat\n").unwrap();
    for listener in &clients[1..] {
        listener.prints("from ncat\n");
    }
    server.signal(Signal::TERM);
    server.wait().died_of(libc::SIGTERM);
    for listener in clients {
        listener.kill();
    }
}

/// Its reader stands still when the server is stopped: no client may take that for a good end.
#[test]
fn what_was_taken_of_a_client_and_not_written_is_reset() {
    let server = server(&[]).stdout(Output::Open).start();
    let steps = vec![
        Step::Write(Pattern::new(8, 200_000).to_vec()),
        Step::Shutdown,
        Step::ReadToEnd,
    ];
    let client = Peer::connect(server.listening(), steps);
    let pipe = server.stdout.as_ref().expect("a kept pipe");
    until("stdout is full", || {
        rustix::io::ioctl_fionread(pipe).expect("a pipe") > 60_000
    });
    // Everything may have been taken by then.
    assert!(server.stays(Duration::from_millis(300)));
    server.signal(Signal::TERM);
    let seen = client.seen();
    assert_eq!(seen.end, End::Reset);
    drop(server);
}

/// Nor may who has sent the beginning of a line, which is written when it is whole.
#[test]
fn the_beginning_of_a_tagged_line_is_not_followed_by_a_good_end() {
    let server = server(&["--tag"]).start();
    let steps = vec![Step::Write(b"whole\nbegun".to_vec()), Step::ReadToEnd];
    let client = Peer::connect(server.listening(), steps);
    server.prints("whole");
    server.signal(Signal::TERM);
    assert_eq!(client.seen().end, End::Reset);
    server.wait().died_of(libc::SIGTERM);
}

/// What all share and fails is told by its name, nobody is said to have been left by a signal, and
/// what was done is told all the same.
#[test]
fn a_shared_output_that_fails_is_told_as_what_it_is() {
    let server = server(&["--json", "-o", "/dev/full", "--force"]).start();
    let addr = address(&server);
    let mut other = client(addr);
    other.write_all(b"x").unwrap();
    let mut answer = Vec::new();
    // It is reset, and not told of a good end.
    other.read_to_end(&mut answer).unwrap_err();
    let end = server.wait();
    end.status(1);
    let error = records_of(&end.stderr, "error");
    assert_eq!(error[0]["target"], "/dev/full", "{}", end.stderr);
    assert_eq!(error[0]["errname"], "ENOSPC", "{}", end.stderr);
    let transfer = records_of(&end.stderr, "transfer");
    assert_eq!(transfer[0]["end"], "error", "{}", end.stderr);
    assert_eq!(transfer[0]["complete"], false, "{}", end.stderr);
    let totals = records_of(&end.stderr, "served");
    assert_eq!(totals.len(), 1, "{}", end.stderr);
    assert_eq!(totals[0]["clients"], 1, "{}", end.stderr);
    assert_eq!(totals[0]["failed"], 1, "{}", end.stderr);
    assert_eq!(totals[0]["bytes_received"], 1, "{}", end.stderr);
}
