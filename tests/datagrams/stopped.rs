//! Whoever was stopped (Ctrl-Z and `fg`) for longer than the silence that is waited for has heard no
//! silence: what came meanwhile is taken.

use std::fs::read_to_string;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::{peer, receive, type_into};
use crate::support::{Exit, Input, LIMIT, Running, nettool, records_of, until};

/// What is waited for where the command does not say it itself, as an option and as a time.
const SILENCE: (&str, Duration) = ("1s", Duration::from_secs(1));

/// For so long a program is stopped: longer than anything that it waits for.
const STOPPED: Duration = Duration::from_millis(2500);

/// For so long a program has a turn, to take note of what has no answer.
const TURN: Duration = Duration::from_millis(200);

/// What comes while it is stopped.
const WORDS: [&str; 10] = [
    "one ", "two ", "", "three ", "four ", "five ", "six ", "seven ", "eight ", "nine",
];

/// What a trial comes to. One in which the program was stopped too late, because the machine stood
/// still, says nothing, and is made again.
fn tried<T>(trial: impl FnMut() -> Option<T>) -> T {
    let mut trials = std::iter::repeat_with(trial).take(10);
    trials.find_map(|came| came).expect("a trial in time")
}

/// Stops a program that may not end before `limit` has passed since `began`; nothing if it did not
/// stop before that.
fn stop(program: &Running, began: Instant, limit: Duration) -> Option<()> {
    program.signal(Signal::STOP);
    let path = format!("/proc/{}/stat", program.pid());
    until("it stands still", || {
        let stat = read_to_string(&path).unwrap_or_default();
        stat.rsplit(") ")
            .next()
            .is_some_and(|state| state.starts_with(['T', 'Z']))
    });
    (began.elapsed() < limit).then_some(())
}

/// Lets it go on, after so long a time that it would have ended.
fn go_on(program: &Running) {
    assert!(program.stays(STOPPED));
    program.signal(Signal::CONT);
}

/// What a listener comes to that has got a first word, and says it with `shown`, and the others
/// while it is stopped.
fn listener(options: &[&str], shown: impl Fn(&Running)) -> Exit {
    let all = WORDS.concat().len() + "first ".len();
    tried(|| {
        let server = nettool(["listen", "-u", "127.0.0.1", "0", "--json"])
            .args(["--quit-after", SILENCE.0, "--max-bytes", &all.to_string()])
            .args(options)
            .start();
        let listening = &records_of(server.line_with("listening"), "listening")[0];
        let port = listening["port"].as_u64().expect("a port");
        let client = peer("127.0.0.1");
        let to: SocketAddr = format!("127.0.0.1:{port}").parse().expect("an address");
        client.connect(to).expect("a route");
        let began = Instant::now();
        client.send(b"first ").expect("a listener");
        shown(&server);
        assert!(server.stays(TURN));
        stop(&server, began, SILENCE.1)?;
        for word in WORDS {
            client.send(word.as_bytes()).expect("room");
        }
        go_on(&server);
        Some(server.wait())
    })
}

#[test]
fn a_listener_prints_what_came_while_it_was_stopped() {
    let exit = listener(&[], |server| server.prints("first "));
    exit.success()
        .printed("first ".to_owned() + &WORDS.concat());
}

/// Its time is over when it goes on; what came before that is nobody else's.
#[test]
fn a_listener_whose_time_ended_meanwhile_prints_what_came() {
    let exit = tried(|| {
        let began = Instant::now();
        let server = nettool(["listen", "-u", "127.0.0.1", "0", "--max-time", "2s"]).start();
        let client = peer("127.0.0.1");
        client.connect(server.listening()).expect("a route");
        stop(&server, began, Duration::from_secs(2))?;
        for word in WORDS {
            client.send(word.as_bytes()).expect("room");
        }
        go_on(&server);
        Some(server.wait())
    });
    exit.success().printed(WORDS.concat());
}

#[test]
fn a_server_takes_what_came_while_it_was_stopped() {
    let exit = listener(&["--discard"], |server| server.says("\"connected\""));
    exit.success();
    let served = &records_of(&exit.stderr, "served")[0];
    assert_eq!(served["bytes_received"], 6 + WORDS.concat().len());
}

/// A client that waits for answers to its question, and whose input ends with that or does not.
fn answered(input_ends: bool, option: &str) {
    let exit = tried(|| {
        let peer = peer("127.0.0.1");
        let target = peer.local_addr().expect("an address").to_string();
        let most = WORDS.concat().len().to_string();
        let mut client = nettool(["connect", "-u", option, SILENCE.0, "--max-bytes", &most])
            .arg(&target)
            .stdin(Input::Open)
            .start();
        let began = Instant::now();
        type_into(&mut client, "question");
        if input_ends {
            drop(client.stdin.take());
        }
        let (_, from) = peer.recv_from(&mut [0; 9]).expect("a question");
        assert!(client.stays(TURN));
        stop(&client, began, SILENCE.1)?;
        for word in WORDS {
            peer.send_to(word.as_bytes(), from).expect("room");
        }
        go_on(&client);
        Some(client.wait())
    });
    exit.success().printed(WORDS.concat()).silent();
}

#[test]
fn a_client_prints_the_answers_that_came_while_it_was_stopped() {
    answered(true, "--quit-after");
}

#[test]
fn a_client_that_was_stopped_was_not_idle() {
    answered(false, "--idle-timeout");
}

/// A forwarder of this kind to a port, with an answer from there while it is stopped. It knows by
/// then that its client will say no more; `ask` says so, and when that began.
fn forwarder<T>(
    options: &[&str],
    (turn, limit): (Duration, Duration),
    ask: impl Fn(SocketAddr) -> (T, Instant),
) -> (T, Running) {
    let there = peer("127.0.0.1");
    let endpoint = format!("udp://{}", there.local_addr().expect("an address"));
    tried(|| {
        let server = nettool(["listen", "127.0.0.1", "0", "--forward", &endpoint]);
        let server = server.args(options).start();
        let (client, began) = ask(server.listening());
        let (_, from) = there.recv_from(&mut [0; 9]).expect("a question");
        assert!(server.stays(turn));
        stop(&server, began, limit)?;
        there.send_to(b"answer", from).expect("room");
        go_on(&server);
        Some((client, server))
    })
}

#[test]
fn a_client_that_has_ended_gets_the_answer_that_came_while_its_forwarder_was_stopped() {
    let (mut client, server) = forwarder(&[], (TURN, SILENCE.1), |to| {
        let mut client = TcpStream::connect(to).expect("a server");
        client.set_read_timeout(Some(LIMIT)).expect("a timeout");
        client.write_all(b"question").expect("a server");
        let began = Instant::now();
        client.shutdown(Shutdown::Write).expect("a connection");
        (client, began)
    });
    let mut came = String::new();
    client.read_to_string(&mut came).expect("an answer");
    assert_eq!(came, "answer");
    server.wait().success();
}

/// A session that is about to end, because its client is silent or the server leaves.
#[test]
fn a_session_gives_back_what_came_while_it_was_stopped() {
    let silence = Duration::from_millis(200);
    for option in ["--quit-after", "--idle-timeout"] {
        // A session goes on for half a second after that.
        let times = (silence + TURN, silence + Duration::from_millis(500));
        let (client, server) = forwarder(&["-u", option, "200ms"], times, |to| {
            let client: UdpSocket = peer("127.0.0.1");
            client.connect(to).expect("a route");
            let began = Instant::now();
            client.send(b"question").expect("a server");
            (client, began)
        });
        assert_eq!(receive(&client), b"answer", "{option}");
        if option == "--quit-after" {
            server.wait().success();
        }
    }
}
