//! Slips: what a word or a value that is not understood was meant to be is said, and what to write.

use crate::messages::malformed;
use crate::support::{closed_port, nettool, records};

/// These words are refused with an answer that has this in it, in one line.
#[track_caller]
fn answered(words: &str, answer: &str) {
    let exit = nettool(words.split(' ')).run();
    let line = exit.failure(2);
    assert!(line.contains(answer), "{words}: {line}");
    exit.printed("");
}

#[test]
fn who_knows_nc_is_helped() {
    let (_socket, addr) = closed_port();
    let port = addr.port().to_string();
    nettool(["connect", "-N", "127.0.0.1", &port])
        .run()
        .failure(1);
    let exit = nettool(["connect", "-z", "h", "22"]).run();
    assert!(
        exit.failure(2).ends_with("use: nettool probe h 22"),
        "{}",
        exit.stderr
    );
    let exit = nettool(["connect", "-zv", "::1", "22"]).run();
    assert!(
        exit.failure(2).ends_with("use: nettool probe ::1 22"),
        "{}",
        exit.stderr
    );
    let exit = nettool(["connect", "::1:80"]).run();
    assert!(
        exit.failure(2).ends_with("write [::1]:80"),
        "{}",
        exit.stderr
    );
    let server = nettool(["listen", "-l", "-p", "0", "127.0.0.1"]).start();
    let client = nettool(["connect", &server.listening().to_string()])
        .stdin("x")
        .run();
    client.success();
    server.wait().success().printed("x");
}

/// What people write who know other programs: what to write instead is named.
#[test]
fn who_knows_other_programs_is_helped() {
    let habits = [
        ("connect -l 80", "use: nettool listen 80"),
        ("connect -lvnp 4444", "use: nettool listen 4444"),
        ("connect -l -p4444", "use: nettool listen 4444"),
        (
            "connect -l -p4444 127.0.0.1",
            "use: nettool listen 127.0.0.1 4444",
        ),
        (
            "connect -l -p 4444 127.0.0.1",
            "use: nettool listen 127.0.0.1 4444",
        ),
        ("connect -lk -w5", "use: nettool listen [OPTIONS] PORT"),
        ("connect -l -w5 -pv", "use: nettool listen [OPTIONS] PORT"),
        (
            "connect -lk 127.0.0.1 80",
            "use: nettool listen -k 127.0.0.1 80",
        ),
        ("connect -l -w 5 80", "use: nettool listen [OPTIONS] PORT"),
        ("connect -k h 80", "use: nettool listen -k PORT"),
        ("connect -e /bin/sh h 80", "use: nettool listen PORT -e CMD"),
        ("connect -v -z h 80", "use: nettool probe h 80"),
        ("connect -q 1 h 80", "write --quit-after 1"),
        ("connect -i 1 h 80", "--delay TIME"),
        ("listen -z h 80", "use: nettool probe HOST PORT"),
        ("probe -sT h 80", "leave it out"),
        ("probe -sU h", "nettool probe -u HOST"),
        ("probe -p- h", "use: nettool probe -p all TARGET"),
        ("probe -Pn h 80", "leave it out"),
        ("probe -zv h 80", "leave -z out"),
        ("probe -w 1 h 80", "--try-timeout TIME"),
        ("ifaces -a", "leave -a out"),
        ("buffers -tnp", "use: nettool buffers list -t"),
        ("-l 80", "use: nettool listen 80"),
        ("-lk -p 80", "use: nettool listen -k 80"),
        ("-lk -p80", "use: nettool listen -k 80"),
        ("-lk", "use: nettool listen -k PORT"),
        ("-lnvp4444", "use: nettool listen 4444"),
        ("-zv host 80", "use: nettool probe HOST PORT"),
        (
            "host 80",
            "use: nettool connect host 80, or nettool probe host 80",
        ),
        ("-v host:80", "use: nettool connect host:80, or"),
        ("help", "use: nettool --help, or nettool man |"),
        ("man buffers fill", "use: nettool man buffers-fill"),
        (
            "help connect",
            "use: nettool connect --help, or nettool man connect |",
        ),
    ];
    for (words, answer) in habits {
        let exit = nettool(words.split(' ')).run();
        let line = exit.failure(2);
        assert!(line.contains(answer), "{words}: {line}");
    }
    // Listening as nc does is understood.
    let server = nettool(["listen", "-lvnp", "0"]).start();
    server.listening();
    let exit = nettool(["connect", "-l", "\x1b[31m"]).run();
    assert!(!exit.failure(2).contains('\x1b'), "{}", exit.stderr);
}

/// A minus is part of a value that is wrong, not an option.
#[test]
fn a_negative_value_is_quoted() {
    for option in [
        "-w",
        "-p",
        "--retry",
        "--quit-after",
        "--max-bytes",
        "--limit-rate",
        "--send-buffer",
        "--connect-timeout",
        "--keepalive",
        "--ttl",
        "--dscp",
        "--retry-delay",
        "--delay",
        "--size",
    ] {
        for value in ["-1", "-1s"] {
            malformed(&["connect", "h", "80", option, value], value);
        }
    }
    for option in ["-p", "-m", "--backlog", "--mode", "--accept-timeout"] {
        malformed(&["listen", "80", option, "-1"], "-1");
    }
    for option in [
        "-p",
        "--tries",
        "--rate",
        "--concurrency",
        "--deadline",
        "--wait",
        "--count",
    ] {
        malformed(&["probe", "h", option, "-1"], "-1");
    }
    malformed(&["buffers", "list", "-p", "-1"], "-1");
    malformed(&["ifaces", "--watch", "--every", "-1"], "-1");
    malformed(&["connect", "h", "-1"], "-1");
    malformed(&["listen", "-80"], "-80");
    malformed(&["probe", "h", "-1"], "-1");
}

/// A value that is one of a few is told like any other.
#[test]
fn the_values_that_there_are_are_told() {
    for (option, accepted) in [
        ("--progress", "; write auto, bar, log or none"),
        ("--until", "; write auto, both, peer or stdin"),
        ("--checksum", "; write sha256 or blake3"),
        ("--color", "; write auto, always or never"),
    ] {
        let words = ["connect", "h", "80", option, "peek"];
        malformed(&words, "peek");
        let exit = nettool(words).run();
        assert!(exit.failure(2).contains(accepted), "{}", exit.stderr);
        let exit = nettool(["connect", "h", "80", option]).run();
        assert!(exit.failure(2).contains(accepted), "{}", exit.stderr);
    }
    let exit = nettool(["listen", "80", "--slow", "wiat"]).run();
    assert!(exit.stderr.contains("'wait'"), "{}", exit.stderr);
}

#[test]
fn what_does_not_fit_together_is_named() {
    let conflicts: [(&[&str], [&str; 2]); 12] = [
        (
            &["connect", "-u", "-U", "p", "--seqpacket"],
            ["--udp", "--seqpacket"],
        ),
        (&["connect", "-4", "-6", "h", "9"], ["-4", "-6"]),
        (&["connect", "-4", "-U", "p"], ["-4", "--unix"]),
        (&["listen", "-6", "-U", "p"], ["-6", "--unix"]),
        (
            &["connect", "--send-only", "--recv-only", "h", "9"],
            ["--send-only", "--recv-only"],
        ),
        (
            &["connect", "--until=peer", "--send-only", "h", "9"],
            ["--until", "--send-only"],
        ),
        (
            &["listen", "--recv-only", "--quit-after=1", "9"],
            ["--recv-only", "--quit-after"],
        ),
        (
            &["connect", "-u", "--until=peer", "h", "9"],
            ["--until", "--udp"],
        ),
        (
            &["connect", "-u", "--no-shutdown", "h", "9"],
            ["--no-shutdown", "--udp"],
        ),
        (
            &["listen", "-u", "--idle-timeout=1", "9"],
            ["--idle-timeout", "--udp"],
        ),
        (&["listen", "-U", "p", "-p", "9"], ["--unix", "--port"]),
        (&["connect", "-U", "p", "h"], ["--unix", "\"h\""]),
    ];
    for (words, names) in conflicts {
        let exit = nettool(words).run();
        let line = exit.failure(2);
        assert!(
            names.iter().all(|name| line.contains(name)),
            "{words:?}: {line}"
        );
    }
    let exit = nettool(["listen", "127.0.0.1", "80", "-p", "81"]).run();
    assert!(
        exit.failure(2).contains("\"80\" and --port"),
        "{}",
        exit.stderr
    );
}

#[test]
fn what_is_missing_is_said() {
    let exit = nettool(["connect"]).run();
    assert!(exit.failure(2).contains("HOST PORT"), "{}", exit.stderr);
    let exit = nettool(["connect", "example.org"]).run();
    assert!(
        exit.failure(2).contains("connect example.org PORT"),
        "{}",
        exit.stderr
    );
    let exit = nettool(["listen"]).run();
    assert!(exit.failure(2).contains("PORT"), "{}", exit.stderr);
    let exit = nettool(["listen", "127.0.0.1"]).run();
    assert!(
        exit.failure(2).contains("listen 127.0.0.1 PORT"),
        "{}",
        exit.stderr
    );
    assert!(nettool(["conect"]).run().failure(2).contains("'conect'"));
    let exit = nettool(["-q"]).run();
    assert!(
        exit.failure(2)
            .contains("ifaces, connect, listen, probe, buffers"),
        "{}",
        exit.stderr
    );
    let exit = nettool(["connect", "127.0.0.1:80", "90"]).run();
    assert!(
        exit.failure(2)
            .contains("twice: \"127.0.0.1:80\" and \"90\""),
        "{}",
        exit.stderr
    );
    let exit = nettool(["connect", "-z", "h:22"]).run();
    assert!(
        exit.failure(2).ends_with("use: nettool probe h:22"),
        "{}",
        exit.stderr
    );
}

#[test]
fn a_port_that_is_given_twice_is_named() {
    for port in ["80", "http"] {
        let exit = nettool(["listen", port, "-p", "81"]).run();
        assert!(
            exit.failure(2).contains(&format!("{port:?} and --port")),
            "{}",
            exit.stderr
        );
    }
}

/// A word that stands where another should.
#[test]
fn words_in_the_wrong_place_are_put_right() {
    for (words, answer) in [
        ("connect 80 localhost", ": nettool connect localhost 80"),
        ("connect ssh localhost", ": nettool connect localhost ssh"),
        ("connect 80", ": nettool connect HOST 80"),
        ("connect 80 81", "two ports"),
        ("connect h 80-90", "use: nettool probe h 80-90"),
        ("connect h 80,443", "use: nettool probe h 80,443"),
        ("connect h 53/udp", ": nettool connect -u h 53"),
        ("connect http://h/x", "write h:80"),
        ("connect tcp://h:1", "write h:1"),
        ("connect udp://h:1", ": nettool connect -u h:1"),
        ("connect unix:p", ": nettool connect -U p"),
        ("connect me@h 22", "write h"),
        ("listen 80 localhost", ": nettool listen localhost 80"),
        ("listen localhost", ": nettool listen localhost PORT"),
        ("listen :80", ": nettool listen 80"),
        ("listen *:80", ": nettool listen 80"),
        ("probe 22 h", ": nettool probe h 22"),
        ("probe -p 22 h 80", "one word after --ports"),
        ("probe h 1..100", "write 1-100"),
        ("probe http://h", "write h"),
        ("buffers fill 80 h", ": nettool buffers fill h 80"),
        ("buffers fill 80", ": nettool buffers fill HOST 80"),
        ("buffers fill h", ": nettool buffers fill h PORT"),
        ("buffers fill h:1 2", "twice: \"h:1\" and \"2\""),
        ("buffers fill -4 ::1 1", "::1 cannot be used with -4"),
        ("buffers advise --bandwidth 1M --to h:0", "port 0"),
    ] {
        answered(words, answer);
    }
}

/// A command of another program, or one that only sounds right.
#[test]
fn commands_of_others_are_answered() {
    for (words, answer) in [
        ("version", "use: nettool --version"),
        ("nc h 80", "use: nettool connect HOST PORT"),
        ("-v scan h", "use: nettool probe HOST PORTS"),
        ("netstat", "use: nettool buffers list"),
        ("ip addr", "use: nettool ifaces"),
    ] {
        answered(words, answer);
    }
    let exit = nettool(["conect", "h", "1"]).run();
    exit.status(2).says("'connect'");
    // What has no answer is at least not advised to be what it cannot be.
    let exit = nettool(["connect", "h", "1", "--nosuch"]).run();
    exit.status(2).says("'--nosuch'");
    assert!(!exit.stderr.contains("-- --nosuch"), "{}", exit.stderr);
}

/// A limit of no time would be over before anything is tried; of no use is it anywhere.
#[test]
fn no_time_is_no_limit() {
    for option in ["-w", "--idle-timeout", "--max-time", "--connect-timeout"] {
        malformed(&["connect", "h", "80", option, "0"], "0");
    }
    malformed(&["listen", "0", "--accept-timeout", "0s"], "0s");
    malformed(&["probe", "h", "1", "--deadline", "0"], "0");
    malformed(&["buffers", "fill", "--max-time", "0ms"], "0ms");
    let rtt = ["buffers", "advise", "--bandwidth", "1M", "--rtt"];
    malformed(&[&rtt[..], &["0"]].concat(), "0");
    malformed(&[&rtt[..], &["forever"]].concat(), "forever");
    malformed(&["ifaces", "--watch", "--every", "9ms"], "9ms");
    malformed(&["probe", "h", "1", "--source", "eth0"], "eth0");
}

/// Networks are measured in bits a second, and we count bytes.
#[test]
fn a_rate_in_bits_is_told_in_bytes() {
    for (rate, bytes) in [("10Mbit", "1250kB"), ("1Gbps", "125MB"), ("8kb/s", "1kB")] {
        let exit = nettool(["connect", "h", "1", "--limit-rate", rate]).run();
        let line = exit.failure(2);
        assert!(line.ends_with(&format!("; write {bytes}")), "{line}");
    }
}

/// A script learns as much as a person.
#[test]
fn a_record_says_what_is_missing_and_what_was_meant() {
    let usage = |words: &[&str]| {
        let exit = nettool(words).run();
        exit.status(2);
        records(exit.stdout).remove(0)
    };
    let record = usage(&["--json", "buffers", "advise"]);
    let cause = record["cause"].as_str().expect("a cause");
    assert!(
        cause.ends_with(" --bandwidth <RATE> --rtt <TIME>"),
        "{cause}"
    );
    let record = usage(&["--json", "ifaces", "--breif"]);
    assert_eq!(record["cause"], "unexpected argument '--breif' found");
    assert_eq!(record["hint"], "a similar argument exists: '--brief'");
}

/// Others mean stdin and stdout by it, and no file that is called so.
#[test]
fn a_dash_is_no_file() {
    malformed(&["connect", "h", "1", "--input=-"], "-");
    malformed(&["listen", "0", "--port-file", "-"], "-");
}

/// What is quoted cannot look like a line of ours.
#[test]
fn a_usage_error_is_one_line() {
    for words in [
        ["connect", "unix:a\nnettool: error: b"],
        ["listen", "a\n:80"],
        ["probe", "h:a\nb"],
    ] {
        let exit = nettool(words).run();
        exit.failure(2);
        assert_eq!(exit.stderr.lines().count(), 1, "{}", exit.stderr);
    }
    let exit = nettool(["probe", "22", "a\nb"]).run();
    exit.failure(2);
    assert_eq!(exit.stderr.lines().count(), 1, "{}", exit.stderr);
}
