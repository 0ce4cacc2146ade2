
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
            cand ifaces 'Show the network interfaces of this machine and their addresses'
            cand connect 'Connect to a server: stdin goes to it, its bytes to stdout'
            cand listen 'Wait for a client: stdin goes to it, its bytes to stdout'
            cand buffers 'Show how much the buffers of sockets hold, and what decides on it'
            cand man 'Print a manual page'
            cand completions 'Print the completions of a shell'
        }
        &'nettool;ifaces'= {
            cand --color 'When to use colours'
            cand -b 'A line an interface: name, state, addresses'
            cand --brief 'A line an interface: name, state, addresses'
            cand -s 'Show bytes, packets, errors and drops, received and sent'
            cand --stats 'Show bytes, packets, errors and drops, received and sent'
            cand --names 'Print names alone, one a line'
            cand -4 'IPv4 addresses alone; interfaces without one are still shown'
            cand -6 'IPv6 addresses alone; interfaces without one are still shown'
            cand --up 'Leave out what is down'
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
        &'nettool;buffers'= {
            cand --request 'Show what a program is granted that asks for this size'
            cand --require 'The same, and fail unless all of it is granted'
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
