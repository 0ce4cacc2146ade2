//! Files that may not grow any more (setrlimit(2), `RLIMIT_FSIZE`): a failed write like any other.

use std::fs;

use super::*;
use crate::support::{Output, again, need, records_of, scratch};

/// How long a file may be.
const MOST: usize = 65_536;

/// More than that.
const MUCH: usize = 300_000;

/// The same program, with that limit.
fn limited(program: Program) -> Program {
    program.by_way_of(["prlimit", "--fsize=65536"])
}

/// Somebody sends more than that, and must not think that it was taken.
fn send_too_much(addr: SocketAddr) {
    let steps = vec![Step::Write(vec![7; MUCH]), Step::AwaitReset];
    assert_eq!(Peer::connect(addr, steps).seen().end, End::Reset);
}

#[test]
fn a_single_client_whose_file_may_not_grow_is_an_error() {
    if !need(&["prlimit"]) {
        return;
    }
    let directory = scratch();
    let (file, folder) = (directory.path().join("f"), directory.path().join("d"));
    fs::create_dir(&folder).unwrap();
    let listen = || nettool(["listen", "127.0.0.1", "0"]);
    let servers = [
        (listen().arg("-o").arg(&file), &file),
        (listen().stdout(Output::File(file.clone())), &file),
        (listen().args(["--append", "-o"]).arg(&file), &file),
        (listen().arg("--save").arg(&folder), &folder),
    ];
    for (server, place) in servers {
        let _ = fs::remove_file(&file);
        let server = limited(server).start();
        send_too_much(server.listening());
        let end = server.wait();
        let error = end.failure(1);
        assert!(error.contains("file too large"), "{error}");
        assert!(error.contains("received and 0 bytes sent"), "{error}");
        end.says("ulimit -f");
        if place == &file {
            assert!(fs::metadata(&file).unwrap().len() <= MOST as u64);
        }
    }
    let parts = fs::read_dir(&folder).unwrap();
    let parts: Vec<_> = parts.map(|part| part.unwrap().path()).collect();
    assert_eq!(parts.len(), 1);
    assert_eq!(parts[0].extension().unwrap(), "part");
}

/// With `--save` that concerns the one who sent too much, and nobody else.
#[test]
fn a_file_that_may_not_grow_takes_down_no_other_client() {
    if !need(&["prlimit"]) {
        return;
    }
    let folder = scratch();
    let server = server(&["--json", "--save"]).arg(folder.path());
    let server = limited(server).start();
    let addr = address(&server);
    let mut other = client(addr);
    other.write_all(b"before").unwrap();
    send_too_much(addr);
    other.write_all(b" and after").unwrap();
    other.shutdown(Shutdown::Write).unwrap();
    assert_eq!(again(|| other.read(&mut [0; 1])).unwrap(), 0);
    let stderr = stopped(server);
    let saved = records_of(&stderr, "saved");
    assert_eq!(saved.len(), 1, "{stderr}");
    let bytes = fs::read(saved[0]["path"].as_str().unwrap()).unwrap();
    assert_eq!(bytes, b"before and after");
    assert_eq!(records_of(&stderr, "error")[0]["errname"], "EFBIG");
}

/// Where all share a file the server ends, and says why.
#[test]
fn a_shared_file_that_may_not_grow_ends_the_server() {
    if !need(&["prlimit"]) {
        return;
    }
    let directory = scratch();
    let file = directory.path().join("f");
    let server = server(&[]).stdout(Output::File(file.clone()));
    let server = limited(server).start();
    send_too_much(server.listening());
    let end = server.wait();
    assert!(end.failure(1).contains("file too large"), "{}", end.stderr);
    assert!(fs::metadata(&file).unwrap().len() <= MOST as u64);
}

/// A command finds the signal as we did: at its default.
#[test]
fn a_command_has_the_signal_of_a_file_that_may_not_grow() {
    let directory = scratch();
    let file = directory.path().join("f");
    let line = format!(
        "ulimit -f 1; head -c 9000 /dev/zero > {}; echo $?",
        file.display()
    );
    let server = server(&["-c", &line]).start();
    let mut said = String::new();
    client(server.listening())
        .read_to_string(&mut said)
        .unwrap();
    assert_eq!(said.trim(), (128 + libc::SIGXFSZ).to_string());
    stopped(server);
}
