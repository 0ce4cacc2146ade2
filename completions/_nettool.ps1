
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'nettool' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'nettool'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'nettool' {
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print records, one JSON object a line')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print errors alone')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print errors alone')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more; twice: still more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more; twice: still more')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Never look a name up: hosts are addresses')
            [CompletionResult]::new('--numeric', '--numeric', [CompletionResultType]::ParameterName, 'Never look a name up: hosts are addresses')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('ifaces', 'ifaces', [CompletionResultType]::ParameterValue, 'Show the network interfaces of this machine and their addresses')
            [CompletionResult]::new('connect', 'connect', [CompletionResultType]::ParameterValue, 'Connect to a server: stdin goes to it, its bytes to stdout')
            [CompletionResult]::new('listen', 'listen', [CompletionResultType]::ParameterValue, 'Wait for a client: stdin goes to it, its bytes to stdout')
            [CompletionResult]::new('probe', 'probe', [CompletionResultType]::ParameterValue, 'Find out which TCP ports accept a connection, and why the others do not')
            [CompletionResult]::new('buffers', 'buffers', [CompletionResultType]::ParameterValue, 'Show how much the buffers of sockets hold, and what decides on it')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Print a manual page')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print the completions of a shell')
            break
        }
        'nettool;ifaces' {
            [CompletionResult]::new('--for', '--for', [CompletionResultType]::ParameterName, 'Show the source address, interface and gateway for reaching a host; nothing is sent')
            [CompletionResult]::new('--every', '--every', [CompletionResultType]::ParameterName, 'Time between two looks of --watch')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('-b', '-b', [CompletionResultType]::ParameterName, 'A line an interface: name, state, addresses')
            [CompletionResult]::new('--brief', '--brief', [CompletionResultType]::ParameterName, 'A line an interface: name, state, addresses')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'Show bytes, packets, errors and drops, received and sent')
            [CompletionResult]::new('--stats', '--stats', [CompletionResultType]::ParameterName, 'Show bytes, packets, errors and drops, received and sent')
            [CompletionResult]::new('--names', '--names', [CompletionResultType]::ParameterName, 'Print names alone, one a line')
            [CompletionResult]::new('--details', '--details', [CompletionResultType]::ParameterName, 'Show lifetimes, links, drivers, flags and name servers too')
            [CompletionResult]::new('--default', '--default', [CompletionResultType]::ParameterName, 'Show the same of the default routes, those that are taken first first')
            [CompletionResult]::new('--ip', '--ip', [CompletionResultType]::ParameterName, 'Print the source address alone; of the default routes the first one''s of each family')
            [CompletionResult]::new('--watch', '--watch', [CompletionResultType]::ParameterName, 'Show how fast bytes come and go, until a signal')
            [CompletionResult]::new('-4', '-4', [CompletionResultType]::ParameterName, 'IPv4 addresses alone; interfaces without one are still shown')
            [CompletionResult]::new('-6', '-6', [CompletionResultType]::ParameterName, 'IPv6 addresses alone; interfaces without one are still shown')
            [CompletionResult]::new('--up', '--up', [CompletionResultType]::ParameterName, 'Leave out what is down')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print records, one JSON object a line')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print errors alone')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print errors alone')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more; twice: still more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more; twice: still more')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Never look a name up: hosts are addresses')
            [CompletionResult]::new('--numeric', '--numeric', [CompletionResultType]::ParameterName, 'Never look a name up: hosts are addresses')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'nettool;connect' {
            [CompletionResult]::new('-U', '-U ', [CompletionResultType]::ParameterName, 'A Unix stream socket instead of TCP')
            [CompletionResult]::new('--unix', '--unix', [CompletionResultType]::ParameterName, 'A Unix stream socket instead of TCP')
            [CompletionResult]::new('--idle-timeout', '--idle-timeout', [CompletionResultType]::ParameterName, 'Fail when nothing moves in either direction for this long')
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'Sets --idle-timeout, and --connect-timeout or --accept-timeout')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Sets --idle-timeout, and --connect-timeout or --accept-timeout')
            [CompletionResult]::new('--max-time', '--max-time', [CompletionResultType]::ParameterName, 'Fail when the whole session takes longer')
            [CompletionResult]::new('--quit-after', '--quit-after', [CompletionResultType]::ParameterName, 'Leave this long after the end of stdin')
            [CompletionResult]::new('--connect-timeout', '--connect-timeout', [CompletionResultType]::ParameterName, 'Give up when no address answers in time, the look-up of the name included [default: 10s]')
            [CompletionResult]::new('--until', '--until', [CompletionResultType]::ParameterName, 'When to leave')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('-u', '-u', [CompletionResultType]::ParameterName, 'Datagrams over UDP instead of a TCP stream')
            [CompletionResult]::new('--udp', '--udp', [CompletionResultType]::ParameterName, 'Datagrams over UDP instead of a TCP stream')
            [CompletionResult]::new('-4', '-4', [CompletionResultType]::ParameterName, 'IPv4 alone')
            [CompletionResult]::new('-6', '-6', [CompletionResultType]::ParameterName, 'IPv6 alone')
            [CompletionResult]::new('--send-only', '--send-only', [CompletionResultType]::ParameterName, 'Send stdin alone: what comes is dropped, and the end of stdin is the end')
            [CompletionResult]::new('--recv-only', '--recv-only', [CompletionResultType]::ParameterName, 'Receive alone: stdin is never read, and the peer''s end is the end')
            [CompletionResult]::new('--no-shutdown', '--no-shutdown', [CompletionResultType]::ParameterName, 'Do not shut the write half down at the end of stdin')
            [CompletionResult]::new('--raw', '--raw', [CompletionResultType]::ParameterName, 'Pass control sequences to the terminal as they come')
            [CompletionResult]::new('-N', '-N ', [CompletionResultType]::ParameterName, 'Accepted for those who know nc: it is what happens anyway')
            [CompletionResult]::new('-z', '-z', [CompletionResultType]::ParameterName, 'Belongs to another command')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print records, one JSON object a line')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print errors alone')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print errors alone')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more; twice: still more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more; twice: still more')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Never look a name up: hosts are addresses')
            [CompletionResult]::new('--numeric', '--numeric', [CompletionResultType]::ParameterName, 'Never look a name up: hosts are addresses')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'nettool;listen' {
            [CompletionResult]::new('-U', '-U ', [CompletionResultType]::ParameterName, 'A Unix stream socket instead of TCP')
            [CompletionResult]::new('--unix', '--unix', [CompletionResultType]::ParameterName, 'A Unix stream socket instead of TCP')
            [CompletionResult]::new('--idle-timeout', '--idle-timeout', [CompletionResultType]::ParameterName, 'Fail when nothing moves in either direction for this long')
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'Sets --idle-timeout, and --connect-timeout or --accept-timeout')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Sets --idle-timeout, and --connect-timeout or --accept-timeout')
            [CompletionResult]::new('--max-time', '--max-time', [CompletionResultType]::ParameterName, 'Fail when the whole session takes longer')
            [CompletionResult]::new('--quit-after', '--quit-after', [CompletionResultType]::ParameterName, 'Leave this long after the end of stdin')
            [CompletionResult]::new('--accept-timeout', '--accept-timeout', [CompletionResultType]::ParameterName, 'Give up when no client comes in time')
            [CompletionResult]::new('--until', '--until', [CompletionResultType]::ParameterName, 'When to leave')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'The port, as nc has it')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'The port, as nc has it')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('-u', '-u', [CompletionResultType]::ParameterName, 'Datagrams over UDP instead of a TCP stream')
            [CompletionResult]::new('--udp', '--udp', [CompletionResultType]::ParameterName, 'Datagrams over UDP instead of a TCP stream')
            [CompletionResult]::new('-4', '-4', [CompletionResultType]::ParameterName, 'IPv4 alone')
            [CompletionResult]::new('-6', '-6', [CompletionResultType]::ParameterName, 'IPv6 alone')
            [CompletionResult]::new('--send-only', '--send-only', [CompletionResultType]::ParameterName, 'Send stdin alone: what comes is dropped, and the end of stdin is the end')
            [CompletionResult]::new('--recv-only', '--recv-only', [CompletionResultType]::ParameterName, 'Receive alone: stdin is never read, and the peer''s end is the end')
            [CompletionResult]::new('--no-shutdown', '--no-shutdown', [CompletionResultType]::ParameterName, 'Do not shut the write half down at the end of stdin')
            [CompletionResult]::new('--raw', '--raw', [CompletionResultType]::ParameterName, 'Pass control sequences to the terminal as they come')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Accepted for those who know nc: it is what happens anyway')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print records, one JSON object a line')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print errors alone')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print errors alone')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more; twice: still more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more; twice: still more')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Never look a name up: hosts are addresses')
            [CompletionResult]::new('--numeric', '--numeric', [CompletionResultType]::ParameterName, 'Never look a name up: hosts are addresses')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'nettool;probe' {
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'The ports: 22,80,8000-8100,https or well-known, registered, dynamic, all, common [default: common]')
            [CompletionResult]::new('--ports', '--ports', [CompletionResultType]::ParameterName, 'The ports: 22,80,8000-8100,https or well-known, registered, dynamic, all, common [default: common]')
            [CompletionResult]::new('--exclude', '--exclude', [CompletionResultType]::ParameterName, 'Leave these hosts, networks and ranges out, whoever names them')
            [CompletionResult]::new('--exclude-ports', '--exclude-ports', [CompletionResultType]::ParameterName, 'Leave these ports out')
            [CompletionResult]::new('--try-timeout', '--try-timeout', [CompletionResultType]::ParameterName, 'The most that one try may take [default: what the round-trip times teach]')
            [CompletionResult]::new('--tries', '--tries', [CompletionResultType]::ParameterName, 'How often a silent port is tried [default: as the losses on the path demand]')
            [CompletionResult]::new('--rate', '--rate', [CompletionResultType]::ParameterName, 'The most probes a second [default: as fast as the path and this machine bear]')
            [CompletionResult]::new('--concurrency', '--concurrency', [CompletionResultType]::ParameterName, 'The most connections under way at once [default: as the answers and open files allow]')
            [CompletionResult]::new('--deadline', '--deadline', [CompletionResultType]::ParameterName, 'The most that everything may take; what is not known then is undetermined: exit status 3')
            [CompletionResult]::new('--seed', '--seed', [CompletionResultType]::ParameterName, 'The same number gives the same order of ports [default: another order each time]')
            [CompletionResult]::new('--source', '--source', [CompletionResultType]::ParameterName, 'Probe from this address of ours, and only addresses of its family')
            [CompletionResult]::new('--interface', '--interface', [CompletionResultType]::ParameterName, 'Probe by this interface alone')
            [CompletionResult]::new('--show', '--show', [CompletionResultType]::ParameterName, 'Ports of which states to list [default: open; with --plain and --json all]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('--all-addresses', '--all-addresses', [CompletionResultType]::ParameterName, 'Probe every address of a name, not only the first that answers')
            [CompletionResult]::new('-4', '-4', [CompletionResultType]::ParameterName, 'IPv4 alone')
            [CompletionResult]::new('-6', '-6', [CompletionResultType]::ParameterName, 'IPv6 alone')
            [CompletionResult]::new('--plain', '--plain', [CompletionResultType]::ParameterName, 'One line a port: host addr port proto state errno errname rtt_us tries service, with tabs')
            [CompletionResult]::new('--connect-ex', '--connect-ex', [CompletionResultType]::ParameterName, 'One line a port: PORT ERRNO, as connect_ex of Python returns it')
            [CompletionResult]::new('--all-open', '--all-open', [CompletionResultType]::ParameterName, 'The exit status is 0 only if all ports are open')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print records, one JSON object a line')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print errors alone')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print errors alone')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more; twice: still more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more; twice: still more')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Never look a name up: hosts are addresses')
            [CompletionResult]::new('--numeric', '--numeric', [CompletionResultType]::ParameterName, 'Never look a name up: hosts are addresses')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'nettool;buffers' {
            [CompletionResult]::new('--request', '--request', [CompletionResultType]::ParameterName, 'Show what a program is granted that asks for this size')
            [CompletionResult]::new('--require', '--require', [CompletionResultType]::ParameterName, 'The same, and fail unless all of it is granted')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print records, one JSON object a line')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print errors alone')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print errors alone')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more; twice: still more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more; twice: still more')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Never look a name up: hosts are addresses')
            [CompletionResult]::new('--numeric', '--numeric', [CompletionResultType]::ParameterName, 'Never look a name up: hosts are addresses')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'nettool;man' {
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print records, one JSON object a line')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print errors alone')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print errors alone')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more; twice: still more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more; twice: still more')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Never look a name up: hosts are addresses')
            [CompletionResult]::new('--numeric', '--numeric', [CompletionResultType]::ParameterName, 'Never look a name up: hosts are addresses')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'nettool;completions' {
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print records, one JSON object a line')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print errors alone')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print errors alone')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more; twice: still more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more; twice: still more')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Never look a name up: hosts are addresses')
            [CompletionResult]::new('--numeric', '--numeric', [CompletionResultType]::ParameterName, 'Never look a name up: hosts are addresses')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
