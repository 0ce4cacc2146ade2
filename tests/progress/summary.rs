//! The figures at the end, however it ended, and the records of what happened before.

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{Exit, Input, Peer, Step, nettool, records, records_of, scratch};

/// The transfer record, which is the last one.
#[track_caller]
fn transfer(exit: &Exit) -> Value {
    let last = records(&exit.stderr).pop().expect("records");
    assert_eq!(last["type"], "transfer", "{last}");
    last
}

#[test]
fn an_error_has_its_figures() {
    for json in [false, true] {
        let peer = Peer::serve(vec![
            Step::Read(5),
            Step::Write(b"word".to_vec()),
            Step::Await,
            Step::Reset,
        ]);
        let client = nettool([
            "connect",
            if json { "--json" } else { "-v" },
            &peer.target(),
        ]);
        let mut client = client.stdin(Input::Open).start();
        let mut pipe = client.stdin.take().expect("a pipe");
        std::io::Write::write_all(&mut pipe, b"bytes").expect("a reader");
        client.prints("word");
        peer.go();
        let exit = client.wait();
        drop(pipe);
        exit.status(1);
        if json {
            let transfer = transfer(&exit);
            assert_eq!(transfer["complete"], false);
            assert_eq!(transfer["end"], "reset");
            assert_eq!(transfer["bytes_sent"], 5);
            assert_eq!(transfer["bytes_acked"], 5);
            assert_eq!(transfer["bytes_received"], 4);
            assert_eq!(records_of(&exit.stderr, "error").len(), 1);
            for field in ["checksum", "sent_digest", "received_digest"] {
                assert!(transfer.as_object().unwrap().contains_key(field));
                assert!(transfer[field].is_null(), "{transfer}");
            }
        } else {
            let figures = "received 4 B, sent 5 B, all acknowledged, ";
            exit.says(&format!("nettool: broken off {}: {figures}", peer.target()));
        }
    }
}

#[test]
fn a_signal_has_its_figures() {
    for json in [false, true] {
        let peer = Peer::serve(vec![Step::Write(b"word".to_vec()), Step::Await]);
        let client = nettool([
            "connect",
            if json { "--json" } else { "-v" },
            &peer.target(),
        ]);
        let client = client.stdin(Input::Open).start();
        client.prints("word");
        client.signal(Signal::TERM);
        let exit = client.wait();
        exit.died_of(15);
        if json {
            let transfer = transfer(&exit);
            assert_eq!(transfer["complete"], false);
            assert_eq!(transfer["end"], "signal");
            assert_eq!(transfer["bytes_received"], 4);
        } else {
            exit.says("nettool: broken off ").says("received 4 B, ");
        }
        peer.go();
    }
}

/// Only TCP tells what has arrived.
#[test]
fn a_unix_socket_acknowledges_nothing() {
    let directory = scratch();
    let path = directory.path().join("socket");
    let peer = Peer::serve_unix(
        &path,
        vec![Step::Exchange(crate::support::Pattern::new(72, 9))],
    );
    let path = path.to_str().expect("a plain path");
    let exit = nettool(["connect", "--json", "-U", path])
        .stdin("bytes")
        .run();
    exit.status(0);
    let transfer = transfer(&exit);
    assert_eq!(transfer["bytes_sent"], 5);
    assert!(transfer["bytes_acked"].is_null(), "{transfer}");
    assert_eq!(transfer["bytes_received"], 9);
    peer.seen();
}

#[test]
fn what_is_granted_and_tried_again_is_recorded() {
    let peer = Peer::serve(vec![Step::ReadToEnd]);
    let words = ["connect", "--json", &peer.target(), "--send-buffer", "64K"];
    let exit = nettool(words).stdin("bytes").run();
    exit.status(0);
    let granted = records_of(&exit.stderr, "buffer_granted").remove(0);
    assert_eq!(granted["direction"], "send");
    assert_eq!(granted["requested_bytes"], 65_536);
    assert!(
        granted["granted_bytes"].as_u64() >= Some(65_536),
        "{granted}"
    );

    let words = ["connect", "--json", "-U", "/nonexistent/socket"];
    let options = ["--retry", "2", "--retry-delay", "1ms"];
    let exit = nettool(words).args(options).run();
    exit.status(1);
    let retries = records_of(&exit.stderr, "retrying");
    let numbers = |name: &str| retries.iter().map(|retry| retry[name].as_u64()).collect();
    let (delays, left): (Vec<_>, Vec<_>) = (numbers("delay_us"), numbers("tries_left"));
    assert_eq!(delays, [Some(1000), Some(2000)]);
    assert_eq!(left, [Some(1), Some(0)]);
    assert_eq!(retries[0]["errname"], "ENOENT");
    assert_eq!(retries[0]["action"], "connect");
}
