//! `nettool buffers fill` with a peer that reads a little and then nothing more.

use super::fill::adds_up;
use super::lines;
use crate::support::{Input, Program, in_some_try, need, nettool};

/// Reads a thousand bytes, then nothing more.
const TASTER: &str = r#"
import socket, sys
server = socket.create_server(("127.0.0.1", 0))
print(f"listening on tcp 127.0.0.1:{server.getsockname()[1]}", file=sys.stderr, flush=True)
one = server.accept()[0]
one.recv(1000, socket.MSG_WAITALL)
sys.stdin.readline()
"#;

#[test]
fn what_a_peer_has_read_does_not_move() {
    if !need(&["python3"]) {
        return;
    }
    // That it has read so much when we look is up to the peer.
    in_some_try(|| has_read(true));
    in_some_try(|| has_read(false));
}

/// Fills a connection to a peer that reads a thousand bytes; whether these are counted.
fn has_read(is_json: bool) -> bool {
    let program = Program::new("python3").args(["-c", TASTER]);
    let taster = program.stdin(Input::Open).start();
    let target = taster.listening().to_string();
    let program = nettool(["buffers", "fill", "--max-time", "forever", &target]);
    if is_json {
        let fill = lines(program.arg("--json")).remove(0);
        adds_up(&fill);
        fill["read_bytes"] == 1000
    } else {
        let exit = program.run();
        let text = String::from_utf8(exit.success().stdout.clone()).expect("text");
        assert!(text.contains("before it would block\n"), "{text}");
        text.contains(" 1000  by the peer's program\n")
    }
}
