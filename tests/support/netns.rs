//! Network namespaces of one's own: fixed ports, own addresses, own rules, own host names.
//!
//! A namespace lives as long as the process that holds it, and that one ends with the test's end of
//! a pipe: unlike the names of `ip netns` nothing is left behind by a test that was killed. An
//! ordinary user gets one inside a user namespace.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::fd::AsFd;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::thread;

use rustix::fs::{Mode, OFlags};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tempfile::NamedTempFile;

use super::deadline::until;
use super::exit::Exit;
use super::program::{Program, alone};
use super::skip::{need, search_path, skip};

/// Brings the namespace up, says so, and holds it until standard input ends.
const HOLD: &str = "ip link set lo up && mount -t sysfs sysfs /sys && echo held && exec cat";

/// By what right namespaces can be made here.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Right {
    /// We are root.
    Root,
    /// We are root in a user namespace of our own.
    User,
}

/// A network namespace, with a mount namespace beside it for `/etc/hosts`, `/run` and `/sys`.
pub(crate) struct Namespace {
    holder: Child,
    _pipe: ChildStdin,
    right: Right,
    files: Vec<NamedTempFile>,
}

impl Namespace {
    /// A new one with `lo` up; skips the test where that is not permitted.
    pub(crate) fn new() -> Option<Self> {
        Self::beside(None)
    }

    /// One where nothing that is sent to TCP port 9 is ever answered.
    pub(crate) fn with_a_deaf_port() -> Option<Self> {
        let space = Self::new().filter(|_| need(&["nft"]))?;
        space.rules(
            "table inet t { chain c { type filter hook input priority 0; tcp dport 9 drop; }; }",
        );
        Some(space)
    }

    /// One that also has the address 192.0.2.1, which is not loopback.
    pub(crate) fn with_a_stranger() -> Option<Self> {
        let space = Self::new()?;
        space.run("ip address add 192.0.2.1/24 dev lo");
        Some(space)
    }

    /// Two joined by a cable: `eth0` is 10.77.0.1 and `fd77::1` in the first, 10.77.0.2 and
    /// `fd77::2` in the second.
    pub(crate) fn pair() -> Option<(Self, Self)> {
        let near = Self::new()?;
        let far = Self::beside(Some(&near))?;
        near.run(&format!(
            "ip link add eth0 type veth peer name eth0 netns {}",
            far.holder.id()
        ));
        for (number, side) in [(1, &near), (2, &far)] {
            side.run("ip link set eth0 up");
            side.run(&format!("ip address add 10.77.0.{number}/24 dev eth0"));
            // Without nodad the address could not be used for a second.
            side.run(&format!("ip address add fd77::{number}/64 dev eth0 nodad"));
        }
        Some((near, far))
    }

    /// 10.77.0.1, a router, and 10.78.0.1, whose cable carries 576 bytes at once; the other carries
    /// 1500.
    pub(crate) fn narrow_path() -> Option<[Self; 3]> {
        let (near, router) = Self::pair()?;
        let far = Self::beside(Some(&near))?;
        router.run(&format!(
            "ip link add eth1 mtu 576 type veth peer name eth0 mtu 576 netns {}",
            far.holder.id()
        ));
        for (space, device, number) in [(&router, "eth1", 2), (&far, "eth0", 1)] {
            space.run(&format!("ip link set {device} up"));
            space.run(&format!("ip address add 10.78.0.{number}/24 dev {device}"));
        }
        router.run("sysctl -q -w net.ipv4.ip_forward=1");
        near.run("ip route add default via 10.77.0.2");
        far.run("ip route add default via 10.78.0.2");
        Some([near, router, far])
    }

    /// A new one; it can be joined only with one of the same user namespace.
    fn beside(other: Option<&Self>) -> Option<Self> {
        if !need(&["ip", "unshare", "nsenter", "ss"]) {
            return None;
        }
        let right = right();
        if right.is_none() {
            skip("no permission for a network namespace");
        }
        let words = match (right?, other) {
            (Right::Root, _) => vec![],
            (Right::User, None) => vec!["unshare".to_owned(), "-U".to_owned(), "-r".to_owned()],
            (Right::User, Some(other)) => other.entrance(&[]),
        };
        Some(Self::hold(right?, &words))
    }

    /// Starts the holder.
    fn hold(right: Right, before: &[String]) -> Self {
        let words = ["unshare", "-n", "-m", "sh", "-c", HOLD].map(str::to_owned);
        let words = [before, &words].concat();
        let mut command = Command::new(&words[0]);
        command
            .args(&words[1..])
            .env("PATH", search_path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let holder = alone(|| command.spawn());
        let mut holder = holder.expect("a process that holds a namespace");
        let mut line = String::new();
        let mut output = BufReader::new(holder.stdout.take().expect("a piped standard output"));
        output.read_line(&mut line).expect("a line");
        assert_eq!(line, "held\n", "the namespace does not come up");
        let pipe = holder.stdin.take().expect("a piped standard input");
        Self {
            holder,
            _pipe: pipe,
            right,
            files: Vec::new(),
        }
    }

    /// The words that run what follows them inside.
    fn entrance(&self, spaces: &[&str]) -> Vec<String> {
        let holder = self.holder.id().to_string();
        let mut words = vec!["nsenter", "-t", &holder];
        if self.right == Right::User {
            words.extend(["-U", "--preserve-credentials"]);
        }
        [&words, spaces]
            .concat()
            .into_iter()
            .map(str::to_owned)
            .collect()
    }

    /// Runs `program` inside.
    pub(crate) fn inside(&self, program: Program) -> Program {
        program.by_way_of(self.entrance(&["-n", "-m"]))
    }

    /// Runs a command inside, which must succeed; its words are separated by spaces.
    #[track_caller]
    pub(crate) fn run(&self, words: &str) -> Exit {
        let mut words = words.split_whitespace();
        let program = Program::new(words.next().expect("a command")).args(words);
        let exit = self.inside(program).run();
        exit.status(0);
        exit
    }

    /// Loads packet filter rules in the language of `nft`.
    #[track_caller]
    pub(crate) fn rules(&self, rules: &str) {
        self.inside(Program::new("nft").args(["-f", "-"]))
            .stdin(rules)
            .run()
            .status(0);
    }

    /// Puts a file with `text` in the place of a system's one, as `/etc/hosts`.
    #[track_caller]
    pub(crate) fn replace(&mut self, path: &str, text: &str) {
        let file = NamedTempFile::new().expect("a temporary file");
        fs::write(&file, text).expect("a temporary file");
        self.run(&format!("mount --bind {} {path}", file.path().display()));
        self.files.push(file);
    }

    /// Waits until somebody inside listens at `place`: a TCP port, or the path of a Unix socket.
    #[track_caller]
    pub(crate) fn serves(&self, place: &str) {
        let unix = place.starts_with('/');
        let filter = if unix {
            format!("ss -lxH src {place}")
        } else {
            format!("ss -ltnH sport = :{place}")
        };
        until(&format!("somebody listens on {place}"), || {
            !self.run(&filter).stdout.is_empty()
        });
    }

    /// Waits until somebody inside is bound to this UDP port.
    #[track_caller]
    pub(crate) fn receives(&self, port: u16) {
        until(&format!("somebody is bound to {port}"), || {
            let found = self.run(&format!("ss -lunH sport = :{port}"));
            !found.stdout.is_empty()
        });
    }

    /// Calls `work` on a thread inside; sockets made there stay there. Root alone can do this.
    pub(crate) fn on_a_thread<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Option<T> {
        if self.right != Right::Root {
            skip("only root can move a thread into a namespace");
            return None;
        }
        let path = format!("/proc/{}/ns/net", self.holder.id());
        let space = rustix::fs::open(path, OFlags::CLOEXEC, Mode::empty()).expect("a namespace");
        let inside = move || {
            let kind = Some(LinkNameSpaceType::Network);
            move_into_link_name_space(space.as_fd(), kind).expect("a namespace of ours");
            work()
        };
        thread::scope(|scope| scope.spawn(inside).join().ok())
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// By what right namespaces can be made here, if at all.
fn right() -> Option<Right> {
    static RIGHT: OnceLock<Option<Right>> = OnceLock::new();
    *RIGHT.get_or_init(|| {
        let works = |flags: &[&str]| {
            let mut command = Command::new("unshare");
            command
                .args(flags)
                .args(["-n", "-m", "true"])
                .stderr(Stdio::null());
            let status = alone(|| command.status());
            status.is_ok_and(|status| status.success())
        };
        let user = || works(&["-U", "-r"]).then_some(Right::User);
        works(&[]).then_some(Right::Root).or_else(user)
    })
}
