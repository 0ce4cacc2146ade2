//! `listen -e` and `-c`: the connection as a program's stdin and stdout.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use super::{address, stopped};
use crate::support::{
    End, Fingerprint, LIMIT, Pattern, Peer, Program, Running, Seen, Step, in_some_try, need,
    nettool, own_address, records_of, scratch, until,
};

/// `nettool listen` for one client on a free port of 127.0.0.1.
fn one(options: &[&str]) -> Program {
    nettool(["listen", "127.0.0.1", "0"]).args(options)
}

/// What a client sees that says this and has no more to say.
fn say(addr: SocketAddr, text: &str) -> Seen {
    let steps = vec![Step::Write(text.into()), Step::Shutdown, Step::ReadToEnd];
    Peer::connect(addr, steps).seen()
}

/// What the command of a single client answers.
fn answer(options: &[&str], text: &str) -> String {
    let server = one(options).start();
    let seen = say(server.listening(), text);
    assert_eq!(seen.end, End::Eof);
    server.wait().success();
    String::from_utf8(seen.head).expect("text")
}

/// Whether a process is there; a dead one that nobody has waited for yet is not.
fn lives(pid: i32) -> bool {
    let there = test_kill_process(Pid::from_raw(pid).expect("a pid")).is_ok();
    let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    there && !state.contains(") Z ")
}

/// The numbers in a text.
fn numbers(text: &[u8]) -> Vec<i32> {
    let text = String::from_utf8_lossy(text);
    text.split_whitespace()
        .map(|word| word.parse().expect("a number"))
        .collect()
}

#[test]
fn cat_gives_everything_back_by_socket_and_by_pipes() {
    for options in [&["--exec", "cat"][..], &["-e", "cat", "--max-bytes", "1G"]] {
        let server = one(options).start();
        let pattern = Pattern::new(1, 20_000_000);
        let steps = vec![Step::Exchange(pattern.clone())];
        let seen = Peer::connect(server.listening(), steps).seen();
        assert_eq!((seen.received, seen.end), (pattern.fingerprint(), End::Eof));
        server.wait().success();
    }
}

#[test]
fn cat_gives_everything_back_over_a_unix_socket() {
    for options in [&["-e", "cat"][..], &["-e", "cat", "--json"]] {
        let directory = scratch();
        let path = directory.path().join("socket");
        let server = nettool(["listen", "-U"]).arg(&path).args(options).start();
        server.says("listening");
        let pattern = Pattern::new(1, 5_000_000);
        let steps = vec![Step::Exchange(pattern.clone())];
        let seen = Peer::connect_unix(&path, steps).seen();
        assert_eq!((seen.received, seen.end), (pattern.fingerprint(), End::Eof));
        let end = server.wait();
        end.status(0);
        for transfer in records_if_asked(&end.stderr, options, "transfer") {
            assert_eq!(transfer["bytes_received"], 5_000_000);
            assert_eq!(transfer["bytes_sent"], 5_000_000);
        }
    }
}

/// The records of this type, if records were asked for.
fn records_if_asked(stderr: &str, options: &[&str], kind: &str) -> Vec<serde_json::Value> {
    if options.contains(&"--json") {
        records_of(stderr, kind)
    } else {
        Vec::new()
    }
}

#[test]
fn an_answer_is_whole_though_the_question_is_not_read() {
    for options in [&["--max-bytes", "1G"][..], &[]] {
        let server = super::server(&["-c", "head -c 3000000 /dev/zero"])
            .args(options)
            .start();
        let addr = server.listening();
        let whole = Fingerprint::of(&vec![0; 3_000_000]);
        for _ in 0..20 {
            // A question that is too long in coming meets nobody any more.
            in_some_try(|| {
                let steps = vec![Step::Exchange(Pattern::new(1, 4_000_000))];
                let seen = Peer::connect(addr, steps).seen();
                assert_eq!(seen.received, whole);
                seen.end == End::Eof
            });
        }
        stopped(server);
    }
}

/// A pipe may hold more than it did when we made it: whoever has it may have enlarged it.
#[test]
fn an_answer_is_whole_though_the_command_has_enlarged_its_pipe() {
    if !need(&["python3"]) {
        return;
    }
    let directory = scratch();
    let program = directory.path().join("program");
    let pid = directory.path().join("pid");
    let script = format!(
        "import fcntl, os\n\
         fcntl.fcntl(1, 1031, 1 << 20)\n\
         open({pid:?}, 'w').write(str(os.getpid()) + '\\n')\n\
         os.write(1, b'x' * 900_000)\n"
    );
    fs::write(&program, script).unwrap();
    let command = format!("python3 {}", program.display());
    // Whatever has to look at the bytes stands between two pipes.
    let options = ["-e", &command, "--max-bytes", "1G", "--send-buffer", "8K"];
    let server = one(&options).start();
    let steps = vec![Step::Pending(1), Step::Await, Step::ReadToEnd];
    let peer = Peer::connect(server.listening(), steps);
    until("the command is over", || {
        let pid = fs::read_to_string(&pid).unwrap_or_default();
        pid.ends_with('\n') && !Path::new("/proc").join(pid.trim()).exists()
    });
    peer.go();
    let seen = peer.seen();
    assert_eq!(seen.received, Fingerprint::of(&vec![b'x'; 900_000]));
    assert_eq!(seen.end, End::Eof);
    server.wait().success();
}

#[test]
fn words_are_split_as_a_shell_does_and_no_shell_sees_them() {
    let words = r#"printf %s| 'a  b' "c d" e\ f $HOME * ;"#;
    assert_eq!(answer(&["-e", words], ""), "a  b|c d|e f|$HOME|*|;|");
    assert_eq!(
        answer(&["-c", "printf %s\\| $((1 + 2)); echo x"], ""),
        "3|x\n"
    );
}

#[test]
fn the_command_knows_who_talks_with_whom() {
    let server = nettool(["listen", "::1", "0", "-c", "env | grep ^NETTOOL_"])
        .env("NETTOOL_REMOTE_ADDR", "nonsense")
        .start();
    let addr = server.listening();
    let client = super::client(addr);
    let here = client.local_addr().unwrap();
    let told = super::ask(&client, b"", 0);
    assert!(told.is_empty());
    let text = std::io::read_to_string(&client).unwrap();
    let told: BTreeMap<&str, &str> = text.lines().filter_map(|l| l.split_once('=')).collect();
    let (local, remote) = (addr.port().to_string(), here.port().to_string());
    let expected = BTreeMap::from([
        ("NETTOOL_PROTO", "tcp"),
        ("NETTOOL_LOCAL_ADDR", "::1"),
        ("NETTOOL_LOCAL_PORT", &local),
        ("NETTOOL_REMOTE_ADDR", "::1"),
        ("NETTOOL_REMOTE_PORT", &remote),
    ]);
    assert_eq!(told, expected);
    server.wait().success();
}

#[test]
fn a_unix_client_has_a_path_and_no_port() {
    let directory = scratch();
    let path = directory.path().join("socket");
    let server = nettool(["listen", "-U"])
        .arg(&path)
        .args(["-c", "env | grep ^NETTOOL_"])
        .env("NETTOOL_REMOTE_PORT", "nonsense")
        .start();
    server.says("listening");
    let seen = Peer::connect_unix(&path, vec![Step::ReadToEnd]).seen();
    let text = String::from_utf8(seen.head).unwrap();
    let mut lines: Vec<_> = text.lines().collect();
    lines.sort_unstable();
    let local = format!("NETTOOL_LOCAL_ADDR={}", path.display());
    assert_eq!(lines, [local.as_str(), "NETTOOL_PROTO=unix"]);
    server.wait().success();
}

#[test]
fn the_command_has_no_descriptor_of_ours_or_of_others() {
    for options in [&["-k"][..], &["-k", "--max-bytes", "1M"]] {
        let script = "read word; [ \"$word\" ] && exec ls /proc/self/fd; cat";
        let server = nettool(["listen", "127.0.0.1", "0", "-c", script])
            .args(options)
            .redirected("9< /dev/null")
            .start();
        let addr = server.listening();
        let others: Vec<_> = (0..5).map(|_| super::client(addr)).collect();
        // 3 is the directory that ls looks into.
        assert_eq!(say(addr, "go\n").head, b"0\n1\n2\n3\n");
        drop(others);
        stopped(server);
    }
}

#[test]
fn the_command_finds_signals_and_limits_as_we_did() {
    let script = "grep -E 'Sig(Blk|Ign)' /proc/self/status; ulimit -Sn";
    let here = |before: &[&str]| {
        let program = Program::new("sh").args(["-c", script]).by_way_of(before);
        String::from_utf8(program.run().stdout).unwrap()
    };
    let there = |before: &[&str]| {
        let server = one(&["-c", script]).by_way_of(before).start();
        let seen = say(server.listening(), "");
        server.wait().success();
        String::from_utf8(seen.head).unwrap()
    };
    let limits = ["prlimit", "--nofile=64:512"];
    assert_eq!(there(&limits), here(&limits));
    assert!(there(&limits).ends_with("\n64\n"));
    // Whatever we found SIGPIPE at, a command that nobody listens to is to end.
    let hup = ["env", "--ignore-signal=HUP"];
    let both = ["env", "--ignore-signal=HUP", "--ignore-signal=PIPE"];
    assert_eq!(there(&both), here(&hup));
    // The system forgets the children of whoever ignores this one.
    let children = ["env", "--ignore-signal=CHLD"];
    assert_eq!(there(&children), here(&children));
}

/// How many bytes of the connection at this port the peer's kernel has not acknowledged.
fn queued(port: u16) -> u64 {
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    let local = format!(":{port:04X}");
    let rows = table.lines().map(|row| row.split_whitespace().collect());
    let mut ours = rows.filter(|row: &Vec<_>| row[1].ends_with(&local) && row[3] == "01");
    let queues = ours.next().map_or("0:0", |row| row[4]);
    u64::from_str_radix(queues.split(':').next().unwrap(), 16).unwrap()
}

#[test]
fn a_command_whose_reader_is_gone_dies_of_it() {
    for options in [&["-e", "yes"][..], &["-e", "yes", "--max-bytes", "1G"]] {
        let server = one(options).start();
        let addr = server.listening();
        // Unread bytes turn the close into a reset.
        let peer = Peer::connect(addr, vec![Step::Read(100_000), Step::Await]);
        let mut last = 0;
        until("no more gets through", || {
            let before = std::mem::replace(&mut last, queued(addr.port()));
            last > 0 && last == before
        });
        peer.go();
        peer.seen();
        // The command itself may have a word to say of the reset.
        server.wait().status(1).says("not delivered");
    }
    let server = one(&["-c", "yes | head -1"]).start();
    assert_eq!(say(server.listening(), "").head, b"y\n");
    let end = server.wait();
    // With SIGPIPE ignored it would complain.
    assert!(!end.success().stderr.contains("yes:"), "{}", end.stderr);
}

#[test]
fn signals_that_we_spare_ourselves_reach_a_child() {
    let server = one(&["-c", "kill -USR1 $$; echo survived"]).start();
    assert_eq!(say(server.listening(), "").head, b"");
    server.wait().status(128 + libc::SIGUSR1);
}

#[test]
fn no_child_is_left_unwaited_for() {
    let server = super::server(&["-c", "echo $PPID"]).start();
    let addr = server.listening();
    for _ in 0..100 {
        let seen = say(addr, "");
        assert_eq!(numbers(&seen.head), [i32::try_from(server.pid()).unwrap()]);
    }
    let tasks = format!("/proc/{}/task", server.pid());
    until("all children are gone", || {
        fs::read_dir(&tasks).unwrap().all(|task| {
            let path = task.unwrap().path().join("children");
            fs::read_to_string(path).unwrap_or_default().is_empty()
        })
    });
    stopped(server);
}

#[test]
fn the_status_is_that_of_the_only_clients_command() {
    for options in [&[][..], &["--max-bytes", "1M"]] {
        for (script, status) in [("exit 7", 7), ("kill -KILL $$", 137), ("cat", 0)] {
            let server = one(&["-c", script]).args(options).start();
            assert_eq!(say(server.listening(), "").end, End::Eof);
            server.wait().status(status);
        }
    }
}

#[test]
fn a_command_that_cannot_be_run_is_an_error_and_a_reset() {
    let directory = scratch();
    let plain = directory.path().join("plain");
    fs::write(&plain, "no program").unwrap();
    let plain = plain.to_str().unwrap();
    for (command, status) in [("/no/such/thing", 127), (plain, 126)] {
        let server = one(&["-e", command]).start();
        let seen = Peer::connect(server.listening(), vec![Step::ReadToEnd]).seen();
        assert_eq!(seen.end, End::Reset);
        let end = server.wait();
        let error = end.failure(status);
        assert!(error.contains(&format!("run {command}: ")), "{error}");
    }
}

#[test]
fn a_server_goes_on_after_a_command_that_could_not_be_run() {
    let directory = scratch();
    let path = directory.path().join("program");
    let server = super::server(&["-e", path.to_str().unwrap()]).start();
    let addr = server.listening();
    let seen = Peer::connect(addr, vec![Step::ReadToEnd]).seen();
    assert_eq!(seen.end, End::Reset);
    server.says("error: run ");
    // Not by us: what another test is starting could have it open for writing until it runs.
    let copy = Program::new("cp").arg("/bin/true").arg(&path);
    copy.run().success();
    assert_eq!(say(addr, "").end, End::Eof);
    stopped(server);
}

#[test]
fn a_half_close_is_the_commands_end_of_file() {
    assert_eq!(answer(&["-e", "sort"], "b\nc\na\n"), "a\nb\nc\n");
    assert_eq!(answer(&["-e", "wc -c"], "12345"), "5\n");
    assert_eq!(answer(&["-e", "wc -c", "--max-bytes", "3"], "12345"), "3\n");
}

#[test]
fn other_netcats_get_the_whole_answer() {
    if !need(&["nc.openbsd", "ncat", "socat"]) {
        return;
    }
    let clients: [(&str, &[&str]); 3] = [
        ("nc.openbsd", &["-N", "127.0.0.1", "PORT"]),
        ("ncat", &["127.0.0.1", "PORT"]),
        ("socat", &["-t20", "-", "TCP:127.0.0.1:PORT"]),
    ];
    let input = Pattern::new(3, 2_000_000);
    for (program, words) in clients {
        let server = one(&["-e", "cat"]).start();
        let port = server.listening().port().to_string();
        let words = words.iter().map(|word| word.replace("PORT", &port));
        let end = Program::new(program).args(words).stdin(input.clone()).run();
        end.status(0);
        assert_eq!(
            Fingerprint::of(&end.stdout),
            input.fingerprint(),
            "{program}"
        );
        server.wait().success();
    }
}

#[test]
fn a_command_that_says_nothing_for_too_long_is_ended_with_its_children() {
    for options in [&[][..], &["--max-bytes", "1M"]] {
        let server = one(&[
            "-c",
            "sleep 1000 & echo $$ $!; wait",
            "--idle-timeout",
            "300ms",
        ])
        .args(options)
        .start();
        let steps = vec![Step::ReadToEnd];
        let seen = Peer::connect(server.listening(), steps).seen();
        assert_eq!(seen.end, End::Reset);
        let end = server.wait();
        let error = end.failure(1);
        assert!(error.contains("nothing moved for 300ms"), "{error}");
        for pid in numbers(&seen.head) {
            until("the command and its child are gone", || !lives(pid));
        }
    }
}

#[test]
fn a_command_that_talks_is_not_idle() {
    let script = "for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.5; echo $i; done";
    let options = ["-c", script, "--idle-timeout", "4s"];
    let said: Vec<_> = (1..=10).map(|number| format!("{number}\n")).collect();
    // It may be held up for longer than it may be silent.
    in_some_try(|| {
        let server = one(&options).start();
        let seen = say(server.listening(), "");
        server.wait().code == Some(0) && seen.head == said.concat().as_bytes()
    });
}

/// The command of a client who did this, as the `child` record tells of it.
fn child_after(script: &str, options: &[&str], steps: Vec<Step>) -> serde_json::Value {
    let server = super::server(&["--json", "-c", script])
        .args(options)
        .start();
    let peer = Peer::connect(address(&server), steps);
    server.says("\"child\"");
    drop(peer);
    server.says("\"transfer\"");
    let stderr = stopped(server);
    records_of(&stderr, "child").remove(0)
}

#[test]
fn a_client_who_resets_has_its_command_ended() {
    for options in [&[][..], &["--max-bytes", "1M"]] {
        let steps = || vec![Step::Write(b"x".to_vec()), Step::Read(3), Step::Reset];
        let child = child_after("echo up; exec sleep 1000", options, steps());
        assert_eq!(
            (&child["client"], &child["signal"]),
            (&1.into(), &15.into())
        );
        assert!(child["status"].is_null() && child["pid"].as_u64() > Some(1));
        let stubborn = "trap '' TERM; echo up; while :; do sleep 1; done";
        let child = child_after(stubborn, options, steps());
        assert_eq!(child["signal"], 9);
    }
}

/// Nothing is read from the client any more that would tell of its reset.
#[test]
fn a_client_who_resets_is_noticed_though_its_command_takes_nothing() {
    for options in [&[][..], &["--max-bytes", "1G"]] {
        let question = vec![b'x'; 1_000_000];
        let steps = vec![Step::Read(3), Step::Write(question), Step::Reset];
        let child = child_after("echo up; exec sleep 1000", options, steps);
        assert_eq!(child["signal"], 15);
    }
}

#[test]
fn a_client_who_has_said_all_leaves_its_command_to_finish() {
    for options in [&[][..], &["--max-bytes", "1M"]] {
        let directory = scratch();
        let path = directory.path().join("done");
        // The first answer meets a client that is gone.
        let script = format!(
            "exec 2> /dev/null; cat > /dev/null; trap '' PIPE; echo x; sleep 0.3; echo x; sleep 0.3; : > {}; exit 5",
            path.display()
        );
        let child = child_after(&script, options, vec![Step::Write(b"all".to_vec())]);
        assert_eq!(child["status"], 5);
        assert!(path.exists());
    }
}

#[test]
fn a_server_that_is_stopped_lets_commands_finish_and_ends_the_others() {
    for options in [&[][..], &["--max-bytes", "1M"]] {
        in_some_try(|| is_stopped_with_commands(options));
    }
}

/// Stops a server with two commands; whether they had their time.
fn is_stopped_with_commands(options: &[&str]) -> bool {
    let script = "echo $$; read word; [ \"$word\" ] && echo $word && exit; exec sleep 1000";
    // Its port stays free when it listens no more.
    let here = own_address().to_string();
    let server = nettool(["listen", "-k", &here, "0", "-v", "-c", script]);
    let server = server.args(options).start();
    let addr = server.listening();
    let quick = super::client(addr);
    let pid = read_line(&quick);
    assert!(lives(pid));
    let slow = Peer::connect(addr, vec![Step::Read(1), Step::ReadToEnd]);
    until("the second command is at work", || children(&server) == 2);
    server.signal(Signal::TERM);
    until("nobody is let in any more", || {
        std::net::TcpStream::connect(addr).is_err()
    });
    // Whoever has not ended after a while is made to.
    let mut answer = [0; 7];
    let asked = (&quick).write_all(b"answer\n");
    let answered = asked.and_then(|()| (&quick).read_exact(&mut answer));
    assert_eq!(slow.seen().end, End::Reset);
    let end = server.wait();
    end.died_of(libc::SIGTERM);
    let on_time = answered.is_ok()
        && end.stderr.contains("ended with status 0")
        && end.stderr.contains("was ended by signal 15");
    assert!(!on_time || answer == *b"answer\n");
    on_time
}

/// The number in the first line that a server sends.
fn read_line(client: &std::net::TcpStream) -> i32 {
    let mut line = String::new();
    let mut client = std::io::BufReader::new(client);
    std::io::BufRead::read_line(&mut client, &mut line).expect("a line");
    line.trim().parse().expect("a number")
}

/// How many children a server has.
fn children(server: &Running) -> usize {
    let tasks = Path::new("/proc")
        .join(server.pid().to_string())
        .join("task");
    let tasks = fs::read_dir(tasks).expect("a process");
    let lists = tasks.map(|task| fs::read_to_string(task.unwrap().path().join("children")));
    lists
        .map(|list| list.unwrap_or_default().split_whitespace().count())
        .sum()
}

#[test]
fn what_a_command_leaves_behind_does_not_hold_up_the_client() {
    for options in [&[][..], &["--max-bytes", "1M"]] {
        let server = one(&["-c", "sleep 1000 & echo $!"]).args(options).start();
        let seen = Peer::connect(server.listening(), vec![Step::ReadToEnd]).seen();
        assert_eq!(seen.end, End::Eof);
        let pid = numbers(&seen.head)[0];
        let survived = lives(pid);
        kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
        assert!(survived);
        server.wait().success();
    }
}

#[test]
fn bytes_that_only_the_kernel_saw_are_counted() {
    let script = "cat > /dev/null; head -c 123456 /dev/zero";
    let server = one(&["--json", "-c", script]).start();
    let steps = vec![Step::Exchange(Pattern::new(1, 70_000))];
    let seen = Peer::connect(address(&server), steps).seen();
    assert_eq!(seen.received.count, 123_456);
    let end = server.wait();
    let transfer = &records_of(&end.stderr, "transfer")[0];
    assert_eq!(transfer["bytes_received"], 70_000);
    assert_eq!(transfer["bytes_sent"], 123_456);
    assert_eq!(transfer["bytes_acked"], 123_456);
    assert_eq!(transfer["complete"], true);
}

/// What the command of a client is counted to have moved, in JSON's words.
fn moved(script: &str, steps: Vec<Step>) -> (Seen, serde_json::Value) {
    let server = one(&["--json", "-e", script]).start();
    let seen = Peer::connect(address(&server), steps).seen();
    let end = server.wait();
    (seen, records_of(&end.stderr, "transfer").remove(0))
}

/// A command that says itself that no more comes has done nothing wrong, whether the client ends
/// before or after, and whether the command will hear it.
#[test]
fn a_command_may_end_its_own_half() {
    if !need(&["perl"]) {
        return;
    }
    let answer = "sysread STDIN,$_,5; syswrite STDOUT,uc;";
    let rest = "1 while sysread STDIN,$_,9;";
    for (shutdown, rest, first) in [
        ("1", "", true),
        ("1", "", false),
        ("2", "", true),
        ("1", rest, true),
        ("1", rest, false),
        (
            "1",
            "select undef,undef,undef,.3; sysread STDIN,$_,9;",
            false,
        ),
    ] {
        let script = format!("perl -e '{answer} shutdown STDOUT,{shutdown}; {rest}'");
        let mut steps = vec![Step::Write(b"hello".to_vec()), Step::ReadToEnd];
        if first {
            steps.insert(1, Step::Shutdown);
        }
        let (seen, transfer) = moved(&script, steps);
        assert_eq!((&seen.head[..], seen.end), (&b"HELLO"[..], End::Eof));
        let told = (&transfer["bytes_received"], &transfer["bytes_sent"]);
        assert_eq!(told, (&5.into(), &5.into()), "{script}");
        assert_eq!(transfer["bytes_acked"], 5);
        assert_eq!(transfer["complete"], true, "{script}");
    }
}

/// It may also go on with its work when the client has had the answer and closed.
#[test]
fn a_command_that_has_ended_its_own_half_may_finish() {
    if !need(&["perl"]) {
        return;
    }
    for shutdown in [1, 2] {
        let directory = scratch();
        let book = directory.path().join("book");
        let script = format!(
            "perl -e 'sysread STDIN,$_,9; syswrite STDOUT,uc; shutdown STDOUT,{shutdown}; \
            1 while sysread STDIN,$_,9; select undef,undef,undef,.5; open F,\">{}\"; print F 1'",
            book.display()
        );
        let steps = vec![Step::Write(b"hello".to_vec()), Step::ReadToEnd];
        let (seen, transfer) = moved(&script, steps);
        assert_eq!((&seen.head[..], seen.end), (&b"HELLO"[..], End::Eof));
        assert_eq!(transfer["complete"], true);
        assert_eq!(fs::read(&book).expect("a book"), b"1");
    }
}

/// The end of a client who does not wait for the answer counts as no byte.
#[test]
fn an_end_is_no_byte() {
    let script = "sh -c 'cat > /dev/null; sleep 0.3; echo out'";
    let (_, transfer) = moved(script, vec![Step::Write(b"hello\n".to_vec())]);
    assert_eq!(transfer["bytes_received"], 6);
    assert_eq!(transfer["complete"], false);
    let (_, transfer) = moved(
        "sh -c 'read x; echo up; exec sleep 1000'",
        vec![Step::Write(b"hello\n".to_vec()), Step::Read(3), Step::Reset],
    );
    assert_eq!(transfer["bytes_received"], 6);
}

#[test]
fn a_program_is_for_this_machine_unless_asked_otherwise() {
    let server = nettool(["listen", "0", "-e", "true"]).start();
    server.says("only this machine can connect");
    let addresses = server.announced(1).remove(0);
    assert!(addresses.starts_with("tcp 127.0.0.1:"), "{addresses}");
    say(server.listening(), "");
    let end = server.wait();
    for line in end
        .stderr
        .lines()
        .filter(|line| line.starts_with("listening"))
    {
        assert!(
            line.contains("127.0.0.1:") || line.contains("[::1]:"),
            "{line}"
        );
    }
    let server = nettool(["listen", "0.0.0.0", "0", "-e", "true"]).start();
    assert!(server.listening().ip().is_unspecified());
    say(
        SocketAddr::from(([127, 0, 0, 1], server.listening().port())),
        "",
    );
    let end = server.wait();
    assert!(!end.success().stderr.contains("only this machine"));
}

#[test]
fn commands_that_are_none_are_refused_before_anything_else() {
    for (words, what) in [
        (&["-e", "'unclosed"][..], "a quote is not closed"),
        (&["-e", "  "], "there is no command in it"),
        (&["-c", ""], "there is no command in it"),
        (&["-e", "a", "-c", "b"], "--sh-exec"),
        (&["-e", "a", "--echo"], "--echo"),
    ] {
        let end = one(words).run();
        end.failure(2);
        end.says(what);
    }
}

#[test]
fn a_port_probe_runs_no_command() {
    let directory = scratch();
    let path = directory.path().join("ran");
    let server = one(&["-v", "-e", &format!("touch {}", path.display())]).start();
    let addr = server.listening();
    Peer::connect(addr, vec![Step::Reset]).seen();
    server.says("not the client");
    assert!(!path.exists());
    assert_eq!(say(addr, "").end, End::Eof);
    server.wait().success();
    assert!(path.exists());
}

#[test]
fn a_clients_patience_is_its_own() {
    let server = super::server(&["-e", "cat", "--max-time", "400ms"]).start();
    let addr = server.listening();
    // The command may need all of its time to begin.
    in_some_try(|| {
        let steps = vec![Step::Write(b"a".to_vec()), Step::ReadToEnd];
        let seen = Peer::connect(addr, steps).seen();
        assert_eq!(seen.end, End::Reset);
        seen.head == b"a"
    });
    in_some_try(|| say(addr, "b").head == b"b");
    stopped(server);
}

/// How much went over a Unix socket that the command has is not known: whoever broke off was a client
/// all the same, and nobody else is waited for.
#[test]
fn a_unix_client_that_breaks_off_was_the_client() {
    let directory = scratch();
    let path = directory.path().join("s");
    let server = nettool(["listen", "-U"])
        .arg(&path)
        .args(["-c", "head -c 3000 /dev/zero; exec sleep 1000"])
        .start();
    server.says("listening on");
    // It closes with what it was sent unread, and the command does nothing that would tell it.
    Peer::connect_unix(&path, vec![Step::Read(10)]).seen();
    let end = server.wait();
    let error = end.failure(1);
    assert!(error.contains("connection reset"), "{error}");
    // What is not known is no count.
    assert!(!error.contains("bytes"), "{error}");
}

/// Whoever asks how much that is hears that it is not known.
#[test]
fn what_nobody_counts_is_not_told_as_nothing() {
    let told = [
        (&[][..], "how much was sent and received is not known"),
        (&["-k"], "sent 0 B, of 1 client not known"),
    ];
    for (options, answer) in told {
        let directory = scratch();
        let path = directory.path().join("s");
        let server = nettool(["listen", "-U"]).arg(&path).args(options);
        let server = server.args(["-e", "cat"]).start();
        server.says("listening on");
        let mut client = UnixStream::connect(&path).expect("a server");
        client.set_read_timeout(Some(LIMIT)).expect("a timeout");
        client.write_all(b"hello").expect("a server that reads");
        client.read_exact(&mut [0; 5]).expect("an echo");
        server.signal(Signal::USR1);
        server.says(answer);
        drop(client);
        if options.is_empty() {
            server.wait().success();
        } else {
            stopped(server);
        }
    }
}
