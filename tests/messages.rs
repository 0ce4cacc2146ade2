//! What the user is told: every failure by its name, every malformed value before anything is done,
//! and nothing hostile ever raw.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::os::unix::ffi::OsStrExt;

use serde_json::Value;

use crate::support::{
    Namespace, Output, Program, Terminal, closed_port, need, nettool, records, scratch, until,
};

/// A server that must never see a client.
struct Untouched(TcpListener);

impl Untouched {
    /// On a free port of 127.0.0.1.
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    /// Its port.
    fn port(&self) -> String {
        self.0.local_addr().unwrap().port().to_string()
    }

    /// Nobody has connected so far.
    #[track_caller]
    fn check(&self) {
        let nobody = self.0.accept().map(|_| ()).unwrap_err();
        assert_eq!(nobody.kind(), ErrorKind::WouldBlock);
    }
}

/// A namespace where names come from its own `/etc/hosts` alone.
fn space_without_dns() -> Option<Namespace> {
    let mut space = Namespace::new()?;
    space.replace("/etc/nsswitch.conf", "hosts: files\n");
    Some(space)
}

/// The command line is refused: the value is quoted, what would be accepted is shown.
#[track_caller]
pub(crate) fn malformed(words: &[&str], value: &str) {
    let exit = nettool(words).run();
    let line = exit.failure(2);
    let quoted = [format!("{value:?}"), format!("'{value}'")];
    let named = quoted.iter().any(|quoted| line.contains(quoted.as_str()));
    assert!(named && line.contains("; write "), "{words:?}: {line}");
    exit.printed("");
    assert!(!exit.stderr.contains("listening on"), "{words:?}");
}

/// The only record of a failure has all its fields, in the contract's types.
#[track_caller]
fn failure_record(stderr: &str) -> Value {
    let [record] = records(stderr).try_into().expect("one record");
    let object = record.as_object().unwrap();
    let fields = [
        "v", "type", "action", "target", "cause", "errno", "errname", "hint",
    ];
    assert_eq!(object.len(), fields.len(), "{record}");
    assert!(
        fields.iter().all(|field| object.contains_key(*field)),
        "{record}"
    );
    assert_eq!(
        (&record["v"], &record["type"]),
        (&1.into(), &"error".into())
    );
    assert!(
        record["action"].is_string() && record["cause"].is_string(),
        "{record}"
    );
    record
}

#[test]
fn a_port_in_use_is_named() {
    let server = Untouched::new();
    let exit = nettool(["listen", "127.0.0.1", &server.port()]).run();
    let expected = format!("bind 127.0.0.1:{}: address already in use", server.port());
    assert!(exit.failure(1).ends_with(&expected), "{}", exit.stderr);
    exit.says("hint: ");
}

#[test]
fn a_refusal_is_named() {
    let (_socket, addr) = closed_port();
    let exit = nettool(["connect", &addr.to_string()]).run();
    let expected = format!("connect to {addr}: connection refused");
    assert!(exit.failure(1).ends_with(&expected), "{}", exit.stderr);
    exit.says("hint: ").printed("");
}

#[test]
fn a_network_without_a_route_is_named() {
    let Some(space) = Namespace::new() else {
        return;
    };
    for (words, target) in [
        (["192.0.2.1", "9"], "192.0.2.1:9"),
        (["2001:db8::1", "9"], "[2001:db8::1]:9"),
    ] {
        let exit = space.inside(nettool(["connect"]).args(words)).run();
        let expected = format!("connect to {target}: network is unreachable");
        assert!(exit.failure(1).ends_with(&expected), "{}", exit.stderr);
        exit.says("hint: ");
    }
}

#[test]
fn a_rejection_and_a_prohibition_are_told_apart() {
    if !need(&["nft"]) {
        return;
    }
    let Some((near, far)) = Namespace::pair() else {
        return;
    };
    far.rules(
        "table inet t { chain c { type filter hook input priority 0; \
         tcp dport 1 reject with icmpx type host-unreachable; \
         tcp dport 2 reject with icmpx type admin-prohibited; \
         tcp dport 3 reject with tcp reset; }; }",
    );
    let said = |port: &str| {
        let exit = near.inside(nettool(["connect", "10.77.0.2", port])).run();
        let line = exit.failure(1).to_owned();
        assert!(
            line.contains(&format!("connect to 10.77.0.2:{port}: ")),
            "{line}"
        );
        line.rsplit_once(": ").unwrap().1.to_owned()
    };
    let said = ["1", "2", "3"].map(said);
    assert_eq!(said[0], "no route to host");
    assert_eq!(said[2], "connection refused");
    assert!(!said[1].is_empty());
}

#[test]
fn an_unknown_name_is_named() {
    let Some(space) = space_without_dns() else {
        return;
    };
    for command in ["connect", "listen"] {
        let exit = space
            .inside(nettool([command, "nosuch.invalid", "9"]))
            .run();
        let line = exit.failure(1);
        assert!(line.contains("resolve nosuch.invalid: "), "{line}");
        assert!(line.contains("not known"), "{line}");
    }
}

#[test]
fn a_silent_address_is_a_timeout() {
    let Some(space) = Namespace::with_a_deaf_port() else {
        return;
    };
    for option in ["--connect-timeout=300ms", "-w300ms"] {
        let exit = space
            .inside(nettool(["connect", "127.0.0.1", "9", option]))
            .run();
        let expected = "connect to 127.0.0.1:9: timed out after 300ms";
        assert!(exit.failure(1).ends_with(expected), "{}", exit.stderr);
        exit.at_least(std::time::Duration::from_millis(300));
    }
}

#[test]
fn a_privileged_port_and_a_foreign_address_are_named() {
    if !need(&["setpriv"]) {
        return;
    }
    let Some(space) = Namespace::new() else {
        return;
    };
    let nobody = [
        "setpriv",
        "--bounding-set=-all",
        "--inh-caps=-all",
        "--reuid=65534",
    ];
    let exit = space
        .inside(nettool(["listen", "127.0.0.1", "80"]).by_way_of(nobody))
        .run();
    let line = exit.failure(1);
    assert!(
        line.contains("bind 127.0.0.1:80: permission denied"),
        "{line}"
    );
    exit.says("CAP_NET_BIND_SERVICE");
    let exit = space.inside(nettool(["listen", "192.0.2.1", "0"])).run();
    let line = exit.failure(1);
    assert!(
        line.contains("bind 192.0.2.1:0: cannot assign requested address"),
        "{line}"
    );
    exit.says("nettool ifaces");
}

#[test]
fn no_malformed_port_does_anything() {
    let ports = [
        "65536",
        "99999999999999999999",
        "-5",
        "+80",
        "80x",
        " 80",
        "0x50",
        "080",
        "80-70",
        "80-",
        "-80",
        "80--90",
        "1-99999",
        "80,,81",
        "nosuchsvc",
        "",
        "\u{ff18}0",
        "8 0",
    ];
    for port in ports {
        malformed(&["connect", "127.0.0.1", "--", port], port);
        malformed(&["connect", "-u", "127.0.0.1", "--", port], port);
        malformed(&["listen", "--", port], port);
        malformed(&["listen", "127.0.0.1", "--", port], port);
        malformed(&["listen", &format!("--port={port}")], port);
    }
    for both in [
        "127.0.0.1:80x",
        "127.0.0.1:",
        "[::1]:65536",
        "localhost:80-90",
    ] {
        let exit = nettool(["connect", both]).run();
        let port = both.rsplit_once(':').unwrap().1;
        assert!(
            exit.failure(2).contains(&format!("{port}\"")),
            "{}",
            exit.stderr
        );
        nettool(["listen", both]).run().failure(2);
    }
    nettool(["connect", "127.0.0.1", "0"]).run().failure(2);
}

#[test]
fn no_malformed_host_is_reached() {
    let server = Untouched::new();
    let (label, name) = ("a".repeat(64), "a.".repeat(150));
    let hosts = [
        "",
        ":",
        "[::1",
        "::1]",
        "[::1]:80:90",
        "1.2.3",
        "0177.0.0.1",
        "127.1",
        "256.1.1.1",
        "0x7f.1",
        "2130706433",
        "fe80::1%",
        "\n",
        "a b",
        "-host",
        "http://localhost",
        &label,
        "münchen.example",
    ];
    for host in hosts {
        let value = host.escape_debug().to_string();
        let quoted = format!("\"{value}\"");
        for words in [["connect", "--", host], ["listen", "--", host]] {
            let exit = nettool(words).arg(server.port()).run();
            let line = exit.failure(2);
            assert!(
                line.contains(&quoted) && line.contains("; write "),
                "{line}"
            );
        }
    }
    let exit = nettool(["connect", &name, &server.port()]).run();
    assert!(
        exit.failure(2).contains("longer than 253"),
        "{}",
        exit.stderr
    );
    server.check();
}

#[test]
fn no_malformed_time_does_anything() {
    let server = Untouched::new();
    let times = [
        "-1",
        "1e400",
        "NaN",
        "5 s",
        "3m2h",
        "99999999999999h",
        "\u{ff15}",
        "",
        "inf",
        "1..5",
        "5s5",
    ];
    for time in times {
        for option in [
            "idle-timeout",
            "timeout",
            "max-time",
            "quit-after",
            "connect-timeout",
        ] {
            malformed(
                &[
                    "connect",
                    "127.0.0.1",
                    &server.port(),
                    &format!("--{option}={time}"),
                ],
                time,
            );
        }
        malformed(&["listen", "0", &format!("--accept-timeout={time}")], time);
        malformed(&["listen", "0", &format!("-w={time}")], time);
    }
    server.check();
}

#[test]
fn no_malformed_path_does_anything() {
    let long = "x".repeat(108);
    for command in ["connect", "listen"] {
        let exit = nettool([command, "-U", &long]).run();
        assert!(exit.failure(2).contains("108 bytes"), "{}", exit.stderr);
        nettool([command, "-U", ""]).run().failure(2);
    }
    let directory = scratch();
    let missing = directory.path().join("a/b");
    let exit = nettool(["connect", "-U"]).arg(&missing).run();
    assert!(
        exit.failure(1)
            .contains(&format!("connect to {}: ", missing.display()))
    );
    let exit = nettool(["listen", "-U"]).arg(&missing).run();
    assert!(
        exit.failure(1)
            .contains(&format!("bind {}: ", missing.display()))
    );
    let exit = nettool(["listen", "-U"]).arg(directory.path()).run();
    assert!(exit.failure(1).contains("bind "));
}

/// Nothing of what a terminal obeys stands in it.
#[track_caller]
fn is_harmless(text: &str) {
    let bad = text
        .chars()
        .find(|letter| letter.is_control() && *letter != '\n');
    assert!(bad.is_none(), "{bad:?} in {text:?}");
}

#[test]
fn hostile_arguments_are_never_shown_raw() {
    let hostile: [&[u8]; 6] = [
        b"\x1b[2J\x1b]52;c;eA==\x07",
        b"a\nnettool: error: forged",
        b"\xff\xfe\x80",
        "\u{9b}31m\u{202e}".as_bytes(),
        b"--\x1b[31m",
        b"-\xff",
    ];
    for bytes in hostile {
        let word = OsStr::from_bytes(bytes);
        let programs = [
            nettool([word]),
            nettool([OsStr::new("connect"), word]),
            nettool([OsStr::new("connect"), word, OsStr::new("9")]),
            nettool([OsStr::new("connect"), OsStr::new("::1"), word]),
            nettool([OsStr::new("listen"), word]),
            nettool(["listen", "0", "--until"]).arg(word),
            nettool(["listen", "0", "--idle-timeout"]).arg(word),
            nettool(["connect", "--color"]).arg(word),
            nettool(["man"]).arg(word),
            nettool(["--json", "connect"]).arg(word),
        ];
        for program in programs {
            let exit = program.run();
            assert_eq!(exit.code, Some(2), "{}", exit.stderr);
            is_harmless(&exit.stderr);
            assert!(
                !exit.stderr.contains("\nnettool: error: forged"),
                "{}",
                exit.stderr
            );
            assert!(!exit.stderr.contains('\u{202e}'), "{}", exit.stderr);
        }
        let exit = nettool(["connect", "-U"]).arg(word).run();
        assert!(matches!(exit.code, Some(1 | 2)), "{}", exit.stderr);
        is_harmless(&exit.stderr);
    }
}

#[test]
fn long_command_lines_are_refused() {
    // The longest argument that Linux passes on (MAX_ARG_STRLEN).
    let long = "x".repeat(131_071);
    nettool([&long]).run().failure(2);
    nettool(["connect", &long, "9"]).run().failure(2);
    nettool(["connect", "::1", "9", "-w", &long])
        .run()
        .failure(2);
    let exit = nettool(["connect", "--ttl", &long, "::1", "9"]).run();
    exit.failure(2);
    assert!(exit.stderr.len() < 500, "{} bytes", exit.stderr.len());
    nettool(["listen", &long]).run().failure(2);
    nettool(["listen", "-U", &long]).run().failure(2);
    nettool(["connect"])
        .args(std::iter::repeat_n("9", 10_000))
        .run()
        .failure(2);
    let many = std::iter::repeat_n("-v", 10_000);
    let (_socket, addr) = closed_port();
    nettool(["connect", &addr.to_string()])
        .args(many)
        .run()
        .failure(1);
}

#[test]
fn failures_are_records_too() {
    let (_socket, addr) = closed_port();
    let exit = nettool(["--json", "connect", &addr.to_string()]).run();
    exit.status(1).printed("");
    let record = failure_record(&exit.stderr);
    assert_eq!(record["action"], "connect");
    assert_eq!(record["target"], addr.to_string());
    assert_eq!(record["cause"], "connection refused");
    assert_eq!(
        (&record["errno"], &record["errname"]),
        (&111.into(), &"ECONNREFUSED".into())
    );
    assert!(record["hint"].is_string());
    let exit = nettool(["connect", "127.0.0.1", "99999", "--json"]).run();
    exit.status(2).printed("");
    let record = failure_record(&exit.stderr);
    assert_eq!(record["action"], "usage");
    assert!(
        record["cause"].as_str().unwrap().contains("\"99999\""),
        "{record}"
    );
    assert!(record["target"].is_null() && record["errno"].is_null() && record["errname"].is_null());
}

#[test]
fn hostile_text_in_records_is_valid_json() {
    let directory = scratch();
    let name = OsStr::from_bytes(b"a\x1b[2J\"\\\n\xff");
    let exit = nettool(["--json", "connect", "-U"])
        .arg(directory.path().join(name))
        .run();
    exit.status(1);
    is_harmless(&exit.stderr);
    let target = failure_record(&exit.stderr)["target"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(target.ends_with("a\u{1b}[2J\"\\\n\u{fffd}"), "{target:?}");
}

/// A failing command whose errors go to a pipe or, with `terminal`, to a terminal; whether they are
/// coloured.
fn colours(words: &[&str], variables: &[(&str, &str)], terminal: bool) -> bool {
    let variables = [&[("TERM", "xterm")], variables].concat();
    let program = nettool(["connect", "127.0.0.1", "99999"]).args(words);
    let program = variables
        .iter()
        .fold(program, |program, (name, value)| program.env(name, value));
    if !terminal {
        return program.run().stderr.contains('\u{1b}');
    }
    let screen = Terminal::new();
    screen
        .hosts(program)
        .stdout(Output::Captured)
        .run()
        .status(2);
    screen.shows("https\r\n");
    screen.screen().contains(&0x1b)
}

#[test]
fn colours_are_where_they_are_wanted() {
    if !need(&["setsid"]) {
        return;
    }
    assert!(colours(&[], &[], true));
    assert!(!colours(&[], &[], false));
    assert!(!colours(&[], &[("NO_COLOR", "1")], true));
    assert!(colours(&[], &[("NO_COLOR", "")], true));
    assert!(!colours(&[], &[("TERM", "dumb")], true));
    assert!(colours(&[], &[("CLICOLOR_FORCE", "1")], false));
    assert!(colours(&["--color=always"], &[("NO_COLOR", "1")], false));
    assert!(!colours(
        &["--color=never"],
        &[("CLICOLOR_FORCE", "1")],
        true
    ));
    assert!(!colours(&["--color", "never"], &[], true));
}

#[test]
fn stdout_on_a_terminal_colours_no_stderr() {
    if !need(&["setsid"]) {
        return;
    }
    let screen = Terminal::new();
    let program = nettool(["connect", "127.0.0.1", "99999"]).env("TERM", "xterm");
    let exit = screen
        .controls(program.stdout(Output::Fd(screen.slave())))
        .run();
    exit.failure(2);
    is_harmless(&exit.stderr);
}

#[test]
fn quiet_leaves_errors_alone() {
    let (_socket, addr) = closed_port();
    nettool(["-q", "connect", &addr.to_string()])
        .run()
        .failure(1);
    let directory = scratch();
    let path = directory.path().join("s");
    let server = nettool(["listen", "--quiet", "-U"]).arg(&path).start();
    until("the socket stands there", || path.exists());
    let client = || nettool(["connect", "-q", "-U"]).arg(&path).stdin("x").run();
    until("a client is served", || client().code == Some(0));
    server.wait().success().silent().printed("x");
}

#[test]
fn global_options_stand_anywhere() {
    let (_socket, addr) = closed_port();
    let addr = addr.to_string();
    for words in [
        ["--json", "connect", &addr],
        ["connect", "--json", &addr],
        ["connect", &addr, "--json"],
    ] {
        failure_record(&nettool(words).run().stderr);
    }
    for words in [
        &["-vv", "connect", &addr][..],
        &["connect", &addr, "-vv"],
        &["connect", &addr, "--verbose", "--verbose"],
    ] {
        nettool(words)
            .run()
            .says(&format!("trying {addr}"))
            .failure(1);
    }
    for words in [
        ["-n", "connect", "localhost", "9"],
        ["connect", "localhost", "9", "--numeric"],
    ] {
        let exit = nettool(words).run();
        assert!(exit.failure(2).contains("\"localhost\""), "{}", exit.stderr);
    }
}

#[test]
fn help_and_version_are_results() {
    let version = concat!("nettool ", env!("CARGO_PKG_VERSION"), "\n");
    for word in ["-V", "--version"] {
        nettool([word]).run().success().silent().printed(version);
    }
    for words in [
        &["-h"][..],
        &["--help"],
        &["connect", "-h"],
        &["listen", "--help"],
        &["man", "--help"],
    ] {
        let exit = nettool(words).run();
        exit.success().silent();
        assert!(
            String::from_utf8(exit.stdout)
                .unwrap()
                .contains("Usage: nettool")
        );
    }
    for command in ["connect", "listen"] {
        let exit = nettool([command, "--help"]).run();
        assert!(
            String::from_utf8(exit.stdout)
                .unwrap()
                .contains("Examples:")
        );
    }
}

#[test]
fn pages_are_the_committed_files() {
    let pages: [(&[&str], &str); 9] = [
        (&["man"], include_str!("../man/nettool.1")),
        (
            &["man", "connect"],
            include_str!("../man/nettool-connect.1"),
        ),
        (
            &["man", "nettool-connect"],
            include_str!("../man/nettool-connect.1"),
        ),
        (&["man", "listen"], include_str!("../man/nettool-listen.1")),
        (
            &["completions", "bash"],
            include_str!("../completions/nettool.bash"),
        ),
        (
            &["completions", "zsh"],
            include_str!("../completions/_nettool"),
        ),
        (
            &["completions", "fish"],
            include_str!("../completions/nettool.fish"),
        ),
        (
            &["completions", "elvish"],
            include_str!("../completions/nettool.elv"),
        ),
        (
            &["completions", "powershell"],
            include_str!("../completions/_nettool.ps1"),
        ),
    ];
    for (words, page) in pages {
        nettool(words).run().success().silent().printed(page);
    }
    nettool(["man", "nosuch"]).run().failure(2);
    nettool(["completions"]).run().failure(2);
}

#[test]
fn a_page_that_cannot_be_printed_is_no_success() {
    for words in [
        &["man"][..],
        &["completions", "bash"],
        &["--help"],
        &["--version"],
    ] {
        let line = |program: Program| program.run().failure(1).to_owned();
        let full = line(nettool(words).stdout(Output::Full));
        assert!(
            full.ends_with("write to stdout: no space left on device"),
            "{full}"
        );
        let closed = line(nettool(words).redirected(">&-"));
        assert!(closed.contains("write to stdout: "), "{closed}");
        nettool(words)
            .stdout(Output::Broken)
            .run()
            .died_of(13)
            .silent();
    }
}

#[test]
fn records_of_who_talks_are_never_payload() {
    let words = [
        &["--json", "connect", "--idle-timeout=x", "h", "9"][..],
        &["listen", "0", "--nosuch", "--json"],
        &["--color", "never", "connect", "--json", "--until=x"],
    ];
    for words in words {
        let exit = nettool(words).run();
        exit.status(2).printed("");
        assert_eq!(failure_record(&exit.stderr)["action"], "usage");
    }
    let exit = nettool(["--json", "ifaces", "--nosuch"]).run();
    exit.status(2).silent();
    failure_record(&String::from_utf8(exit.stdout).unwrap());
}

#[test]
fn colours_are_known_before_the_rest_is_understood() {
    for words in [
        &["--color=always", "connect", "--nosuch"][..],
        &["connect", "--nosuch", "--color", "always"],
    ] {
        assert!(nettool(words).run().status(2).stderr.contains('\u{1b}'));
    }
    for words in [
        &["--color=never", "connect", "--nosuch"][..],
        &["connect", "--nosuch", "--color", "never"],
    ] {
        is_harmless(&nettool(words).env("CLICOLOR_FORCE", "1").run().stderr);
    }
}

#[test]
fn what_is_not_utf8_is_quoted() {
    for command in ["connect", "listen"] {
        let exit = nettool([command]).arg(OsStr::from_bytes(b"a\xffb")).run();
        assert!(
            exit.failure(2).contains("\"a\u{fffd}b\""),
            "{}",
            exit.stderr
        );
    }
}
