//! What a peer can do to the terminal that its bytes are shown on: nothing, unless it is allowed to.

use crate::support::{Peer, Step, Terminal, need, nettool};

/// Clears the screen, writes in red, changes the title.
const HOSTILE: &[u8] = b"\x1b[2J\x1b[31mred\x1b[0m\x1b]0;title\x07 end";

/// What the terminal got of it from `connect` with these options.
fn shown(options: &[&str]) -> String {
    let peer = Peer::serve(vec![Step::Write(HOSTILE.to_vec())]);
    let terminal = Terminal::new();
    let program = nettool(["connect", &peer.addr().to_string()]).args(options);
    let running = terminal.hosts(program).start();
    terminal.shows(" end");
    running.wait().success();
    String::from_utf8_lossy(&terminal.screen()).into_owned()
}

#[test]
fn control_sequences_are_shown_and_colours_pass() {
    if !need(&["setsid"]) {
        return;
    }
    let screen = shown(&[]);
    assert!(
        screen.contains("^[[2J\x1b[31mred\x1b[0m^[]0;title"),
        "{screen:?}"
    );
    assert!(
        screen.contains("shown escaped (--raw passes them)"),
        "{screen:?}"
    );
}

#[test]
fn raw_passes_them() {
    if !need(&["setsid"]) {
        return;
    }
    let screen = shown(&["--raw"]);
    assert!(
        screen.contains(&String::from_utf8_lossy(HOSTILE).into_owned()),
        "{screen:?}"
    );
    assert!(!screen.contains("shown escaped"), "{screen:?}");
}
