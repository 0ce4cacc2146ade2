//! The programs of the document that this project comes from, unchanged, as peers: its client, its
//! single-task server, its multi-task server. Their ports are fixed, so each has a namespace of its own.

use std::io::Write;

use crate::support::{Input, Namespace, Program, Running, need, nettool};

/// Where the programs lie.
const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");

/// A program of the document, which prints UTF-8 line by line.
fn document(name: &str) -> Program {
    let program = Program::new("python3").arg(format!("{FIXTURES}/{name}"));
    program.env("PYTHONUTF8", "1").env("PYTHONUNBUFFERED", "1")
}

/// A namespace where Python can run, if there is one.
fn space() -> Option<Namespace> {
    need(&["python3"]).then(Namespace::new)?
}

#[test]
fn its_client_talks_to_our_listener() {
    let Some(space) = space() else { return };
    let server = space
        .inside(nettool(["listen", "9091"]))
        .stdin("收到：你好，世界\n")
        .start();
    assert_eq!(server.announced(2), ["tcp 0.0.0.0:9091", "tcp [::]:9091"]);
    let client = space.inside(document("client.py")).run();
    client.success();
    let lines = String::from_utf8(client.stdout).expect("UTF-8");
    assert!(
        lines.ends_with("获得来自服务器的数据： 收到：你好，世界\n\n"),
        "{lines}"
    );
    server.wait().success().printed("Connect Succces!");
}

#[test]
fn we_talk_to_its_single_task_server() {
    let Some(space) = space() else { return };
    let server = space.inside(document("server_single.py")).start();
    space.serves("9091");
    let client = space
        .inside(nettool(["connect", "127.0.0.1", "9091"]))
        .stdin("你好，服务器！");
    client.run().success().printed("问题处理中...");
    server.prints("接收数据的长度为： 21\n接收客户端的数据为： 你好，服务器！\n");
    server.wait().success();
}

#[test]
fn we_talk_to_its_multi_task_server() {
    let Some(space) = space() else { return };
    let server = space.inside(document("server_multi.py")).start();
    space.serves("9090");
    let start = || {
        let client = nettool(["connect", "localhost:9090"]).stdin(Input::Open);
        space.inside(client).start()
    };
    // Its threads print word by word: one thing at a time, each line awaited.
    let mut first = start();
    server.prints_lines(1);
    say(&mut first, "第一个客户端");
    let mut second = start();
    server.prints_lines(3);
    say(&mut second, "第二个客户端");
    say(&mut first, "再见");
    second.wait().success().printed("数据接收正常...");
    server.prints_lines(6);
    first
        .wait()
        .success()
        .printed("数据接收正常...数据接收正常...");
    server.prints_lines(7);
    let lines = String::from_utf8(server.kill().stdout).expect("UTF-8");
    for line in [
        "客户端连接成功: (",
        "第一个客户端 (",
        "第二个客户端 (",
        "再见 (",
        "客户端下线了: (",
    ] {
        assert!(
            lines.lines().any(|other| other.starts_with(line)),
            "{lines}"
        );
    }
}

/// Types a message and waits for the answer.
fn say(client: &mut Running, message: &str) {
    let answers = client.printed() / "数据接收正常...".len();
    let pipe = client.stdin.as_mut().expect("a kept pipe");
    pipe.write_all(message.as_bytes())
        .expect("a client that reads");
    client.prints_bytes((answers + 1) * "数据接收正常...".len());
}

#[test]
fn our_server_does_what_its_multi_task_server_does() {
    let Some(space) = space() else { return };
    let words = ["listen", "-k", "-v", "--reply", "数据接收正常...", "9090"];
    let server = space.inside(nettool(words)).start();
    assert_eq!(server.announced(2), ["tcp 0.0.0.0:9090", "tcp [::]:9090"]);
    let start = || {
        let client = nettool(["connect", "127.0.0.1:9090"]).stdin(Input::Open);
        space.inside(client).start()
    };
    let mut first = start();
    say(&mut first, "第一个客户端");
    let mut second = start();
    say(&mut second, "第二个客户端");
    say(&mut first, "再见");
    second.wait().success().printed("数据接收正常...");
    server.says(" gone: received 18 B, sent 21 B");
    first
        .wait()
        .success()
        .printed("数据接收正常...数据接收正常...");
    server.says(" gone: received 24 B, sent 42 B");
    server.signal(rustix::process::Signal::INT);
    let end = server.wait();
    end.died_of(libc::SIGINT);
    let lines = end.stderr;
    for part in [
        " connected",
        ": 18 B came: 第一个客户端",
        ": 18 B came: 第二个客户端",
        ": 6 B came: 再见",
        "served 2 clients: received 42 B, sent 63 B",
    ] {
        let named = |line: &str| line.contains("client 127.0.0.1:") || line.contains("served");
        assert!(
            lines.lines().any(|line| line.contains(part) && named(line)),
            "{part}: {lines}"
        );
    }
}
