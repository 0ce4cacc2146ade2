//! The Tab key in real shells: commands, options, names of interfaces, ranges of ports.

use std::path::Path;

use crate::support::{Exit, Namespace, Program, Terminal, need};

/// Where the scripts lie.
const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/completions");

/// A name that runs a command in a shell that is careless.
const HOSTILE: &str = "ve$(id>&2)";

/// A search path that begins with the program under test.
fn path() -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_nettool"));
    let directory = program.parent().expect("a directory").display();
    format!("{directory}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin")
}

/// A namespace with two interfaces that begin alike, one of them hostile.
fn space() -> Option<Namespace> {
    let space = Namespace::new()?;
    space.run("ip link add veth0 type veth peer name plug");
    space.run("ip link add idle type veth peer name other");
    let ip = Program::new("ip").args(["link", "set", "idle", "name", HOSTILE]);
    space.inside(ip).run().status(0);
    Some(space)
}

/// Runs a script in a shell inside.
fn shell(space: &Namespace, words: &[&str], script: &str) -> Exit {
    let program = Program::new(words[0]).args(&words[1..]).arg(script);
    let exit = space.inside(program.env("PATH", &path())).run();
    exit.success().silent();
    exit
}

#[test]
fn bash_offers_names() {
    if !need(&["bash"]) {
        return;
    }
    let Some(space) = space() else { return };
    let offers = |words: &str| {
        let script = format!(
            "source {SCRIPTS}/nettool.bash; COMP_WORDS=(nettool {words}); \
             COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             _nettool_named nettool \"${{COMP_WORDS[COMP_CWORD]}}\" \
             \"${{COMP_WORDS[COMP_CWORD - 1]}}\"; printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        let exit = shell(&space, &["bash", "--norc", "-c"], &script);
        String::from_utf8(exit.stdout).expect("text")
    };
    let both = "veth0\nve\\$\\(id\\>\\&2\\)\n";
    assert_eq!(offers("ifaces ve"), both);
    assert_eq!(offers("--json ifaces --up lo ve"), both);
    assert_eq!(offers("--color always ifaces p"), "plug\n");
    assert_eq!(offers("ifaces --stat"), "--stats\n");
    assert_eq!(offers("ifaces --color a"), "auto\nalways\n");
    assert_eq!(offers("connect ifaces ve"), "\n");
    assert!(offers("ifaces ''").starts_with("lo\n"));
    assert_eq!(offers("connect --interface pl"), "plug\n");
    assert_eq!(offers("probe -p w"), "well-known\n");
    assert_eq!(offers("probe localhost al"), "all\n");
    assert_eq!(offers("buffers list -p al"), "all\n");
    assert_eq!(offers("buffers watch --port reg"), "registered\n");
    assert_eq!(offers("pro"), "probe\n");
    assert_eq!(offers("buffers fi"), "fill\n");
    // A bar that is not quoted is a pipe; the word for the state has another form.
    assert_eq!(offers("probe --show o"), "open\nopen-filtered\n");
    assert_eq!(
        offers("buffers list --state syn"),
        "syn-sent\nsyn-received\n"
    );
    assert_eq!(offers("buffers list --sort d"), "drops\n");
}

#[test]
fn fish_offers_names() {
    if !need(&["fish"]) {
        return;
    }
    let Some(space) = space() else { return };
    let offers = |line: &str| {
        let script = format!("source {SCRIPTS}/nettool.fish; complete -C'{line}'");
        let home = tempfile::tempdir().expect("a directory");
        let words = ["env", &format!("HOME={}", home.path().display()), "fish"];
        let exit = shell(
            &space,
            &[&words[..], &["--no-config", "-c"]].concat(),
            &script,
        );
        String::from_utf8(exit.stdout).expect("text")
    };
    let names = offers("nettool ifaces ve");
    let mut names: Vec<_> = names.lines().collect();
    names.sort_unstable();
    assert_eq!(names, [HOSTILE, "veth0"]);
    assert_eq!(offers("nettool ifaces lo p"), "plug\n");
    assert!(offers("nettool ifaces --stat").starts_with("--stats\t"));
    assert_eq!(offers("nettool connect --interface pl"), "plug\n");
    assert_eq!(offers("nettool probe -p w"), "well-known\n");
    assert_eq!(offers("nettool probe localhost dyn"), "dynamic\n");
    assert_eq!(offers("nettool buffers list -p al"), "all\n");
    assert_eq!(offers("nettool buffers list --state est"), "established\n");
    assert_eq!(offers("nettool man buffers-f"), "buffers-fill\n");
    assert_eq!(offers("nettool completions z"), "zsh\n");
    assert!(offers("nettool probe --show open\\|").starts_with("open|filtered\t"));
    assert!(offers("nettool pro").starts_with("probe\t"));
    assert!(offers("nettool buffers fi").starts_with("fill\t"));
}

#[test]
fn zsh_offers_names() {
    if !need(&["zsh"]) {
        return;
    }
    let Some(space) = space() else { return };
    let mut terminal = Terminal::new();
    let program = Program::new("zsh").args(["-f", "-i"]).env("PATH", &path());
    let program = program.env("TERM", "dumb").env("PS1", "ready> ");
    let shell = terminal.hosts(space.inside(program)).start();
    terminal.shows("ready> ");
    terminal.types(format!(
        "fpath=({SCRIPTS} $fpath); autoload -U compinit; compinit -u -D; echo load''ed\n"
    ));
    terminal.shows("loaded\r\n");
    terminal.types("nettool ifaces --names pl\t\n");
    terminal.shows("\r\nplug\r\n");
    terminal.types("nettool ifaces --names ve\\$\t\n");
    terminal.shows(&format!("\r\n{HOSTILE}\r\n"));
    terminal.types("nettool ifa\t --na\t lo\n");
    terminal.shows("\r\nlo\r\n");
    terminal.types("nettool pro\t --pl\t -p well\t ::1 | grep -c dynam\t\n");
    terminal.shows("well-known");
    terminal.types("nettool pro\t localhost regis\t --seed x\n");
    terminal.shows("registered");
    terminal.types("nettool buf\t li\t -p dyn\t -n | wc -l\n");
    terminal.shows("-p dynamic");
    terminal.types("nettool buf\t li\t --state close-w\t -n | wc -l\n");
    terminal.shows("--state close-wait");
    terminal.types("nettool probe --show undet\t ::1 1 | wc -l\n");
    terminal.shows("--show undetermined");
    terminal.types("nettool probe --show open\\|\t ::1 1 | wc -l\n");
    terminal.shows("--show open\\|filtered");
    terminal.types("exit 0\n");
    shell.wait().status(0);
}
