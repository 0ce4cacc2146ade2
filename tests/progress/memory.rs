//! However much goes through, and however slow the reader is, the memory stays small.

use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::support::{Input, Output, Peer, Running, Step, nettool, scratch, until};

/// The most that an end may ever have had resident, in KiB. The pages of the program's own file,
/// which all that run it share, are 5 MiB of a build that is for use, and 11 MiB of one for tests.
const MOST: u64 = 12 * 1024;
const MOST_OF_FILE: u64 = 8 * 1024;

/// What goes through.
const GIBIBYTE: u64 = 1 << 30;

/// As long as it may take on a machine that is busy with other tests.
const LONG: Duration = Duration::from_secs(120);

/// Long enough for more to move if it can.
const PAUSE: Duration = Duration::from_millis(200);

/// Checks what a running program has ever had resident: all of it in a build that is for use, and in
/// every build what is its own.
#[track_caller]
fn keeps_little(program: &Running) {
    let path = format!("/proc/{}/status", program.pid());
    let status = std::fs::read_to_string(path).expect("a running program");
    let size = |name: &str| -> u64 {
        let line = status.lines().find(|line| line.starts_with(name));
        let number = line.and_then(|line| line.split_whitespace().nth(1));
        number
            .and_then(|number| number.parse().ok())
            .expect("a number")
    };
    let (most, of_file) = (size("VmHWM:"), size("RssFile:"));
    let own = most.saturating_sub(of_file);
    assert!(own < MOST - MOST_OF_FILE, "{own} KiB of its own");
    assert!(cfg!(debug_assertions) || most < MOST, "{most} KiB");
}

/// How many bytes it says have gone this way; nothing while nobody is there.
fn moved(program: &Running, verb: &str) -> u64 {
    let answers = || program.said().matches(" elapsed\n").count();
    let before = answers();
    program.signal(Signal::USR1);
    until("it answers", || answers() > before);
    let said = program.said();
    let line = said.lines().rfind(|line| line.ends_with(" elapsed"));
    let counts = line.and_then(|line| line.split_once(&format!("{verb} ")));
    let number = counts.and_then(|(_, rest)| rest.split_whitespace().next());
    number.map_or(0, |number| number.parse().expect("a number"))
}

/// Waits until it sends no more, and says how much it has sent.
fn at_rest(client: &Running) -> u64 {
    let mut last = 0;
    until("nothing moves any more", || {
        let before = std::mem::replace(&mut last, moved(client, "sent"));
        last > 0 && last == before && client.stays(PAUSE) && moved(client, "sent") == last
    });
    last
}

/// A file of holes, which takes no room.
fn holes(directory: &TempDir) -> PathBuf {
    let path = directory.path().join("holes");
    let file = File::create(&path).expect("a file");
    file.set_len(GIBIBYTE).expect("a size");
    path
}

#[test]
fn a_gibibyte_passes_in_little_memory() {
    let directory = scratch();
    let path = holes(&directory);
    let server = nettool(["listen", "127.0.0.1", "0"]).stdin(Input::Open);
    let server = server.stdout(Output::Null).limit(LONG).start();
    let target = server.listening().to_string();
    let client = nettool(["connect", "-v", &target]).stdin(path.as_path());
    let client = client.stdout(Output::Null).limit(LONG).start();
    client.says("connected over");
    let mut come = 0;
    while come < GIBIBYTE {
        let before = come;
        until("more has come", || {
            come = moved(&server, "received");
            come > before
        });
    }
    // The last acknowledgement may be on its way.
    until("all of it counts as sent", || {
        moved(&client, "sent") == GIBIBYTE
    });
    for end in [&server, &client] {
        keeps_little(end);
    }
    server.wait().success();
    client.wait().success();
}

#[test]
fn a_slow_reader_makes_the_sender_wait() {
    let directory = scratch();
    let path = holes(&directory);
    // Whoever reads from the receiver does not.
    let server = nettool(["listen", "127.0.0.1", "0", "--recv-only"]);
    let server = server.stdout(Output::Open).start();
    let target = server.listening().to_string();
    let client = nettool(["connect", "-v", &target]).stdin(path.as_path());
    let client = client.start();
    client.says("connected over");
    let last = at_rest(&client);
    assert!(last < GIBIBYTE / 8, "{last}");
    for end in [&server, &client] {
        keeps_little(end);
    }
}

/// The event loop keeps as little.
#[test]
fn a_slow_peer_makes_the_event_loop_wait() {
    let directory = scratch();
    let path = holes(&directory);
    let peer = Peer::serve(vec![Step::Await, Step::Reset]);
    let words = ["connect", "-v", &peer.target(), "--checksum", "blake3"];
    let client = nettool(words).stdin(path.as_path()).start();
    client.says("connected over");
    at_rest(&client);
    keeps_little(&client);
    peer.go();
    client.wait().failure(1);
}
