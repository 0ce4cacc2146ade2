//! The bar: where it is drawn, where it is not, and what it leaves behind.

use std::io::{PipeReader, Write};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::process::Signal;

use super::{MOMENT, file};
use crate::support::{
    CONTROL_C, Errors, Input, Output, Peer, Program, Running, Step, Terminal, need, nettool, until,
};

/// What clears a line.
const CLEAR: &str = "\r\u{1b}[2K";

/// `connect` to this peer with stderr on the terminal, which controls it, and nothing to read.
fn connect(terminal: &Terminal, peer: &Peer, options: &[&str]) -> Program {
    let program = nettool(["connect", &peer.target()]).args(options);
    let program = program
        .stdout(Output::Null)
        .stderr(Errors::Fd(terminal.slave()));
    terminal.controls(program).env("TERM", "xterm")
}

/// What the terminal shows.
fn screen(terminal: &Terminal) -> String {
    String::from_utf8_lossy(&terminal.screen()).into_owned()
}

/// Every frame of the bar.
fn frames(text: &str) -> Vec<&str> {
    text.split(CLEAR).map(str::trim_end).collect()
}

/// A transfer of this file that gets no further than the buffers until the peer is told to go on.
fn held(terminal: &Terminal, path: &Path, options: &[&str]) -> (Running, Peer) {
    let peer = Peer::serve(vec![Step::Await, Step::ReadToEnd]);
    let client = connect(terminal, &peer, options).stdin(path).start();
    (client, peer)
}

#[test]
fn a_file_has_a_bar_and_then_a_summary() {
    if !need(&["setsid"]) {
        return;
    }
    let terminal = Terminal::new();
    let (_directory, path) = file(20_000_000);
    let (client, peer) = held(&terminal, &path, &["--send-only"]);
    terminal.shows("/19.1 MiB ");
    terminal.shows(" queued");
    terminal.shows("\r\u{1b}[2K[>             ] sent ");
    peer.go();
    client.wait().success();
    terminal.shows("bit/s\r\n");
    let text = screen(&terminal);
    let last = frames(&text).pop().expect("a last frame").to_owned();
    assert!(
        last.starts_with("nettool: done ") && last.contains("sent 20000000 B (19.1 MiB), all ack"),
        "{text:?}"
    );
    // The bar is gone before anything else is said, and no colour was asked for.
    assert!(
        !text.contains("\u{1b}[3") && !text.contains("\u{1b}[0m"),
        "{text:?}"
    );
}

/// All of it is written at once, and none of it is read: what the peer's kernel has not got does
/// not count.
#[test]
fn everything_written_is_not_everything_sent() {
    if !need(&["setsid"]) {
        return;
    }
    let terminal = Terminal::new();
    let (_directory, path) = file(1_000_000);
    let (client, peer) = held(&terminal, &path, &["--progress", "bar"]);
    terminal.shows(" queued");
    assert!(client.stays(MOMENT));
    // It is not that nothing counts.
    let percent = |frame: &&str| frame.contains("%, ") && !frame.contains(" 0%, ");
    until("something counts", || {
        frames(&screen(&terminal)).iter().any(percent)
    });
    let text = screen(&terminal);
    assert!(!text.contains("100%"), "{text:?}");
    peer.go();
    client.wait().success();
}

#[test]
fn without_a_size_there_is_no_percent() {
    if !need(&["setsid"]) {
        return;
    }
    let terminal = Terminal::new();
    let peer = Peer::serve(vec![Step::Read(5), Step::Await, Step::ReadToEnd]);
    let client = connect(&terminal, &peer, &[]).stdin(Input::Open);
    let mut client = client.start();
    let mut pipe = client.stdin.take().expect("a pipe");
    pipe.write_all(b"bytes").expect("a reader");
    terminal.shows(" sent 5 B, ");
    let text = screen(&terminal);
    assert!(!text.contains('%'), "{text:?}");
    peer.go();
    drop(pipe);
    client.wait().success();
}

#[test]
fn a_size_that_is_said_has_a_percent_either_way() {
    if !need(&["setsid"]) {
        return;
    }
    let terminal = Terminal::new();
    let peer = Peer::serve(vec![
        Step::Write(b"answer".to_vec()),
        Step::Await,
        Step::ReadToEnd,
    ]);
    let client = connect(&terminal, &peer, &["--size", "12"]).stdin(Input::Open);
    let client = client.start();
    terminal.shows("received 6 B/12 B 50%");
    peer.go();
    client.wait().success();
}

/// The bytes before the offset that stdin was left at are no part of it.
#[test]
fn a_file_counts_from_where_it_stands() {
    if !need(&["setsid"]) {
        return;
    }
    let terminal = Terminal::new();
    let (_directory, path) = file(3_000_000);
    let peer = Peer::serve(vec![Step::Await, Step::ReadToEnd]);
    let script = "dd bs=1000000 count=1 of=/dev/null 2>&1; exec \"$@\"";
    let client = nettool(["connect", &peer.target(), "--progress", "bar"]);
    let client = client
        .by_way_of(["sh", "-c", script, "sh"])
        .stdin(path.as_path())
        .stderr(Errors::Fd(terminal.slave()));
    let client = terminal.controls(client).start();
    terminal.shows("/1.9 MiB ");
    peer.go();
    client.wait().success();
}

/// What is over within half a second needs no bar.
#[test]
fn a_short_transfer_is_silent() {
    if !need(&["setsid"]) {
        return;
    }
    let terminal = Terminal::new();
    let peer = Peer::serve(vec![Step::ReadToEnd]);
    let client = connect(&terminal, &peer, &["--send-only"]).stdin("bytes");
    let exit = client.run();
    exit.success();
    if exit.elapsed < Duration::from_millis(400) {
        assert_eq!(screen(&terminal), "");
    }
}

/// Between two pipes, as the `ProxyCommand` of ssh is, the terminal is somebody else's.
#[test]
fn between_two_pipes_it_is_silent() {
    if !need(&["setsid"]) {
        return;
    }
    let terminal = Terminal::new();
    let peer = Peer::serve(vec![
        Step::Write(b"word".to_vec()),
        Step::Read(5),
        Step::Await,
        Step::ReadToEnd,
    ]);
    let client = connect(&terminal, &peer, &[]).stdin(Input::Open);
    let mut client = client.stdout(Output::Captured).start();
    let mut pipe = client.stdin.take().expect("a pipe");
    pipe.write_all(b"bytes").expect("a reader");
    client.prints("word");
    assert!(client.stays(MOMENT));
    peer.go();
    drop(pipe);
    client.wait().success();
    assert_eq!(screen(&terminal), "");
}

#[test]
fn a_terminal_that_understands_nothing_gets_nothing() {
    if !need(&["setsid"]) {
        return;
    }
    let terminal = Terminal::new();
    let (_directory, path) = file(20_000_000);
    let peer = Peer::serve(vec![Step::Await, Step::ReadToEnd]);
    let client = connect(&terminal, &peer, &["--send-only"]).stdin(path.as_path());
    let client = client.env("TERM", "dumb").start();
    assert!(client.stays(MOMENT));
    peer.go();
    client.wait().success();
    assert_eq!(screen(&terminal), "");
}

/// The first byte that is shown on a terminal takes the bar's place for good.
#[test]
fn payload_on_the_terminal_removes_the_bar() {
    if !need(&["setsid"]) {
        return;
    }
    for raw in [&[][..], &["--raw"]] {
        let terminal = Terminal::new();
        let (_directory, path) = file(20_000_000);
        let peer = Peer::serve(vec![
            Step::Await,
            Step::Write(b"payload\n".to_vec()),
            Step::Await,
            Step::ReadToEnd,
        ]);
        let client = connect(&terminal, &peer, raw)
            .stdin(path.as_path())
            .stdout(Output::Fd(terminal.slave()));
        let client = client.start();
        terminal.shows("%, ");
        peer.go();
        terminal.shows("payload");
        assert!(client.stays(MOMENT));
        let text = screen(&terminal);
        assert!(text.ends_with(&format!("{CLEAR}payload\r\n")), "{text:?}");
        peer.go();
        client.wait().success();
    }
}

/// With `--progress bar` it comes back, on a line of its own.
#[test]
fn a_bar_that_is_wanted_comes_back_below_the_payload() {
    if !need(&["setsid"]) {
        return;
    }
    let terminal = Terminal::new();
    let peer = Peer::serve(vec![
        Step::Write(b"prompt: ".to_vec()),
        Step::Await,
        Step::Write(b"more\n".to_vec()),
        Step::Await,
        Step::ReadToEnd,
    ]);
    let client = connect(&terminal, &peer, &["--progress", "bar"]);
    let client = client
        .stdin(Input::Open)
        .stdout(Output::Fd(terminal.slave()))
        .start();
    terminal.shows("prompt: ");
    assert!(client.stays(MOMENT));
    let text = screen(&terminal);
    assert!(text.ends_with("prompt: "), "{text:?}");
    peer.go();
    terminal.shows("more\r\n");
    terminal.shows("received 13 B");
    peer.go();
    client.wait().success();
    let text = screen(&terminal);
    let (_, after) = text.rsplit_once("prompt: more\r\n").expect("a line");
    let drawn = after.trim_start_matches(CLEAR);
    assert!(
        drawn
            .get(1..)
            .is_some_and(|drawn| drawn.starts_with(" received 13 B")),
        "{text:?}"
    );
}

/// What somebody types and sends is payload on the terminal, too.
#[test]
fn a_conversation_by_hand_has_no_bar() {
    if !need(&["setsid"]) {
        return;
    }
    let mut terminal = Terminal::new();
    let peer = Peer::serve(vec![Step::Read(6), Step::Await, Step::ReadToEnd]);
    let client = nettool(["connect", &peer.target()]).env("TERM", "xterm");
    let client = terminal.hosts(client).start();
    terminal.types("hello\n");
    assert!(client.stays(MOMENT));
    assert_eq!(screen(&terminal), "hello\r\n");
    peer.go();
    terminal.types([4]);
    client.wait().success();
}

/// `tostop` would stop a job that writes from the background.
#[test]
fn nothing_is_drawn_from_the_background() {
    if !need(&["setsid", "stty"]) {
        return;
    }
    let mut terminal = Terminal::new();
    let (_directory, path) = file(20_000_000);
    let peer = Peer::serve(vec![Step::Await, Step::ReadToEnd]);
    let script = "set -m; stty tostop; \"$@\" < \"$0\" > /dev/null & \
        read line; echo read:$line; wait $!; echo status:$?";
    let words = ["connect", &peer.target(), "--send-only", "--progress=bar"];
    let job = nettool(words);
    let path = path.to_str().expect("a plain path");
    let job = job.by_way_of(["sh", "-c", script, path]);
    let job = terminal.hosts(job).env("TERM", "xterm").start();
    assert!(job.stays(MOMENT));
    terminal.types("typed\n");
    terminal.shows("read:typed\r\n");
    peer.go();
    terminal.shows("status:0\r\n");
    job.wait().status(0);
    let text = screen(&terminal);
    assert!(!text.contains('%') && !text.contains('\u{1b}'), "{text:?}");
}

#[test]
fn control_c_leaves_a_clean_terminal() {
    if !need(&["setsid"]) {
        return;
    }
    let mut terminal = Terminal::new();
    let before = terminal.settings();
    let (_directory, path) = file(20_000_000);
    let (client, peer) = held(&terminal, &path, &[]);
    terminal.shows(" queued");
    terminal.types(CONTROL_C);
    client.wait().died_of(2);
    peer.go();
    terminal.shows("bit/s\r\n");
    let text = screen(&terminal);
    let last = frames(&text).pop().expect("a last frame").to_owned();
    assert!(last.starts_with("nettool: broken off "), "{text:?}");
    assert!(last.contains(" B acknowledged, "), "{text:?}");
    assert!(text.ends_with("\r\n"), "{text:?}");
    assert_eq!(terminal.settings(), before);
}

#[test]
fn the_bar_keeps_to_the_width() {
    if !need(&["setsid"]) {
        return;
    }
    for columns in [120, 80, 40, 10] {
        let terminal = Terminal::new();
        terminal.resizes(columns);
        let (_directory, path) = file(20_000_000);
        let (client, peer) = held(&terminal, &path, &["--progress", "bar"]);
        until("some frames are drawn", || {
            frames(&screen(&terminal)).len() > 3
        });
        let text = screen(&terminal);
        let widest = frames(&text)
            .iter()
            .map(|frame| frame.chars().count())
            .max();
        assert!(widest < Some(columns.into()), "{columns}: {text:?}");
        assert!(text.contains("sent "), "{text:?}");
        peer.go();
        client.wait().success();
    }
}

/// It has the room that the figures leave, and no more than the eye needs.
#[test]
fn the_bar_takes_the_room_there_is() {
    if !need(&["setsid"]) {
        return;
    }
    for (columns, length) in [(60, 8), (100, 34), (250, 40)] {
        let terminal = Terminal::new();
        terminal.resizes(columns);
        let (_directory, path) = file(20_000_000);
        let (client, peer) = held(&terminal, &path, &["--progress", "bar"]);
        terminal.shows(&format!("[>{}] sent ", " ".repeat(length - 1)));
        peer.go();
        client.wait().success();
    }
}

#[test]
fn the_bar_follows_a_terminal_that_changes_its_width() {
    if !need(&["setsid"]) {
        return;
    }
    let terminal = Terminal::new();
    let (_directory, path) = file(20_000_000);
    let (client, peer) = held(&terminal, &path, &["--progress", "bar"]);
    for columns in [120, 30, 70] {
        terminal.resizes(columns);
        let drawn = || frames(&screen(&terminal)).len();
        let before = drawn();
        // One frame may have been on its way.
        until("some more frames are drawn", || drawn() > before + 2);
        let text = screen(&terminal);
        let width = frames(&text).last().map(|frame| frame.chars().count());
        assert!(width < Some(columns.into()), "{columns}: {text:?}");
    }
    peer.go();
    client.wait().success();
}

/// `--progress bar` draws wherever stderr goes.
#[test]
fn a_bar_that_is_wanted_goes_into_a_pipe() {
    let (_directory, path) = file(20_000_000);
    let peer = Peer::serve(vec![Step::Await, Step::ReadToEnd]);
    let words = ["connect", &peer.target(), "--progress", "bar"];
    let client = nettool(words).stdin(path.as_path()).start();
    client.says("/19.1 MiB ");
    peer.go();
    client.wait().success().says(CLEAR);
}

#[test]
fn every_transport_has_one_at_both_ends() {
    let directory = crate::support::scratch();
    let path = directory.path().join("socket");
    let path = path.to_str().expect("a plain path");
    for transport in [&[][..], &["-u"], &["-U", path]] {
        let place: &[&str] = if path == *transport.last().unwrap_or(&"") {
            &[]
        } else {
            &["127.0.0.1", "0"]
        };
        let words = ["--progress", "bar"];
        let server = nettool(["listen"]).args(words).args(transport).args(place);
        let server = server.stdin(Input::Open).start();
        let end = server.announced(1).remove(0);
        let target = place.first().and_then(|_| end.split_once(' '));
        let target: Vec<&str> = target.map(|(_, target)| target).into_iter().collect();
        let client = nettool(["connect"])
            .args(words)
            .args(transport)
            .args(target);
        let mut client = client.stdin(Input::Open).start();
        let mut pipe = client.stdin.take().expect("a pipe");
        pipe.write_all(b"bytes").expect("a reader");
        client.says(" sent 5 B, ");
        server.says(" received 5 B, ");
        client.signal(Signal::TERM);
        client.wait().died_of(15).says("nettool: broken off ");
        // Its own end depends on how the transport tells of the client's.
        server.kill();
    }
}

/// A stderr that nobody reads holds up nothing.
#[test]
fn a_full_stderr_does_not_hold_the_bytes_up() {
    for form in ["bar", "log"] {
        let (_directory, path) = file(20_000_000);
        let (_reader, writer) = full_pipe();
        let peer = Peer::serve(vec![Step::Await, Step::ReadToEnd]);
        let words = ["connect", &peer.target(), "--send-only", "--progress", form];
        let client = nettool(words).stdin(path.as_path());
        let client = client.stderr(Errors::Fd(writer)).start();
        assert!(client.stays(MOMENT));
        peer.go();
        // Nor does the summary that a drawn bar would have: nothing was drawn.
        client.wait().success();
        assert_eq!(peer.seen().received.count, 20_000_000);
    }
}

/// A pipe that takes no more.
fn full_pipe() -> (PipeReader, OwnedFd) {
    let (reader, mut writer) = std::io::pipe().expect("a pipe");
    let flags = fcntl_getfl(&writer).expect("flags");
    fcntl_setfl(&writer, flags | OFlags::NONBLOCK).expect("flags");
    while writer.write(&[0; 4096]).is_ok() {}
    fcntl_setfl(&writer, flags).expect("flags");
    (reader, writer.into())
}

/// A warning in the middle stands on a line of its own.
#[test]
fn what_is_said_meanwhile_does_not_stick_to_the_bar() {
    if !need(&["setsid"]) {
        return;
    }
    let terminal = Terminal::new();
    let peer = Peer::serve(vec![
        Step::Read(5),
        Step::Write(b"x".to_vec()),
        Step::Await,
        Step::Shutdown,
        Step::ReadToEnd,
    ]);
    let options = ["--progress", "bar"];
    let client = connect(&terminal, &peer, &options).stdin(Input::Open);
    let mut client = client.start();
    let mut pipe = client.stdin.take().expect("a pipe");
    pipe.write_all(b"bytes").expect("a reader");
    terminal.shows("received 1 B");
    peer.go();
    terminal.shows("stdin is idle");
    let text = screen(&terminal);
    assert!(
        text.contains(&format!("{CLEAR}nettool: the peer has ended")),
        "{text:?}"
    );
    drop(pipe);
    client.wait().success();
}
