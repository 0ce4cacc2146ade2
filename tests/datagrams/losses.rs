//! What the system had no room for is told, and never exit status 0.

use super::peer;
use crate::support::{Output, nettool};

#[test]
fn a_flood_that_nobody_reads_is_counted() {
    let server = nettool(["listen", "-u", "127.0.0.1", "0", "--json"])
        .arg("--quit-after=5s")
        .arg("--recv-only")
        .stdout(Output::Open)
        .start();
    let record = server.line_with("\"listening\"");
    let port = record.split("\"port\":").nth(1).expect("a port");
    let port: u16 = port.split(',').next().unwrap().parse().expect("a number");
    let client = peer("127.0.0.1");
    client.connect(("127.0.0.1", port)).expect("a route");
    // A pipe, a queue of a few pieces and a receive buffer are full long before that.
    let sent = 2000;
    for _ in 0..sent {
        client.send(&[b'x'; 8000]).expect("a server");
    }
    server.line_with("\"warning\"");
    let mut server = server;
    let mut reader = server.stdout.take().expect("a kept pipe");
    let reader = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut reader, &mut bytes).expect("a pipe");
        bytes.len()
    });
    let exit = server.wait();
    let received = reader.join().expect("a reader") / 8000;
    exit.status(1).says("dropped by the system");
    let lost = exit.stderr.split("\"datagrams_lost\":").nth(1);
    let lost: usize = lost
        .unwrap()
        .split(',')
        .next()
        .unwrap()
        .parse()
        .expect("a number");
    assert_eq!(received + lost, sent);
}
