//! `nettool buffers watch`: what holds up a connection, in staged bottlenecks.

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{
    CONTROL_C, Namespace, Program, Running, Terminal, in_some_try, need, nettool, records, until,
};

/// Sends from port 5000 to a reader as its arguments say: the size of the send buffer (then each
/// write is sent at once, since the kernel joins small ones beyond what the buffer holds), how many
/// bytes are read at a time, the pause between reads, what is written at a time, the pause between
/// writes, the address that it connects to.
const TALK: &str = r#"
import socket, sys, threading, time
size, piece, pause, chunk, rest = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5])
server = socket.socket(); server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("", 6000)); server.listen()
client = socket.socket(); client.bind(("", 5000))
if size:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, size)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
client.connect((sys.argv[6], 6000)); taken = server.accept()[0]
def read():
    while taken.recv(piece): time.sleep(pause)
threading.Thread(target=read, daemon=True).start()
print("ready", flush=True)
while True:
    client.sendall(bytes(chunk)); time.sleep(rest)
"#;

/// A path of 20 ms each way: what goes to 10.9.0.2 comes back from there to 10.9.0.1. Both addresses
/// change places, so that the checksums stay right.
const PATH: &str = r#"
import collections, fcntl, os, select, struct, subprocess, time
tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
fcntl.ioctl(tun, 0x400454ca, struct.pack("16sH", b"far", 0x1001))
subprocess.run("ip address add 10.9.0.1/24 dev far; ip link set far mtu 1500 up", shell=True, check=True)
print("ready", flush=True)
under_way = collections.deque()
while True:
    wait = max(0, under_way[0][0] - time.monotonic()) if under_way else None
    if select.select([tun], [], [], wait)[0]:
        try:
            while True:
                packet = bytearray(os.read(tun, 2000))
                packet[12:16], packet[16:20] = packet[16:20], packet[12:16]
                under_way.append((time.monotonic() + 0.02, packet))
        except BlockingIOError:
            pass
    while under_way and under_way[0][0] <= time.monotonic():
        os.write(tun, under_way.popleft()[1])
"#;

/// A namespace where such a conversation goes on, `lo` being a slow link if that is wanted.
fn talk(slow: bool, words: &[&str]) -> Option<(Namespace, Running)> {
    if !need(&["python3", "tc"]) {
        return None;
    }
    let space = Namespace::new()?;
    if slow {
        space.run("ip link set lo mtu 1500");
        space.run("tc qdisc add dev lo root tbf rate 20mbit burst 16kb latency 400ms");
    }
    let talking = talk_with(&space, "127.0.0.1", words);
    Some((space, talking))
}

/// The same over a long path.
fn talk_far(words: &[&str]) -> Option<(Namespace, Running, Running)> {
    if !need(&["python3", "ip"]) {
        return None;
    }
    let space = Namespace::new()?;
    let program = Program::new("python3").args(["-c", PATH]);
    let path = space.inside(program).start();
    path.prints("ready");
    let talking = talk_with(&space, "10.9.0.2", words);
    Some((space, path, talking))
}

/// The conversation inside a namespace.
fn talk_with(space: &Namespace, address: &str, words: &[&str]) -> Running {
    let program = Program::new("python3").args(["-c", TALK]).args(words);
    let talking = space.inside(program.arg(address)).start();
    talking.prints("ready");
    talking
}

/// The records of our sender, until there are so many of them.
fn watched(space: &Namespace, count: usize) -> Vec<Value> {
    let program = nettool([
        "buffers", "watch", "--json", "--every", "200ms", "-p", "5000",
    ]);
    let watching = space.inside(program).start();
    until("enough looks", || watching.printed() > count * 2 * 450);
    watching.signal(Signal::INT);
    let exit = watching.wait();
    exit.died_of(2).silent();
    let mut records = records(&exit.stdout);
    records.retain(|record| record["local_port"] == 5000);
    assert!(records.len() >= count - 1, "{records:?}");
    records
}

/// Checks that most looks come to this verdict; the first ones see the start.
fn judged(slow: bool, words: &[&str], verdict: &str) {
    let Some((space, talking)) = talk(slow, words) else {
        return;
    };
    most_say(&space, verdict);
    talking.kill();
}

/// The same over a long path.
fn judged_far(words: &[&str], verdict: &str) {
    let Some((space, path, talking)) = talk_far(words) else {
        return;
    };
    most_say(&space, verdict);
    talking.kill();
    path.kill();
}

/// Checks that most looks come to this verdict, when those who talk are not held up themselves.
fn most_say(space: &Namespace, verdict: &str) {
    in_some_try(|| {
        let records = watched(space, 8);
        let right = records
            .iter()
            .filter(|record| record["verdict"] == verdict)
            .count();
        right * 4 >= records.len() * 3
    });
}

#[test]
fn a_slow_reader_is_found() {
    judged(false, &["0", "1000", "0.01", "100000", "0"], "receiver");
}

#[test]
fn a_slow_link_is_found() {
    judged(true, &["0", "1000000", "0", "100000", "0"], "network");
}

#[test]
fn a_program_with_little_to_say_is_found() {
    judged(false, &["0", "1000000", "0", "1000", "0.02"], "application");
}

#[test]
fn a_small_send_buffer_is_found() {
    for size in ["8192", "65536"] {
        judged_far(&[size, "1000000", "0", "100000", "0"], "send-buffer");
    }
}

#[test]
fn a_long_path_makes_nobody_else_guilty() {
    judged_far(&["0", "1000000", "0", "5000", "0.02"], "application");
}

#[test]
fn rates_are_those_of_the_link() {
    let Some((space, talking)) = talk(true, &["0", "1000000", "0", "100000", "0"]) else {
        return;
    };
    // 20 Mbit/s are 2.5 MB/s, when those who talk are not held up themselves.
    in_some_try(|| {
        let records = watched(&space, 10);
        let rates = records
            .iter()
            .filter_map(|record| record["tx_bytes_per_s"].as_f64());
        let rates: Vec<f64> = rates.skip(3).collect();
        let record = &records[records.len() - 1];
        assert!(record["segment_bytes"].as_u64() <= Some(1448), "{record}");
        #[expect(clippy::cast_precision_loss, reason = "a handful of looks")]
        let mean = rates.iter().sum::<f64>() / rates.len() as f64;
        (1.8e6..2.6e6).contains(&mean) && record["rtt_us"].as_u64() > Some(1000)
    });
    talking.kill();
}

#[test]
fn people_see_it_in_place() {
    let Some((space, talking)) = talk(false, &["0", "1000", "0.01", "100000", "0"]) else {
        return;
    };
    let mut terminal = Terminal::new();
    let program = nettool(["buffers", "watch", "--every", "50ms", "-p", "5000"]);
    let watching = terminal
        .hosts(space.inside(program.env("TERM", "xterm")))
        .start();
    terminal.shows("limited by the receiver's window");
    terminal.shows("\u{1b}[6A");
    terminal.types(CONTROL_C);
    watching.wait().died_of(2);
    talking.kill();
    nettool(["buffers", "watch", "--every", "0"])
        .run()
        .failure(2);
}
