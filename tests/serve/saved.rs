//! `--save`: a file a client.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::*;
use crate::support::{Fingerprint, Namespace, again, need, records_of, scratch};

/// The names in a directory.
fn names(path: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(path).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn each_client_becomes_a_file() {
    let scratch = scratch();
    let server = server(&["-v", "--save"]).arg(scratch.path()).start();
    let addr = server.listening();
    let patterns = [(1, 0), (2, 5), (3, 3_000_000)];
    for (seed, size) in patterns {
        let seen = Peer::connect(addr, vec![Step::Exchange(Pattern::new(seed, size))]).seen();
        // The end of the server says that the file is complete.
        assert_eq!(seen.end, End::Eof);
    }
    stopped(server);
    let names = names(scratch.path());
    assert_eq!(names.len(), 3, "{names:?}");
    for ((seed, size), name) in patterns.into_iter().zip(&names) {
        assert!(
            name.starts_with(&format!("client-{seed}-127.0.0.1-")),
            "{name}"
        );
        let bytes = fs::read(scratch.path().join(name)).unwrap();
        assert_eq!(
            Fingerprint::of(&bytes),
            Pattern::new(seed, size).fingerprint()
        );
    }
}

#[test]
fn what_is_not_whole_is_called_a_part() {
    let scratch = scratch();
    let server = server(&["--json", "--save"]).arg(scratch.path()).start();
    let addr = address(&server);
    Peer::connect(addr, vec![Step::Reset]).seen();
    let steps = vec![Step::Write(b"half".to_vec()), Step::Drained, Step::Reset];
    Peer::connect(addr, steps).seen();
    server.says("\"end\":\"reset\"");
    let mut idle = client(addr);
    idle.write_all(b"unfinished").unwrap();
    crate::support::until("it has come", || {
        names(scratch.path())
            .iter()
            .any(|name| name.starts_with("client-3"))
    });
    let stderr = stopped(server);
    // Who is left before its end must not think that all is saved.
    let error = again(|| idle.read(&mut [0; 1])).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    let names = names(scratch.path());
    assert!(
        names
            .iter()
            .all(|name| name.strip_suffix(".part").is_some()),
        "{names:?}"
    );
    assert!(records_of(&stderr, "saved").is_empty());
    let transfers = records_of(&stderr, "transfer");
    assert!(
        transfers
            .iter()
            .all(|transfer| transfer["complete"] == false),
        "{stderr}"
    );
}

#[test]
fn a_single_client_is_saved_too() {
    let scratch = scratch();
    for _ in 0..2 {
        let server = nettool(["listen", "127.0.0.1", "0", "--json", "--save"]);
        let server = server.arg(scratch.path()).start();
        Peer::connect(address(&server), vec![Step::Exchange(Pattern::new(1, 9))]).seen();
        let end = server.wait();
        end.success();
        let saved = &records_of(&end.stderr, "saved")[0];
        assert_eq!((&saved["client"], &saved["bytes"]), (&1.into(), &9.into()));
        let path = saved["path"].as_str().unwrap();
        let bytes = fs::read(path).unwrap();
        assert_eq!(Fingerprint::of(&bytes), Pattern::new(1, 9).fingerprint());
    }
    assert_eq!(names(scratch.path()).len(), 2);
    nettool(["listen", "0", "--save", "/dev/null"])
        .run()
        .failure(1);
    nettool(["listen", "0", "--save", "/nowhere"])
        .run()
        .failure(1);
}

/// What is not ours any more is not announced as saved: the client is reset, and told of.
#[test]
fn a_part_that_somebody_replaced_is_an_error() {
    let scratch = scratch();
    for replaced in [true, false] {
        let server = nettool(["listen", "127.0.0.1", "0", "--json", "--save"]);
        let server = server.arg(scratch.path()).start();
        let mut client = client(address(&server));
        client.write_all(b"payload").unwrap();
        crate::support::until("it has come", || {
            let mut files = names(scratch.path()).into_iter();
            files.any(|name| fs::read(scratch.path().join(name)).unwrap() == b"payload")
        });
        let name = names(scratch.path()).pop_first().unwrap();
        let part = scratch.path().join(&name);
        fs::remove_file(&part).unwrap();
        if replaced {
            fs::write(&part, "FAKE").unwrap();
        }
        client.shutdown(Shutdown::Write).unwrap();
        let error = again(|| client.read(&mut [0; 1])).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
        let end = server.wait();
        end.status(1);
        assert!(records_of(&end.stderr, "saved").is_empty());
        assert_eq!(names(scratch.path()).len(), usize::from(replaced));
        if replaced {
            end.says("somebody put another file in its place");
            assert_eq!(fs::read(&part).unwrap(), b"FAKE");
            fs::remove_file(&part).unwrap();
        }
    }
}

/// A full disk resets the client, is told without `-v`, and is the status of a single client.
#[test]
fn a_full_disk_is_told() {
    if !need(&["mount", "unshare"]) || Namespace::new().is_none() {
        return;
    }
    let scratch = scratch();
    let script = "mount -t tmpfs -o size=256k none \"$0\" && exec \"$@\"";
    let server = nettool(["listen", "127.0.0.1", "0", "--save"]).arg(scratch.path());
    let server = server
        .by_way_of([scratch.path()])
        .by_way_of(["unshare", "-m", "sh", "-c", script])
        .start();
    let client = Peer::connect(
        server.listening(),
        vec![Step::Exchange(Pattern::new(1, 900_000))],
    );
    assert_eq!(client.seen().end, End::Reset);
    let end = server.wait();
    assert!(
        end.failure(1).contains("no space left on device"),
        "{}",
        end.stderr
    );
}
