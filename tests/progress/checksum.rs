//! Checksums of what went over the wire, as others make them of the same bytes.

use std::net::SocketAddr;
use std::path::Path;

use super::file;
use crate::support::{
    Exit, Input, Pattern, Peer, Program, Step, need, nettool, records_of, scratch,
};

/// What `sha256sum` says of these bytes.
fn sha256(bytes: &[u8]) -> String {
    let exit = Program::new("sha256sum").stdin(bytes).run();
    exit.success();
    let line = String::from_utf8(exit.stdout).expect("text");
    line.split_whitespace().next().expect("a sum").to_owned()
}

/// The lines at the end are those of these bytes.
#[track_caller]
fn tells(exit: &Exit, sent: &str, received: &str) {
    exit.success();
    let expected = format!("{sent}  sent\n{received}  received\n");
    assert!(
        exit.stderr.ends_with(&expected),
        "{expected}{}",
        exit.stderr
    );
}

/// Larger than any buffer on the way, and no multiple of anything.
const LENGTH: u64 = 5_000_003;

#[test]
fn both_ends_of_a_stream_agree_with_sha256sum() {
    if !need(&["sha256sum"]) {
        return;
    }
    let (_directory, path) = file(LENGTH);
    let up = sha256(&std::fs::read(&path).expect("the file"));
    let answer = Pattern::new(73, 300_007).to_vec();
    let down = sha256(&answer);
    let directory = scratch();
    let socket = directory.path().join("socket");
    let socket = socket.to_str().expect("a plain path");
    for unix in [false, true] {
        let place: &[&str] = if unix {
            &["-U", socket]
        } else {
            &["127.0.0.1", "0"]
        };
        let server = nettool(["listen", "--checksum", "sha256"]).args(place);
        let server = server.stdin(answer.as_slice()).start();
        let place = if unix {
            server.says("listening on ");
            vec!["-U".to_owned(), socket.to_owned()]
        } else {
            vec![server.listening().to_string()]
        };
        let client = nettool(["connect", "--checksum=sha256"]).args(place);
        let exit = client.stdin(path.as_path()).run();
        tells(&exit, &up, &down);
        exit.printed(&answer);
        tells(&server.wait(), &down, &up);
    }
}

#[test]
fn records_have_them_as_fields() {
    if !need(&["sha256sum"]) {
        return;
    }
    let peer = Peer::serve(vec![Step::Write(b"answer".to_vec()), Step::ReadToEnd]);
    let words = ["connect", "--json", "--checksum", "sha256", &peer.target()];
    let exit = nettool(words).stdin("bytes").run();
    exit.status(0);
    let transfer = records_of(&exit.stderr, "transfer").remove(0);
    assert_eq!(transfer["checksum"], "sha256");
    assert_eq!(transfer["sent_digest"], sha256(b"bytes"));
    assert_eq!(transfer["received_digest"], sha256(b"answer"));
}

/// It is of what goes over the wire.
#[test]
fn line_ends_are_turned_and_limits_kept_before() {
    if !need(&["sha256sum"]) {
        return;
    }
    let steps = vec![
        Step::Read(7),
        Step::Write(b"0123456789".to_vec()),
        Step::ReadToEnd,
    ];
    let peer = Peer::serve(steps);
    let options = ["--crlf", "--max-bytes", "7", "--checksum", "sha256"];
    let client = nettool(["connect", &peer.target()]).args(options);
    let exit = client.stdin("a\nb\nc\nd\n").run();
    let seen = peer.seen();
    assert_eq!(seen.head, b"a\r\nb\r\nc");
    tells(&exit, &sha256(b"a\r\nb\r\nc"), &sha256(b"0123456"));
}

/// The test vector of BLAKE3's authors for 1025 bytes: 0 to 250, again and again.
#[test]
fn blake3_is_that_of_its_authors() {
    let bytes: Vec<u8> = (0..=250).cycle().take(1025).collect();
    let peer = Peer::serve(vec![Step::ReadToEnd]);
    let words = ["connect", "-q", "--checksum", "blake3", &peer.target()];
    let exit = nettool(words).stdin(bytes.as_slice()).run();
    let sent = "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444";
    let nothing = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";
    tells(&exit, sent, nothing);
}

/// Datagrams one after the other.
#[test]
fn datagrams_are_hashed_in_their_order() {
    if !need(&["sha256sum"]) {
        return;
    }
    let server = nettool(["listen", "-u", "127.0.0.1", "0", "--checksum=sha256"]);
    let server = server.args(["--max-bytes", "9000"]).start();
    let addr: SocketAddr = server.listening();
    let bytes = Pattern::new(74, 9000).to_vec();
    let target = addr.to_string();
    let words = ["connect", "-u", "--send-only", "--checksum=sha256", &target];
    let exit = nettool(words).stdin(bytes.as_slice()).run();
    tells(&exit, &sha256(&bytes), &sha256(b""));
    let exit = server.wait();
    exit.printed(&bytes);
    tells(&exit, &sha256(b""), &sha256(&bytes));
}

/// What was taken before the connection broke is what the checksum is of.
#[test]
fn a_broken_connection_has_the_checksum_of_its_part() {
    if !need(&["sha256sum"]) {
        return;
    }
    let peer = Peer::serve(vec![
        Step::Write(b"word".to_vec()),
        Step::Await,
        Step::Reset,
    ]);
    let words = ["connect", "--checksum", "sha256", &peer.target()];
    let client = nettool(words).stdin(Input::Open).start();
    client.prints("word");
    peer.go();
    let exit = client.wait();
    exit.failure(1);
    exit.printed("word")
        .says(&format!("{}  received\n", sha256(b"word")));
}

/// The checksum of what was written into a file is that of the file.
#[test]
fn the_file_that_was_received_has_the_same() {
    if !need(&["sha256sum"]) {
        return;
    }
    let directory = scratch();
    let copy = directory.path().join("copy");
    let server = nettool(["listen", "127.0.0.1", "0", "--checksum", "sha256", "-o"]);
    let server = server.arg(&copy).start();
    let client = Peer::connect(
        server.listening(),
        vec![Step::Exchange(Pattern::new(75, LENGTH))],
    );
    let exit = server.wait();
    client.seen();
    tells(&exit, &sha256(b""), &sum_of(&copy));
}

/// What `sha256sum` says of this file.
fn sum_of(path: &Path) -> String {
    sha256(&std::fs::read(path).expect("a file"))
}

#[test]
fn an_unknown_algorithm_is_refused() {
    let exit = nettool(["listen", "0", "--checksum", "md5"]).run();
    exit.status(2).says("md5").says("sha256").says("blake3");
}
