//! What other programs call what we call otherwise.

/// An option of another program, and what is written here instead.
pub(super) type Habit = (&'static str, &'static str);

/// What other programs, and their parts, are called.
pub(super) const COMMANDS: &[Habit] = &[
    ("version", "use: nettool --version"),
    ("nc", CONNECT),
    ("ncat", CONNECT),
    ("netcat", CONNECT),
    ("telnet", CONNECT),
    ("socat", CONNECT),
    ("client", CONNECT),
    ("send", CONNECT),
    ("server", LISTEN),
    ("serve", LISTEN),
    ("receive", LISTEN),
    ("nmap", PROBE),
    ("scan", PROBE),
    ("check", PROBE),
    ("wait", "use: nettool probe --wait TIME HOST PORT"),
    ("ping", "use: nettool probe --ping HOST"),
    ("ip", IFACES),
    ("ifconfig", IFACES),
    ("addr", IFACES),
    ("address", IFACES),
    ("interfaces", IFACES),
    ("route", "use: nettool ifaces --for HOST, or --default"),
    ("ss", LIST),
    ("netstat", LIST),
    ("sockets", LIST),
];

const CONNECT: &str = "use: nettool connect HOST PORT, or nettool listen PORT";
const LISTEN: &str = "use: nettool listen PORT";
const PROBE: &str = "use: nettool probe HOST PORTS";
const IFACES: &str = "use: nettool ifaces";
const LIST: &str = "use: nettool buffers list";

/// Before a command is named at all.
pub(super) const OF_NONE: &[Habit] = &[
    ("-l", "use: nettool listen PORT"),
    ("-k", "use: nettool listen -k PORT"),
    ("-z", "use: nettool probe HOST PORT"),
    (
        "-u",
        "use: nettool connect -u HOST PORT, or nettool listen -u PORT",
    ),
    (
        "-p",
        "use: nettool probe -p PORTS HOST, or nettool listen PORT",
    ),
    ("-s", "use: nettool probe HOST PORTS"),
    ("-a", "use: nettool ifaces, or nettool buffers list"),
    ("-e", "use: nettool listen PORT -e CMD"),
    ("-c", "use: nettool listen PORT -c CMD"),
];

/// Of `connect` alone.
pub(super) const OF_CONNECT: &[Habit] = &[
    (
        "-k",
        "connect talks with one server; use: nettool listen -k PORT",
    ),
    (
        "--keep-open",
        "connect talks with one server; use: nettool listen -k PORT",
    ),
    (
        "-e",
        "connect runs no command; use: nettool listen PORT -e CMD",
    ),
    (
        "--exec",
        "connect runs no command; use: nettool listen PORT -e CMD",
    ),
    (
        "-c",
        "connect runs no command; use: nettool listen PORT -c CMD",
    ),
    (
        "--sh-exec",
        "connect runs no command; use: nettool listen PORT -c CMD",
    ),
    (
        "-P",
        "connect knows no proxies; -s ADDR and -p PORT are our own address and port",
    ),
    ("--proxy", "connect knows no proxies"),
];

/// Of both that talk.
pub(super) const OF_TALKS: &[Habit] = &[
    (
        "-z",
        "listen waits for clients; use: nettool probe HOST PORT",
    ),
    (
        "-i",
        "use --delay TIME for the time between lines, --idle-timeout TIME for silence",
    ),
    (
        "-d",
        "use --recv-only where stdin is not to be read, --delay TIME between lines",
    ),
    ("-W", "use --max-bytes SIZE"),
    ("-b", "use --broadcast"),
    ("-I", "use --recv-buffer SIZE"),
    ("-O", "use --send-buffer SIZE"),
    ("-T", "use --dscp CLASS"),
    ("--tos", "use --dscp CLASS"),
    ("-M", "use --ttl N"),
    ("-m", "use --ttl N"),
    ("-o", "use --hexdump FILE, or --output FILE for what comes"),
    ("-r", "port 0 lets the system pick one"),
    ("-t", "Telnet is not spoken: leave -t out"),
    ("-g", "routes are the system's: leave -g out"),
    (
        "-D",
        "use: nettool probe --count N HOST PORT to see how connections come about",
    ),
    (
        "--ssl",
        "TLS is not spoken; use: openssl s_client -connect HOST:PORT",
    ),
    ("-S", "use --source ADDR"),
    ("--max-conns", "use --max-clients N"),
    ("--append-output", "use --output FILE --append"),
    ("--allowfile", "use --allow-file FILE"),
    ("--denyfile", "use --deny-file FILE"),
    ("--nodns", "use -n"),
    ("--telnet", "Telnet is not spoken: leave it out"),
    (
        "--sctp",
        "SCTP is not spoken; TCP is without an option, UDP with -u",
    ),
    (
        "--wait",
        "use --timeout TIME; to wait for a server: nettool probe --wait TIME HOST PORT",
    ),
];

/// Of `probe`.
pub(super) const OF_PROBE: &[Habit] = &[
    ("-sU", "use -u: nettool probe -u HOST"),
    ("-sn", "use --ping: nettool probe --ping 10.0.0.0/24"),
    ("-sP", "use --ping: nettool probe --ping 10.0.0.0/24"),
    ("-sV", "use --banner, which shows what servers say"),
    ("-sC", "use --banner, which shows what servers say"),
    (
        "-sL",
        "targets are not listed unasked; use --ping to see which are up",
    ),
    (
        "-s",
        "ports are probed by connecting, as nmap -sT does: leave it out, or write -u for UDP",
    ),
    (
        "-P",
        "nobody is pinged first unless --ping is given: leave it out",
    ),
    (
        "-T",
        "the speed follows the path: leave it out, or write --fast",
    ),
    (
        "-F",
        "without PORTS the common ones are probed: leave it out",
    ),
    ("-A", "use --banner, which shows what servers say"),
    (
        "-O",
        "systems are not guessed; --banner shows what servers say",
    ),
    ("-oX", "use --json > FILE"),
    ("-o", "use --plain > FILE, or --json > FILE"),
    ("-iL", "use @FILE as a target"),
    (
        "-i",
        "use --every TIME with --count N, or @FILE for a list of targets",
    ),
    ("-z", "probe sends no data anyway: leave -z out"),
    (
        "-w",
        "use --try-timeout TIME, or --wait TIME until the port is open",
    ),
    ("-W", "use --try-timeout TIME"),
    ("-c", "use --count N"),
    (
        "-r",
        "ports are probed in any order and told as they answer: leave it out",
    ),
    ("-R", "-n is for addresses without names: leave it out"),
    ("-S", "use --source ADDR"),
    ("-e", "use --interface NAME"),
    ("-I", "use --interface NAME"),
    (
        "--open",
        "open ports are what is shown: leave it out, or write --show open",
    ),
    ("--top-ports", "use common as the ports, or leave them out"),
    ("--excludefile", "use --exclude TARGET,..."),
    ("--reason", "use --show all"),
    ("--max-retries", "use --tries N"),
    ("--max-rate", "use --rate N"),
    (
        "--min-rate",
        "the speed follows the path: leave it out, or write --fast",
    ),
    ("--host-timeout", "use --deadline TIME"),
    (
        "--timeout",
        "use --try-timeout TIME, or --deadline TIME for all of it",
    ),
    ("--port", "use --ports PORTS"),
    (
        "--script",
        "no scripts are run; --banner shows what servers say",
    ),
    ("--range", "write the ports last: nettool probe HOST 1-1024"),
];

/// Of `ifaces`.
pub(super) const OF_IFACES: &[Habit] = &[
    ("-a", "every interface is shown: leave -a out"),
    ("-l", "use --names"),
    ("-c", "use --color WHEN"),
    (
        "-i",
        "name the interface: nettool ifaces NAME, or -s for its counts",
    ),
    ("-r", "use --default, or --for HOST"),
    ("-d", "use --details"),
    ("-f", "use -4 or -6"),
    ("-o", "use --brief for a line each"),
];

/// Of `buffers`.
pub(super) const OF_BUFFERS: &[Habit] = &[
    ("-t", "use: nettool buffers list -t"),
    ("-u", "use: nettool buffers list -u"),
    ("-x", "use: nettool buffers list -x"),
    ("-l", "use: nettool buffers list -l"),
    ("-p", "use: nettool buffers list"),
    ("-a", "use: nettool buffers list"),
    ("-m", "use: nettool buffers list"),
    ("-s", "use: nettool buffers"),
];
