//! Many clients of an echo server on this machine, each of which checks every byte.
//!
//! `clients PORT echo COUNT ROUNDS SIZE`: COUNT clients are there at once; each sends SIZE bytes
//! and waits for them to come back, ROUNDS times. `clients PORT idle COUNT`: COUNT silent clients,
//! and then one that asks: how long that took. `clients PORT churn COUNT`: so many connect and
//! close, one after the other. `clients PORT datagrams COUNT`: a datagram from each of COUNT ports.
//! `clients PORT hear COUNT SIZE [FD]`: COUNT clients hear what one more says, or what is written to
//! the descriptor FD, SIZE bytes.
//! One line of figures; the status is 0 only if everything came back as it was sent.
use std::ffi::c_int;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::fs::File;
use std::os::fd::{AsRawFd, FromRawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// As the kernel has it on x86-64 (packed there, and padded elsewhere).
#[cfg_attr(target_arch = "x86_64", repr(C, packed))]
#[cfg_attr(not(target_arch = "x86_64"), repr(C))]
#[derive(Clone, Copy)]
struct Event {
    events: u32,
    data: u64,
}

#[repr(C)]
struct Limit {
    soft: u64,
    hard: u64,
}

unsafe extern "C" {
    fn epoll_create1(flags: c_int) -> c_int;
    fn epoll_ctl(queue: c_int, what: c_int, fd: c_int, event: *mut Event) -> c_int;
    fn epoll_wait(queue: c_int, events: *mut Event, most: c_int, timeout: c_int) -> c_int;
    fn getrlimit(what: c_int, limit: *mut Limit) -> c_int;
    fn setrlimit(what: c_int, limit: *const Limit) -> c_int;
}

const IN: u32 = 1;
const OUT: u32 = 4;
const ADD: c_int = 1;
const MODIFY: c_int = 3;
const OPEN_FILES: c_int = 7;
const PATIENCE: Duration = Duration::from_secs(20);

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number = |index: usize| -> usize {
        let word = words.get(index).expect("clients PORT WHAT COUNT ...");
        word.parse().expect("a number")
    };
    raise_open_files();
    let (port, count) = (number(0) as u16, number(2));
    let fine = match words[1].as_str() {
        "echo" => echo(port, count, number(3), number(4)),
        "idle" => idle(port, count),
        "churn" => churn(port, count),
        "datagrams" => datagrams(port, count),
        "hear" => hear(port, count, number(3), words.get(4).map(|word| word.parse().expect("a descriptor"))),
        other => panic!("no such test: {other}"),
    };
    std::process::exit(i32::from(!fine));
}

fn raise_open_files() {
    let mut limit = Limit { soft: 0, hard: 0 };
    unsafe {
        getrlimit(OPEN_FILES, &mut limit);
        limit.soft = limit.hard;
        setrlimit(OPEN_FILES, &limit);
    }
}

/// The addresses of this machine in turn: one pair of addresses has ports for 28,000.
fn address(index: usize, port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1 + (index % 8) as u8], port))
}

fn connect(index: usize, port: u16) -> TcpStream {
    let stream = TcpStream::connect_timeout(&address(index, port), PATIENCE);
    let stream = stream.unwrap_or_else(|error| panic!("client {index}: {error}"));
    stream.set_nodelay(true).expect("a TCP socket");
    stream
}

/// What a client sends: no two are alike.
fn byte(client: usize, round: usize, index: usize) -> u8 {
    (client.wrapping_mul(31) ^ round.wrapping_mul(17) ^ index.wrapping_mul(7)) as u8
}

struct Client {
    stream: TcpStream,
    id: usize,
    round: usize,
    sent: usize,
    got: usize,
    /// What the queue was last told to look for.
    wanted: u32,
}

/// How a turn of a client ended.
enum Turn {
    Waits,
    Done,
    Wrong(String),
}

impl Client {
    /// Sends and checks as much as there is.
    fn turn(&mut self, rounds: usize, size: usize, buffer: &mut [u8]) -> Turn {
        loop {
            let mut moved = false;
            if self.sent < size {
                let length = (size - self.sent).min(buffer.len());
                for (index, place) in buffer[..length].iter_mut().enumerate() {
                    *place = byte(self.id, self.round, self.sent + index);
                }
                match self.stream.write(&buffer[..length]) {
                    Ok(length) => (self.sent, moved) = (self.sent + length, true),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                    Err(error) => return Turn::Wrong(error.to_string()),
                }
            }
            // The answer is not there yet; the queue tells when it is.
            if moved && self.sent == size && self.got == 0 {
                return Turn::Waits;
            }
            match self.stream.read(buffer) {
                Ok(0) => return Turn::Wrong("an early end".into()),
                Ok(length) => {
                    for (index, came) in buffer[..length].iter().enumerate() {
                        if *came != byte(self.id, self.round, self.got + index) {
                            return Turn::Wrong("a wrong byte".into());
                        }
                    }
                    (self.got, moved) = (self.got + length, true);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Turn::Wrong(error.to_string()),
            }
            if self.got >= size {
                (self.got, self.sent) = (0, 0);
                self.round += 1;
                if self.round == rounds {
                    return Turn::Done;
                }
            } else if !moved {
                return Turn::Waits;
            }
        }
    }
}

fn echo(port: u16, count: usize, rounds: usize, size: usize) -> bool {
    let start = Instant::now();
    let mut clients: Vec<Client> = (0..count)
        .map(|id| {
            let stream = connect(id, port);
            stream.set_nonblocking(true).expect("a socket");
            Client { stream, id, round: 0, sent: 0, got: 0, wanted: IN | OUT }
        })
        .collect();
    let connected = start.elapsed();
    let queue = unsafe { epoll_create1(0) };
    for (index, client) in clients.iter().enumerate() {
        let mut event = Event { events: IN | OUT, data: index as u64 };
        unsafe { epoll_ctl(queue, ADD, client.stream.as_raw_fd(), &mut event) };
    }
    let start = Instant::now();
    let (mut left, mut wrong) = (count, 0);
    let mut buffer = vec![0; 65536];
    let mut events = vec![Event { events: 0, data: 0 }; 1024];
    let mut done = vec![false; count];
    while left > 0 && start.elapsed() < 3 * PATIENCE {
        let ready = unsafe { epoll_wait(queue, events.as_mut_ptr(), 1024, 1000) };
        for event in &events[..ready.max(0) as usize] {
            let index = { event.data } as usize;
            let client = &mut clients[index];
            if done[index] {
                continue;
            }
            let wanted = match client.turn(rounds, size, &mut buffer) {
                Turn::Waits if client.sent < size => IN | OUT,
                Turn::Waits => IN,
                turn => {
                    if let Turn::Wrong(what) = turn {
                        wrong += 1;
                        eprintln!("client {index}: {what}");
                    }
                    done[index] = true;
                    left -= 1;
                    0
                }
            };
            if wanted != client.wanted {
                client.wanted = wanted;
                let mut event = Event { events: wanted, data: index as u64 };
                unsafe { epoll_ctl(queue, MODIFY, client.stream.as_raw_fd(), &mut event) };
            }
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{count} clients connected in {:.2} s, {rounds} rounds of {size} B in {seconds:.2} s, \
         {:.0} round trips/s, {wrong} wrong, {left} unfinished",
        connected.as_secs_f64(),
        (count * rounds) as f64 / seconds
    );
    // Whoever looks at the server does it now, while all are there.
    println!("press return to leave");
    let _ = std::io::stdin().read_line(&mut String::new());
    wrong == 0 && left == 0
}

fn idle(port: u16, count: usize) -> bool {
    let silent: Vec<_> = (0..count).map(|id| connect(id, port)).collect();
    let start = Instant::now();
    let mut client = connect(0, port);
    let mut answer = [0; 5];
    client.write_all(b"hello").expect("a server that reads");
    client.read_exact(&mut answer).expect("a server that answers");
    let took = start.elapsed().as_secs_f64() * 1000.0;
    println!("one served beside {} silent ones in {took:.2} ms", silent.len());
    &answer == b"hello"
}

fn churn(port: u16, count: usize) -> bool {
    let start = Instant::now();
    for id in 0..count {
        match TcpStream::connect_timeout(&address(id, port), PATIENCE) {
            Ok(stream) => drop(stream),
            // Who is refused may learn of it this early.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
            Err(error) => panic!("client {id}: {error}"),
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    println!("{count} connected and closed in {seconds:.1} s");
    true
}

/// What is said at this place.
fn spoken(index: usize) -> u8 {
    (index.wrapping_mul(7) ^ (index >> 8) ^ (index >> 16)) as u8
}

/// Says dots until all are there, and then what they are to hear.
fn speak(mut mouth: impl Write, all_are_there: &AtomicBool, size: usize) {
    while !all_are_there.load(Ordering::Relaxed) {
        mouth.write_all(b".").expect("a server that reads");
        std::thread::sleep(Duration::from_millis(5));
    }
    let said: Vec<u8> = std::iter::once(b'!').chain((0..size).map(spoken)).collect();
    mouth.write_all(&said).expect("a server that reads");
}

fn hear(port: u16, count: usize, size: usize, mouth: Option<c_int>) -> bool {
    let streams: Vec<_> = (0..count).map(|id| connect(id, port)).collect();
    let queue = unsafe { epoll_create1(0) };
    for (index, stream) in streams.iter().enumerate() {
        stream.set_nonblocking(true).expect("a socket");
        let mut event = Event { events: IN, data: index as u64 };
        unsafe { epoll_ctl(queue, ADD, stream.as_raw_fd(), &mut event) };
    }
    let all_are_there = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&all_are_there);
    let speaker = std::thread::spawn(move || match mouth {
        Some(descriptor) => speak(unsafe { File::from_raw_fd(descriptor) }, &told, size),
        None => {
            let stream = connect(count, port);
            speak(&stream, &told, size);
            // An end before the others have heard all would be an end, too.
            stream
                .set_read_timeout(Some(Duration::from_millis(10)))
                .expect("a timeout");
            let _ = (&stream).read(&mut [0; 1]);
            std::mem::forget(stream);
        }
    });
    // Of each: whether it is there, and how much it has heard once it began.
    let mut there = vec![false; count];
    let mut heard: Vec<Option<usize>> = vec![None; count];
    let (mut arrived, mut done, mut wrong) = (0, 0, 0);
    let mut start = Instant::now();
    let mut buffer = vec![0; 256 * 1024];
    let mut events = vec![Event { events: 0, data: 0 }; 1024];
    while done + wrong < count && start.elapsed() < 3 * PATIENCE {
        let ready = unsafe { epoll_wait(queue, events.as_mut_ptr(), 1024, 1000) };
        for event in &events[..ready.max(0) as usize] {
            let index = { event.data } as usize;
            let length = match (&streams[index]).read(&mut buffer) {
                Ok(length @ 1..) => length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
                end => {
                    if heard[index] != Some(size) && heard[index] != Some(usize::MAX) {
                        eprintln!("client {index}: {end:?}");
                        (wrong, heard[index]) = (wrong + 1, Some(usize::MAX));
                    }
                    let mut event = Event { events: 0, data: 0 };
                    unsafe { epoll_ctl(queue, MODIFY, streams[index].as_raw_fd(), &mut event) };
                    continue;
                }
            };
            if !std::mem::replace(&mut there[index], true) {
                arrived += 1;
                if arrived == count {
                    start = Instant::now();
                    all_are_there.store(true, Ordering::Relaxed);
                }
            }
            for byte in &buffer[..length] {
                match heard[index] {
                    None if *byte == b'!' => heard[index] = Some(0),
                    None if *byte == b'.' => {}
                    Some(place) if place < size && *byte == spoken(place) => {
                        heard[index] = Some(place + 1);
                    }
                    _ => {
                        eprintln!("client {index}: a wrong byte");
                        (wrong, heard[index]) = (wrong + 1, Some(usize::MAX));
                        break;
                    }
                }
            }
            done += usize::from(heard[index] == Some(size));
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    let rate = (count * size) as f64 / seconds / 1e6;
    println!("{count} heard {size} B each in {seconds:.2} s, {rate:.0} MB/s, {wrong} wrong, {} unfinished", count - done - wrong);
    let _ = std::io::stdin().read_line(&mut String::new());
    drop(speaker);
    done == count
}

fn datagrams(port: u16, count: usize) -> bool {
    let mut answered = 0;
    for id in 0..count {
        let source = SocketAddr::from(([127, 0, 1, 1], 10_000 + id as u16));
        let Ok(socket) = UdpSocket::bind(source) else {
            answered += usize::from(source.port() == port);
            continue;
        };
        socket.connect(address(0, port)).expect("a route");
        socket.set_read_timeout(Some(Duration::from_millis(200))).expect("a timeout");
        socket.send(b"hello").expect("a server");
        answered += usize::from(socket.recv(&mut [0; 16]).is_ok_and(|length| length == 5));
    }
    println!("{answered} of {count} datagrams answered, each from a port of its own");
    answered == count
}
