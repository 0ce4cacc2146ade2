//! The table at work: archives through pipelines, and ssh through `connect`.

use std::fs;
use std::io;
use std::path::Path;

use crate::support::{
    Input, Namespace, Output, Pattern, Program, Running, need, nettool, scratch, skip,
};

/// `(sleep 1; tar -c -C d .)`, and the pipe that it writes.
fn late_tar(directory: &Path) -> (Running, Input) {
    let (reader, writer) = io::pipe().expect("a pipe");
    let script = "sleep 1; exec tar -c -C \"$0\" .";
    let tar = Program::new("sh").args(["-c", script]).arg(directory);
    let tar = tar.stdout(Output::Fd(writer.into())).start();
    (tar, Input::Fd(reader.into()))
}

/// A directory with something in it.
fn fill(directory: &Path) {
    fs::create_dir(directory).expect("a directory");
    for number in 0..5 {
        let bytes = Pattern::new(number, 700_000).to_vec();
        fs::write(directory.join(number.to_string()), bytes).expect("a file");
    }
}

/// Whether the archive is the same as the directory.
fn same(archive: &Path, directory: &Path) {
    let compare = Program::new("tar")
        .arg("-d")
        .arg("-f")
        .arg(archive)
        .arg("-C")
        .arg(directory);
    compare.run().success().silent();
}

#[test]
fn a_late_archive_goes_to_a_listener() {
    let space = scratch();
    let (directory, archive) = (space.path().join("d"), space.path().join("f"));
    fill(&directory);
    let server = nettool(["listen", "127.0.0.1", "0"])
        .stdout(Output::File(archive.clone()))
        .start();
    let (tar, pipe) = late_tar(&directory);
    nettool(["connect", &server.listening().to_string()])
        .stdin(pipe)
        .run()
        .success();
    tar.wait().success();
    server.wait().success();
    same(&archive, &directory);
}

#[test]
fn a_late_archive_comes_from_a_listener() {
    let space = scratch();
    let (directory, archive) = (space.path().join("d"), space.path().join("f"));
    fill(&directory);
    let (tar, pipe) = late_tar(&directory);
    let server = nettool(["listen", "127.0.0.1", "0"]).stdin(pipe).start();
    let client = nettool(["connect", &server.listening().to_string()]);
    client.stdout(Output::File(archive.clone())).run().success();
    tar.wait().success();
    server.wait().success();
    same(&archive, &directory);
}

#[test]
fn two_of_us_talk_both_ways_over_every_family() {
    let directory = scratch();
    let path = directory.path().join("s");
    let unix = ["-U", path.to_str().expect("a plain path")];
    for place in [&["127.0.0.1", "0"], &["::1", "0"], &unix] {
        let (forth, back) = (Pattern::new(61, 5_000_000), Pattern::new(62, 4_000_000));
        let server = nettool(["listen"])
            .args(place)
            .stdin(back.clone())
            .stdout(Output::Hashed)
            .start();
        let announced = server.announced(1).remove(0);
        let address = announced
            .split_once(' ')
            .map(|(_, address)| address.to_owned());
        let target = if place[0] == "-U" {
            unix.map(str::to_owned).to_vec()
        } else {
            address.into_iter().collect()
        };
        // What it is given may come late.
        let client = nettool(["connect", "--until=both"])
            .args(target)
            .stdin(forth.clone())
            .stdout(Output::Hashed);
        client.run().success().received(back.fingerprint());
        server.wait().success().received(forth.fingerprint());
    }
}

#[test]
fn ssh_goes_through_connect() {
    if !need(&["ssh", "sshd", "ssh-keygen"]) {
        return;
    }
    if !rustix::process::geteuid().is_root() {
        return skip("only root can run sshd");
    }
    let Some(space) = Namespace::new() else {
        return;
    };
    let directory = scratch();
    let daemon = daemon(&space, directory.path());
    space.serves("22");
    let much = Pattern::new(63, 3_000_000);
    let client = Program::new("ssh").args(client_words(directory.path()));
    let client = space
        .inside(client.stdin(much.clone()).stdout(Output::Hashed))
        .run();
    client.success().received(much.fingerprint());
    // That is, if ssh comes to its end soon after the server.
    client.silent_but_for("nettool: the peer has ended");
    drop(daemon);
}

/// Keys, and a server of their own that lets one of them in.
fn daemon(space: &Namespace, directory: &Path) -> Running {
    let place = directory.display();
    for name in ["host", "user"] {
        let words = format!("-q -t ed25519 -N  -f {place}/{name}");
        Program::new("ssh-keygen")
            .args(words.split(' '))
            .run()
            .success();
    }
    fs::copy(directory.join("user.pub"), directory.join("allowed")).expect("a key");
    space.run("mount -t tmpfs tmpfs /run");
    space.run("mkdir -p /run/sshd");
    let options = format!(
        "-D -e -f /dev/null -p 22 -h {place}/host -o AuthorizedKeysFile={place}/allowed \
         -o StrictModes=no -o PermitRootLogin=yes -o UsePAM=no -o PidFile=none"
    );
    let path = Program::new("sh").args(["-c", "command -v sshd"]).run();
    let path = String::from_utf8(path.stdout).expect("a path");
    space
        .inside(Program::new(path.trim()).args(options.split(' ')))
        .start()
}

/// The words of a client that reaches it only through us.
fn client_words(directory: &Path) -> Vec<String> {
    let proxy = format!(
        "ProxyCommand={} connect %h %p",
        env!("CARGO_BIN_EXE_nettool")
    );
    let key = directory.join("user").display().to_string();
    let mut words = vec!["-F", "/dev/null", "-i", &key, "-o", &proxy];
    words.extend([
        "-o",
        "StrictHostKeyChecking=no",
        "-o",
        "UserKnownHostsFile=/dev/null",
    ]);
    words.extend([
        "-o",
        "LogLevel=ERROR",
        "-o",
        "BatchMode=yes",
        "root@localhost",
        "cat",
    ]);
    words.into_iter().map(str::to_owned).collect()
}
