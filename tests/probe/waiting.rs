//! `nettool probe --wait`: servers that come late, go away, do not answer, or change their address.

use std::net::SocketAddr;
use std::os::unix::net::UnixListener;
use std::time::Duration;

use rustix::process::Signal;
use socket2::{Domain, Socket, Type};

use super::{closed_port, open_port, probe, records, server, text};
use crate::support::{Namespace, Program, let_go, need, until};

/// A port of 127.0.0.1 that stays ours whether anybody listens on it or not.
fn reserved_port() -> (Socket, u16) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_reuse_port(true).unwrap();
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    socket.bind(&any.into()).unwrap();
    let port = socket.local_addr().unwrap().as_socket().unwrap().port();
    (socket, port)
}

/// Listens on a reserved port.
fn listen(port: u16) -> Socket {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_reuse_port(true).unwrap();
    socket
        .bind(&SocketAddr::from(([127, 0, 0, 1], port)).into())
        .unwrap();
    socket.listen(5).unwrap();
    socket
}

#[test]
fn a_server_that_comes_late_is_waited_for() {
    let (socket, port) = closed_port();
    let running = probe(&format!("--wait 1m -v 127.0.0.1:{port}")).start();
    running.says("closed (reset), try 3 ");
    socket.listen(5).unwrap();
    let exit = running.wait();
    exit.success().says("open (syn-ack), try ").printed("");
    probe(&format!("--wait 1m 127.0.0.1:{port}"))
        .run()
        .success()
        .silent()
        .printed("");
}

#[test]
fn a_wait_in_vain_says_who_is_missing_and_why() {
    let (_listener, open) = open_port("127.0.0.1");
    let (_socket, closed) = closed_port();
    let exit = probe(&format!("--wait 300ms 127.0.0.1:{open},{closed}")).run();
    let told = exit.failure(1).to_owned();
    let expected = format!("wait for 127.0.0.1:{closed}: connection refused");
    assert!(told.ends_with(&expected), "{told}");
    exit.at_least(Duration::from_millis(300))
        .within(Duration::from_secs(10));
    let words = format!("--wait 200ms --until-closed 127.0.0.1:{open}");
    let exit = probe(&words).run();
    let told = exit.failure(1).to_owned();
    assert!(told.ends_with(": it is still open"), "{told}");
    let exit = probe("--wait 200ms unix:/nonexistent/socket").run();
    let expected = "wait for unix:/nonexistent/socket: no such file or directory";
    assert!(exit.failure(1).ends_with(expected));
}

#[test]
fn all_are_waited_for_and_any_is_enough() {
    let (_listener, open) = open_port("127.0.0.1");
    let (socket, closed) = closed_port();
    let both = format!("127.0.0.1:{open},{closed}");
    probe(&format!("--wait 1m --any {both}")).run().success();
    let running = probe(&format!("--wait 1m -v {both}")).start();
    running.says("open (syn-ack)");
    running.says("closed (reset), try 2 ");
    socket.listen(5).unwrap();
    running.wait().success();
    let ((_one, one), (_other, other)) = (closed_port(), closed_port());
    let words = format!("--wait 200ms --any 127.0.0.1:{one},{other}");
    probe(&words).run().status(1);
}

#[test]
fn a_server_that_goes_away_is_waited_for_too() {
    let (_reserved, port) = reserved_port();
    let listener = listen(port);
    let words = format!("--wait 1m --until-closed -v 127.0.0.1:{port}");
    let running = probe(&words).start();
    running.says("open (syn-ack), try 2 ");
    let_go(listener);
    running.wait().success().says("closed (reset)");
}

#[test]
fn it_must_still_be_open_after_the_hold() {
    let (_reserved, port) = reserved_port();
    let listener = listen(port);
    let words = format!("--wait 1m --hold 5s -v 127.0.0.1:{port}");
    let running = probe(&words).start();
    running.says("open (syn-ack), try 1 ");
    let_go(listener);
    running.says("closed (reset)");
    let _listener = listen(port);
    let exit = running.wait();
    exit.success().at_least(Duration::from_secs(5));
    let (_listener, port) = open_port("127.0.0.1");
    let exit = probe(&format!("--wait 1m --hold 300ms -v 127.0.0.1:{port}")).run();
    exit.success().at_least(Duration::from_millis(300));
    // At the beginning, now and then, and at the end.
    let looks = exit.stderr.matches("open (syn-ack)").count();
    assert!((2..=5).contains(&looks), "{}", exit.stderr);
}

#[test]
fn unix_sockets_are_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let target = format!("unix:{}", path.display());
    let running = probe(&format!("--wait 1m -v {target}")).start();
    running.says("closed (no-such-socket), try 2 ");
    let listener = UnixListener::bind(&path).unwrap();
    running.wait().success();
    let running = probe(&format!("--wait 1m -v --until-closed {target}")).start();
    running.says("open (accepted)");
    drop(listener);
    running.wait().success().says("closed (refused)");
}

#[test]
fn a_full_queue_is_neither_open_nor_closed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let listener = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
    let address = socket2::SockAddr::unix(&path).unwrap();
    listener.bind(&address).unwrap();
    listener.listen(0).unwrap();
    let mut held = Vec::new();
    loop {
        let client = Socket::new(Domain::UNIX, Type::STREAM.nonblocking(), None).unwrap();
        if client.connect(&address).is_err() {
            break;
        }
        held.push(client);
    }
    let target = format!("unix:{}", path.display());
    for goal in ["", "--until-closed"] {
        let exit = probe(&format!("--wait 300ms -v {goal} {target}")).run();
        exit.status(1).says("(queue-full)");
    }
    listener.accept().unwrap();
    probe(&format!("--wait 1m {target}")).run().success();
}

#[test]
fn names_are_looked_up_each_time() {
    let Some(mut space) = Namespace::new().filter(|_| need(&["python3"])) else {
        return;
    };
    space.replace("/etc/hosts", "127.0.0.1 localhost\n");
    space.replace("/etc/nsswitch.conf", "hosts: files\n");
    let _server = server(&space, &[("127.0.0.2", 9000)]);
    let running = space
        .inside(probe("--wait 1m -v later:9000 -- echo done"))
        .start();
    running.says("later:9000: has no address");
    let write = |line: &str| {
        let script = format!("echo '{line}' > /etc/hosts");
        let program = Program::new("sh").args(["-c", &script]);
        space.inside(program).run().status(0);
    };
    write("127.0.0.1 later");
    running.says("later:9000 (127.0.0.1): closed (reset)");
    write("127.0.0.2 later");
    let exit = running.wait();
    exit.success()
        .says("later:9000 (127.0.0.2): open (syn-ack)");
    exit.printed("done\n");
    // One address that serves is enough, and to be closed all of them must be.
    write("127.0.0.1 later\n127.0.0.2 later");
    space.inside(probe("--wait 1m later:9000")).run().success();
    let words = "--wait 300ms --until-closed later:9000";
    space.inside(probe(words)).run().status(1);
    let exit = space.inside(probe("--wait 200ms nosuch.invalid:1")).run();
    assert!(
        exit.failure(1)
            .contains("wait for nosuch.invalid:1: it has no address")
    );
}

/// A resolver in a thread that cannot be cancelled, and that answers nobody.
#[test]
fn a_name_server_that_is_silent_holds_up_nothing() {
    let Some((mut near, far)) = Namespace::pair().filter(|_| need(&["nft", "python3"])) else {
        return;
    };
    near.replace("/etc/hosts", "10.77.0.2 known\n");
    near.replace("/etc/nsswitch.conf", "hosts: files dns\n");
    near.replace("/etc/resolv.conf", "nameserver 10.77.0.2\n");
    far.rules(
        "table ip t {\nchain i {\ntype filter hook input priority 0;\nudp dport 53 drop\n}\n}\n",
    );
    let _server = server(&far, &[("10.77.0.2", 9000)]);
    let run = |words: &str| near.inside(probe(words)).run();
    let exit = run("--wait 300ms unknown.invalid:1");
    let expected = ": its name was not resolved in time";
    assert!(exit.failure(1).ends_with(expected), "{}", exit.stderr);
    exit.within(Duration::from_secs(8));
    let exit = run("--wait 1m --any unknown.invalid:1 known:9000 -- echo done");
    exit.success()
        .printed("done\n")
        .within(Duration::from_secs(8));
}

#[test]
fn silence_is_no_state_and_tries_overlap() {
    let Some((near, far)) = Namespace::pair().filter(|_| need(&["nft", "python3"])) else {
        return;
    };
    let _server = server(&far, &[("10.77.0.2", 9000)]);
    let rules =
        "table ip t {\nchain i {\ntype filter hook input priority 0;\ntcp dport 9000 drop\n}\n}\n";
    far.rules(rules);
    for goal in ["", "--until-closed"] {
        let exit = near
            .inside(probe(&format!("--wait 300ms {goal} 10.77.0.2:9000")))
            .run();
        assert!(exit.failure(1).ends_with(": no answer"), "{}", exit.stderr);
        exit.within(Duration::from_secs(10));
    }
    let running = near.inside(probe("--wait 1m -v 10.77.0.2:9000")).start();
    running.says("10.77.0.2:9000: filtered (no-response), try 2 ");
    let tries = || {
        let sockets = near.run("ss -tnH state syn-sent").stdout;
        sockets.split(|byte| *byte == b'\n').count() - 1
    };
    until("three tries are under way", || tries() == 3);
    far.rules("flush ruleset\n");
    running.wait().success().says("open (syn-ack), try ");
    far.rules(rules);
    let exit = near.inside(probe("--wait 8s --json 10.77.0.2:9000")).run();
    assert_eq!(records(exit.status(1), "port")[0]["state"], "filtered");
    assert!(records(&exit, "wait")[0]["tries"].as_u64().unwrap() >= 2);
}

#[test]
fn a_stopped_server_and_a_full_accept_queue_are_told_apart() {
    const SCRIPT: &str = "
import socket, sys
listener = socket.socket()
listener.bind(('10.77.0.2', 9000))
listener.listen(0)
print('listening', flush=True)
sys.stdin.read()
";
    let Some((near, far)) = Namespace::pair().filter(|_| need(&["nft", "python3"])) else {
        return;
    };
    let running = server(&far, &[("10.77.0.2", 9001)]);
    running.signal(Signal::STOP);
    let stopped = near.inside(probe("--wait 1m 10.77.0.2:9001")).run();
    stopped.success();
    running.signal(Signal::CONT);
    let program = Program::new("python3").args(["-c", SCRIPT]);
    let program = program.stdin(crate::support::Input::Open);
    let full = far.inside(program).start();
    full.prints("listening");
    let connect = "
import socket, sys
held = []
while True:
    client = socket.socket()
    client.settimeout(0.3)
    if client.connect_ex(('10.77.0.2', 9000)):
        break
    held.append(client)
print('full', flush=True)
sys.stdin.read()
";
    let program = Program::new("python3").args(["-c", connect]);
    let program = program.stdin(crate::support::Input::Open);
    let clients = near.inside(program).start();
    clients.prints("full");
    for goal in ["", "--until-closed"] {
        let words = format!("--wait 400ms {goal} 10.77.0.2:9000");
        let exit = near.inside(probe(&words)).run();
        assert!(exit.failure(1).ends_with(": no answer"), "{}", exit.stderr);
    }
}

#[test]
fn the_command_takes_our_place() {
    let (_listener, port) = open_port("127.0.0.1");
    let wait = |words: &[&str]| {
        let probe = probe(&format!("--wait 1m 127.0.0.1:{port} --"));
        probe.args(words)
    };
    // Of the signals 1 to 28: threads take the last ones, which have no names, for themselves.
    let script = "ulimit -Sn; ls /proc/self/fd | wc -l; \
        sed -nE 's/^(Sig(Blk|Ign)):.*(.{7})$/\\1 \\3/p' /proc/self/status";
    for around in [
        "ulimit -Sn 77;",
        "trap '' PIPE TTOU; ulimit -Sn 78;",
        "trap '' INT;",
    ] {
        // A limit below what is allowed is raised while we wait, and restored.
        let script_around = format!("{around} exec \"$@\"");
        let by_way = ["sh", "-c", &script_around, "sh"];
        let plain = Program::new("sh").args(["-c", script]);
        let plain = plain.by_way_of(by_way).run();
        let after = wait(&["sh", "-c", script]).by_way_of(by_way).run();
        assert_eq!(text(after.success()), text(plain.success()), "{around}");
    }
    wait(&["sh", "-c", "echo $0 $1; exit 7", "a b", "c"])
        .run()
        .status(7)
        .silent()
        .printed("a b c\n");
    let exit = wait(&["/nonexistent/command"]).run();
    assert!(
        exit.failure(127)
            .contains("run /nonexistent/command: no such file")
    );
    wait(&["/etc/passwd"]).run().status(126);
    let (_socket, closed) = closed_port();
    let words = format!("--wait 200ms 127.0.0.1:{closed} -- echo never");
    probe(&words).run().status(1).printed("");
}

/// What was closed for us is closed for the command: written there, data is not lost in silence.
#[test]
fn the_command_gets_no_descriptor_that_we_were_not_given() {
    let (_listener, port) = open_port("127.0.0.1");
    let wait = format!("--wait 1m 127.0.0.1:{port} --");
    let dir = tempfile::tempdir().unwrap();
    let seen = dir.path().join("seen");
    let look = "seen=; for number in 0 1 2 3; do
        [ -e /proc/$$/fd/$number ] && seen=$seen$number; done; echo $seen > $1";
    let redirections = [
        ("", "012"),
        ("<&-", "12"),
        (">&-", "02"),
        ("2>&-", "01"),
        ("<&- >&- 2>&-", ""),
    ];
    for (redirection, open) in redirections {
        let command = probe(&wait).args(["sh", "-c", look, "sh"]).arg(&seen);
        command.redirected(redirection).run().status(0);
        let seen = std::fs::read_to_string(&seen).unwrap();
        assert_eq!(seen, format!("{open}\n"), "{redirection}");
    }
    let command = probe(&wait).args(["cat", "/proc/version"]);
    command.redirected(">&-").run().status(1);
    // A command that cannot run leaves us as we were.
    let command = probe(&wait).args(["/nonexistent/command"]);
    let exit = command.redirected(">&-").run();
    assert!(exit.failure(127).contains("no such file"));
}

/// An abstract name is written as ss and `nettool buffers list` write it.
#[test]
fn an_abstract_socket_is_no_file() {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr, UnixListener};
    let dir = tempfile::tempdir().unwrap();
    let name = format!("nettool-{}", dir.path().display());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let listener = UnixListener::bind_addr(&address).unwrap();
    let target = format!("unix:@{name}");
    probe(&format!("--wait 1m {target}")).run().success();
    probe(&format!("--count 1 {target}")).run().success();
    let exit = probe(&format!("--wait 200ms --until-closed {target}")).run();
    assert!(exit.failure(1).ends_with(": it is still open"));
    drop(listener);
    let closed = format!("--wait 1m --until-closed {target}");
    probe(&closed).run().success();
    // The file of such a name is told by its directory.
    let _file = UnixListener::bind(dir.path().join("@name")).unwrap();
    let file = format!("--wait 1m unix:{}/@name", dir.path().display());
    probe(&file).run().success();
}

#[test]
fn a_signal_ends_the_wait_and_says_what_is_missing() {
    let (_socket, port) = closed_port();
    let words = format!("--wait forever -v 127.0.0.1:{port} -- echo never");
    let running = probe(&words).start();
    running.says("closed (reset), try 2 ");
    running.signal(Signal::INT);
    let exit = running.wait();
    exit.died_of(libc::SIGINT).printed("");
    exit.says(&format!("wait for 127.0.0.1:{port}: connection refused"));
}

#[test]
fn a_wait_has_records() {
    let (socket, port) = closed_port();
    let running = probe(&format!(
        "--wait 1m --json 127.0.0.1:{port} unix:/nonexistent/s --any"
    ));
    let running = running.start();
    running.prints("\"reason\":\"reset\"");
    running.prints("\"path\":\"/nonexistent/s\"");
    socket.listen(5).unwrap();
    let exit = running.wait();
    exit.success().silent();
    let states: Vec<_> = records(&exit, "port")
        .iter()
        .map(|record| format!("{} {}", record["proto"], record["state"]))
        .collect();
    assert_eq!(states.len(), 3, "{states:?}");
    let wait = &records(&exit, "wait")[0];
    assert_eq!(
        (&wait["met"], &wait["missing"]),
        (&true.into(), &serde_json::json!([]))
    );
    let exit = probe("--wait 200ms --json unix:/nonexistent/s").run();
    exit.status(1).silent();
    let error = &records(&exit, "error")[0];
    assert_eq!(
        (&error["action"], &error["errname"]),
        (&"wait".into(), &"ENOENT".into())
    );
    assert_eq!(
        records(&exit, "wait")[0]["missing"][0],
        "unix:/nonexistent/s"
    );
}

#[test]
fn a_wait_that_cannot_be_meant_is_refused() {
    for (words, hint) in [
        ("--wait 5x h:1", "5x"),
        ("--wait 0 h:1", "write forever"),
        ("--wait 5s h", "write h:PORT"),
        ("--wait 5s --hold 5s h:1", "cannot pass within"),
        ("--wait 5s --hold forever h:1", "never ends"),
        ("--wait 5s h 1-2000", "at most 1000 ports"),
        ("--wait 5s 10.0.0.0/8 1", "at most 1000 ports"),
        ("--any h:1", "--wait"),
        ("--hold 1s h:1", "--wait"),
        ("--until-closed h:1", "--wait"),
        ("h:1 -- echo", "--wait"),
        ("--wait 5s --plain h:1", "--plain"),
        ("--wait 5s --deadline 1s h:1", "--deadline"),
        ("--wait 5s unix:", "it is empty"),
        ("unix:/run/x.sock", "--wait waits for it"),
    ] {
        probe(words).run().status(2).says(hint);
    }
}
