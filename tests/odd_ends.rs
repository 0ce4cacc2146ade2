//! Odd ends: few descriptors, full backlogs, words in unusual places.

use std::fs;
use std::os::unix::net::UnixStream;

use socket2::{Domain, SockAddr, Socket, Type};

use crate::support::{nettool, scratch};

#[test]
fn the_version_stands_after_the_command_too() {
    let version = concat!("nettool ", env!("CARGO_PKG_VERSION"), "\n");
    for command in ["connect", "listen", "man"] {
        nettool([command, "-V"]).run().success().printed(version);
    }
}

#[test]
fn few_open_files_are_an_error_and_no_panic() {
    for limit in 4..16 {
        let client = nettool(["connect", "127.0.0.1", "1"]).few_files(limit);
        client.run().failure(1);
    }
}

#[test]
fn a_path_gets_a_hint_of_its_own() {
    let directory = scratch();
    let path = directory.path().join("file");
    fs::write(&path, "").unwrap();
    let exit = nettool(["listen", "-U"]).arg(&path).run();
    exit.failure(1);
    assert!(!exit.stderr.contains("free port"), "{}", exit.stderr);
}

#[test]
fn a_busy_unix_server_is_waited_for() {
    let directory = scratch();
    let path = directory.path().join("s");
    let server = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
    server.bind(&SockAddr::unix(&path).unwrap()).unwrap();
    server.listen(0).unwrap();
    let first = UnixStream::connect(&path).unwrap();
    let client = nettool(["connect", "-U"]).arg(&path).start();
    assert!(client.stays(std::time::Duration::from_millis(300)));
    drop(server.accept().unwrap());
    drop(server.accept().unwrap());
    client.wait().success();
    drop(first);
}
