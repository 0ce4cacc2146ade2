//! The files that datagrams are written into.

use std::fs;
use std::os::unix::net::UnixDatagram;

use rustix::process::Signal;

use super::peer;
use crate::support::{nettool, scratch};

/// Over datagrams nobody connects: a server that heard nothing has lost nothing.
#[test]
fn files_are_as_they_were_where_no_datagram_came() {
    let directory = scratch();
    let socket = directory.path().join("s").display().to_string();
    let (old, new) = (directory.path().join("old"), directory.path().join("new"));
    for place in [&["127.0.0.1", "0"][..], &["-U", &socket]] {
        for option in ["--output", "--hexdump"] {
            for path in [&old, &new] {
                fs::write(&old, "precious").expect("a file");
                let program = nettool(["listen", "-u"]).args(place).arg(option).arg(path);
                let program = match option {
                    "--output" if path == &old => program.arg("--force"),
                    _ => program,
                };
                let server = program.start();
                server.announced(1);
                server.signal(Signal::INT);
                server.wait().died_of(libc::SIGINT);
            }
            let kept = fs::read_to_string(&old).expect("the file");
            assert_eq!(kept, "precious", "{place:?} {option}");
            assert!(!new.exists(), "{place:?} {option}");
        }
    }
}

/// The first datagram is whoever's: a Unix socket may have no name.
#[test]
fn a_file_is_replaced_by_the_first_datagram() {
    let directory = scratch();
    let (path, socket) = (directory.path().join("file"), directory.path().join("s"));
    for is_unix in [false, true] {
        fs::write(&path, "precious and long").expect("a file");
        let program = nettool(["listen", "-u", "--max-bytes=4"]);
        let program = program.arg("-o").arg(&path).arg("--force");
        if is_unix {
            let server = program.arg("-U").arg(&socket).start();
            server.announced(1);
            let client = UnixDatagram::unbound().expect("a socket");
            client.send_to(b"word", &socket).expect("a server");
            server.wait().success();
        } else {
            let server = program.args(["127.0.0.1", "0"]).start();
            let client = peer("127.0.0.1");
            client
                .send_to(b"word", server.listening())
                .expect("a server");
            server.wait().success();
        }
        let came = fs::read_to_string(&path).expect("the file");
        assert_eq!(came, "word", "unix: {is_unix}");
    }
}
