//! Files and disks that take no more (part B).

use std::fs;

use crate::support::{
    End, Namespace, Output, Pattern, Peer, Program, Step, need, nettool, scratch,
};

/// Receives 300,000 bytes into a file through `program`, which cannot have more than 65,536.
fn receives_too_much(program: impl FnOnce(Program) -> Program, file: &std::path::Path) {
    let much = Pattern::new(51, 300_000);
    let steps = vec![Step::Write(much.to_vec()), Step::AwaitReset];
    let peer = Peer::serve(steps);
    let client = nettool(["connect", &peer.target()]).stdout(Output::File(file.to_owned()));
    let exit = program(client).run();
    let error = exit.failure(1);
    assert!(
        error.contains("file too large") && error.contains("bytes received"),
        "{error}"
    );
    exit.says("ulimit -f");
    let written = fs::read(file).unwrap();
    assert!(written.len() <= 65_536 && much.to_vec().starts_with(&written));
    assert_eq!(peer.seen().end, End::Reset);
}

/// B3: as much as a file may have; that there is a signal for it does not keep us from telling.
#[test]
fn a_file_that_may_not_grow_is_an_error() {
    if !need(&["prlimit"]) {
        return;
    }
    let directory = scratch();
    let limited = |program: Program| program.by_way_of(["prlimit", "--fsize=65536"]);
    receives_too_much(limited, &directory.path().join("f"));
}

/// B2: a disk that is full after 64 KiB: what is there is a beginning, and the status is no success.
#[test]
fn a_disk_that_fills_up_is_an_error() {
    let Some(space) = Namespace::new() else {
        return;
    };
    let much = Pattern::new(51, 300_000);
    let directory = scratch();
    let place = directory.path().display();
    space.run(&format!("mount -t tmpfs -o size=64k tmpfs {place}"));
    let words = ["listen", "127.0.0.1", "0", "-o"];
    let server = nettool(words).arg(directory.path().join("f"));
    let server = space.inside(server).start();
    let target = server.listening().to_string();
    let client = space.inside(nettool(["connect", &target]).stdin(much.clone()));
    client.run().failure(1);
    let exit = server.wait();
    let error = exit.failure(1);
    assert!(error.contains("no space left"), "{error}");
    let copy = space.run(&format!("cat {place}/f"));
    let written = copy.stdout;
    assert!(!written.is_empty() && much.to_vec().starts_with(&written));
}
