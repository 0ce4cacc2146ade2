
use builtin;
use str;

set edit:completion:arg-completer[nettool] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'nettool'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'nettool'= {
            cand --color 'When to use colours'
            cand --json 'Print records, one JSON object a line'
            cand -q 'Print errors alone'
            cand --quiet 'Print errors alone'
            cand -v 'Tell more; twice: still more'
            cand --verbose 'Tell more; twice: still more'
            cand -n 'Never look a name up: hosts are addresses'
            cand --numeric 'Never look a name up: hosts are addresses'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand connect 'Connect to a server: stdin goes to it, its bytes to stdout'
            cand listen 'Wait for a client: stdin goes to it, its bytes to stdout'
            cand probe 'Find out which TCP ports accept a connection, and why the others do not'
            cand man 'Print a manual page'
            cand completions 'Print the completions of a shell'
        }
        &'nettool;connect'= {
            cand -U 'A Unix stream socket instead of TCP'
            cand --unix 'A Unix stream socket instead of TCP'
            cand --idle-timeout 'Fail when nothing moves in either direction for this long'
            cand -w 'Sets --idle-timeout, and --connect-timeout or --accept-timeout'
            cand --timeout 'Sets --idle-timeout, and --connect-timeout or --accept-timeout'
            cand --max-time 'Fail when the whole session takes longer'
            cand --quit-after 'Leave this long after the end of stdin'
            cand --connect-timeout 'Give up when no address answers in time, the look-up of the name included [default: 10s]'
            cand --until 'When to leave'
            cand --color 'When to use colours'
            cand -u 'Datagrams over UDP instead of a TCP stream'
            cand --udp 'Datagrams over UDP instead of a TCP stream'
            cand -4 'IPv4 alone'
            cand -6 'IPv6 alone'
            cand --send-only 'Send stdin alone: what comes is dropped, and the end of stdin is the end'
            cand --recv-only 'Receive alone: stdin is never read, and the peer''s end is the end'
            cand --no-shutdown 'Do not shut the write half down at the end of stdin'
            cand --raw 'Pass control sequences to the terminal as they come'
            cand -N 'Accepted for those who know nc: it is what happens anyway'
            cand -z 'Belongs to another command'
            cand --json 'Print records, one JSON object a line'
            cand -q 'Print errors alone'
            cand --quiet 'Print errors alone'
            cand -v 'Tell more; twice: still more'
            cand --verbose 'Tell more; twice: still more'
            cand -n 'Never look a name up: hosts are addresses'
            cand --numeric 'Never look a name up: hosts are addresses'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'nettool;listen'= {
            cand -U 'A Unix stream socket instead of TCP'
            cand --unix 'A Unix stream socket instead of TCP'
            cand --idle-timeout 'Fail when nothing moves in either direction for this long'
            cand -w 'Sets --idle-timeout, and --connect-timeout or --accept-timeout'
            cand --timeout 'Sets --idle-timeout, and --connect-timeout or --accept-timeout'
            cand --max-time 'Fail when the whole session takes longer'
            cand --quit-after 'Leave this long after the end of stdin'
            cand --accept-timeout 'Give up when no client comes in time'
            cand --until 'When to leave'
            cand -p 'The port, as nc has it'
            cand --port 'The port, as nc has it'
            cand --color 'When to use colours'
            cand -u 'Datagrams over UDP instead of a TCP stream'
            cand --udp 'Datagrams over UDP instead of a TCP stream'
            cand -4 'IPv4 alone'
            cand -6 'IPv6 alone'
            cand --send-only 'Send stdin alone: what comes is dropped, and the end of stdin is the end'
            cand --recv-only 'Receive alone: stdin is never read, and the peer''s end is the end'
            cand --no-shutdown 'Do not shut the write half down at the end of stdin'
            cand --raw 'Pass control sequences to the terminal as they come'
            cand -l 'Accepted for those who know nc: it is what happens anyway'
            cand --json 'Print records, one JSON object a line'
            cand -q 'Print errors alone'
            cand --quiet 'Print errors alone'
            cand -v 'Tell more; twice: still more'
            cand --verbose 'Tell more; twice: still more'
            cand -n 'Never look a name up: hosts are addresses'
            cand --numeric 'Never look a name up: hosts are addresses'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'nettool;probe'= {
            cand -p 'The ports: 22,80,8000-8100,https or well-known, registered, dynamic, all, common [default: common]'
            cand --ports 'The ports: 22,80,8000-8100,https or well-known, registered, dynamic, all, common [default: common]'
            cand --exclude-ports 'Leave these ports out'
            cand --try-timeout 'The most that one try may take [default: what the round-trip times teach]'
            cand --tries 'How often a silent port is tried [default: as the losses on the path demand]'
            cand --show 'Ports of which states to list [default: open; with --plain and --json all]'
            cand --color 'When to use colours'
            cand --all-addresses 'Probe every address of a name, not only the first that answers'
            cand -4 'IPv4 alone'
            cand -6 'IPv6 alone'
            cand --plain 'One line a port: host addr port proto state errno errname rtt_us tries service, with tabs'
            cand --connect-ex 'One line a port: PORT ERRNO, as connect_ex of Python returns it'
            cand --all-open 'The exit status is 0 only if all ports are open'
            cand --json 'Print records, one JSON object a line'
            cand -q 'Print errors alone'
            cand --quiet 'Print errors alone'
            cand -v 'Tell more; twice: still more'
            cand --verbose 'Tell more; twice: still more'
            cand -n 'Never look a name up: hosts are addresses'
            cand --numeric 'Never look a name up: hosts are addresses'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'nettool;man'= {
            cand --color 'When to use colours'
            cand --json 'Print records, one JSON object a line'
            cand -q 'Print errors alone'
            cand --quiet 'Print errors alone'
            cand -v 'Tell more; twice: still more'
            cand --verbose 'Tell more; twice: still more'
            cand -n 'Never look a name up: hosts are addresses'
            cand --numeric 'Never look a name up: hosts are addresses'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'nettool;completions'= {
            cand --color 'When to use colours'
            cand --json 'Print records, one JSON object a line'
            cand -q 'Print errors alone'
            cand --quiet 'Print errors alone'
            cand -v 'Tell more; twice: still more'
            cand --verbose 'Tell more; twice: still more'
            cand -n 'Never look a name up: hosts are addresses'
            cand --numeric 'Never look a name up: hosts are addresses'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
    ]
    $completions[$command]
}
