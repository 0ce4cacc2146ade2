//! `--banner`: what open ports say, of themselves or asked.

use std::time::Duration;

use super::{answered, ports, probe, text};
use crate::support::{Exit, Input, Namespace, Program, Running, in_some_try, need};

/// A program in `space` with a server of each kind, until it is dropped.
fn server(space: &Namespace) -> Running {
    const SCRIPT: &str = "
import socket, ssl, subprocess, sys, tempfile, threading
where = tempfile.mkdtemp()
subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', where + '/key',
    '-out', where + '/certificate', '-days', '1', '-subj', '/CN=x'], stderr=subprocess.DEVNULL, check=True)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(where + '/certificate', where + '/key')
def speaking(client):
    client.send(b'SSH-2.0-Test\\x1b[2J\\r\\n')
    client.recv(1)
def flooding(client):
    client.sendall(b'x' * 100000)
def web(client):
    if client.recv(1000).startswith(b'HEAD / HTTP/1.0\\r\\nHost: 127.0.0.1\\r\\n'):
        client.send(b'HTTP/1.0 200 OK\\r\\nServer: x\\r\\n\\r\\n')
def tls(client):
    context.wrap_socket(client, server_side=True).recv(1)
def printer(client):
    if client.recv(1000):
        print('paper', flush=True)
def mute(client):
    while client.recv(1000):
        pass
def attend(client, kind):
    try:
        kind(client)
    except OSError:
        pass
    client.close()
def serve(listener, kind):
    while True:
        client, _ = listener.accept()
        threading.Thread(target=attend, args=(client, kind), daemon=True).start()
for port, kind in ((22, speaking), (23, flooding), (80, web), (443, tls), (2000, tls), (2001, web),
        (2002, mute), (9100, printer)):
    listener = socket.create_server(('127.0.0.1', port))
    threading.Thread(target=serve, args=(listener, kind), daemon=True).start()
print('serving', flush=True)
sys.stdin.read()
";
    let program = Program::new("python3").args(["-c", SCRIPT]);
    let running = space.inside(program).stdin(Input::Open).start();
    running.prints("serving");
    running
}

#[test]
fn every_server_is_listened_to_in_its_own_way() {
    let Some(space) = Namespace::new().filter(|_| need(&["python3", "openssl"])) else {
        return;
    };
    let server = server(&space);
    let all_speak = |exit: &Exit| {
        let found = ports(exit);
        let speaks = |port| {
            found
                .get(&port)
                .is_some_and(|told| told["banner"].is_string())
        };
        [22, 23, 80, 443, 2000, 2001].into_iter().all(speaks)
    };
    let words = "--banner --json 127.0.0.1 1-3000,9100";
    let exit = answered(|| space.inside(probe(words)).run(), all_speak);
    exit.success().silent().within(Duration::from_secs(40));
    let found = ports(&exit);
    assert_eq!(found.len(), 3001);
    let said = |port: u64| found[&port]["banner"].as_str();
    assert_eq!(said(22), Some("SSH-2.0-Test\\u{1b}[2J\\r\\n"));
    assert_eq!(said(23), Some(&*"x".repeat(512)));
    assert_eq!(said(80), Some("HTTP/1.0 200 OK\\r\\nServer: x\\r\\n\\r\\n"));
    assert_eq!(said(443), Some("tls"));
    assert_eq!(said(2000), Some("tls"));
    assert_eq!(said(2001), said(80));
    assert_eq!((said(2002), said(9100), said(1)), (None, None, None));
    assert_eq!(found[&2002]["state"], "open");
    assert_eq!(
        server.printed(),
        "serving\n".len(),
        "nothing was printed on paper"
    );
}

#[test]
fn a_banner_stands_beside_its_port() {
    let Some(space) = Namespace::new().filter(|_| need(&["python3", "openssl"])) else {
        return;
    };
    let _server = server(&space);
    let run = |words: &str| space.inside(probe(words)).run();
    let has = |part: &'static str| move |exit: &Exit| text(exit).contains(part);
    let both = |exit: &Exit| has("SSH-2.0-Test")(exit) && has("HTTP/1.0 200 OK")(exit);
    let exit = answered(|| run("--banner 127.0.0.1 22,80,81"), both);
    let report = text(exit.success()).to_owned();
    let lines: Vec<&str> = report.lines().collect();
    assert!(lines[1].ends_with("  SSH-2.0-Test\\u{1b}[2J"), "{report}");
    assert!(lines[2].ends_with("  HTTP/1.0 200 OK"), "{report}");
    let exit = answered(
        || run("--banner --plain 127.0.0.1 22,81"),
        has("SSH-2.0-Test"),
    );
    let rows: Vec<Vec<&str>> = text(exit.success())
        .lines()
        .map(|l| l.split('\t').collect())
        .collect();
    assert_eq!(
        (rows[0].len(), rows[0][10]),
        (11, "SSH-2.0-Test\\u{1b}[2J\\r\\n")
    );
    assert_eq!(rows[1][10], "-");
    run("--banner --connect-ex 127.0.0.1 22").status(2);
    in_some_try(|| {
        let exit = run("--banner --json --deadline 500ms 127.0.0.1 2002");
        exit.within(Duration::from_secs(10));
        // Its time may be over before anybody was asked.
        ports(&exit)[&2002]["state"] == "open"
    });
}
