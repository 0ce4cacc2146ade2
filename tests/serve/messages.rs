//! Connections that carry messages: what a read leaves of one is lost, and so none may be left.

use std::io::{Read, Write};
use std::path::Path;

use socket2::{Domain, SockAddr, Socket, Type};

use super::*;
use crate::support::{Output, again, records_of, scratch, skip, until};

/// More than a read of a stream takes at once.
const LONG: usize = 300_000;

/// More than there is room for.
const TOO_LONG: usize = 600_000;

/// A server that talks in records, at this path.
fn listen(path: &Path, options: &[&str]) -> Program {
    nettool(["listen", "--seqpacket", "--json", "-U"])
        .arg(path)
        .args(options)
}

/// Somebody who is connected to a server that listens, and can send long messages.
fn connect(path: &Path) -> Socket {
    let socket = Socket::new(Domain::UNIX, Type::SEQPACKET, None).unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    socket.set_send_buffer_size(2 * TOO_LONG).unwrap();
    socket.connect(&SockAddr::unix(path).unwrap()).unwrap();
    socket
}

/// Sends a message and shuts the write half down.
fn say(mut client: &Socket, message: &[u8]) {
    assert_eq!(client.write(message).unwrap(), message.len());
    client.shutdown(Shutdown::Write).unwrap();
}

/// The next message.
fn hear(mut client: &Socket) -> Vec<u8> {
    let mut message = vec![0; TOO_LONG];
    let length = again(|| client.read(&mut message)).unwrap();
    message.truncate(length);
    message
}

#[test]
fn a_long_message_is_taken_whole() {
    let directory = scratch();
    let folder = scratch();
    let folder_name = folder.path().to_str().unwrap();
    let copied = directory.path().join("copied");
    let command = format!("cat > {}", copied.display());
    let message = Pattern::new(1, LONG as u64).to_vec();
    let services = [
        &["--discard"][..],
        &["--save", folder_name],
        &["-c", &command],
        &["--reply", "da"],
    ];
    for options in services {
        let path = directory.path().join("s");
        let server = listen(&path, options).start();
        server.says("listening");
        let client = connect(&path);
        say(&client, &message);
        let end = server.wait();
        end.success();
        let transfer = &records_of(&end.stderr, "transfer")[0];
        assert_eq!(transfer["bytes_received"], LONG, "{options:?}");
        assert_eq!(transfer["complete"], true, "{options:?}");
    }
    let saved = std::fs::read(folder.path().join("client-1")).unwrap();
    assert!(saved == message, "{} saved", saved.len());
    let copied = std::fs::read(copied).unwrap();
    assert!(copied == message, "{} copied", copied.len());
}

#[test]
fn a_long_message_is_passed_on_whole() {
    let directory = scratch();
    let path = directory.path().join("s");
    let message = Pattern::new(1, LONG as u64).to_vec();
    let server = listen(&path, &["--echo", "--send-buffer", "1M"]).start();
    server.says("listening");
    let client = connect(&path);
    say(&client, &message);
    assert!(hear(&client) == message);
    assert!(hear(&client).is_empty());
    server.wait().success();
    let server = listen(&path, &["--broker", "--send-buffer", "1M"]).start();
    server.says("listening");
    let [speaker, listener] = [connect(&path), connect(&path)];
    speaker.set_nonblocking(true).unwrap();
    until("both are there", || {
        assert_eq!((&listener).write(b"here").unwrap(), 4);
        again(|| (&speaker).read(&mut [0; 4])).is_ok()
    });
    say(&speaker, &message);
    assert!(hear(&listener) == message);
    stopped(server);
    let there = Peer::serve(vec![Step::Read(LONG), Step::Shutdown, Step::ReadToEnd]);
    let server = listen(&path, &["--forward", &there.target()]).start();
    server.says("listening");
    say(&connect(&path), &message);
    assert_eq!(
        there.seen().received,
        Pattern::new(1, LONG as u64).fingerprint()
    );
    server.wait().success();
}

#[test]
fn long_messages_of_many_come_to_stdout_whole() {
    let directory = scratch();
    let path = directory.path().join("s");
    let message = Pattern::new(1, LONG as u64).to_vec();
    let server = listen(&path, &["-k"]).stdout(Output::Captured).start();
    server.says("listening");
    let clients = [connect(&path), connect(&path)];
    for client in &clients {
        say(client, &message);
    }
    server.prints_bytes(2 * LONG);
    drop(clients);
    until("both are gone", || {
        server.said().matches("\"transfer\"").count() == 2
    });
    let stderr = stopped(server);
    for transfer in records_of(&stderr, "transfer") {
        assert_eq!(transfer["bytes_received"], LONG);
        assert_eq!(transfer["complete"], true);
    }
}

#[test]
fn a_message_that_is_cut_is_an_error() {
    let directory = scratch();
    let folder = scratch();
    let folder_name = folder.path().to_str().unwrap();
    let path = directory.path().join("s");
    let services = [
        &["--discard"][..],
        &["--save", folder_name],
        &["-c", "wc -c"],
        &["--discard", "--max-bytes", "1000"],
        &["--reply", "da", "--max-bytes", "2"],
    ];
    for options in services {
        let server = listen(&path, options).start();
        server.says("listening");
        let mut client = connect(&path);
        if client.write(&vec![7; TOO_LONG]).is_err() {
            return skip("no send buffer for a message that is too long");
        }
        client.shutdown(Shutdown::Write).unwrap();
        let end = server.wait();
        end.status(1).says("a message of 600000 bytes was cut");
        let transfer = &records_of(&end.stderr, "transfer")[0];
        assert_eq!(transfer["complete"], false, "{options:?}");
    }
    // What came of it is no file that is whole.
    let names = std::fs::read_dir(folder.path()).unwrap();
    let names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["client-1.part"]);
}

/// `--max-bytes` cuts no message silently, however short, whoever takes it; one that ends where the limit
/// is loses nothing.
#[test]
fn a_message_beyond_the_limit_is_an_error() {
    let directory = scratch();
    let path = directory.path().join("s");
    for options in [&[][..], &["--discard"], &["-c", "cat > /dev/null"]] {
        for (messages, code) in [(&[12][..], 1), (&[8, 4], 1), (&[8, 2], 0), (&[10], 0)] {
            let server = listen(&path, options).args(["--max-bytes", "10"]);
            let server = server.stdout(Output::Captured).start();
            server.says("listening");
            let mut client = connect(&path);
            for length in messages {
                client.write_all(&vec![b'7'; *length]).unwrap();
            }
            let end = server.wait();
            end.status(code);
            let transfer = &records_of(&end.stderr, "transfer")[0];
            assert_eq!(transfer["bytes_received"], 10, "{options:?}");
            assert_eq!(transfer["complete"], code == 0, "{options:?} {messages:?}");
            if let ([.., last], 1) = (messages, code) {
                let kept = 10 - (messages.iter().sum::<usize>() - last);
                end.says(&format!("a message of {last} bytes was cut to {kept}"));
            }
        }
    }
}

/// A command that reads a few bytes at a time gets all of them, whatever else is asked for.
#[test]
fn a_command_has_no_message_cut() {
    let directory = scratch();
    let path = directory.path().join("s");
    let out = directory.path().join("out");
    let command = format!("read x; echo \"got $x\" > {}; wc -c >&2", out.display());
    for options in [&[][..], &["-v"], &["-k"]] {
        let server = nettool(["listen", "--seqpacket", "-U"])
            .arg(&path)
            .args(["-c", &command])
            .args(options)
            .start();
        server.says("listening");
        let mut client = connect(&path);
        client.write_all(b"hello world\n").unwrap();
        for _ in 0..5 {
            client.write_all(&vec![7; 20_000]).unwrap();
        }
        client.shutdown(Shutdown::Write).unwrap();
        assert!(hear(&client).is_empty());
        server.says("100000");
        assert_eq!(std::fs::read(&out).unwrap(), b"got hello world\n");
        match options {
            ["-k"] => drop(stopped(server)),
            _ => drop(server.wait().success()),
        }
    }
}

/// stdin becomes messages for many as it does for one.
#[test]
fn stdin_is_cut_into_messages_for_many() {
    let directory = scratch();
    let path = directory.path().join("s");
    let text = "one\ntwo\nthree";
    let much = "x".repeat(300_000);
    let input = [
        (&["--lines"][..], text, vec![4, 4, 5]),
        (&["--datagram-size", "6"], text, vec![6, 6, 1]),
        (&[], &much, [vec![1400; 214], vec![400]].concat()),
    ];
    for (options, text, lengths) in input {
        let file = directory.path().join("input");
        std::fs::write(&file, text).unwrap();
        let server = nettool(["listen", "-k", "--seqpacket", "--input"])
            .arg(&file)
            .arg("-U")
            .arg(&path)
            .args(options)
            .start();
        server.says("listening");
        let client = connect(&path);
        let heard: Vec<_> = lengths.iter().map(|_| hear(&client)).collect();
        assert_eq!(heard.concat(), text.as_bytes(), "{options:?}");
        let heard: Vec<_> = heard.iter().map(Vec::len).collect();
        assert_eq!(heard, lengths, "{options:?}");
        assert!(hear(&client).is_empty());
        drop(client);
        stopped(server);
    }
}
