//! A client that does not come to a good end: what was received of it goes where it was to go.

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use super::shared::company;
use super::*;
use crate::support::{Input, Output};

/// More numbered lines than stdout, we, and the buffers of a connection hold.
fn text() -> Vec<u8> {
    let mut text = String::new();
    for number in 0..250_000 {
        writeln!(text, "{number:07}").expect("memory");
    }
    text.into_bytes().repeat(8)
}

/// Sends until the server takes no more, or has had enough.
fn flood(mut client: &TcpStream, text: &[u8]) {
    client
        .set_write_timeout(Some(Duration::from_millis(200)))
        .expect("a timeout");
    if let Err(error) = client.write_all(text) {
        let kind = error.kind();
        let stalls = matches!(kind, io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut);
        let is_over = kind == io::ErrorKind::ConnectionReset || kind == io::ErrorKind::BrokenPipe;
        assert!(stalls || is_over, "{error}");
    }
}

/// Resets a connection.
fn reset(client: TcpStream) {
    let client = socket2::Socket::from(client);
    client.set_linger(Some(Duration::ZERO)).expect("a socket");
}

/// How many bytes were received of the first client that is gone, which did not end well.
fn received(server: &Running) -> usize {
    let transfer = &records_of(server.line_with("\"transfer\""), "transfer")[0];
    assert_eq!(transfer["complete"], false, "{transfer}");
    let count = transfer["bytes_received"].as_u64().expect("a count");
    assert!(count > 0, "it ended before anything came: {transfer}");
    usize::try_from(count).expect("a length")
}

/// What is written of a client that said this.
fn written(said: &[u8], tag: Option<SocketAddr>) -> Vec<u8> {
    let Some(from) = tag else {
        return said.to_vec();
    };
    let lines = String::from_utf8(said.to_vec()).expect("text");
    let marked = lines.lines().map(|line| format!("{from}: {line}\n"));
    marked.collect::<String>().into_bytes()
}

/// Reads all that is due, and then sees that it was all.
fn reads(mut server: Running, due: &[u8], case: &str) {
    let read = server.read(due.len());
    assert!(read == due, "{case}: something else was written");
    let mut pipe = server.stdout.take().expect("a kept pipe");
    stopped(server);
    let mut more = Vec::new();
    pipe.read_to_end(&mut more).expect("a pipe");
    assert_eq!(more, b"", "{case}");
}

#[test]
fn what_came_before_a_limit_is_written_when_stdout_has_room() {
    let text = text();
    for limit in [["--idle-timeout", "1s"], ["--max-time", "2s"]] {
        for tag in [&[][..], &["--tag"]] {
            let words = [&limit[..], tag, &["--json"]].concat();
            let server = server(&words).stdout(Output::Open).start();
            let addr = address(&server);
            // It finds both, the client and what that says.
            let client = server.asleep(|| {
                let client = client(addr);
                (&client).write_all(&text[..50_000]).expect("a server");
                client
            });
            flood(&client, &text[50_000..]);
            // The limit is kept to although stdout stands still.
            let count = received(&server);
            let ours = client.local_addr().expect("an address");
            let due = written(&text[..count], (!tag.is_empty()).then_some(ours));
            reads(server, &due, &words.join(" "));
        }
    }
}

/// Its reset is found by what is sent to it, or when stdout has room for what it said.
#[test]
fn what_came_before_a_reset_is_written_though_sending_finds_it() {
    let text = text();
    let server = server(&["--json"]).stdin(Input::Open).stdout(Output::Open);
    let mut server = server.start();
    let mut pipe = server.stdout.take().expect("a kept pipe");
    let client = client(address(&server));
    flood(&client, &text);
    reset(client);
    let mut stdin = server.stdin.as_ref().expect("a kept pipe");
    stdin.write_all(b"to all").expect("a server that reads");
    let reader = thread::spawn(move || {
        let mut written = Vec::new();
        pipe.read_to_end(&mut written).map(|_| written)
    });
    let count = received(&server);
    stopped(server);
    let written = reader.join().expect("a reader").expect("an end");
    assert_eq!(written.len(), count);
    assert!(written == text[..count], "something else was written");
}

#[test]
fn the_beginning_of_a_tagged_line_is_written_when_its_client_is_cut_off() {
    let server = server(&["--tag", "--idle-timeout", "300ms"]).start();
    let addr = server.listening();
    let client = server.asleep(|| {
        let mut client = client(addr);
        client.write_all(b"whole\nbegun").expect("a server");
        client
    });
    let from = client.local_addr().expect("an address");
    server.prints(&format!("{from}: whole\n{from}: begun\n"));
    stopped(server);
}

#[test]
fn others_hear_what_a_client_of_a_broker_said_before_its_reset() {
    let text = text();
    let words = [
        "listen",
        "--broker",
        "--slow=wait",
        "--json",
        "127.0.0.1",
        "0",
    ];
    let server = nettool(words).start();
    let mut clients = company(address(&server), 2);
    let (mut other, one) = (clients.remove(1), clients.remove(0));
    flood(&one, &text);
    reset(one);
    other.write_all(b"hello").expect("a server");
    // Whoever waits for the others to listen may be found gone only when they do.
    let listener = thread::spawn(move || {
        let mut heard = Vec::new();
        other.read_to_end(&mut heard).map(|_| heard)
    });
    let count = received(&server);
    stopped(server);
    let heard = listener.join().expect("a listener").expect("an end");
    assert_eq!(heard.len(), count);
    assert!(heard == text[..count], "something else was heard");
}

#[test]
fn the_last_words_of_a_client_of_a_chat_come_before_its_farewell() {
    let words = ["listen", "--chat", "-v", "127.0.0.1", "0"];
    let server = nettool(words).start();
    let mut one = client(server.listening());
    one.write_all(b"bye").expect("a server");
    let from = one.local_addr().expect("an address");
    server.says(&format!("client {from}: "));
    let other = client(server.listening());
    let welcome = "* you are user2; here: user1\n";
    assert_eq!(ask(&other, b"", welcome.len()), welcome.as_bytes());
    reset(one);
    let last = "user1: bye\n* user1 has left\n";
    let heard = ask(&other, b"", last.len());
    assert_eq!(String::from_utf8_lossy(&heard), last);
    stopped(server);
}
